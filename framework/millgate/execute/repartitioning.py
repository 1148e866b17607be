"""Swapping a partitioning: an asset is made anew by another one, and all of it enters at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from millgate.errors import UsageError
from millgate.execute.mill import Mill
from millgate.execute.opening import reading
from millgate.execute.partitioning import differences, partitions_of
from millgate.lineage.refusals import quarantine_list
from millgate.model.partition import Partition
from millgate.model.record import Decision, Promotion, Run
from millgate.model.request import Request
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
