"""What a partition is judged against beside its own rows: the project around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Surroundings:
    """Where a partition stands: what `recent` measures from."""

    until: datetime
    """The end of its window; for an unpartitioned asset when the version was made."""
    zone: str = "UTC"
    """The time zone that times without one are in."""
