"""Where one try of a step happens: in the calling thread, in a process, or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from millgate.errors import UsageError
from millgate.execute.at_hand import AtHand
from millgate.execute.mill import Mill
from millgate.execute.order import Batch
from millgate.execute.trying import Tried, try_once
from millgate.model.placement import Placement
from millgate.model.step import Plan


class Place(Protocol):
    """Carries out one try for each thread that asks; `width` of them side by side."""

    width: int

    def attempt(self, batch: Batch, log: Path) -> Tried:
        """What came of the try; it never raises."""

    def leave(self) -> bool:
        """Stop what still runs, if that can be done; whether nothing runs any more."""


class Threads:
    """Tries in the thread that asks."""

    def __init__(self, mill: Mill, width: int) -> None:
        self._mill = mill
        self._at_hand = AtHand()
        self.width = width

    def attempt(self, batch: Batch, log: Path) -> Tried:
        mill = self._mill
        gate = mill.gates[batch.asset.name]
        batch = replace(batch, at_hand=self._at_hand)
        return try_once(batch, gate, root=mill.root, log=log, clock=mill.clock)

    def leave(self) -> bool:
        return False


@contextmanager
def opened_place(mill: Mill, placement: Placement, width: int | None) -> Iterator[Place]:
    """The place that a run was asked to use; without a `width` as wide as it has processors."""
    if placement.kind == "dask":
        from millgate.execute.cluster import opened_cluster

        with opened_cluster(mill, placement.address, width) as cluster:
            yield cluster
    elif placement.kind == "processes":
        from millgate.execute.processes import Processes

        processes = Processes(mill, width or processors())
        try:
            yield processes
        finally:
            processes.leave()
    else:
        yield Threads(mill, width or processors())


def check_timeouts(mill: Mill, plan: Plan, placement: Placement) -> None:
    """Raise UsageError if a step that would run has a time-out that nothing there could keep."""
    if placement.stops_steps:
        return
    for name in sorted({step.asset for step in plan.steps if step.action != "blocked"}):
        asset = mill.assets[name]
        if asset.retries.timeout is not None:
            raise UsageError(
                f"{name} has a time-out of {asset.retries.timeout}, and {placement.kind} "
                "cannot stop a step",
                where=asset.defined_in,
                fix="add --executor processes, or take the time-out away; nothing was run",
            )


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
