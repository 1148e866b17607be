"""Swapping a partitioning: an asset is made anew by another one, and all of it enters at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from millgate.errors import UsageError
from millgate.execute.mill import Mill
from millgate.execute.opening import reading
from millgate.execute.partitioning import differences, partitions_of
from millgate.lineage.refusals import quarantine_list
from millgate.model.partition import Partition
from millgate.model.record import Decision, Promotion, Run
from millgate.model.request import Request
from millgate.model.step import Cause, Plan
from millgate.plan.keyrange import Target
from millgate.plan.selection import select

if TYPE_CHECKING:
    import duckdb

PartitionId = tuple[str, str]
_REASON = "another partitioning took its place"


def swapping(mill: Mill, request: Request) -> Mill:
    """The parts for a run that may swap partitionings: those of the assets that it selects.

    Raises UsageError where it selects some keys of such an asset only.
    """
    if not request.repartition or mill.warehouse.current() is None:
        return mill
    target = Target.parse(request.target)
    selected = select(target.selection, mill.graph, target=target.text)
    with reading(mill.warehouse) as connection:
        changed = sorted({*differences(connection, mill.assets)} & {*selected})
    keys = (target.key_range, request.partition, request.first, request.last)
    if changed and any(key is not None for key in keys):
        raise UsageError(
            f"all of {changed[0]} must be made anew, and some keys are selected",
            where=f"{request.command} {request.text}",
            fix=f"millgate {request.command} {target.selection} --repartition",
        )
    return replace(mill, swapped=frozenset(changed))


def take_out(swapped: Collection[str], *states: dict[str, Any]) -> dict[PartitionId, int]:
    """What is live of swapped assets, which their plan must not know; `states` lose it."""
    live = states[0]
    leaving = {
        (name, key): one.materialization
        for name in swapped
        for key, one in live.get(name, {}).items()
    }
    for state in states:
        for name in swapped:
            state.pop(name, None)
    return leaving


def told(plan: Plan, leaving: Mapping[PartitionId, int]) -> Plan:
    """The plan with the reason why swapped assets are made."""
    counts = Counter(asset for asset, _ in leaving)
    if not counts:
        return plan
    return replace(
        plan,
        steps=tuple(
            replace(step, cause=_cause(counts[step.asset]))
            if step.asset in counts and step.cause.kind == "missing"
            else step
            for step in plan.steps
        ),
    )


def _cause(count: int) -> Cause:
    leave = "1 partition leaves" if count == 1 else f"{count:,} partitions leave"
    return Cause("partitioning changed", detail=leave)


def old_partitions(
    connection: duckdb.DuckDBPyConnection, leaving: Iterable[PartitionId]
) -> list[Partition]:
    """What leaves, by the partitioning that it was made under."""
    ids = list(leaving)
    found = {name: partitions_of(name, {}, connection) for name in {asset for asset, _ in ids}}
    return [found[asset].partition(asset, key) for asset, key in ids]


def withdrawals(
    leaving: Iterable[PartitionId], entering: Collection[PartitionId], run: Run, mill: Mill
) -> tuple[Promotion, ...]:
    """Old partitions leaving production, but for those of which a key is made anew."""
    return tuple(
        Promotion(asset, key, "withdraw", None, mill.clock(), run.id, run.actor, _REASON)
        for asset, key in leaving
        if (asset, key) not in entering
    )


def closings(
    connection: duckdb.DuckDBPyConnection, swapped: Collection[str], run: Run, mill: Mill
) -> tuple[Decision, ...]:
    """What waited in quarantine by the old keys is over."""
    return tuple(
        Decision(entry.materialization, "discarded", mill.clock(), run.actor, _REASON)
        for entry in quarantine_list(connection, swapped)
    )
