"""Hourly weather at the three airports of New York."""

import pandera.polars as pa
import polars as pl

from assets.calendar import days
from millgate import Gate, Partition, asset


class Reading(pa.DataFrameModel):
    """What the instruments of a station can show. Fahrenheit, miles, inches, millibars."""

    origin: str = pa.Field(isin=["EWR", "JFK", "LGA"])
    temp: float = pa.Field(nullable=True, ge=-30, le=120)
    dewp: float = pa.Field(nullable=True, ge=-60, le=95)
    humid: float = pa.Field(nullable=True, ge=0, le=100)
    wind_dir: int = pa.Field(nullable=True, ge=0, le=360)
    # A hurricane of the highest category begins at 157 mph.
    wind_speed: float = pa.Field(nullable=True, ge=0, le=157)
    wind_gust: float = pa.Field(nullable=True, ge=0, le=200)
    precip: float = pa.Field(ge=0, le=12)
    pressure: float = pa.Field(nullable=True, ge=870, le=1085)
    visib: float = pa.Field(ge=0, le=10)


class ReportedWeather(Reading):
    """A line of the file. The hour is New York's; `time_hour` is the same moment in UTC."""

    year: int
    month: int
    day: int
    hour: int
    time_hour: str


class Weather(Reading):
    """An hour at an airport, known by its UTC time: 3 November had 1 o'clock twice."""

    date: pl.Date
    time_hour: pl.Datetime

    class Config:
        unique = ["origin", "time_hour"]

    @pa.dataframe_check()
    def dew_point_below_temperature(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("dewp") <= pl.col("temp"))

    @pa.dataframe_check()
    def gust_above_wind(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("wind_gust") >= pl.col("wind_speed"))

    @pa.dataframe_check(raise_warning=True)
    def most_hours_observed(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """Only a warning: of 72 hours a few are missing, and 31 December as a whole is."""
        return data.lazyframe.select(pl.len() >= 66)


@asset(
    partitions=days,
    gate=Gate(Weather, on_failure="split", max_rejected=0.1),
    owner="operations",
    tags=["weather", "daily"],
)
def weather(weather_csv: pl.LazyFrame, partition: Partition) -> pl.LazyFrame:
    """The weather of a day, hour by hour; a wind of 1,048 mph goes to quarantine.

    A day without observations is empty, and valid.
    """
    observed = weather_csv.select(
        pl.date("year", "month", "day").alias("date"),
        pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ"),
        pl.exclude("year", "month", "day", "hour", "time_hour"),
    )
    return observed.filter(pl.col("date") == partition["date"])
