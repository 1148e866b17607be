"""Time dimensions: windows of one grain, counted by ordinals.

An ordinal numbers the windows of a grain from a fixed origin, so that ranges, neighbours and
overlaps are arithmetic. Grains of a day and longer follow the calendar of their time zone;
hours are UTC instants, so a change to daylight saving makes no key twice or never.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import ClassVar, overload
from zoneinfo import ZoneInfo

from millgate.errors import BadKey, DeclarationError
from millgate.model.dimension import (
    Dimension,
    Horizon,
    KeyValue,
    check_batch,
    check_dimension_name,
)
from millgate.model.duration import parse_duration
from millgate.model.key_text import DAY, MONTH, interval, plain_date
from millgate.model.known_options import known_only

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class KeyRun(Sequence[str]):
    """The keys of adjacent windows, made only when looked at."""

    dimension: TimeDimension
    ordinals: range

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> KeyRun: ...
    def __getitem__(self, index: int | slice) -> str | KeyRun:
        if isinstance(index, slice):
            return KeyRun(self.dimension, self.ordinals[index])
        return self.dimension.key(self.ordinals[index])

    def __len__(self) -> int:
        return len(self.ordinals)

    def __iter__(self) -> Iterator[str]:
        return map(self.dimension.key, self.ordinals)

    def __contains__(self, key: object) -> bool:
        try:
            return isinstance(key, str) and self.dimension.ordinal(key) in self.ordinals
        except ValueError:
            return False


@known_only
@dataclass(frozen=True, kw_only=True)
class TimeDimension(Dimension):
    """Windows of one grain from `start`, up to and including `end` or the last complete one.

    `offset` moves the beginning of every window: `Daily(..., offset="6h")` runs from 06:00 to
    06:00, `Weekly(..., offset="6d")` from Sunday, `Monthly(..., offset="14d")` from the 15th.
    """

    start: str
    end: str | None = None
    tz: str = "UTC"
    offset: str = "0s"
    name: str
    batch: int | None = field(default=None, compare=False)

    grain: ClassVar[str]
    longest_offset: ClassVar[timedelta]

    def __init__(
        self,
        start: str,
        *,
        end: str | None = None,
        tz: str = "UTC",
        offset: str = "0s",
        name: str | None = None,
        batch: int | None = None,
    ) -> None:
        for attribute, given in (
            ("start", start),
            ("end", end),
            ("tz", tz),
            ("offset", offset),
            ("name", name or self.grain),
            ("batch", batch),
        ):
            object.__setattr__(self, attribute, given)
        self._check()

    def _check(self) -> None:
        where = f"{type(self).__name__}({self.start!r})"
        check_dimension_name(self.name, where)
        check_batch(self.batch, where)
        try:
            _ = self._zone
        except (ValueError, OSError, LookupError):
            raise DeclarationError(
                f"no time zone {self.tz!r}",
                where=where,
                fix='use a name of the IANA database, such as tz="America/New_York"',
            ) from None
        if self._shift >= self.longest_offset:
            raise DeclarationError(
                f"the offset {self.offset} is not shorter than {self.longest_offset}",
                where=where,
                fix="give the time from the calendar's boundary to the window's beginning",
            )
        self._boundary(self.start, where)
        if self.end is not None:
            self._boundary(self.end, where, last=True)
        if self.end is not None and self.last_defined is not None and not self.defined:
            raise DeclarationError(
                f"the end {self.end} lies before the start {self.start}",
                where=where,
                fix="both ends are included: give an end that is not before the start",
            )

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.tz)

    @cached_property
    def _shift(self) -> timedelta:
        return parse_duration(self.offset, where=f"{type(self).__name__}({self.start!r})")

    @cached_property
    def first(self) -> int:
        """Ordinal of the first window."""
        return self._boundary(self.start, type(self).__name__)

    @cached_property
    def last_defined(self) -> int | None:
        """Ordinal of the declared last window, None where the definition is open."""
        return (
            None if self.end is None else self._boundary(self.end, type(self).__name__, last=True)
        )

    @property
    def defined(self) -> range:
        """Ordinals of a closed definition; of an open one, a range that ends in the year 9000."""
        last = self.last_defined
        far = self._containing(datetime(9000, 1, 1)) if last is None else last
        return range(self.first, far + 1)

    def ordinals(self, now: datetime) -> range:
        """Ordinals of every window that is defined and complete at the aware time `now`."""
        last = self._containing(self._local(now))
        while self.window(last)[1] > now:
            last -= 1
        if self.last_defined is not None:
            last = min(last, self.last_defined)
        return range(self.first, last + 1)

    def keys(self, horizon: Horizon) -> Sequence[str]:
        return KeyRun(self, self.ordinals(horizon.now))

    def defines(self, horizon: Horizon) -> Callable[[str], bool]:  # noqa: ARG002
        return KeyRun(self, self.defined).__contains__

    def follows(self, before: str, key: str) -> bool:
        return self.ordinal(key) == self.ordinal(before) + 1

    def canonical(self, text: str, horizon: Horizon) -> str:
        if text in (keys := self.keys(horizon)):
            return text
        valid = f"{keys[0]} to {keys[-1]}" if keys else f"none is complete before {self.start}"
        raise BadKey(
            f"{text!r} is not a key of this {self.grain} partitioning",
            where=f"dimension {self.name}",
            fix=f"valid keys: {valid}, both included ({self.tz})",
        )

    def window(self, ordinal: int) -> tuple[datetime, datetime]:
        """Start and end (half open) of a window, as aware UTC times."""
        return self._instant(ordinal), self._instant(ordinal + 1)

    def overlapping(self, start: datetime, end: datetime) -> range:
        """Ordinals of the windows that share time with `[start, end)`, defined or not."""
        first = self._containing(self._local(start))
        while self.window(first)[1] <= start:
            first += 1
        while self.window(first)[0] > start:
            first -= 1
        last = self._containing(self._local(end - _TICK))
        while self.window(last)[0] >= end:
            last -= 1
        while self.window(last)[1] < end:
            last += 1
        return range(first, last + 1)

    def span(self, text: str) -> range:
        """Ordinals that a year, month, day or key names, defined or not.

        A text finer than the grain names the window around it, and one that ends in `Z` is an
        instant; raises ValueError if `text` is none of these.

        >>> months = Monthly("2013-01")
        >>> [months.key(o) for o in months.span("2013")][:2]
        ['2013-01', '2013-02']
        >>> [months.key(o) for o in months.span("2013-02-12")]
        ['2013-02']
        """
        start, end = interval(text)
        if text.endswith("Z"):
            ordinal = self._containing(self._local(start.replace(tzinfo=UTC)))
            return range(ordinal, ordinal + 1)
        return range(self._named(start), self._named(end - _TICK) + 1)

    @abstractmethod
    def ordinal(self, key: str) -> int:
        """The ordinal of a key; ValueError if it is not one of this grain."""

    @abstractmethod
    def key(self, ordinal: int) -> str:
        """The key of an ordinal."""

    @abstractmethod
    def _label(self, ordinal: int) -> datetime:
        """Beginning of the window by the calendar, naive, without the offset."""

    @abstractmethod
    def _labelled(self, moment: datetime) -> int:
        """Ordinal of the window around a naive calendar time, without the offset."""

    def _named(self, moment: datetime) -> int:
        """Ordinal of the window whose key names the calendar time."""
        return self._labelled(moment)

    def _boundary(self, text: str, where: str, *, last: bool = False) -> int:  # noqa: ARG002
        try:
            ordinal = self.ordinal(text)
        except ValueError:
            try:
                example = self.key(self.span(text)[0])
            except ValueError:
                example = self.key(self._labelled(datetime(2013, 1, 7)))
            raise DeclarationError(
                f"{text!r} is not a key of a {self.grain} partitioning",
                where=where,
                fix=f'write it as "{example}"',
            ) from None
        return ordinal

    def _containing(self, local: datetime) -> int:
        return self._labelled(local - self._shift)

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone).replace(tzinfo=None)

    def _instant(self, ordinal: int) -> datetime:
        local = self._label(ordinal) + self._shift
        return local.replace(tzinfo=self._zone).astimezone(UTC)


@dataclass(frozen=True, kw_only=True, init=False)
class Hourly(TimeDimension):
    """One partition an hour; keys are UTC instants such as `2013-11-03T05:00Z`."""

    grain: ClassVar[str] = "hour"
    column_type: ClassVar[str] = "TIMESTAMP"
    longest_offset: ClassVar[timedelta] = timedelta(hours=1)

    def ordinal(self, key: str) -> int:
        moment = datetime.strptime(key, "%Y-%m-%dT%H:%MZ")
        if self.key(self._labelled(moment - self._shift)) != key:
            raise ValueError(key)
        return self._labelled(moment - self._shift)

    def key(self, ordinal: int) -> str:
        return (self._label(ordinal) + self._shift).strftime("%Y-%m-%dT%H:%MZ")

    def value(self, key: str) -> KeyValue:
        return datetime.strptime(key, "%Y-%m-%dT%H:%MZ")

    def _boundary(self, text: str, where: str, *, last: bool = False) -> int:
        if DAY.fullmatch(text):
            hours = self.span(text)
            return hours[-1] if last else hours[0]
        return super()._boundary(text, where)

    def _label(self, ordinal: int) -> datetime:
        return datetime(1970, 1, 1) + timedelta(hours=ordinal)

    def _labelled(self, moment: datetime) -> int:
        return (moment - datetime(1970, 1, 1)) // timedelta(hours=1)

    def _named(self, moment: datetime) -> int:
        return self._labelled(self._local(moment.replace(tzinfo=self._zone)))

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(UTC).replace(tzinfo=None)

    def _instant(self, ordinal: int) -> datetime:
        return (self._label(ordinal) + self._shift).replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, init=False)
class Daily(TimeDimension):
    """One partition a day of the time zone; keys are dates such as `2013-01-31`."""

    grain: ClassVar[str] = "date"
    column_type: ClassVar[str] = "DATE"
    longest_offset: ClassVar[timedelta] = timedelta(days=1)

    def ordinal(self, key: str) -> int:
        return plain_date(key).toordinal()

    def key(self, ordinal: int) -> str:
        return date.fromordinal(ordinal).isoformat()

    def value(self, key: str) -> KeyValue:
        return date.fromisoformat(key)

    def _label(self, ordinal: int) -> datetime:
        return datetime.fromordinal(ordinal)

    def _labelled(self, moment: datetime) -> int:
        return moment.toordinal()


@dataclass(frozen=True, kw_only=True, init=False)
class Weekly(TimeDimension):
    """One partition a week; keys are the dates on which weeks begin, Mondays by default."""

    grain: ClassVar[str] = "week"
    column_type: ClassVar[str] = "DATE"
    longest_offset: ClassVar[timedelta] = timedelta(days=7)

    def ordinal(self, key: str) -> int:
        week, rest = divmod(plain_date(key).toordinal() - 1 - self._shift.days, 7)
        if rest:
            raise ValueError(key)
        return week

    def key(self, ordinal: int) -> str:
        return (self._label(ordinal) + self._shift).date().isoformat()

    def value(self, key: str) -> KeyValue:
        return date.fromisoformat(key)

    def _label(self, ordinal: int) -> datetime:
        return datetime.fromordinal(1 + 7 * ordinal)

    def _labelled(self, moment: datetime) -> int:
        return (moment.toordinal() - 1) // 7

    def _named(self, moment: datetime) -> int:
        return self._labelled(moment - timedelta(days=self._shift.days))


@dataclass(frozen=True, kw_only=True, init=False)
class Monthly(TimeDimension):
    """One partition a calendar month; keys are months such as `2013-01`."""

    grain: ClassVar[str] = "month"
    column_type: ClassVar[str] = "VARCHAR"
    longest_offset: ClassVar[timedelta] = timedelta(days=28)

    def ordinal(self, key: str) -> int:
        if not MONTH.fullmatch(key):
            raise ValueError(key)
        month = date(int(key[:4]), int(key[5:]), 1)
        return 12 * month.year + month.month - 1

    def key(self, ordinal: int) -> str:
        return f"{ordinal // 12:04}-{ordinal % 12 + 1:02}"

    def value(self, key: str) -> KeyValue:
        return key

    def _label(self, ordinal: int) -> datetime:
        return datetime(ordinal // 12, ordinal % 12 + 1, 1)

    def _labelled(self, moment: datetime) -> int:
        return 12 * moment.year + moment.month - 1
