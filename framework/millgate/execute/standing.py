"""Where a partition stands, for the rules of its gate that look beyond its own rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from millgate.execute.compute import loaded, thread_connection
from millgate.execute.mill import Mill
from millgate.execute.order import Order, ResolvedInput, Version
from millgate.execute.ordering import looked_at
from millgate.execute.proposal import listed_keys
from millgate.execute.sources import observe
from millgate.gate.surroundings import Surroundings
from millgate.lineage import queries
from millgate.model.asset import COMPARED, Asset, Form, Input, Source
from millgate.model.dimension import Horizon
from millgate.model.schema import Schema
from millgate.plan.needs import Needs

if TYPE_CHECKING:
    import duckdb


def surroundings(order: Order, made_at: datetime | None) -> Surroundings | None:
    """What a version of the order's partition, made at that moment, is judged against."""
    return around(order.asset, order.partition.key, made_at, order.beside)


def around(
    asset: Asset, key: str, made_at: datetime | None, beside: Sequence[ResolvedInput]
) -> Surroundings | None:
    """What a version that was made then (UTC without a zone) is judged against.

    A partition without a window is judged as of when its version was made, so that judging it
    again later comes to the same.
    """
    until = asset.partition(key).end or made_at
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
        looked_at(beside),
    )


def _rows(given: ResolvedInput) -> tuple[int, ...]:
    return tuple(version.rows for version in given.versions)


def _frame(given: ResolvedInput) -> pl.LazyFrame:
    """All rows of a reference; without columns where nothing is known of it."""
    if not given.versions and (given.schema is None or isinstance(given.upstream, Source)):
        return pl.LazyFrame()
    frame: pl.LazyFrame = loaded(given, Form.LAZY, thread_connection())
    return frame


@dataclass(frozen=True)
class Standing:
    """Where partitions stand by what is live now, for judgements outside of a run."""

    mill: Mill
    connection: duckdb.DuckDBPyConnection

    def around(self, asset: Asset, key: str, made_at: datetime | None) -> Surroundings | None:
        """What a version of a partition is judged against, by what is live now."""
        beside = [self._resolved(asset, given, key) for given in asset.beside]
        return around(asset, key, made_at, beside)

    def _resolved(self, asset: Asset, given: Input, key: str) -> ResolvedInput:
        upstream = self.mill.graph[given.upstream]
        names = [asset.name, upstream.name]
        horizon = Horizon(self.mill.clock(), listed_keys(self.mill, names, self.connection))
        keys = Needs(horizon).read(asset, given, upstream).table[key]
        if isinstance(upstream, Source):
            return ResolvedInput(given, upstream, self._observed(upstream, keys, horizon), None)
        live = queries.read_state(self.connection, [upstream.name])[0].get(upstream.name, {})
        there = {v.partition: v for v in queries.live_versions(self.connection, upstream.name)}
        versions = tuple(
            Version(
                there[k].materialization,
                upstream.partition(k),
                (self.mill.layout.versions / there[k].path,),
                there[k].schema,
                live[k].data_hash,
                rows=there[k].rows,
            )
            for k in keys
            if k in there
        )
        schema = queries.live_schema(self.connection, upstream.name)
        return ResolvedInput(given, upstream, versions, schema)

    def _observed(
        self, source: Source, keys: Sequence[str], horizon: Horizon
    ) -> tuple[Version, ...]:
        found = observe([source], horizon, self.mill.root, self.mill.seen_files)[source.name]
        return tuple(
            Version(
                0,
                source.partition(key),
                tuple(Path(file.path) for file in found[key].files),
                Schema(()),
                found[key].data_hash,
            )
            for key in keys
            if key in found and not found[key].missing
        )
