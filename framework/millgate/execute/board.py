"""What stands where during a run: which steps wait, what is available, what was stopped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from millgate.execute.limits import Limits
from millgate.execute.order import Version
from millgate.model.partition import label
from millgate.model.step import Plan, Step

StepId = tuple[str, str]


class Board:
    """The steps of a plan in the order in which they may run.

    A step is ready once every step it comes after is settled; the ready ones are handed out in
    plan order, as far as the limits let them.
    """

    def __init__(self, plan: Plan, limits: Limits | None = None) -> None:
        self._limits = limits or Limits({}, {})
        self._rank = {step.id: rank for rank, step in enumerate(plan.steps)}
        self._steps = plan.steps
        self._waiting = {
            step.id: sum(before in self._rank for before in step.after) for step in plan.steps
        }
        self._dependents: dict[StepId, list[StepId]] = defaultdict(list)
        for step in plan.steps:
            for before in step.after:
                self._dependents[before].append(step.id)
        self._ready = [rank for rank, step in enumerate(plan.steps) if not self._waiting[step.id]]
        self.stopped: dict[StepId, str] = {}
        """Partitions that cannot be had in this run, with the partition that is to blame."""
        self.made: dict[StepId, Version] = {}
        """Versions that this run made, committed or staged."""

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> Step | None:
        """The next step that may run; None if none may at the moment."""
        while self._ready:
            rank = heappop(self._ready)
            step = self._steps[rank]
            if step.action == "blocked" or self._limits.admits(step.asset, rank):
                return step
            self._readied(self._limits.let_through(step.asset))
        return None

    def settle(self, step: Step, *, stopped_by: str | None = None) -> None:
        """Mark a step as done; `stopped_by` names the partition to blame if it made nothing."""
        del self._waiting[step.id]
        self._readied(self._limits.leave(step.asset, self._rank[step.id]))
        if stopped_by is not None:
            self.stopped[step.id] = stopped_by
        for dependent in self._dependents[step.id]:
            self._waiting[dependent] -= 1
            if not self._waiting[dependent]:
                heappush(self._ready, self._rank[dependent])

    def _readied(self, ranks: Iterable[int]) -> None:
        for rank in ranks:
            heappush(self._ready, rank)

    def blocker(self, step: Step) -> str | None:
        """The partition that keeps a step from running, if one of its inputs was stopped."""
        return next((self.stopped[i] for i in self._inputs(step) if i in self.stopped), None)

    def remaining(self) -> list[Step]:
        """Steps that are not settled."""
        return [step for step in self._steps if step.id in self._waiting]

    def _inputs(self, step: Step) -> Iterator[StepId]:
        return ((need.upstream, key) for need in step.needs for key in need.keys)


def blame(step: Step) -> str:
    """How a stopped step is named to what it blocks."""
    return label(step.asset, step.key)
