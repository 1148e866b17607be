"""The reports, on numbers that can be checked by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from assets.reports import tables
from assets.reports.busiest_routes_7d import busiest_routes_7d
from assets.reports.monthly_punctuality import monthly_punctuality
from millgate import judge

REPORTS = Path(tables.__file__).parent


def query(name: str, **frames: pl.DataFrame) -> list[dict[str, object]]:
    """The rows of a `.sql` asset over these tables."""
    with duckdb.connect() as connection:
        for table, frame in frames.items():
            connection.register(table, frame.to_arrow())
        made = connection.sql((REPORTS / f"{name}.sql").read_text()).to_arrow_table()
    rows: list[dict[str, object]] = made.to_pylist()
    return rows


def test_daily_delays_counts_what_left() -> None:
    flights = pl.DataFrame(
        {
            "date": date(2013, 7, 1),
            "origin": ["EWR", "EWR", "EWR", "JFK"],
            "carrier": ["UA", "UA", "UA", "B6"],
            "dep_delay": [-3, 14, 15, 60],
            "arr_delay": [-10, 15, None, None],
        }
    )
    ewr, jfk = query("daily_delays", flights=flights)
    assert ewr == {
        "date": date(2013, 7, 1),
        "origin": "EWR",
        "carrier": "UA",
        "departures": 3,
        "diverted": 1,
        "late_departures": 1,
        "late_arrivals": 1,
        "dep_delay_minutes": 26,
        "arr_delay_minutes": 5,
        "mean_dep_delay": 26 / 3,
    }
    assert (jfk["diverted"], jfk["arr_delay_minutes"]) == (1, None)


def test_fleet_keeps_planes_that_the_register_does_not_know() -> None:
    flights = pl.DataFrame(
        {
            "tailnum": ["N14228", "N14228", "N5FFAA"],
            "carrier": ["UA", "UA", "AA"],
            "distance": [1400, 200, 1089],
            "air_time": [227, None, 160],
        }
    )
    planes = pl.DataFrame(
        {"tailnum": "N14228", "manufacturer": "BOEING", "model": "737-824", "seats": 149}
    )
    known, unknown = query("fleet", flights=flights, planes=planes)
    assert (known["flights"], known["miles"], known["seats"]) == (2, 1600, 149)
    assert known["hours_in_the_air"] == 227 / 60
    assert (unknown["tailnum"], unknown["model"]) == ("N5FFAA", None)


def test_a_diverted_flight_is_not_on_time() -> None:
    delays = pl.DataFrame(
        {
            "carrier": ["UA", "UA", "B6"],
            "departures": [6, 4, 1],
            "diverted": [1, 0, 0],
            "late_arrivals": [1, 2, 0],
            "dep_delay_minutes": [30, 20, -5],
        }
    )
    airlines = pl.DataFrame({"carrier": ["B6", "UA"], "name": ["JetBlue Airways", "United"]})
    made = monthly_punctuality(delays.lazy(), airlines.lazy()).collect()
    assert made.rows() == [
        ("B6", "JetBlue Airways", 1, 0, 0, 1.0, -5.0),
        ("UA", "United", 10, 1, 3, 0.6, 5.0),
    ]
    assert judge(monthly_punctuality, made).verdict == "promote"


def test_an_airline_without_a_name_is_held() -> None:
    delays = pl.DataFrame(
        {"carrier": "ZZ", "departures": 1, "diverted": 0, "late_arrivals": 0}
    ).with_columns(dep_delay_minutes=0)
    airlines = pl.DataFrame({"carrier": ["UA"], "name": ["United"]})
    made = monthly_punctuality(delays.lazy(), airlines.lazy()).collect()
    assert judge(monthly_punctuality, made).verdict == "hold"


def test_the_busiest_routes_are_ranked_and_ties_are_alphabetical() -> None:
    week = pl.DataFrame(
        {
            "origin": ["LGA", "LGA", "JFK", "EWR"],
            "dest": ["ATL", "ATL", "SJU", "BOS"],
            "dep_delay": [10, 20, 0, -4],
        }
    )
    airports = pl.DataFrame({"faa": ["ATL", "BOS"], "name": ["Hartsfield", "Logan"]})
    made = busiest_routes_7d(week.lazy(), airports.lazy()).collect()
    assert made.rows() == [
        (1, 2, "LGA", "ATL", "Hartsfield", 15.0),
        (2, 1, "EWR", "BOS", "Logan", -4.0),
        (3, 1, "JFK", "SJU", None, 0.0),
    ]
    assert judge(busiest_routes_7d, made).verdict == "promote"


def test_only_twenty_five_routes_are_kept() -> None:
    week = pl.DataFrame({"origin": "JFK", "dest": [f"A{n:02}" for n in range(30)], "dep_delay": 1})
    airports = pl.DataFrame(schema={"faa": pl.String, "name": pl.String})
    made = busiest_routes_7d(week.lazy(), airports.lazy()).collect()
    assert made["dest"].to_list() == [f"A{n:02}" for n in range(25)]
