"""Late is what is due and not live, counted from the newest window back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from millgate.model.asset import Asset
from millgate.model.dimension import Horizon, Keys
from millgate.model.grain import Daily, Hourly, Monthly
from millgate.model.partition import Partitions
from millgate.plan.lateness import due_windows, lateness

DAYS = Partitions((Daily("2024-01-01"),))
REGIONS = DAYS * Keys("EU", "US")


def late(partitions: Partitions, now: str, by: timedelta, live: set[str]) -> object:
    asset = Asset(name="orders", partitions=partitions)
    horizon = Horizon(datetime.fromisoformat(now).replace(tzinfo=UTC))
    found = lateness("orders", due_windows(asset, by, horizon), live)
    return found and (f"{found.since:%m-%d %H:%M}", found.partitions)


@pytest.mark.parametrize(
    ("now", "live", "expected"),
    [
        ("2024-01-04T05:59", {"2024-01-01", "2024-01-02"}, None),
        ("2024-01-04T06:00", {"2024-01-01", "2024-01-02"}, ("01-04 06:00", ("2024-01-03",))),
        ("2024-01-04T06:00", {"2024-01-01", "2024-01-03"}, None),
        ("2024-01-04T06:00", {"2024-01-01"}, ("01-03 06:00", ("2024-01-02", "2024-01-03"))),
        ("2024-01-04T06:00", set(), ("01-04 06:00", ("2024-01-03",))),
        ("2024-01-01T06:00", set(), None),
    ],
)
def test_days(now: str, live: set[str], expected: object) -> None:
    assert late(DAYS, now, timedelta(hours=6), live) == expected


def test_products_are_late_by_the_keys_that_lack() -> None:
    live = {"2024-01-01/EU", "2024-01-01/US", "2024-01-02/EU"}
    assert late(REGIONS, "2024-01-03T12:00", timedelta(hours=1), live) == (
        "01-03 01:00",
        ("2024-01-02/US",),
    )


def test_windows_close_by_their_own_time_zone() -> None:
    days = Partitions((Daily("2024-01-01", tz="America/New_York"),))
    assert late(days, "2024-01-02T05:59", timedelta(hours=1), set()) is None
    assert late(days, "2024-01-02T06:00", timedelta(hours=1), set()) is not None


@pytest.mark.parametrize("partitions", [Partitions((Keys("EU"),)), Partitions()])
def test_without_time_nothing_is_ever_late(partitions: Partitions) -> None:
    assert late(partitions, "2024-01-04T06:00", timedelta(hours=1), set()) is None


def test_other_grains_and_a_definition_that_ended() -> None:
    hours = Partitions((Hourly("2024-01-01T00:00Z"),))
    assert late(hours, "2024-01-01T02:30", timedelta(minutes=30), {"2024-01-01T00:00Z"}) == (
        "01-01 02:30",
        ("2024-01-01T01:00Z",),
    )
    months = Partitions((Monthly("2024-01", end="2024-02"),))
    assert late(months, "2024-09-01T00:00", timedelta(days=1), {"2024-01", "2024-02"}) is None
    never = Partitions((Keys(of="regions.region"), Daily("2024-01-01")))
    assert late(never, "2024-01-04T06:00", timedelta(hours=1), set()) is None
