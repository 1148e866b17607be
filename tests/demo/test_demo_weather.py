"""Weather, and flights joined with it."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest

from assets.operations.flight_weather import flight_weather
from assets.operations.weather import ReportedWeather, weather
from millgate import judge


def reported(hours: list[datetime], **changes: object) -> pl.DataFrame:
    """Lines of the file for Newark at these UTC hours, all on one local day."""
    line = {
        "origin": "EWR",
        "temp": 39.02,
        "dewp": 26.06,
        "humid": 59.37,
        "wind_dir": 270,
        "wind_speed": 10.36,
        "wind_gust": None,
        "precip": 0.0,
        "pressure": 1012.0,
        "visib": 10.0,
        "year": 2013,
        "month": 11,
        "day": 3,
        "hour": 1,
    }
    types = {
        name: column.dtype.type for name, column in ReportedWeather.to_schema().columns.items()
    }
    return pl.DataFrame(
        [{**line, **changes, "time_hour": f"{hour:%Y-%m-%dT%H:%M:%SZ}"} for hour in hours],
        schema=types,
    )


def day_of(frame: pl.DataFrame, key: str = "2013-11-03") -> pl.DataFrame:
    made = weather(frame.lazy(), weather.partition(key)).collect()
    assert isinstance(made, pl.DataFrame)
    return made


TWICE_ONE = [datetime(2013, 11, 3, 5), datetime(2013, 11, 3, 6)]


def test_the_hour_that_came_twice_is_two_hours() -> None:
    day = day_of(reported(TWICE_ONE))
    assert day["time_hour"].to_list() == TWICE_ONE
    assert day["date"].unique().to_list() == [date(2013, 11, 3)]
    assert judge(weather, day).verdict == "promote"


def test_a_wind_of_1048_mph_is_caught() -> None:
    hours = [datetime(2013, 11, 3, hour) for hour in range(5, 24)]
    day = day_of(
        pl.concat([reported(hours), reported([datetime(2013, 11, 4)], wind_speed=1048.36058)])
    )
    judgement = judge(weather, day)
    assert (judgement.verdict, judgement.rows, judgement.rejected_rows) == ("split", 20, 1)
    assert [(r.column_name, r.sample) for r in judgement.failed] == [
        ("wind_speed", ("1048.36058",))
    ]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        pytest.param({"dewp": 40.0}, "dew_point_below_temperature", id="dew above temperature"),
        pytest.param({"wind_gust": 5.0}, "gust_above_wind", id="gust below wind"),
    ],
)
def test_readings_that_contradict_each_other_are_caught(
    changes: dict[str, object], rule: str
) -> None:
    judgement = judge(weather, day_of(reported(TWICE_ONE, **changes)))
    assert {r.rule for r in judgement.failed if r.kind == "row"} == {rule}


def test_an_empty_day_is_valid_and_typed() -> None:
    day = day_of(reported(TWICE_ONE), "2013-12-31")
    judgement = judge(weather, day)
    assert day.is_empty()
    assert day.schema["time_hour"] == pl.Datetime("us")
    assert (judgement.verdict, judgement.rejected_rows) == ("promote", 0)
    assert [r.rule for r in judgement.results if not r.passed] == ["most_hours_observed"]


def test_each_flight_gets_the_weather_of_its_own_hour() -> None:
    hours = pl.concat([reported(TWICE_ONE[:1], temp=52.0), reported(TWICE_ONE[1:], temp=50.0)])
    flown = pl.DataFrame(
        {
            "date": date(2013, 11, 3),
            "carrier": "UA",
            "flight": [1, 2, 3],
            "origin": ["EWR", "EWR", "JFK"],
            "dest": "IAH",
            "time_hour": [*TWICE_ONE, TWICE_ONE[0]],
            "dep_delay": [0, 0, 0],
            "arr_delay": None,
        },
        schema_overrides={"arr_delay": pl.Int64},
    )
    joined = flight_weather(flown.lazy(), day_of(hours).lazy()).collect().sort("flight")
    assert joined["temp"].to_list() == [52.0, 50.0, None]
    assert judge(flight_weather, joined).verdict == "promote"
