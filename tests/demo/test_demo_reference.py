"""The registers and the days that are known to be odd, in the files themselves."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from assets import sources
from assets.operations.flights import all_flights, flights
from assets.operations.weather import weather
from assets.reference.airlines import airlines
from assets.reference.airports import airports
from assets.reference.planes import planes
from millgate import Asset, judge
from millgate.model.asset import Source


def located(source: Source) -> Path:
    """Where a source's file is."""
    assert callable(source.location)
    return Path(source.location())


def lines(source: Source) -> pl.LazyFrame:
    """A source's file, typed by its model."""
    types = {n: c.dtype.type for n, c in source.types.to_schema().columns.items()}
    return pl.scan_csv(located(source), schema_overrides=types, null_values="NA")


@pytest.mark.parametrize(
    ("asset", "source", "rows", "failures"),
    [
        pytest.param(airlines, sources.airlines_csv, 16, {}, id="airlines"),
        pytest.param(
            airports,
            sources.airports_csv,
            1458,
            {"lat": {"72.270833"}, "lon": {"42.898333", "112.457", "117.759"}, "tz": {"8"}},
            id="two airports in China and one in the Arctic Ocean",
        ),
    ],
)
def test_a_register_has_only_the_mistakes_that_are_known(
    asset: Asset, source: Source, rows: int, failures: dict[str, set[str]]
) -> None:
    judgement = judge(asset, asset(lines(source)))
    assert judgement.rows == rows
    assert {r.column_name: set(r.sample) for r in judgement.failed} == failures


def test_planes_too_small_for_an_airline_are_rejected() -> None:
    judgement = judge(planes, planes(lines(sources.planes_csv)))
    assert (judgement.verdict, judgement.rows, judgement.rejected_rows) == ("split", 3322, 40)
    assert [(r.column_name, r.failing_rows) for r in judgement.failed] == [("seats", 40)]


def test_the_day_after_the_blizzard_and_the_fastest_flight() -> None:
    year = all_flights(located(sources.flights_zip))
    assert year.height == 336_776
    blizzard = judge(flights, flights(year.lazy(), flights.partition("2013-02-09")))
    assert (blizzard.verdict, blizzard.rows, blizzard.rejected_rows) == ("split", 684, 393)
    fastest = judge(flights, flights(year.lazy(), flights.partition("2013-05-25")))
    assert ("flyable_speed", 1) in [(r.rule, r.failing_rows) for r in fastest.failed]


def test_the_wind_of_12_february() -> None:
    day = weather(lines(sources.weather_csv), weather.partition("2013-02-12"))
    judgement = judge(weather, day)
    assert (judgement.verdict, judgement.rows, judgement.rejected_rows) == ("split", 72, 1)
    assert [(r.column_name, r.sample) for r in judgement.failed] == [
        ("wind_speed", ("1048.36058",))
    ]
