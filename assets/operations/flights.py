"""Flights: the year as it was reported, and each day of what really flew."""

from pathlib import Path
from zipfile import ZipFile

import pandera.polars as pa
import polars as pl

from assets.calendar import days
from millgate import Gate, Partition, asset


def minutes(clock: str) -> pl.Expr:
    """Minutes since midnight of a column that writes 5:17 as 517."""
    return pl.col(clock) // 100 * 60 + pl.col(clock) % 100


class ScheduledFlight(pa.DataFrameModel):
    """A flight in the schedule, whether it left or not.

    Clock times are local and written as numbers, 517 for 5:17; delays are in minutes.
    """

    date: pl.Date
    carrier: str = pa.Field(str_matches=r"^[0-9A-Z]{2}$")
    flight: int = pa.Field(gt=0)
    origin: str = pa.Field(isin=["EWR", "JFK", "LGA"])
    dest: str = pa.Field(str_matches=r"^[A-Z]{3}$")
    # Four flights carry the mistyped number D942DN: they flew, so a warning is enough.
    tailnum: str = pa.Field(nullable=True, str_matches=r"^N[0-9A-Z]{1,5}$", raise_warning=True)
    time_hour: pl.Datetime = pa.Field(description="The hour of scheduled departure, in UTC")
    sched_dep_time: int
    sched_arr_time: int
    dep_time: int = pa.Field(nullable=True)
    arr_time: int = pa.Field(nullable=True)
    dep_delay: int = pa.Field(nullable=True)
    arr_delay: int = pa.Field(nullable=True)
    air_time: int = pa.Field(nullable=True, gt=0)
    distance: int = pa.Field(gt=0, description="Miles")

    class Config:
        unique = ["date", "carrier", "flight", "origin"]

    @pa.check("sched_dep_time", "sched_arr_time", "dep_time", "arr_time")
    def clock_time(cls, data: pa.PolarsData) -> pl.LazyFrame:
        clock = pl.col(data.key)
        return data.lazyframe.select(clock.is_between(0, 2400) & (clock % 100 < 60))

    @pa.dataframe_check()
    def delay_fits_the_clock(cls, data: pa.PolarsData) -> pl.LazyFrame:
        departure = minutes("dep_time") - minutes("sched_dep_time") - pl.col("dep_delay")
        arrival = minutes("arr_time") - minutes("sched_arr_time") - pl.col("arr_delay")
        day = 24 * 60
        return data.lazyframe.select((departure % day == 0) & (arrival % day == 0))


class ReportedFlight(ScheduledFlight):
    """A flight of a day that was reported whole."""

    @pa.dataframe_check()
    def whole_day(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """Thanksgiving, the quietest day, had 634 flights: fewer than 500 is a report cut short."""
        return data.lazyframe.select(pl.len().over("date") >= 500)


class Flight(ScheduledFlight):
    """A flight that left, at a speed that an airliner can fly.

    A diverted flight counts too: it left, but has no arrival delay.
    """

    @pa.check("dep_time", ignore_na=False)
    def departed(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).is_not_null())

    @pa.dataframe_check()
    def flyable_speed(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """At most 600 mph from take-off to landing: faster than any airliner cruises."""
        return data.lazyframe.select(pl.col("distance") * 60 <= pl.col("air_time") * 600)


@asset(gate=Gate(ReportedFlight), owner="operations", tags=["flights"])
def all_flights(flights_zip: Path) -> pl.DataFrame:
    """Every flight that was to leave New York in 2013, cancelled ones too.

    The zip is unpacked once, here, and sorted by day: that makes each day of `flights` cheap.
    """
    with ZipFile(flights_zip) as archive:
        reported = pl.read_csv(archive.read("flights.csv"), null_values="NA")
    return reported.select(
        pl.date("year", "month", "day").alias("date"),
        pl.col("carrier", "flight", "origin", "dest", "tailnum"),
        pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ"),
        pl.col("sched_dep_time", "sched_arr_time", "dep_time", "arr_time"),
        pl.col("dep_delay", "arr_delay", "air_time", "distance"),
    ).sort("date", "time_hour", "carrier", "flight")


@asset(
    partitions=days,
    # On 9 February, after a blizzard, 57 % were cancelled. More than 60 % is a broken report.
    gate=Gate(Flight, on_failure="split", max_rejected=0.6),
    owner="operations",
    tags=["flights", "daily"],
)
def flights(all_flights: pl.LazyFrame, partition: Partition) -> pl.LazyFrame:
    """The flights that left New York on a day; cancelled and impossible ones go to quarantine."""
    return all_flights.filter(pl.col("date") == partition["date"])
