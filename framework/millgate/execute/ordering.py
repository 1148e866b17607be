"""A step as an order, and what is left of it once its inputs are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile

from millgate.execute.mill import Mill
from millgate.execute.order import Batch, Order, ResolvedInput
from millgate.execute.versions import Versions
from millgate.model.record import Outcome
from millgate.model.state import Left, Live, State
from millgate.model.step import Step
from millgate.plan.fingerprint import input_fingerprint
from millgate.plan.planner import still_stale
from millgate.store.storage import STORAGES


@dataclass(frozen=True)
class Spared:
    """A step that waited for its inputs and has nothing left to do, and what is told of it."""

    outcome: Outcome
    message: str
    stopped_by: str | None = None


def order_of(
    step: Step,
    inputs: Sequence[ResolvedInput],
    mill: Mill,
    versions: Versions,
    run: int,
    materialization: int,
    step_id: int,
) -> Order:
    """What a worker is told of a step; `materialization` will be the id of what it makes."""
    asset = mill.assets[step.asset]
    beside = tuple(given for given in inputs if given.declared in asset.beside)
    inputs = tuple(given for given in inputs if given.declared not in asset.beside)
    may_be_judged = step.action in ("judge", "enforce") or step.cause.kind == "input planned"
    read = [
        (r.declared.parameter, v.partition.asset, v.partition.key, v.data_hash)
        for r in inputs
        for v in r.versions
        if not r.declared.pinned
    ]
    return Order(
        step=step,
        step_id=step_id,
        asset=asset,
        partition=asset.partition(step.key),
        run=run,
        materialization=materialization,
        inputs=inputs,
        sources=versions.sources(step),
        code_fingerprint=mill.code[asset.name],
        input_fingerprint=input_fingerprint(read),
        live_schema=versions.schema(asset.name),
        live=versions.live(asset.name, step.key) if may_be_judged else None,
        beside=beside,
        beside_fingerprint=beside_fingerprint(beside),
        needs_fingerprint=mill.needs[asset.name],
        staged=mill.layout.staged(run, materialization, STORAGES[asset.storage].suffix),
    )


def leading(orders: Sequence[Order]) -> Batch:
    """The first of some orders with those after it that can be carried out as one with it."""
    partitions = orders[0].asset.partitions
    count = 1
    if orders[0].step.action == "make" and partitions.batched is not None:
        adjacent = (
            after.step.action == "make" and partitions.follows(before.step.key, after.step.key)
            for before, after in pairwise(orders)
        )
        count += sum(1 for _ in takewhile(bool, adjacent))
    return Batch(tuple(orders[:count]))


def looked_at(beside: Sequence[ResolvedInput]) -> tuple[int, ...]:
    """The versions on record that a gate looks at beside a partition, each once."""
    ids = (v.materialization for r in beside for v in r.versions if v.materialization)
    return tuple(dict.fromkeys(ids))


def beside_fingerprint(beside: Sequence[ResolvedInput]) -> str:
    """The fingerprint of what a gate looks at beside a partition, empty where that is nothing."""
    if not beside:
        return ""
    return input_fingerprint(
        (r.declared.parameter, v.partition.asset, v.partition.key, v.data_hash)
        for r in beside
        for v in r.versions
    )


def reconsidered(
    order: Order, state: State, gate: str, versions: Versions, *, enforces: bool
) -> Order | Spared:
    """What is left to do of a step; only one that waited for its inputs can have less.

    Inputs that came out as they were leave at most a judgement by a gate that changed, or what it
    says to be enforced.
    """
    step = order.step
    judged_by = (gate, order.beside_fingerprint)
    if step.cause.kind == "reference planned" and step.action != "make":
        judged = state.live[step.asset][step.key]
        failing = step.action == "enforce" and judged.failing
        if (judged.gate_fingerprint, judged.references) == judged_by and not failing:
            return Spared("unchanged", "what its gate refers to came out as it was")
    if step.action == "enforce":
        return _enforcing(order, state.live[step.asset][step.key], versions)
    if step.cause.kind not in ("input planned", "reference planned") or step.action != "make":
        return order
    live = state.live.get(step.asset, {}).get(step.key)
    held = state.held.get(step.asset, {}).get(step.key)
    wanted = (order.code_fingerprint, order.input_fingerprint)
    if held and (held.code_fingerprint, held.input_fingerprint) == wanted:
        if (held.gate_fingerprint, held.references) != judged_by:
            return order
        if held.discarded:
            missing = None if live else str(step)
            return Spared("unchanged", "nothing changed since it was discarded", missing)
        return Spared("held", "nothing changed since it was held", str(step))
    if Left(*wanted) in state.left.get(step.asset, {}).get(step.key, ()):
        missing = None if live else str(step)
        return Spared("unchanged", "nothing changed since it was rolled back", missing)
    if live is None or still_stale(step, live, *wanted):
        return order
    changed = (live.gate_fingerprint, live.references) != judged_by
    if enforces and (live.failing or changed):
        return _enforcing(order, live, versions)
    if changed:
        return replace(order, step=replace(step, action="judge"))
    return Spared("unchanged", "its inputs came out as they were")


def _enforcing(order: Order, live: Live, versions: Versions) -> Order:
    """An order to apply today's gate to the live version, which stays what it was made from."""
    return replace(
        order,
        step=replace(order.step, action="enforce"),
        inputs=(),
        sources={},
        code_fingerprint=live.code_fingerprint,
        input_fingerprint=live.input_fingerprint,
        recorded=versions.recorded(live.materialization),
        waiting=versions.waiting(live.materialization),
    )
