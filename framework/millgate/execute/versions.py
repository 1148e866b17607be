"""Which version of an upstream a step of this run reads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import polars as pl

from millgate.execute.board import Board
from millgate.execute.mill import Mill
from millgate.execute.order import ResolvedInput, Version
from millgate.execute.proposal import Proposal
from millgate.execute.sources import Observation
from millgate.lineage import queries
from millgate.model.asset import Input, Source
from millgate.model.partition import label
from millgate.model.record import (
    InputVersion,
    LiveVersion,
    Materialization,
    materialization_id,
)
from millgate.model.schema import Schema, united
from millgate.model.step import NeededInput, Step
from millgate.store.storage import STORAGES


class Versions:
    """Every version that the steps of a run may read: live ones, this run's, and sources.

    A source's files become a materialization of kind `observed` the first time they are read
    with content that is not on record; `unrecorded` collects those for the next commit.
    """

    def __init__(self, mill: Mill, proposal: Proposal, run: int, ordinals: Iterator[int]) -> None:
        self._mill = mill
        self._proposal = proposal
        self._run = run
        self._ordinals = ordinals
        self._live: dict[str, dict[str, LiveVersion]] = {}
        self._recorded: dict[int, tuple[InputVersion, ...]] = {}
        self._waiting: dict[int, str] = {}
        self._schemas: dict[str, Schema | None] = {}
        self._observed: dict[tuple[str, str], Version] = {}
        self.unrecorded: list[Materialization] = []
        self._load(proposal)

    def _load(self, proposal: Proposal) -> None:
        if proposal.plan.snapshot is None:
            return
        steps = proposal.plan.steps
        names = {s.asset for s in steps} | {n.upstream for s in steps for n in s.needs}
        with self._mill.reading() as connection:
            names &= self._mill.assets.keys()
            self._schemas = queries.all_live_schemas(connection, names)
            for name, versions in queries.all_live_versions(connection, names).items():
                self._live[name] = {v.partition: v for v in versions}
            if proposal.plan.enforces:
                kept = [v.materialization for s in steps if (v := self.live(s.asset, s.key))]
                self._recorded = queries.inputs_of(connection, kept)
                entries = queries.all_quarantine_files(connection, {step.asset for step in steps})
                waiting = chain.from_iterable(entries.values())
                self._waiting = {entry.materialization: entry.path for entry in waiting}

    def schema(self, asset: str) -> Schema | None:
        """The widened schema of what is live or was made by this run; None where nothing is."""
        return self._schemas.get(asset)

    def widen(self, asset: str, schema: Schema) -> None:
        """Take a newly accepted version's columns into the asset's schema."""
        known = self._schemas.get(asset)
        if known is None or schema != known:
            self._schemas[asset] = united([known, schema] if known else [schema], "first")

    def live(self, asset: str, key: str) -> Version | None:
        """The live version of a partition of an asset."""
        found = self._live.get(asset, {}).get(key)
        if found is None:
            return None
        state = self._proposal.state.live[asset][key]
        return Version(
            found.materialization,
            self._mill.graph[asset].partition(key),
            (self._mill.layout.versions / found.path,),
            found.schema,
            state.data_hash,
            state.made_at,
            found.rows,
        )

    def recorded(self, materialization: int) -> tuple[InputVersion, ...]:
        """What a live version was made from, in a run that enforces."""
        return self._recorded[materialization]

    def waiting(self, materialization: int) -> Path | None:
        """The rows that were split from a live version and wait, in a run that enforces."""
        path = self._waiting.get(materialization)
        return None if path is None else self._mill.layout.quarantine / path

    def resolve(self, step: Step, board: Board) -> tuple[ResolvedInput, ...]:
        """The inputs of a step, and what its gate looks at, with the versions to read."""
        asset = self._mill.assets[step.asset]
        declared = {given.parameter: given for given in (*asset.inputs, *asset.beside)}
        return tuple(
            self._resolved(declared[need.parameter], need, board)
            for need in step.needs
            if need.parameter in declared
        )

    def sources(self, step: Step) -> dict[str, Observation]:
        """What the source files that a step reads looked like."""
        return {
            label(need.upstream, key): self._proposal.observations[need.upstream][key]
            for need in step.needs
            if need.upstream in self._proposal.observations
            for key in need.keys
        }

    def _resolved(self, given: Input, need: NeededInput, board: Board) -> ResolvedInput:
        upstream = self._mill.graph[need.upstream]
        found = [
            self._source(upstream, key)
            if isinstance(upstream, Source)
            else board.made.get((need.upstream, key)) or self.live(need.upstream, key)
            for key in need.keys
        ]
        schema = self.schema(need.upstream) or self._declared_schema(need.upstream)
        return ResolvedInput(given, upstream, tuple(v for v in found if v), schema)

    def _declared_schema(self, asset: str) -> Schema | None:
        gate = self._mill.gates.get(asset)
        if gate is None or not gate.declared:
            return None
        columns = pl.Schema(gate.declared)
        return STORAGES[self._mill.assets[asset].storage].schema_of(columns)

    def _source(self, source: Source, key: str) -> Version:
        known = self._observed.get((source.name, key))
        if known is None:
            known = self._observe(source, key)
            self._observed[source.name, key] = known
        return known

    def _observe(self, source: Source, key: str) -> Version:
        observation = self._proposal.observations[source.name][key]
        paths = tuple(Path(file.path) for file in observation.files)
        live = self._proposal.state.live.get(source.name, {}).get(key)
        partition = source.partition(key)
        if live is not None and live.data_hash == observation.data_hash:
            return Version(live.materialization, partition, paths, Schema(()), live.data_hash)
        now = self._mill.clock()
        made = Materialization(
            id=materialization_id(self._run, next(self._ordinals)),
            asset=source.name,
            partition=key,
            window_start=partition.start,
            window_end=partition.end,
            run=self._run,
            step=None,
            kind="observed",
            derived_from=None,
            code_fingerprint="",
            input_fingerprint="",
            data_hash=observation.data_hash,
            schema=Schema(()),
            rows=0,
            bytes=sum(file.bytes for file in observation.files),
            location="external",
            path=observation.files[0].path,
            created_at=now,
            files=observation.files,
        )
        self.unrecorded.append(made)
        return Version(made.id, partition, paths, Schema(()), made.data_hash)
