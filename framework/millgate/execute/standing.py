"""Where a partition stands, for the rules of its gate that look beyond its own rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from millgate.execute.compute import loaded, thread_connection
from millgate.execute.mill import Mill
from millgate.execute.order import Order, ResolvedInput, Version
from millgate.execute.ordering import beside_fingerprint, looked_at
from millgate.execute.proposal import listed_keys
from millgate.execute.sources import observe
from millgate.gate.surroundings import Surroundings
from millgate.lineage import queries
from millgate.lineage.live_state import read_live
from millgate.model.asset import COMPARED, Asset, Form, Input, Source
from millgate.model.dimension import Horizon
from millgate.model.partition import Partition
from millgate.model.schema import Schema
from millgate.plan.needs import Needs, Read

if TYPE_CHECKING:
    import duckdb


def surroundings(order: Order, made_at: datetime | None) -> Surroundings | None:
    """What a version of the order's partition, made at that moment, is judged against."""
    return around(order.asset, order.partition, made_at, order.beside)


def around(
    asset: Asset,
    partition: Partition,
    made_at: datetime | None,
    beside: Sequence[ResolvedInput],
) -> Surroundings | None:
    """What a version that was made then (UTC without a zone) is judged against.

    A partition without a window is judged as of when its version was made, so that judging it
    again later comes to the same.
    """
    until = partition.end or made_at
    if until is None:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    time = asset.partitions.time
    return Surroundings(
        until,
        time.tz if time else "UTC",
        {g.upstream.name: _frame(g) for g in beside if g.declared.parameter != COMPARED},
        next((_rows(g) for g in beside if g.declared.parameter == COMPARED), None),
        beside_fingerprint(beside),
        looked_at(beside),
    )


def _rows(given: ResolvedInput) -> tuple[int, ...]:
    return tuple(version.rows for version in given.versions)


def _frame(given: ResolvedInput) -> pl.LazyFrame:
    """All rows of a reference; without columns where nothing is known of it."""
    if not given.versions and (given.schema is None or isinstance(given.upstream, Source)):
        return pl.LazyFrame()
    frame: pl.LazyFrame = loaded(given, Form.LAZY, thread_connection)
    return frame


@dataclass(frozen=True)
class _Upstream:
    """What the gate of an asset looks at: which keys for each of its own, and what is live."""

    read: Read
    versions: Mapping[str, Version]
    schema: Schema | None


@dataclass(frozen=True)
class Standing:
    """Where partitions stand by what is live now, for judgements outside of a run."""

    mill: Mill
    connection: duckdb.DuckDBPyConnection

    _upstreams: dict[tuple[str, str], _Upstream] = field(default_factory=dict)
    """What was looked up, for each asset and what its gate looks at."""

    def around(self, asset: Asset, key: str, made_at: datetime | None) -> Surroundings | None:
        """What a version of a partition is judged against, by what is live now."""
        beside = [self._resolved(asset, given, key) for given in asset.beside]
        return around(asset, asset.partition(key), made_at, beside)

    def _resolved(self, asset: Asset, given: Input, key: str) -> ResolvedInput:
        upstream = self._upstreams.get((asset.name, given.parameter))
        if upstream is None:
            upstream = self._looked_up(asset, given)
            self._upstreams[asset.name, given.parameter] = upstream
        keys = upstream.read.table[key]
        versions = tuple(upstream.versions[k] for k in keys if k in upstream.versions)
        return ResolvedInput(given, self.mill.graph[given.upstream], versions, upstream.schema)

    def _looked_up(self, asset: Asset, given: Input) -> _Upstream:
        upstream = self.mill.graph[given.upstream]
        names = [asset.name, upstream.name]
        horizon = Horizon(self.mill.clock(), listed_keys(self.mill, names, self.connection))
        read = Needs(horizon).read(asset, given, upstream)
        if isinstance(upstream, Source):
            return _Upstream(read, self._observed(upstream, horizon), None)
        live = read_live(self.connection, [upstream.name]).get(upstream.name, {})
        versions = {
            v.partition: Version(
                v.materialization,
                upstream.partition(v.partition),
                (self.mill.layout.versions / v.path,),
                v.schema,
                live[v.partition].data_hash,
                rows=v.rows,
            )
            for v in queries.live_versions(self.connection, upstream.name)
        }
        return _Upstream(read, versions, queries.live_schema(self.connection, upstream.name))

    def _observed(self, source: Source, horizon: Horizon) -> dict[str, Version]:
        found = observe([source], horizon, self.mill.root, self.mill.seen_files)[source.name]
        return {
            key: Version(
                0,
                source.partition(key),
                tuple(Path(file.path) for file in seen.files),
                Schema(()),
                seen.data_hash,
            )
            for key, seen in found.items()
            if not seen.missing
        }
