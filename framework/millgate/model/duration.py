"""Durations as users write them: `"6h"`, `"90s"`, `"1d12h"`."""

from __future__ import annotations

import re
from datetime import timedelta

from millgate.errors import DeclarationError

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile(r"(?:[0-9]+[wdhms])+")
_PART = re.compile(r"(\d+)([wdhms])")


def parse_duration(text: str, *, where: str) -> timedelta:
    """The duration that `text` writes, in weeks (w), days, hours, minutes (m) and seconds.

    >>> parse_duration("1d12h", where="doctest")
    datetime.timedelta(days=1, seconds=43200)
    """
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        raise DeclarationError(
            f"{text!r} is not a duration",
            where=where,
            fix='write a number and a unit of w, d, h, m or s, such as "6h" or "1d12h"',
        )
    try:
        return sum(
            (timedelta(**{_UNITS[unit]: int(n)}) for n, unit in _PART.findall(text)), timedelta()
        )
    except OverflowError:
        raise DeclarationError(
            f"{text!r} is longer than any calendar", where=where, fix="give a shorter duration"
        ) from None
