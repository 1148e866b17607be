"""The bounds that a gate's own rules set, checked where they are declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millgate.errors import DeclarationError
from millgate.model.duration import parse_duration


def check_rows(rows: Any) -> None:
    """Raise DeclarationError unless `rows` is a least and a most number of rows."""
    pair = tuple(rows) if isinstance(rows, tuple | list) else ()
    known = [each for each in pair if each is not None]
    if len(pair) != 2 or not known or not all(_is_count(each) for each in known):
        raise DeclarationError(
            f"rows={rows!r} are not bounds of a number of rows",
            where="Gate",
            fix="give the least and the most, such as rows=(1, 10_000) or rows=(100, None)",
        )
    if len(known) == 2 and known[0] > known[1]:
        raise DeclarationError(
            f"no number of rows lies within rows={rows!r}",
            where="Gate",
            fix="give the least first, such as rows=(1, 10_000)",
        )


def check_recent(recent: Any) -> None:
    """Raise DeclarationError unless `recent` gives durations by column."""
    if (
        not isinstance(recent, Mapping)
        or not recent
        or not all(isinstance(column, str) and column for column in recent)
    ):
        raise DeclarationError(
            f"recent={recent!r} does not give durations by column",
            where="Gate",
            fix='write {"column": "duration"}, such as recent={"departed_at": "6h"}',
        )
    for column, age in recent.items():
        parse_duration(age, where=f"Gate(recent={{{column!r}: ...}})")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def bounds_text(low: float | None, high: float | None) -> str:
    """Bounds as people say them; None is no bound.

    >>> bounds_text(1, 10_000), bounds_text(100, None), bounds_text(None, 2.5)
    ('1 to 10,000', 'at least 100', 'at most 2.5')
    """
    if low is None:
        return f"at most {high:,}"
    return f"at least {low:,}" if high is None else f"{low:,} to {high:,}"
