"""Key ranges: which partitions a person means by `2013-02`, `2013-01..2013-03/EWR`, and so on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from millgate.errors import BadKey, did_you_mean
from millgate.model.dimension import Dimension, Horizon, Keys
from millgate.model.grain import Daily, KeyRun, TimeDimension
from millgate.model.partition import SEPARATOR, UNPARTITIONED, Partitions, join, label

ANY = "*"
_RANGE = ".."
_SHAPES = "write 2013-02-12, 2013-02, 2013, 2013-01..2013-03, ..2013-03, or 2013-01/EWR"
_DAYS = Daily("0001-01-01")
_BOUND = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")


@dataclass(frozen=True)
class Component:
    """The part of a range that speaks of one dimension; both ends are included, None is open."""

    first: str | None
    last: str | None

    @classmethod
    def parse(cls, text: str, whole: str) -> Component:
        """The component that `text` writes; BadKey if it writes none."""
        if text == ANY:
            return cls(None, None)
        ends = [end.strip() for end in text.split(_RANGE)]
        if len(ends) > 2 or not any(ends):
            raise _unreadable(whole)
        found = cls(ends[0] or None, ends[-1] or None)
        first, last = found.ends
        if first is None or last is None or _is_time(first) != _is_time(last):
            return found
        # "~" sorts after everything in a key, so a day as the last end includes all its moments.
        if first > f"{last}~":
            raise BadKey(
                f"{text} ends before it begins",
                where=f"keys {whole}",
                fix=f"write {found.last}..{found.first}; both ends are included",
            )
        return found

    @property
    def is_any(self) -> bool:
        return self.first is None and self.last is None

    @cached_property
    def is_time(self) -> bool:
        """Whether every end is a year, month, day or moment."""
        return not self.is_any and all(_is_time(e) for e in (self.first, self.last) if e)

    def keys(self, dimension: Dimension, horizon: Horizon) -> Sequence[str]:
        """Keys of the dimension within both ends; none where an end is not of its kind."""
        if self.is_any:
            return dimension.keys(horizon)
        if isinstance(dimension, TimeDimension):
            return KeyRun(dimension, self._ordinals(dimension, horizon)) if self.is_time else ()
        return tuple(
            key
            for key in dimension.keys(horizon)
            if (self.first is None or key >= self.first) and (self.last is None or key <= self.last)
        )

    def _ordinals(self, dimension: TimeDimension, horizon: Horizon) -> range:
        complete = dimension.ordinals(horizon.now)
        try:
            first = complete.start if self.first is None else dimension.span(self.first).start
            last = complete.stop if self.last is None else dimension.span(self.last).stop
        except (ValueError, OverflowError):
            return range(0)
        return range(max(first, complete.start), min(last, complete.stop))

    @property
    def ends(self) -> tuple[str | None, str | None]:
        """First and last day of a range of time, else the ends as they are written."""
        if not self.is_time:
            return self.first, self.last
        first = None if self.first is None else _days(self.first)[0]
        return first, None if self.last is None else _days(self.last)[1]


@dataclass(frozen=True)
class KeyRange:
    """Partition keys as a person gives them, to be applied to each definition in its own way.

    A `literal` range is one exact key; otherwise each component speaks of the dimension that
    understands it: time of the time dimension, anything else of listed keys.
    """

    text: str
    components: tuple[Component, ...] = ()
    literal_key: str | None = None

    @classmethod
    def parse(cls, text: str) -> KeyRange:
        """The range that `text` writes; BadKey if it writes none.

        >>> KeyRange.parse("2013-01..2013-03").bounds
        ('2013-01-01', '2013-03-31')
        """
        text = text.strip()
        parts = [part.strip() for part in text.split(SEPARATOR)]
        return cls(text, tuple(Component.parse(part, text) for part in parts))

    @classmethod
    def literal(cls, text: str) -> KeyRange:
        """Exactly the key `text`."""
        return cls(text, literal_key=text)

    def keys(self, partitions: Partitions, horizon: Horizon) -> Sequence[str]:
        """The keys of a definition that lie in the range, in order.

        A component of a kind that the definition does not have is left aside, so one range spans
        assets of different partitionings; an unpartitioned asset is whole.
        """
        if self.literal_key is not None:
            return _exactly(self.literal_key, partitions, horizon)
        if not partitions.dimensions:
            return (UNPARTITIONED,)
        axes = [
            dimension.keys(horizon) if n is None else self.components[n].keys(dimension, horizon)
            for dimension, n in zip(partitions, self._assigned(partitions, horizon), strict=True)
        ]
        return axes[0] if len(axes) == 1 else [join(parts) for parts in product(*axes)]

    def heard(self, partitions: Partitions, horizon: Horizon) -> frozenset[int]:
        """The components, by place, that select something among the keys of a definition."""
        assigned = self._assigned(partitions, horizon)
        return frozenset(
            n
            for dimension, n in zip(partitions, assigned, strict=True)
            if n is not None and len(self.components[n].keys(dimension, horizon))
        )

    @property
    def has_time(self) -> bool:
        return any(component.is_time for component in self.components)

    @property
    def bounds(self) -> tuple[str | None, str | None]:
        """First and last key or day as a plan echoes them; None is open."""
        if self.literal_key is not None:
            return self.literal_key, self.literal_key
        firsts, lasts = zip(*(component.ends for component in self.components), strict=True)
        return _bound(firsts), _bound(lasts)

    def _assigned(self, partitions: Partitions, horizon: Horizon) -> list[int | None]:
        """For each dimension the place of the component that speaks of it."""
        dimensions = partitions.dimensions
        if len(self.components) == len(dimensions) and all(
            c.is_any or len(c.keys(d, horizon)) or (c.is_time and d is partitions.time)
            for c, d in zip(self.components, dimensions, strict=True)
        ):
            return list(range(len(dimensions)))
        found: list[int | None] = [None] * len(dimensions)
        for n, component in enumerate(self.components):
            free = [d for d, taken in zip(dimensions, found, strict=True) if taken is None]
            spoken_of = _spoken_of(component, free, horizon)
            if spoken_of is not None:
                found[dimensions.index(spoken_of)] = n
        return found


@dataclass(frozen=True)
class Target:
    """`SELECTION[@KEYS]` taken apart; `@` binds last, and what stands in quotes is no `@`."""

    text: str
    selection: str
    key_range: KeyRange | None = None

    @classmethod
    def parse(cls, text: str) -> Target:
        """The target that `text` writes; an empty selection means everything.

        >>> target = Target.parse("daily_delays+@2013-02")
        >>> target.selection, target.key_range.text
        ('daily_delays+', '2013-02')
        """
        match = re.match(r"""(?:"[^"]*"|'[^']*'|[^@])*""", text)
        at = match.end() if match else 0
        if at == len(text):
            return cls(text, text)
        if not text[at + 1 :].strip():
            raise BadKey("no keys stand after @", where=f"target {text}", fix=_SHAPES)
        return cls(text, text[:at], KeyRange.parse(text[at + 1 :]))


def zones_of(key_range: KeyRange | None, of: Iterable[Partitions]) -> tuple[str, ...]:
    """The time zones in which a range of time is read."""
    if key_range is None or not key_range.has_time:
        return ()
    return tuple(sorted({parts.time.tz for parts in of if parts.time is not None}))


def keys_of_each(
    key_range: KeyRange | None, definitions: Mapping[str, Partitions], horizon: Horizon
) -> dict[str, Sequence[str]]:
    """The keys that a range (None: no limit) selects of each named definition.

    Raises BadKey, naming the valid range, if it selects nothing of any partitioned one, or if
    part of it speaks to none of them.
    """
    found: dict[Partitions, Sequence[str]] = {}
    for partitions in definitions.values():
        if partitions not in found:
            keys = (
                partitions.keys(horizon)
                if key_range is None
                else key_range.keys(partitions, horizon)
            )
            found[partitions] = tuple(keys)
    partitioned = {name: p for name, p in definitions.items() if p.dimensions}
    if key_range is not None:
        if key_range.literal_key is not None:
            if not any(map(len, found.values())):
                _refuse_literal(key_range.literal_key, definitions, horizon)
        elif partitioned:
            _check_spoken(key_range, partitioned, found, horizon)
    return {name: found[partitions] for name, partitions in definitions.items()}


def _check_spoken(
    key_range: KeyRange,
    definitions: Mapping[str, Partitions],
    found: Mapping[Partitions, Sequence[str]],
    horizon: Horizon,
) -> None:
    heard = frozenset[int]()
    for partitions in dict.fromkeys(definitions.values()):
        heard |= key_range.heard(partitions, horizon)
    unheard = [c for n, c in enumerate(key_range.components) if not c.is_any and n not in heard]
    limited = any(not c.is_any for c in key_range.components)
    empty = limited and not any(len(found[p]) for p in definitions.values())
    if unheard or empty:
        raise _selects_nothing(key_range, definitions, horizon)


def _selects_nothing(
    key_range: KeyRange, definitions: Mapping[str, Partitions], horizon: Horizon
) -> BadKey:
    name, partitions = next(iter(definitions.items()))
    others = f" or of {len(definitions) - 1} others" if len(definitions) > 1 else ""
    valid = f"valid keys: {SEPARATOR.join(_valid(d, horizon) for d in partitions)}"
    known = [k for d in partitions if isinstance(d, Keys) for k in d.keys(horizon)]
    mistyped = next((c.first for c in key_range.components if c.first and not c.is_time), "")
    return BadKey(
        f"{key_range.text} selects no partition of {name}{others}",
        where=f"keys of {label(name, key_range.text)}",
        fix=did_you_mean(mistyped, known, valid) if mistyped not in known else valid,
    )


def _valid(dimension: Dimension, horizon: Horizon) -> str:
    keys = dimension.keys(horizon)
    if isinstance(dimension, TimeDimension):
        if not keys:
            return f"none yet: the first window from {dimension.start} is not complete"
        return f"{keys[0]} to {keys[-1]}, both included ({dimension.tz})"
    shown = ", ".join(keys[:8]) + (f", … ({len(keys)} keys)" if len(keys) > 8 else "")
    return shown or "none yet"


def _spoken_of(
    component: Component, free: Sequence[Dimension], horizon: Horizon
) -> Dimension | None:
    """Which of the free dimensions a component speaks of, None if of none."""
    if component.is_any:
        return None
    times = [d for d in free if isinstance(d, TimeDimension)]
    if component.is_time and times:
        return times[0]
    listed = [d for d in free if isinstance(d, Keys)]
    known = next((d for d in listed if len(component.keys(d, horizon))), None)
    # What is no time must be a key, if only a mistyped one.
    return known or (listed[0] if listed and not component.is_time else None)


def _exactly(key: str, partitions: Partitions, horizon: Horizon) -> Sequence[str]:
    try:
        return (partitions.canonical(key, horizon),)
    except BadKey:
        return ()


def _refuse_literal(key: str, definitions: Mapping[str, Partitions], horizon: Horizon) -> None:
    """Raise BadKey as the first definition says it."""
    for name, partitions in definitions.items():
        try:
            partitions.canonical(key, horizon)
        except BadKey as error:
            raise BadKey(error.what, where=f"partition {label(name, key)}", fix=error.fix) from None


def _bound(ends: Iterable[str | None]) -> str | None:
    parts = list(ends)
    return None if not any(parts) else join([part or ANY for part in parts])


def _is_time(text: str) -> bool:
    try:
        _DAYS.span(text)
    except (ValueError, OverflowError):
        return False
    return True


def _days(text: str) -> tuple[str, str]:
    """First and last day of a year, month or day; a moment stands for itself."""
    if not _BOUND.fullmatch(text):
        return text, text
    days = _DAYS.span(text)
    return _DAYS.key(days[0]), _DAYS.key(days[-1])


def _unreadable(text: str) -> BadKey:
    return BadKey(f"{text!r} is not a key or range of keys", where=f"keys {text}", fix=_SHAPES)
