"""Days, months and moments as keys and key ranges write them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_TEXT = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})Z?)?)?)?")


@lru_cache(maxsize=10_000)
def plain_date(key: str) -> date:
    """The day that a key is; ValueError if it is none."""
    # date.fromisoformat also reads 20130131 and 2013-W05-4, which would be second names of a key.
    if not DAY.fullmatch(key):
        raise ValueError(key)
    return date.fromisoformat(key)


def interval(text: str) -> tuple[datetime, datetime]:
    """Start and end (half open) of the year, month, day or hour that a text names.

    >>> interval("2013-02")
    (datetime.datetime(2013, 2, 1, 0, 0), datetime.datetime(2013, 3, 1, 0, 0))
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day, hour, minute = (
        None if part is None else int(part) for part in match.groups()
    )
    assert year is not None
    if month is None:
        return datetime(year, 1, 1), datetime(year + 1, 1, 1)
    if day is None:
        return datetime(year, month, 1), datetime(year + month // 12, month % 12 + 1, 1)
    if hour is None or minute is None:
        return datetime(year, month, day), datetime(year, month, day) + timedelta(days=1)
    start = datetime(year, month, day, hour, minute)
    return start, start + timedelta(hours=1)
