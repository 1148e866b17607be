"""Which planned partitions are computed as one: adjacent ones, where their asset says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from millgate.model.partition import Partitions
from millgate.model.step import Batched, Step, StepId


def batches_of(steps: Iterable[Step], partitionings: Mapping[str, Partitions]) -> Batched:
    """The batches among planned steps, each of two partitions or more, in the order of its keys.

    Only what is to be made goes into a batch. One that waits for another one of the same asset,
    which its gate compares with, begins a new batch.
    """
    batched = {name: parts for name, parts in partitionings.items() if parts.batched is not None}
    if not batched:
        return ()
    found: list[list[StepId]] = []
    last: dict[tuple[str, tuple[str, ...]], list[StepId]] = {}
    for step in steps:
        partitions = batched.get(step.asset)
        if partitions is None or step.action != "make":
            continue
        beside = (step.asset, partitions.standing(step.key))
        batch = last.get(beside)
        if batch is None or not _takes(batch, step, partitions):
            last[beside] = batch = []
            found.append(batch)
        batch.append(step.id)
    return tuple(tuple(batch) for batch in found if len(batch) > 1)


def _takes(batch: list[StepId], step: Step, partitions: Partitions) -> bool:
    """Whether a batch has room for a step that follows its last one."""
    along = partitions.batched
    most = (along and along.batch) or 1
    is_next = partitions.follows(batch[-1][1], step.key)
    return len(batch) < most and is_next and step.after.isdisjoint(batch)
