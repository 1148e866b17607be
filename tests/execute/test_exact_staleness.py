"""One changed partition among 500 makes stale exactly what is made from it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from conftest import Mill

FIRST = date(2024, 1, 1)
"""A Monday."""
DAYS = [FIRST + timedelta(n) for n in range(500)]
NOW = datetime.combine(DAYS[-1] + timedelta(1), time(12), UTC)
CHANGED = [date(2024, 2, 29), date(2024, 8, 31), DAYS[0], DAYS[-1]]
"""Amid a week at the end of a month; on a weekend; the first; one of no complete week or month."""
ASSETS = """
import polars as pl

from millgate import Daily, Monthly, Partition, Weekly, Window, asset, source

days = Daily("2024-01-01")
raw = source("data/{date}.csv", partitions=days)


@asset(partitions=days)
def readings(raw: pl.DataFrame) -> pl.DataFrame:
    return raw.select("value")


@asset(partitions=days)
def daily(readings: pl.DataFrame) -> pl.DataFrame:
    return readings.select("value")


@asset(partitions=Weekly("2024-01-01"))
def weekly(readings: pl.DataFrame) -> pl.DataFrame:
    return readings.select(pl.col("value").sum())


@asset(partitions=Monthly("2024-01"))
def monthly(readings: pl.DataFrame) -> pl.DataFrame:
    return readings.select(pl.col("value").sum())


@asset(partitions=days, upstream={"week": Window(-6, 0, of="readings")})
def window(week: pl.DataFrame) -> pl.DataFrame:
    return week.select(pl.col("value").sum())
"""


def dependents(day: date) -> set[tuple[str, str]]:
    """What is made from a day, by the calendar."""
    monday = day - timedelta(day.weekday())
    next_month = (day.replace(day=1) + timedelta(31)).replace(day=1)
    found = {("daily", f"{day}")}
    found |= {("window", f"{day + timedelta(n)}") for n in range(7) if day + timedelta(n) in DAYS}
    if monday + timedelta(7) <= NOW.date():
        found.add(("weekly", f"{monday}"))
    if next_month <= NOW.date():
        found.add(("monthly", f"{day:%Y-%m}"))
    return found


@pytest.fixture
def year(mill: Mill) -> Mill:
    mill.now = NOW
    mill.write("assets/readings.py", ASSETS)
    for n, day in enumerate(DAYS):
        mill.write(f"data/{day}.csv", f"value\n{n}\n")
    assert mill.run().exit_status == 0
    return mill


def test_a_changed_day_makes_its_dependents_stale_and_nothing_else(year: Mill) -> None:
    assert year.sql("SELECT count(*) FROM lineage.production WHERE asset = 'readings'") == [(500,)]
    assert not year.plan().steps
    stale: set[tuple[str, str]] = set()
    for day in CHANGED:
        year.write(f"data/{day}.csv", "value\n-1\n")
        planned = {(s.asset, s.key): s.cause.of for s in year.plan().steps}
        assert planned.pop(("readings", f"{day}")) == f"raw@{day}"
        assert set(planned) == stale | dependents(day)

        year.run("readings")
        stale |= dependents(day)
        causes = year.sql(
            "SELECT asset, partition, cause_asset, cause_partition FROM lineage.stale"
        )
        assert {(asset, key) for asset, key, *_ in causes} == stale
        assert {cause for *_, cause, _ in causes} == {"readings"}
        assert {cause for *_, cause in causes} <= {f"{changed}" for changed in CHANGED}
        assert [
            (s.asset, s.key) for s in year.plan().steps if s.cause.kind != "input changed"
        ] == []
        assert {(s.asset, s.key) for s in year.plan().steps} == stale
    year.run()
    assert year.sql("FROM lineage.stale") == []
    assert not year.plan().steps
