"""What stands where during a run: which steps wait, what is available, what was stopped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush

from millgate.execute.limits import Limits
from millgate.execute.order import Version
from millgate.model.step import Plan, Step, StepId

Unit = tuple[Step, ...]
"""Steps that are handed out together: one, or those of a batch."""


class Board:
    """The steps of a plan in the order in which they may run.

    What belongs to a batch is handed out together. It is ready once every step that one of it
    comes after is settled; what is ready is handed out in plan order, as far as the limits let it.
    """

    def __init__(self, plan: Plan, limits: Limits | None = None) -> None:
        self._limits = limits or Limits({}, {})
        self._steps = plan.steps
        self._unsettled = {step.id for step in plan.steps}
        self._units: dict[int, Unit] = {}
        """By rank, which is the place of the first step in the plan."""
        self._left: dict[int, int] = {}
        """How many steps of a unit are not settled, by rank."""
        self._rank: dict[StepId, int] = {}
        self._place = {step.id: place for place, step in enumerate(plan.steps)}
        for unit in _units(plan):
            self._add(unit)
        self._waiting: dict[int, int] = {}
        self._dependents: dict[StepId, list[int]] = defaultdict(list)
        for rank, unit in self._units.items():
            before = [b for step in unit for b in step.after if self._rank.get(b, rank) != rank]
            self._waiting[rank] = len(before)
            for each in before:
                self._dependents[each].append(rank)
        self._ready = [rank for rank, count in self._waiting.items() if not count]
        heapify(self._ready)
        self.stopped: dict[StepId, str] = {}
        """Partitions that cannot be had in this run, with the partition that is to blame."""
        self.made: dict[StepId, Version] = {}
        """Versions that this run made, committed or staged."""

    def __len__(self) -> int:
        return len(self._unsettled)

    def take(self) -> Unit | None:
        """The next steps that may run, together; None if none may at the moment."""
        while self._ready:
            rank = heappop(self._ready)
            unit = self._units[rank]
            if unit[0].action == "blocked" or self._limits.admits(unit[0].asset, rank):
                return unit
            self._readied(self._limits.let_through(unit[0].asset))
        return None

    def put_back(self, unit: Unit) -> None:
        """Have steps that were taken handed out anew, apart from those taken with them."""
        taken = self._rank[unit[0].id]
        self._left[taken] -= len(unit)
        self._readied([self._add(unit)])

    def settle(self, step: Step, *, stopped_by: str | None = None) -> None:
        """Mark a step as done; `stopped_by` names the partition to blame if it made nothing."""
        self._unsettled.remove(step.id)
        rank = self._rank[step.id]
        self._left[rank] -= 1
        if not self._left[rank]:
            self._readied(self._limits.leave(step.asset, rank))
        if stopped_by is not None:
            self.stopped[step.id] = stopped_by
        for dependent in self._dependents[step.id]:
            self._waiting[dependent] -= 1
            if not self._waiting[dependent]:
                heappush(self._ready, dependent)

    def _add(self, unit: Unit) -> int:
        rank = self._place[unit[0].id]
        self._units[rank] = unit
        self._left[rank] = len(unit)
        self._rank |= {step.id: rank for step in unit}
        return rank

    def _readied(self, ranks: Iterable[int]) -> None:
        for rank in ranks:
            heappush(self._ready, rank)

    def blocker(self, step: Step) -> str | None:
        """The partition that keeps a step from running, if one of its inputs was stopped."""
        if not self.stopped:
            return None
        return next((self.stopped[i] for i in self._inputs(step) if i in self.stopped), None)

    def remaining(self) -> list[Step]:
        """Steps that are not settled."""
        return [step for step in self._steps if step.id in self._unsettled]

    def _inputs(self, step: Step) -> Iterator[StepId]:
        return ((need.upstream, key) for need in step.needs for key in need.keys)


def _units(plan: Plan) -> Iterator[Unit]:
    """The steps of a plan, those of a batch together."""
    steps = {step.id: step for step in plan.steps}
    together: set[StepId] = set()
    for batch in plan.batches:
        together.update(batch)
        yield tuple(steps[each] for each in batch)
    for step in plan.steps:
        if step.id not in together:
            yield (step,)
