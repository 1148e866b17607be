"""A batch as plain data: what travels to a worker, which has the project's code on its own.

Assets, sources and mappings may hold anything of the user's; they go by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from millgate.execute.mill import Mill
from millgate.execute.order import Batch, Order, ResolvedInput, Version
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
    """What a batch says of one of its partitions."""

    key: str
    step: Step
    step_id: int
    materialization: int
    inputs: tuple[WrittenInput, ...]
    beside: tuple[WrittenInput, ...]
    beside_fingerprint: str
    sources: Mapping[str, Observation]
    code_fingerprint: str
    input_fingerprint: str
    live: WrittenVersion | None
    staged: str
    recorded: tuple[InputVersion, ...]
    waiting: str | None


@dataclass(frozen=True)
class WrittenBatch:
    """One try of a batch, for a worker that opens the project at `root` itself.

    `code_fingerprint` and `gate_fingerprint` are those the worker must come to. `moment` is the
    coordinator's clock when the batch was sent, `log` the file for what its steps print.
    """

    root: str
    folder: str
    moment: datetime
    log: str
    asset: str
    defined_in: str
    run: int
    code_fingerprint: str
    gate_fingerprint: str
    live_schema: Schema | None
    orders: tuple[WrittenOrder, ...]
    shown: str

    def __str__(self) -> str:
        return self.shown


def write_batch(batch: Batch, mill: Mill, log: Path) -> WrittenBatch:
    """The message for a batch; what its steps print goes to `log`."""
    first = batch.orders[0]
    return WrittenBatch(
        root=str(mill.root),
        folder=str(mill.folder),
        moment=mill.clock(),
        log=str(log),
        asset=batch.asset.name,
        defined_in=batch.asset.defined_in,
        run=batch.run,
        code_fingerprint=mill.code[batch.asset.name],
        gate_fingerprint=mill.gates[batch.asset.name].fingerprint,
        live_schema=first.live_schema,
        orders=tuple(map(_written_order, batch.orders)),
        shown=str(batch),
    )


def read_batch(written: WrittenBatch, asset: Asset, graph: Graph) -> Batch:
    """The batch that a message writes, with the declarations of `graph`."""
    return Batch(tuple(_read_order(order, written, asset, graph) for order in written.orders))


def _written_order(order: Order) -> WrittenOrder:
    return WrittenOrder(
        key=order.partition.key,
        step=replace(order.step, needs=(), after=frozenset()),
        step_id=order.step_id,
        materialization=order.materialization,
        inputs=tuple(map(_written_input, order.inputs)),
        beside=tuple(map(_written_input, order.beside)),
        beside_fingerprint=order.beside_fingerprint,
        sources=order.sources,
        code_fingerprint=order.code_fingerprint,
        input_fingerprint=order.input_fingerprint,
        live=_written(order.live) if order.live else None,
        staged=str(order.staged),
        recorded=order.recorded,
        waiting=str(order.waiting) if order.waiting else None,
    )


def _read_order(written: WrittenOrder, batch: WrittenBatch, asset: Asset, graph: Graph) -> Order:
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
        run=batch.run,
        materialization=written.materialization,
        inputs=tuple(map(read_input, written.inputs)),
        beside=tuple(map(read_input, written.beside)),
        beside_fingerprint=written.beside_fingerprint,
        sources=written.sources,
        code_fingerprint=written.code_fingerprint,
        input_fingerprint=written.input_fingerprint,
        live_schema=batch.live_schema,
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
