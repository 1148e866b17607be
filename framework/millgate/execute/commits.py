"""The commits of a run, one at a time: beside the steps that go on, or once none does."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from millgate.execute.committing import Entered, Group
from millgate.model.request import Done
from millgate.model.step import StepId

Enter = Callable[[], Entered]

_COMMIT_AFTER_S = 1.0
"""How long results wait at least for a commit while steps run."""


@dataclass(frozen=True)
class UnderWay:
    """A commit that has begun: what it enters, and what is told of that once it is over."""

    group: Group
    dones: list[Done]
    entered: Future[Entered]


@dataclass(frozen=True)
class Over:
    """What a commit did: the versions that are live by it, and what came of the steps.

    `stopped` has the steps that it refused, with the run that was there first.
    """

    snapshot: int
    count: int
    live: dict[StepId, int]
    dones: list[Done]
    stopped: dict[StepId, str]


class Commits:
    """`under_way` is the commit that has begun and was not taken note of yet, if there is one."""

    def __init__(self) -> None:
        self.under_way: UnderWay | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="millgate-commit")
        self._over_at = time.monotonic()
        self._cost_s = 0.0

    def are_due(self, *, idle: bool) -> bool:
        """Whether the next may begin: at once if nothing else goes on (`idle`).

        Else once the last one is older than a second and twenty times its own cost.
        """
        if self.under_way is not None:
            return False
        age_s = time.monotonic() - self._over_at
        return idle or age_s > max(_COMMIT_AFTER_S, 20 * self._cost_s)

    def begin(self, group: Group, dones: list[Done], enter: Enter) -> None:
        """Let `enter` commit a group; the last commit must be over."""
        assert self.under_way is None
        entered = self._thread.submit(self._timed, enter)
        self.under_way = UnderWay(group, dones, entered)

    def end(self) -> Over | None:
        """Wait for the commit under way, if there is one, and raise what it raised."""
        under_way, self.under_way = self.under_way, None
        if under_way is None:
            return None
        return _over(under_way.group, under_way.dones, under_way.entered.result())

    def make(self, group: Group, dones: list[Done], enter: Enter) -> Over:
        """Let `enter` commit a group in this thread, where Ctrl-C breaks it off."""
        return _over(group, dones, self._timed(enter))

    def _timed(self, enter: Enter) -> Entered:
        began = time.monotonic()
        try:
            return enter()
        finally:
            self._over_at = time.monotonic()
            self._cost_s = self._over_at - began

    def close(self) -> None:
        """Return once no commit is under way."""
        self._thread.shutdown()


def _over(group: Group, dones: list[Done], entered: Entered) -> Over:
    made = [f.product.materialization for f in group.finished if f.product.accepted is not None]
    return Over(
        entered.snapshot,
        len(group.finished) - len(entered.refused),
        {(each.asset, each.partition): each.id for each in made},
        [_told(done, entered) for done in dones],
        {id_: f"run {by}" for id_, by in entered.refused.items()},
    )


def _told(done: Done, entered: Entered) -> Done:
    by = entered.refused.get(done.step.id)
    if by is None:
        return done
    return replace(done, outcome="refused", message=f"run {by} changed it first")
