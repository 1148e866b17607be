"""Keys as a person would write them: adjacent ones as ranges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from millgate.model.partition import join, split

_FEW = 3
"""So many keys, or keys of another dimension, are still named one by one."""


@dataclass(frozen=True)
class Span:
    """Keys shown as one: `text` as on the command line, and how many they are."""

    text: str
    count: int


def spans(
    keys: Iterable[str], grain: str | None, *, among: Iterable[str] = (), most: int = 5
) -> list[Span]:
    """`keys` of one asset with adjacent windows as ranges, in order.

    A gap is bridged where every key in it is one of `among`: what is shown elsewhere in the same
    table does not break a range. After `most` ranges the rest is counted in one span.

    >>> spans(["2013-02-01", "2013-02-02", "2013-02-05"], "date")
    [Span(text='2013-02-01..2013-02-02', count=2), Span(text='2013-02-05', count=1)]
    >>> spans(["2013-01/EWR", "2013-02/EWR", "2013-02/JFK"], "month")
    [Span(text='2013-01..2013-02/EWR', count=2), Span(text='2013-02/JFK', count=1)]
    >>> spans(["US", "EU"], None)
    [Span(text='EU, US', count=2)]
    """
    wanted = sorted(set(keys))
    ordinal = _ORDINALS.get(grain or "")
    at = None if ordinal is None or not wanted else _time_part(wanted[0], ordinal)
    if ordinal is None or at is None:
        return [_listed(wanted)] if wanted else []
    found = _ranges(wanted, ordinal, at, among)
    if len(found) <= most:
        return found
    rest = found[most - 1 :]
    return [*found[: most - 1], Span(f"and {len(rest):,} more", sum(s.count for s in rest))]


def summary(keys: Iterable[str], grain: str | None) -> str:
    """`keys` in a few words, for a note.

    >>> summary(["2013-02-02", "2013-02-01"], "date"), summary(["2013-02", "2013-07"], "month")
    ('2013-02-01..2013-02-02', '2013-02 and 1 more')
    """
    wanted = sorted(set(keys))
    found = spans(wanted, grain)
    if len(found) == 1:
        return found[0].text
    return f"{wanted[0]} and {len(wanted) - 1:,} more" if wanted else ""


def grain_of(key: str) -> str | None:
    """The grain that a key looks like, for what is shown without the definition at hand.

    >>> grain_of("2013-02-12/EWR"), grain_of("2013-11-03T05:00Z"), grain_of("EWR")
    ('date', 'hour', None)
    """
    timed = ("hour", "date", "month")
    return next((g for g in timed if _time_part(key, _ORDINALS[g]) is not None), None)


def _day(key: str) -> int:
    return date.fromisoformat(key).toordinal()


def _month(key: str) -> int:
    month = datetime.strptime(key, "%Y-%m")
    return 12 * month.year + month.month


def _hour(key: str) -> int:
    since = datetime.strptime(key, "%Y-%m-%dT%H:%MZ") - datetime(1970, 1, 1)
    return since // timedelta(hours=1)


_ORDINALS: Mapping[str, Callable[[str], int]] = {
    "hour": _hour,
    "date": _day,
    "week": lambda key: _day(key) // 7,
    "month": _month,
}


def _time_part(key: str, ordinal: Callable[[str], int]) -> int | None:
    """Which part of a product's key is its window."""
    for at, part in enumerate(split(key)):
        try:
            ordinal(part)
        except ValueError:
            continue
        return at
    return None


def _listed(keys: Sequence[str]) -> Span:
    if len(keys) <= _FEW:
        return Span(", ".join(keys), len(keys))
    return Span(f"{', '.join(keys[: _FEW - 1])} and {len(keys) - _FEW + 1:,} more", len(keys))


def _ranges(
    keys: Iterable[str], ordinal: Callable[[str], int], at: int, among: Iterable[str]
) -> list[Span]:
    own = _windows(keys, ordinal, at)
    around = _windows(among, ordinal, at)
    alike: dict[tuple[tuple[str, str, int], ...], list[tuple[str, ...]]] = defaultdict(list)
    for others, windows in own.items():
        alike[tuple(_runs(windows, around.get(others, {})))].append(others)
    found: list[tuple[str, Span]] = []
    for runs, sharing in alike.items():
        if len(sharing) > _FEW:
            sharing = [(f"({len(sharing):,} keys)",)]
            times = len(alike[runs])
        else:
            times = 1
        for others in sharing:
            for first, last, count in runs:
                text = first if first == last else f"{first}..{last}"
                span = Span(join([*others[:at], text, *others[at:]]), count * times)
                found.append((first, span))
    return [span for _, span in sorted(found, key=lambda pair: pair[0])]


def _windows(
    keys: Iterable[str], ordinal: Callable[[str], int], at: int
) -> dict[tuple[str, ...], dict[int, str]]:
    """The windows by ordinal, for each combination of the other dimensions' keys."""
    found: dict[tuple[str, ...], dict[int, str]] = defaultdict(dict)
    for key in keys:
        parts = split(key)
        found[(*parts[:at], *parts[at + 1 :])][ordinal(parts[at])] = parts[at]
    return found


def _runs(own: Mapping[int, str], around: Mapping[int, str]) -> Iterable[tuple[str, str, int]]:
    """First and last key, and the count of own ones, of each run of adjacent windows."""
    members: list[int] = []
    for here, after in pairwise([*sorted({*own, *around}), None]):
        assert here is not None
        if here in own:
            members.append(here)
        if members and after != here + 1:
            yield own[members[0]], own[members[-1]], len(members)
            members = []
