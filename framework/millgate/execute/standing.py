"""Where a partition stands, for the rules of its gate that look beyond its own rows."""

from __future__ import annotations

from datetime import UTC, datetime

from millgate.gate.surroundings import Surroundings
from millgate.model.asset import Asset


def surroundings(asset: Asset, key: str, made_at: datetime | None) -> Surroundings | None:
    """What a version of a partition, made at that moment (UTC without a zone), is judged against.

    A partition without a window is judged as of when its version was made, so that judging it
    again later comes to the same.
    """
    until = asset.partition(key).end or made_at
    if until is None:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    time = asset.partitions.time
    return Surroundings(until, time.tz if time else "UTC")
