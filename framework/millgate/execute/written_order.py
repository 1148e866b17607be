"""An order as plain data: what travels to a worker, which has the project's code on its own.

Assets, sources and mappings may hold anything of the user's; they go by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from millgate.execute.mill import Mill
from millgate.execute.order import Order, ResolvedInput, Version
from millgate.execute.sources import Observation
from millgate.model.asset import Asset, Declared
from millgate.model.record import InputVersion
from millgate.model.schema import Schema
from millgate.model.step import Step
from millgate.plan.graph import Graph


@dataclass(frozen=True)
class WrittenVersion:
    """A version of the asset that the message names beside it."""

    materialization: int
    key: str
    files: tuple[str, ...]
    schema: Schema
    data_hash: str
    made_at: datetime | None
    rows: int


@dataclass(frozen=True)
class WrittenInput:
    """An input by the name of its parameter and of its upstream."""

    parameter: str
    upstream: str
    versions: tuple[WrittenVersion, ...]
    schema: Schema | None


@dataclass(frozen=True)
class WrittenOrder:
    """One try of one step, for a worker that opens the project at `root` itself.

    `code_fingerprint` and `gate_fingerprint` are those the worker must come to. `moment` is the
    coordinator's clock when the order was sent, `log` the file for what the step prints.
    """

    root: str
    folder: str
    moment: datetime
    log: str
    asset: str
    defined_in: str
    key: str
    step: Step
    step_id: int
    run: int
    materialization: int
    inputs: tuple[WrittenInput, ...]
    beside: tuple[WrittenInput, ...]
    beside_fingerprint: str
    sources: Mapping[str, Observation]
    code_fingerprint: str
    gate_fingerprint: str
    input_fingerprint: str
    live_schema: Schema | None
    live: WrittenVersion | None
    staged: str
    recorded: tuple[InputVersion, ...]
    waiting: str | None


def write_order(order: Order, mill: Mill, log: Path) -> WrittenOrder:
    """The message for an order; what the step prints goes to `log`."""
    return WrittenOrder(
        root=str(mill.root),
        folder=str(mill.folder),
        moment=mill.clock(),
        log=str(log),
        asset=order.asset.name,
        defined_in=order.asset.defined_in,
        key=order.partition.key,
        step=replace(order.step, needs=(), after=frozenset()),
        step_id=order.step_id,
        run=order.run,
        materialization=order.materialization,
        inputs=tuple(map(_written_input, order.inputs)),
        beside=tuple(map(_written_input, order.beside)),
        beside_fingerprint=order.beside_fingerprint,
        sources=order.sources,
        code_fingerprint=order.code_fingerprint,
        gate_fingerprint=mill.gates[order.asset.name].fingerprint,
        input_fingerprint=order.input_fingerprint,
        live_schema=order.live_schema,
        live=_written(order.live) if order.live else None,
        staged=str(order.staged),
        recorded=order.recorded,
        waiting=str(order.waiting) if order.waiting else None,
    )


def read_order(written: WrittenOrder, asset: Asset, graph: Graph) -> Order:
    """The order that a message writes, with the declarations of `graph`."""
    declared = {given.parameter: given for given in (*asset.inputs, *asset.beside)}

    def read_input(given: WrittenInput) -> ResolvedInput:
        upstream = graph[given.upstream]
        versions = tuple(_read(version, upstream) for version in given.versions)
        return ResolvedInput(declared[given.parameter], upstream, versions, given.schema)

    return Order(
        step=written.step,
        step_id=written.step_id,
        asset=asset,
        partition=asset.partition(written.key),
        run=written.run,
        materialization=written.materialization,
        inputs=tuple(map(read_input, written.inputs)),
        beside=tuple(map(read_input, written.beside)),
        beside_fingerprint=written.beside_fingerprint,
        sources=written.sources,
        code_fingerprint=written.code_fingerprint,
        input_fingerprint=written.input_fingerprint,
        live_schema=written.live_schema,
        live=_read(written.live, asset) if written.live else None,
        staged=Path(written.staged),
        recorded=written.recorded,
        waiting=Path(written.waiting) if written.waiting else None,
    )


def _written_input(given: ResolvedInput) -> WrittenInput:
    versions = tuple(map(_written, given.versions))
    return WrittenInput(given.declared.parameter, given.upstream.name, versions, given.schema)


def _written(version: Version) -> WrittenVersion:
    return WrittenVersion(
        version.materialization,
        version.partition.key,
        tuple(map(str, version.files)),
        version.schema,
        version.data_hash,
        version.made_at,
        version.rows,
    )


def _read(written: WrittenVersion, of: Declared) -> Version:
    return Version(
        written.materialization,
        of.partition(written.key),
        tuple(map(Path, written.files)),
        written.schema,
        written.data_hash,
        written.made_at,
        written.rows,
    )
