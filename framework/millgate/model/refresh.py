"""Refreshing: for what is read outside, where content cannot tell that it changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from millgate.model.duration import parse_duration
from millgate.model.known_options import known_only


@known_only
@dataclass(frozen=True)
class Refresh:
    """Stale again `every` so often, for a time window `until` so long after it closed.

    `Refresh(every="6h", until="3d")` makes a partition again when its version is six hours old,
    the last time at most three days after its window closed.
    """

    every: str
    until: str | None = None

    def __post_init__(self) -> None:
        for text in (self.every, self.until):
            if text is not None:
                parse_duration(text, where="Refresh")

    def is_due(self, made_at: datetime, closed_at: datetime | None, now: datetime) -> bool:
        """Whether a version made at `made_at` is to be made again.

        >>> from datetime import UTC
        >>> closed, now = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 4, tzinfo=UTC)
        >>> Refresh("1d").is_due(closed, closed, now)
        True
        >>> Refresh("1d", until="1d").is_due(closed, closed, now)
        False
        """
        if now < made_at + parse_duration(self.every, where="Refresh"):
            return False
        if self.until is None or closed_at is None:
            return True
        return now <= closed_at + parse_duration(self.until, where="Refresh")


Refreshing = Refresh | Literal["never"] | None
"""When an asset is made again beside changes of content; `never` is made once, whatever changes."""
