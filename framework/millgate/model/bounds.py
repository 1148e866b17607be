"""The bounds that a gate's own rules set, checked where they are declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from millgate.errors import DeclarationError
from millgate.model.duration import parse_duration
from millgate.model.mapping import Window

PREVIOUS = Window(-1, -1)


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


@dataclass(frozen=True)
class Comparison:
    """Bounds of a number of rows, as shares of what earlier partitions have on average."""

    low: float | None
    high: float | None
    window: Window

    @property
    def expected(self) -> str:
        """What is asked for, as people say it."""
        before = "the rows of the partition before"
        if self.window != PREVIOUS:
            before = f"the mean rows of Window({self.window.first}, {self.window.last})"
        return f"{bounds_text(self.low, self.high)} times {before}"


def read_compare(compare: Any) -> Comparison:
    """The comparison that `compare=` writes; raises DeclarationError where it writes none."""
    given = compare.get("rows") if isinstance(compare, Mapping) and len(compare) == 1 else None
    parts = tuple(given) if isinstance(given, tuple | list) else ()
    low, high, window = (*parts, PREVIOUS) if len(parts) == 2 else (*parts, None, None, None)[:3]
    known = [each for each in (low, high) if each is not None]
    sound = known and all(_is_share(each) for each in known) and isinstance(window, Window)
    if not sound or len(parts) > 3 or (len(known) == 2 and known[0] > known[1]):
        raise DeclarationError(
            f"compare={compare!r} does not bound rows by earlier ones",
            where="Gate",
            fix='give shares of the rows before, such as compare={"rows": (0.5, 2.0)}, or of '
            'several partitions: {"rows": (0.5, 2.0, Window(-7, -1))}',
        )
    if (window.last or 0) >= 0 or window.pinned or window.of is not None:
        raise DeclarationError(
            f"compare={compare!r} looks at what is not before the partition",
            where="Gate",
            fix="give a window of earlier partitions only, such as Window(-7, -1)",
        )
    return Comparison(low, high, window)


def _is_share(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= float(value) < float("inf")  # type: ignore[arg-type]


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
