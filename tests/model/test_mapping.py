from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from millgate.errors import DeclarationError
from millgate.model.dimension import Horizon, Keys
from millgate.model.grain import Daily, Hourly, Monthly, Weekly
from millgate.model.mapping import Window, needed_keys
from millgate.model.partition import Partition, Partitions

NOW = Horizon(datetime(2013, 2, 1, tzinfo=UTC), {"regions.region": ["EU", "US"]})
WHOLE = Partitions()
DAYS = Partitions((Daily("2013-01-01"),))
MONTHS = Partitions((Monthly("2013-01"),))
NEW_YORK = Partitions((Daily("2013-01-01", tz="America/New_York"),))
ORIGINS = Partitions((Keys("EWR", "JFK", "LGA", name="origin"),))
DAY_ORIGINS = Daily("2013-01-01") * Keys("EWR", "JFK", name="origin")
REGIONS = Partitions((Keys(of="regions.region"),))


def needed(mapping: Any, key: str, down: Partitions, up: Partitions) -> list[str]:
    return list(needed_keys(mapping, down.partition("asset", key), down, up, NOW))


@pytest.mark.parametrize(
    ("down", "key", "up", "expected"),
    [
        (DAYS, "2013-01-05", DAYS, ["2013-01-05"]),
        (DAYS, "2013-01-05", WHOLE, [""]),
        (WHOLE, "", WHOLE, [""]),
        (WHOLE, "", ORIGINS, ["EWR", "JFK", "LGA"]),
        (DAYS, "2013-01-05", ORIGINS, ["EWR", "JFK", "LGA"]),
        (DAYS, "2013-01-05", DAY_ORIGINS, ["2013-01-05/EWR", "2013-01-05/JFK"]),
        (DAY_ORIGINS, "2013-01-05/JFK", DAYS, ["2013-01-05"]),
        (DAY_ORIGINS, "2013-01-05/JFK", DAY_ORIGINS, ["2013-01-05/JFK"]),
        (DAY_ORIGINS, "2013-01-05/JFK", ORIGINS, ["JFK"]),
        (ORIGINS, "LGA", DAY_ORIGINS, []),
        (DAYS, "2013-01-05", MONTHS, ["2013-01"]),
        # The day of New York holds five hours of the next one in UTC.
        (NEW_YORK, "2013-01-05", DAYS, ["2013-01-05", "2013-01-06"]),
        (DAYS, "2013-01-05", NEW_YORK, ["2013-01-04", "2013-01-05"]),
        # Before the upstream's definition begins there is nothing to need.
        (DAYS, "2013-01-05", Partitions((Daily("2013-01-10"),)), []),
        (Partitions((Daily("2012-12-01"),)), "2012-12-31", DAYS, []),
        (DAYS, "2013-01-05", Partitions((Daily("2013-01-01", end="2013-01-04"),)), []),
        # A key that comes later is needed, and not there yet.
        (Partitions((Daily("2013-01-01"),)), "2013-02-05", MONTHS, ["2013-02"]),
        (REGIONS, "EU", REGIONS, ["EU"]),
        (WHOLE, "", REGIONS, ["EU", "US"]),
    ],
)
def test_defaults(down: Partitions, key: str, up: Partitions, expected: list[str]) -> None:
    assert needed(None, key, down, up) == expected


def test_a_month_needs_its_days_and_an_unpartitioned_asset_every_complete_one() -> None:
    days = needed(None, "2013-01", MONTHS, DAYS)
    assert (days[0], days[-1], len(days)) == ("2013-01-01", "2013-01-31", 31)
    assert needed(None, "", WHOLE, DAYS) == days


def test_a_week_needs_the_months_it_lies_in() -> None:
    weeks = Partitions((Weekly("2013-01-07"),))
    assert needed(None, "2013-01-28", weeks, MONTHS) == ["2013-01", "2013-02"]
    assert needed(None, "2013-01-07", weeks, MONTHS) == ["2013-01"]


@pytest.mark.parametrize(
    ("day", "hours"), [("2013-03-10", 23), ("2013-11-03", 25), ("2013-06-01", 24)]
)
def test_a_day_needs_all_its_hours_through_daylight_saving(day: str, hours: int) -> None:
    hourly = Partitions((Hourly("2013-01-01", tz="America/New_York"),))
    keys = needed(None, day, NEW_YORK, hourly)
    assert len(keys) == len(set(keys)) == hours
    assert {needed(None, key, hourly, NEW_YORK)[0] for key in keys} == {day}


@pytest.mark.parametrize(
    ("window", "down", "key", "up", "expected"),
    [
        (Window(), DAYS, "2013-01-05", DAYS, ["2013-01-05"]),
        (Window(-2, 0), DAYS, "2013-01-05", DAYS, ["2013-01-03", "2013-01-04", "2013-01-05"]),
        (Window(-2, 0), DAYS, "2013-01-02", DAYS, ["2013-01-01", "2013-01-02"]),
        (Window(-1, -1), DAYS, "2013-01-01", DAYS, []),
        (Window(-1, -1), DAYS, "2013-01-02", DAYS, ["2013-01-01"]),
        (Window(1, 2), DAYS, "2013-01-30", DAYS, ["2013-01-31", "2013-02-01"]),
        (Window(None, 0), DAYS, "2013-01-03", DAYS, ["2013-01-01", "2013-01-02", "2013-01-03"]),
        (Window(0, None), DAYS, "2013-01-30", DAYS, ["2013-01-30", "2013-01-31"]),
        (Window(-1, 0), DAYS, "2013-01-05", MONTHS, ["2013-01"]),
        (Window(0, 1), DAYS, "2013-01-05", MONTHS, ["2013-01", "2013-02"]),
        (Window(-1, 0), MONTHS, "2013-02", MONTHS, ["2013-01", "2013-02"]),
        (Window(0, 0), WHOLE, "", DAYS, ["2013-01-31"]),
        (Window(-1, -1), WHOLE, "", DAYS, ["2013-01-30"]),
        (Window(-1, 0), WHOLE, "", DAYS, ["2013-01-30", "2013-01-31"]),
        (Window(0, 0), ORIGINS, "JFK", DAYS, ["2013-01-31"]),
        (Window(-1, 0), DAY_ORIGINS, "2013-01-05/JFK", DAYS, ["2013-01-04", "2013-01-05"]),
        (
            Window(-1, 0),
            DAYS,
            "2013-01-05",
            DAY_ORIGINS,
            ["2013-01-04/EWR", "2013-01-04/JFK", "2013-01-05/EWR", "2013-01-05/JFK"],
        ),
        (
            Window(-1, 0),
            DAY_ORIGINS,
            "2013-01-05/JFK",
            DAY_ORIGINS,
            ["2013-01-04/JFK", "2013-01-05/JFK"],
        ),
        (Window(-1, 0), ORIGINS, "JFK", ORIGINS, ["EWR", "JFK"]),
        (Window(-1, -1), ORIGINS, "EWR", ORIGINS, []),
        (Window(-9, 9), ORIGINS, "JFK", ORIGINS, ["EWR", "JFK", "LGA"]),
        (Window(None, -1), ORIGINS, "LGA", ORIGINS, ["EWR", "JFK"]),
        (Window(-1, -1), DAYS, "2013-01-05", WHOLE, [""]),
    ],
)
def test_windows(
    window: Window, down: Partitions, key: str, up: Partitions, expected: list[str]
) -> None:
    assert needed(window, key, down, up) == expected


def test_a_window_around_a_month_counts_from_its_days() -> None:
    days = needed(Window(-1, 1), "2013-02", MONTHS, DAYS)
    assert (days[0], days[-1]) == ("2013-01-31", "2013-03-01")


def test_open_windows_of_an_unpartitioned_asset_are_all_keys() -> None:
    assert needed(Window(None, None), "", WHOLE, DAYS) == list(DAYS.keys(NOW))


@pytest.mark.parametrize(
    ("mapping", "down", "key", "up", "expected"),
    [
        (
            {"EU": "EWR", "US": ["JFK", "LGA"]},
            Partitions((Keys("EU", "US", name="region"),)),
            "US",
            ORIGINS,
            ["JFK", "LGA"],
        ),
        ({"EU": "EWR"}, Partitions((Keys("EU", "US", name="region"),)), "US", ORIGINS, []),
        (
            {"EU": ["EWR", "EWR"]},
            Partitions((Keys("EU", name="region"),)),
            "EU",
            ORIGINS,
            ["EWR"],
        ),
        ({"date": Window(-1, 0)}, DAYS, "2013-01-05", DAYS, ["2013-01-04", "2013-01-05"]),
        (
            {"date": Window(-1, -1)},
            DAY_ORIGINS,
            "2013-01-05/JFK",
            DAY_ORIGINS,
            ["2013-01-04/JFK"],
        ),
        (
            {"date": Window(-1, 0), "origin": {"JFK": "EWR"}},
            DAY_ORIGINS,
            "2013-01-05/JFK",
            DAY_ORIGINS,
            ["2013-01-04/EWR", "2013-01-05/EWR"],
        ),
        (
            {"origin": Window(-1, 0)},
            DAY_ORIGINS,
            "2013-01-05/JFK",
            DAY_ORIGINS,
            ["2013-01-05/EWR", "2013-01-05/JFK"],
        ),
        ({}, DAYS, "2013-01-05", DAYS, ["2013-01-05"]),
        # Keys that are read from production may come later.
        ({"JFK": "ASIA"}, ORIGINS, "JFK", REGIONS, ["ASIA"]),
    ],
)
def test_dicts(
    mapping: Any, down: Partitions, key: str, up: Partitions, expected: list[str]
) -> None:
    assert needed(mapping, key, down, up) == expected


def test_a_dict_of_keys_for_time_is_refused() -> None:
    with pytest.raises(DeclarationError, match="time dimension"):
        needed({"date": {"a": "b"}}, "2013-01-05", DAYS, DAYS)


class Own:
    """A mapping of the user's own that gives what the test says."""

    def __init__(self, given: object) -> None:
        self.given = given

    def keys(self, partition: Partition, upstream: Partitions, horizon: Horizon) -> Iterable[str]:
        assert partition.asset == "asset"
        assert upstream.dimensions
        assert horizon is NOW
        if isinstance(self.given, Exception):
            raise self.given
        yield from self.given  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["2013-01-07", "2013-01-04"], ["2013-01-07", "2013-01-04"]),
        (["2013-01-07", "2013-01-07"], ["2013-01-07"]),
        (["2012-12-31", "2013-01-01"], ["2013-01-01"]),
        (["2013-02-05"], ["2013-02-05"]),
        ([], []),
    ],
)
def test_a_users_own_mapping_is_clipped_like_any_other(
    given: list[str], expected: list[str]
) -> None:
    assert needed(Own(given), "2013-01-05", DAYS, DAYS) == expected


@pytest.mark.parametrize(
    ("given", "up"),
    [
        (["2013-01"], DAYS),
        (["2013-01-01/EWR"], DAYS),
        ([datetime(2013, 1, 1)], DAYS),
        ([None], DAYS),
        (["ASIA"], ORIGINS),
        ([""], DAYS),
        (["2013-01-01"], DAY_ORIGINS),
        (ValueError("no"), DAYS),
        (KeyError("no"), DAYS),
    ],
)
def test_a_users_own_mapping_that_fails_is_told_by_its_name(given: Any, up: Partitions) -> None:
    with pytest.raises(DeclarationError) as refused:
        needed(Own(given), "2013-01-05", DAYS, up)
    assert "Own.keys" in refused.value.what
    assert "asset@2013-01-05" in refused.value.where


def test_a_window_that_holds_no_key_is_refused() -> None:
    with pytest.raises(DeclarationError, match="holds no key"):
        Window(1, 0)
