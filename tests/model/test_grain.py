from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millgate.errors import BadKey, DeclarationError
from millgate.model.dimension import Horizon
from millgate.model.grain import Daily, Hourly, Monthly, TimeDimension, Weekly

NEW_YORK = "America/New_York"


def at(text: str) -> Horizon:
    return Horizon(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("dimension", "now", "first", "last", "count"),
    [
        (Daily("2013-01-01"), "2013-01-04T00:00Z", "2013-01-01", "2013-01-03", 3),
        (Daily("2013-01-01"), "2013-01-03T23:59Z", "2013-01-01", "2013-01-02", 2),
        (Daily("2013-01-01", end="2013-01-02"), "2020-01-01T00:00Z", "2013-01-01", "2013-01-02", 2),
        (Daily("2013-01-01", end="2013-01-01"), "2020-01-01T00:00Z", "2013-01-01", "2013-01-01", 1),
        # The day ends when it ends in New York, five hours after it ends in UTC.
        (Daily("2013-01-01", tz=NEW_YORK), "2013-01-03T04:59Z", "2013-01-01", "2013-01-01", 1),
        (Daily("2013-01-01", tz=NEW_YORK), "2013-01-03T05:00Z", "2013-01-01", "2013-01-02", 2),
        (Daily("2013-01-01", offset="6h"), "2013-01-03T05:59Z", "2013-01-01", "2013-01-01", 1),
        (Daily("2013-01-01", offset="6h"), "2013-01-03T06:00Z", "2013-01-01", "2013-01-02", 2),
        (Weekly("2013-01-07"), "2013-01-21T00:00Z", "2013-01-07", "2013-01-14", 2),
        (Weekly("2013-01-06", offset="6d"), "2013-01-20T00:00Z", "2013-01-06", "2013-01-13", 2),
        (Monthly("2013-01"), "2013-03-01T00:00Z", "2013-01", "2013-02", 2),
        (Monthly("2013-01"), "2013-02-28T23:59Z", "2013-01", "2013-01", 1),
        (Monthly("2013-01", offset="14d"), "2013-03-14T23:59Z", "2013-01", "2013-01", 1),
        (Monthly("2013-01", offset="14d"), "2013-03-15T00:00Z", "2013-01", "2013-02", 2),
        (
            Hourly("2013-01-01"),
            "2013-01-01T03:30Z",
            "2013-01-01T00:00Z",
            "2013-01-01T02:00Z",
            3,
        ),
        (
            Hourly("2013-01-01", end="2013-01-01"),
            "2014-01-01T00:00Z",
            "2013-01-01T00:00Z",
            "2013-01-01T23:00Z",
            24,
        ),
        (
            Hourly("2013-01-01", end="2013-01-02", tz=NEW_YORK),
            "2014-01-01T00:00Z",
            "2013-01-01T05:00Z",
            "2013-01-03T04:00Z",
            48,
        ),
        (
            Hourly("2013-01-01T00:30Z", offset="30m"),
            "2013-01-01T03:00Z",
            "2013-01-01T00:30Z",
            "2013-01-01T01:30Z",
            2,
        ),
    ],
)
def test_keys_up_to_the_last_complete_window(
    dimension: TimeDimension, now: str, first: str, last: str, count: int
) -> None:
    keys = dimension.keys(at(now))
    assert (keys[0], keys[-1], len(keys)) == (first, last, count)
    assert list(keys) == sorted(set(keys))


def test_before_the_first_window_is_complete_there_are_no_keys() -> None:
    days = Daily("2030-01-01")
    assert list(days.keys(at("2024-01-01T00:00Z"))) == []
    with pytest.raises(BadKey, match="not a key"):
        days.canonical("2030-01-01", at("2024-01-01T00:00Z"))


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2013-03-09", 24), ("2013-03-10", 23), ("2013-11-02", 24), ("2013-11-03", 25)],
)
def test_a_day_has_the_hours_that_daylight_saving_gives_it(day: str, hours: int) -> None:
    days = Daily("2013-01-01", tz=NEW_YORK)
    start, end = days.window(days.ordinal(day))
    assert end - start == timedelta(hours=hours)
    hourly = Hourly("2013-01-01", tz=NEW_YORK)
    keys = [hourly.key(o) for o in hourly.span(day)]
    assert len(keys) == len(set(keys)) == hours
    assert [hourly.key(o) for o in hourly.overlapping(start, end)] == keys


def test_the_repeated_hour_has_two_keys() -> None:
    hourly = Hourly("2013-01-01", tz=NEW_YORK)
    keys = [hourly.key(o) for o in hourly.span("2013-11-03")]
    assert keys[:3] == ["2013-11-03T04:00Z", "2013-11-03T05:00Z", "2013-11-03T06:00Z"]


def test_a_midnight_that_does_not_exist_begins_when_the_clocks_have_changed() -> None:
    days = Daily("2013-01-01", tz="America/Sao_Paulo")
    start, end = days.window(days.ordinal("2013-10-20"))
    assert start == datetime(2013, 10, 20, 3, tzinfo=UTC)
    assert end - start == timedelta(hours=23)


@pytest.mark.parametrize(
    ("dimension", "text", "keys"),
    [
        (Daily("2013-01-01"), "2013-02", ("2013-02-01", "2013-02-28", 28)),
        (Daily("2013-01-01"), "2012-02", ("2012-02-01", "2012-02-29", 29)),
        (Daily("2013-01-01"), "2013", ("2013-01-01", "2013-12-31", 365)),
        (Daily("2013-01-01"), "2013-12", ("2013-12-01", "2013-12-31", 31)),
        (Daily("2013-01-01"), "2013-02-12", ("2013-02-12", "2013-02-12", 1)),
        (Daily("2013-01-01"), "2013-02-12T05:00", ("2013-02-12", "2013-02-12", 1)),
        # An instant is the day around it where the day is counted.
        (Daily("2013-01-01", tz=NEW_YORK), "2013-02-12T03:00Z", ("2013-02-11", "2013-02-11", 1)),
        (Daily("2013-01-01", offset="6h"), "2013-02-12T03:00Z", ("2013-02-11", "2013-02-11", 1)),
        (Daily("2013-01-01", offset="6h"), "2013-02-12", ("2013-02-12", "2013-02-12", 1)),
        (Monthly("2013-01"), "2013-02-12", ("2013-02", "2013-02", 1)),
        (Monthly("2013-01"), "2013", ("2013-01", "2013-12", 12)),
        (Monthly("2013-01", offset="14d"), "2013-02", ("2013-02", "2013-02", 1)),
        (Weekly("2013-01-07"), "2013-02-12", ("2013-02-11", "2013-02-11", 1)),
        (Weekly("2013-01-06", offset="6d"), "2013-02-12", ("2013-02-10", "2013-02-10", 1)),
        (Weekly("2013-01-07"), "2013-02", ("2013-01-28", "2013-02-25", 5)),
        (Hourly("2013-01-01"), "2013-01-01T05:00Z", ("2013-01-01T05:00Z", "2013-01-01T05:00Z", 1)),
        (Hourly("2013-01-01"), "2013-01-01T05:30Z", ("2013-01-01T05:00Z", "2013-01-01T05:00Z", 1)),
        (
            Hourly("2013-01-01", tz=NEW_YORK),
            "2013-01-01T05:00",
            ("2013-01-01T10:00Z", "2013-01-01T10:00Z", 1),
        ),
    ],
)
def test_span(dimension: TimeDimension, text: str, keys: tuple[str, str, int]) -> None:
    found = [dimension.key(o) for o in dimension.span(text)]
    assert (found[0], found[-1], len(found)) == keys


@pytest.mark.parametrize(
    "text", ["", "13", "2013-1", "2013-13", "2013-02-30", "EWR", "2013Z", "２０１３"]
)
@pytest.mark.parametrize(
    "dimension", [Daily("2013-01-01"), Monthly("2013-01"), Hourly("2013-01-01")]
)
def test_what_names_no_time_is_a_value_error(dimension: TimeDimension, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (the text says nothing to a user)
        dimension.span(text)


@pytest.mark.parametrize(
    ("dimension", "key"),
    [
        (Daily("2013-01-01"), "20130102"),
        (Daily("2013-01-01"), "2013-W01-2"),
        (Daily("2013-01-01"), "2013-1-2"),
        (Daily("2013-01-01"), "2013-01-02 "),
        (Daily("2013-01-01"), "2013-02-30"),
        (Daily("2013-01-01"), "2012-12-31"),
        (Daily("2013-01-01"), "2025-01-01"),
        (Monthly("2013-01"), "２０１３-０２"),
        (Monthly("2013-01"), "2013-00"),
        (Monthly("2013-01"), "2013-02-01"),
        (Weekly("2013-01-07"), "2013-01-08"),
        (Hourly("2013-01-01"), "2013-01-01T5:00Z"),
        (Hourly("2013-01-01"), "2013-01-01T05:30Z"),
        (Hourly("2013-01-01"), "2013-01-01T05:00"),
    ],
)
def test_no_key_has_a_second_name_and_errors_name_the_range(
    dimension: TimeDimension, key: str
) -> None:
    now = at("2024-01-01T00:00Z")
    assert key not in dimension.keys(now)
    with pytest.raises(BadKey) as refused:
        dimension.canonical(key, now)
    assert dimension.keys(now)[0] in refused.value.fix
    assert dimension.keys(now)[-1] in refused.value.fix


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (Daily, {"start": "2013"}),
        (Daily, {"start": "yesterday"}),
        (Daily, {"start": "2013-01-02", "end": "2013-01-01"}),
        (Daily, {"start": "2013-01-01", "tz": "Mars/Olympus"}),
        (Daily, {"start": "2013-01-01", "tz": "../etc/passwd"}),
        (Daily, {"start": "2013-01-01", "tz": ""}),
        (Daily, {"start": "2013-01-01", "offset": "1d"}),
        (Daily, {"start": "2013-01-01", "offset": "soon"}),
        (Daily, {"start": "2013-01-01", "name": "Date"}),
        (Hourly, {"start": "2013-01"}),
        (Hourly, {"start": "2013-01-01", "offset": "60m"}),
        (Weekly, {"start": "2013-01-08"}),
        (Weekly, {"start": "2013-01-07", "offset": "7d"}),
        (Monthly, {"start": "2013-01-01"}),
        (Monthly, {"start": "2013-01", "offset": "28d"}),
    ],
)
def test_declarations_that_cannot_work(kind: Any, arguments: dict[str, str]) -> None:
    with pytest.raises(DeclarationError) as refused:
        kind(arguments.pop("start"), **arguments)
    assert refused.value.fix
    assert kind.__name__ in refused.value.where


def test_a_wrong_start_is_shown_rightly_written() -> None:
    with pytest.raises(DeclarationError) as refused:
        Daily("2013")
    assert refused.value.fix == 'write it as "2013-01-01"'


DIMENSIONS = st.sampled_from(
    [
        Hourly("1990-01-01"),
        Hourly("1990-01-01T00:15Z", offset="15m"),
        Daily("1990-01-01"),
        Daily("1990-01-01", tz=NEW_YORK),
        Daily("1990-01-01", tz="America/Sao_Paulo", offset="2h30m"),
        Daily("1990-01-01", tz="Australia/Lord_Howe"),
        Daily("1990-01-01", tz="Pacific/Apia"),
        Weekly("1990-01-01", tz="Europe/Berlin"),
        Weekly("1990-01-07", offset="6d12h"),
        Monthly("1990-01", tz=NEW_YORK),
        Monthly("1990-01", offset="27d23h", tz="Asia/Kathmandu"),
    ]
)
MOMENTS = st.datetimes(datetime(1990, 3, 3), datetime(2040, 1, 1), timezones=st.just(UTC))
"""When the first month is complete, whatever its zone and offset."""


@given(DIMENSIONS, MOMENTS)
def test_every_moment_lies_in_exactly_one_window(
    dimension: TimeDimension, moment: datetime
) -> None:
    found = dimension.overlapping(moment, moment + timedelta(microseconds=1))
    assert len(found) == 1
    start, end = dimension.window(found[0])
    assert start <= moment < end
    last = dimension.ordinals(moment)[-1]
    assert dimension.window(last)[1] <= moment < dimension.window(last + 1)[1]


@given(DIMENSIONS, MOMENTS, st.integers(1, 4_000_000))
def test_overlapping_is_what_shares_time(
    dimension: TimeDimension, start: datetime, seconds: int
) -> None:
    end = start + timedelta(seconds=seconds)
    found = dimension.overlapping(start, end)
    assert dimension.window(found[0] - 1)[1] <= start < dimension.window(found[0])[1]
    assert dimension.window(found[-1])[0] < end <= dimension.window(found[-1] + 1)[0]


@given(DIMENSIONS, MOMENTS)
def test_windows_are_adjacent_and_keys_lead_back(
    dimension: TimeDimension, moment: datetime
) -> None:
    last = dimension.ordinals(moment)[-1]
    windows = [dimension.window(o) for o in range(last - 3, last + 1)]
    assert all(before[1] == after[0] for before, after in pairwise(windows))
    keys = [dimension.key(o) for o in range(last - 3, last + 1)]
    assert keys == sorted(keys)
    assert [dimension.ordinal(k) for k in keys] == list(range(last - 3, last + 1))
    assert all(len(dimension.span(k)) == 1 for k in keys)
    assert [dimension.key(dimension.span(k)[0]) for k in keys] == keys


def test_a_run_of_keys_is_a_sequence() -> None:
    keys = Daily("2013-01-01", end="2013-12-31").keys(at("2020-01-01T00:00Z"))
    assert keys[1:3] == Daily("2013-01-01", end="2013-12-31").keys(at("2020-01-01T00:00Z"))[1:3]
    assert list(keys[1:3]) == ["2013-01-02", "2013-01-03"]
    assert "2013-06-01" in keys
    assert "2014-01-01" not in keys
    assert 5 not in keys
    with pytest.raises(IndexError):
        _ = keys[365]


@pytest.mark.parametrize(
    ("dimension", "key", "value"),
    [
        (Daily("2013-01-01"), "2013-01-02", datetime(2013, 1, 2).date()),
        (Weekly("2013-01-07"), "2013-01-14", datetime(2013, 1, 14).date()),
        (Monthly("2013-01"), "2013-02", "2013-02"),
        (Hourly("2013-01-01"), "2013-01-01T05:00Z", datetime(2013, 1, 1, 5)),
    ],
)
def test_values_have_the_type_of_the_partition_column(
    dimension: TimeDimension, key: str, value: object
) -> None:
    assert dimension.value(key) == value
    assert (
        dimension.column_type
        == {"datetime": "TIMESTAMP", "date": "DATE", "str": "VARCHAR"}[type(value).__name__]
    )
