"""What a partition is judged against beside its own rows: the project around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl


@dataclass(frozen=True)
class Surroundings:
    """Where a partition stands, for the rules that look beyond its own rows."""

    until: datetime
    """The end of its window; for an unpartitioned asset when the version was made."""
    zone: str = "UTC"
    """The time zone that times without one are in."""
    references: Mapping[str, pl.LazyFrame] = field(default_factory=dict)
    """What each asset that the gate refers to has for this partition."""
    preceding: tuple[int, ...] | None = None
    """The rows of the earlier partitions that it is compared with, in key order."""
    fingerprint: str = ""
    """That of all it looks at in other partitions, empty where that is nothing."""
    looked_at: tuple[int, ...] = ()
    """The versions on record that this is."""
