"""Times and durations as people read them: local time with its offset, and how long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def aware(moment: datetime) -> datetime:
    """`moment` with its zone: the tables hold UTC without one."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def local(moment: datetime, now: datetime) -> str:
    """`moment` in the zone of `now`, to the minute; without the date on the same day.

    >>> now = datetime.fromisoformat("2025-11-20T08:14:00-05:00")
    >>> local(datetime(2025, 11, 20, 7, 14), now), local(datetime(2025, 11, 19, 7, 14), now)
    ('02:14 -05:00', '2025-11-19 02:14 -05:00')
    """
    there = aware(moment).astimezone(now.tzinfo)
    offset = there.strftime("%z")
    day = "" if there.date() == now.date() else f"{there:%Y-%m-%d} "
    return f"{day}{there:%H:%M} {offset[:3]}:{offset[3:5]}"


def ago(moment: datetime, now: datetime) -> str:
    """
    >>> now = datetime.fromisoformat("2025-11-20T08:14:00+00:00")
    >>> ago(datetime(2025, 11, 20, 2, 14), now), ago(datetime(2025, 11, 20, 8, 13, 58), now)
    ('6 h ago', '2 s ago')
    """
    return f"{rough((now - aware(moment)).total_seconds())} ago"


def rough(seconds: float) -> str:
    """A duration in its largest unit.

    >>> rough(0.25), rough(59), rough(3_700), rough(200_000)
    ('0 s', '59 s', '1 h', '2 d')
    """
    left = timedelta(seconds=max(seconds, 0))
    for unit, length in (("d", timedelta(days=1)), ("h", timedelta(hours=1))):
        if left >= length:
            return f"{left // length} {unit}"
    return (
        f"{left // timedelta(minutes=1)} min"
        if left >= timedelta(minutes=1)
        else f"{left.seconds} s"
    )


def took(seconds: float) -> str:
    """A duration that was measured.

    >>> took(0.0412), took(3.14), took(75), took(7_384)
    ('41 ms', '3.1 s', '1 min 15 s', '2 h 3 min')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
