"""Flights: what is read from the zip, and which rows the gate turns away."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pytest

from assets.operations.flights import all_flights, flights
from millgate import judge
from millgate.model.record import Judgement

DAY = date(2013, 2, 9)
HEADER = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,"
    "flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour\n"
)
CANCELLED: dict[str, object] = dict.fromkeys(
    ["dep_time", "arr_time", "dep_delay", "arr_delay", "air_time", "tailnum"]
)


def a_day(rows: int = 600) -> pl.DataFrame:
    """Flights that left two minutes late and landed eleven late, numbered from 1."""
    same = {
        "date": DAY,
        "carrier": "UA",
        "origin": "EWR",
        "dest": "IAH",
        "tailnum": "N14228",
        "time_hour": datetime(2013, 2, 9, 10),
        "sched_dep_time": 515,
        "sched_arr_time": 819,
        "dep_time": 517,
        "arr_time": 830,
        "dep_delay": 2,
        "arr_delay": 11,
        "air_time": 227,
        "distance": 1400,
    }
    return pl.select(
        *(pl.lit(value).alias(name) for name, value in same.items() if not isinstance(value, int)),
        *(
            pl.lit(value, pl.Int64).alias(name)
            for name, value in same.items()
            if type(value) is int
        ),
        flight=pl.int_range(1, rows + 1, dtype=pl.Int64),
    )


def changed(frame: pl.DataFrame, rows: int, changes: dict[str, object]) -> pl.DataFrame:
    """The frame with the first `rows` flights changed."""
    first = pl.col("flight") <= rows
    return frame.with_columns(
        pl.when(first).then(pl.lit(value, frame.schema[name])).otherwise(pl.col(name)).alias(name)
        for name, value in changes.items()
    )


def failing(judgement: Judgement) -> dict[str, int | None]:
    """Failing rows by the rule that names them."""
    return {result.rule: result.failing_rows for result in judgement.failed}


def test_the_zip_is_read_with_types_and_sorted_by_day(tmp_path: Path) -> None:
    lines = [
        "2013,1,2,NA,1540,NA,NA,1747,NA,EV,4352,NA,EWR,CVG,NA,569,15,40,2013-01-02T20:00:00Z\n",
        "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n",
    ]
    with ZipFile(tmp_path / "flights.zip", "w") as archive:
        archive.writestr("flights.csv", HEADER + "".join(lines))
    frame = all_flights(tmp_path / "flights.zip")
    assert frame["date"].to_list() == [date(2013, 1, 1), date(2013, 1, 2)]
    assert frame["time_hour"].to_list() == [datetime(2013, 1, 1, 10), datetime(2013, 1, 2, 20)]
    assert frame["dep_time"].to_list() == [517, None]
    assert failing(judge(all_flights, frame)) == {"whole_day": 2}


def test_a_day_is_that_day_alone() -> None:
    before = changed(a_day(3), 1, {"date": date(2013, 2, 8)})
    day = flights(before.lazy(), flights.partition("2013-02-09")).collect()
    assert day["flight"].to_list() == [2, 3]


def test_a_clean_day_is_promoted() -> None:
    judgement = judge(flights, a_day())
    assert (judgement.verdict, judgement.rows, judgement.rejected_rows) == ("promote", 600, 0)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        pytest.param(CANCELLED, "departed", id="cancelled"),
        pytest.param({"air_time": 65}, "flyable_speed", id="1,292 mph"),
        pytest.param({"dep_time": 575, "dep_delay": 60}, "clock_time", id="5:75"),
        pytest.param({"dep_delay": 3}, "delay_fits_the_clock", id="wrong departure delay"),
        pytest.param({"arr_delay": 1}, "delay_fits_the_clock", id="wrong arrival delay"),
        pytest.param({"origin": "PHL"}, "isin", id="another city"),
        pytest.param({"distance": 0}, "greater_than", id="nowhere"),
    ],
)
def test_a_bad_row_is_rejected_by_the_rule_that_names_it(
    changes: dict[str, object], rule: str
) -> None:
    judgement = judge(flights, changed(a_day(), 1, changes))
    assert judgement.verdict == "split"
    assert judgement.rejected_rows == 1
    assert failing(judgement) == {rule: 1}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"arr_time": None, "arr_delay": None, "air_time": None}, id="diverted"),
        pytest.param({"arr_delay": None, "air_time": None}, id="diverted, landed later"),
        pytest.param(
            {"sched_dep_time": 2355, "dep_time": 2400, "dep_delay": 5}, id="left at midnight"
        ),
        pytest.param(
            {"sched_dep_time": 2355, "dep_time": 5, "dep_delay": 10}, id="left after midnight"
        ),
    ],
)
def test_an_unusual_row_passes(changes: dict[str, object]) -> None:
    assert judge(flights, changed(a_day(), 1, changes)).verdict == "promote"


def test_a_mistyped_tail_number_is_only_a_warning() -> None:
    judgement = judge(flights, changed(a_day(), 1, {"tailnum": "D942DN"}))
    warnings = [r for r in judgement.results if not r.passed]
    assert judgement.verdict == "promote"
    assert [(r.severity, r.column_name, r.sample) for r in warnings] == [
        ("warning", "tailnum", ("D942DN",))
    ]


def test_the_same_flight_twice_is_rejected_twice() -> None:
    twice = pl.concat([a_day(), a_day().head(1)])
    judgement = judge(flights, twice)
    assert (judgement.verdict, judgement.rejected_rows) == ("split", 2)


@pytest.mark.parametrize(("cancelled", "verdict"), [(342, "split"), (360, "split"), (361, "hold")])
def test_up_to_sixty_percent_may_be_cancelled(cancelled: int, verdict: str) -> None:
    assert judge(flights, changed(a_day(), cancelled, CANCELLED)).verdict == verdict


@pytest.mark.parametrize(("rows", "verdict"), [(499, "hold"), (500, "promote")])
def test_a_report_cut_short_is_held(rows: int, verdict: str) -> None:
    another = a_day().with_columns(date=pl.lit(date(2013, 2, 10)))
    assert judge(all_flights, pl.concat([a_day(rows), another])).verdict == verdict
