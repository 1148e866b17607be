"""What stands in the way of blocked steps, in the same words wherever it is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from millgate.cli.ranges import grain_of, summary
from millgate.model.partition import label
from millgate.model.request import Done

_MISSING = {
    "missing upstream": "which is not made yet",
    "missing source file": "whose file is missing",
}


@dataclass(frozen=True)
class Obstacle:
    """What blocks a step: `by` as it is recorded, a partition or a run; `cause` of the step."""

    by: str
    cause: str

    @classmethod
    def of(cls, done: Done) -> Obstacle:
        """What stood in the way of a step that came out as blocked."""
        if done.step.action == "blocked":
            return cls(done.step.cause.of, done.step.cause.kind)
        return cls(done.message.removeprefix("by "), "")

    @property
    def alike(self) -> tuple[str, str]:
        """Equal for obstacles that are told of together: partitions of one asset."""
        return self.by.partition("@")[0], _MISSING.get(self.cause, "")


def obstacle_text(obstacles: Iterable[Obstacle]) -> str:
    """Obstacles that are alike, in one phrase.

    >>> obstacle_text([Obstacle("flights@2013-02-12", "held upstream")])
    'by flights@2013-02-12'
    >>> obstacle_text([Obstacle(f"flights@2013-02-0{n}", "missing upstream") for n in (1, 2)])
    'by flights@2013-02-01..2013-02-02, which is not made yet'
    """
    found = list(dict.fromkeys(obstacles))
    asset, told = found[0].alike
    keys = [obstacle.by.partition("@")[2] for obstacle in found]
    by = label(asset, summary(keys, grain_of(keys[0])))
    return f"by {by}, {told}" if told else f"by {by}"
