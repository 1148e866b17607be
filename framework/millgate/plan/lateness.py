"""Which assets are late: their newest window that is due is not live."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from millgate.model.asset import Asset
from millgate.model.dimension import Dimension, Horizon
from millgate.model.grain import TimeDimension
from millgate.model.partition import Partitions, join

_LOOKED_BACK = 50
"""So many windows are looked at: an asset that is later than that is late all the same."""


@dataclass(frozen=True)
class Due:
    """A window whose deadline has passed, with its partitions."""

    at: datetime
    partitions: tuple[str, ...]


@dataclass(frozen=True)
class Late:
    """An asset that is late since the deadline of the first of these partitions."""

    asset: str
    since: datetime
    partitions: tuple[str, ...]


def due_windows(asset: Asset, by: timedelta, horizon: Horizon) -> list[Due]:
    """The last windows that closed at least `by` ago, the newest first; none without time."""
    time = asset.partitions.time
    if time is None:
        return []
    ordinals = time.ordinals(horizon.now - by)
    return [
        Due(time.window(ordinal)[1] + by, _partitions(asset.partitions, time, ordinal, horizon))
        for ordinal in reversed(ordinals[-_LOOKED_BACK:])
    ]


def lateness(asset: str, due: Sequence[Due], live: Collection[str]) -> Late | None:
    """How late an asset is, by its windows that are due, the newest first; None if it is not.

    It is late by every window after the newest one that is wholly live; of an asset that has
    nothing live yet only the newest counts.
    """
    late: list[Due] = []
    for one in due:
        if all(key in live for key in one.partitions):
            break
        late.append(one)
    if late and not live:
        late = late[:1]
    if not late:
        return None
    keys = [key for one in reversed(late) for key in one.partitions if key not in live]
    return Late(asset, late[-1].at, tuple(keys))


def _partitions(
    partitions: Partitions, time: TimeDimension, ordinal: int, horizon: Horizon
) -> tuple[str, ...]:
    keys = [""]
    for dimension in partitions:
        values: Sequence[str] = _keys(dimension, time, ordinal, horizon)
        keys = [join([key, value]) if key else value for key in keys for value in values]
    return tuple(keys)


def _keys(
    dimension: Dimension, time: TimeDimension, ordinal: int, horizon: Horizon
) -> Sequence[str]:
    return [time.key(ordinal)] if dimension is time else dimension.keys(horizon)
