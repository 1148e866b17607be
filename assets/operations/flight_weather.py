"""Flights with the weather that they left in."""

import pandera.polars as pa
import polars as pl

from assets.calendar import days
from millgate import Gate, asset


class FlightWeather(pa.DataFrameModel):
    """A flight and the weather at its airport; no weather is null, and no flight comes twice."""

    carrier: str
    flight: int
    origin: str
    dest: str
    time_hour: pl.Datetime
    dep_delay: int
    arr_delay: int = pa.Field(nullable=True)
    temp: float = pa.Field(nullable=True)
    wind_speed: float = pa.Field(nullable=True)
    wind_gust: float = pa.Field(nullable=True)
    precip: float = pa.Field(nullable=True)
    visib: float = pa.Field(nullable=True)

    class Config:
        unique = ["carrier", "flight", "origin"]

    @pa.dataframe_check(raise_warning=True)
    def weather_is_known(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("visib").is_not_null().mean() >= 0.9)


@asset(partitions=days, gate=Gate(FlightWeather), owner="operations", tags=["weather", "daily"])
def flight_weather(flights: pl.LazyFrame, weather: pl.LazyFrame) -> pl.LazyFrame:
    """The flights of a day, each with the weather in the hour it was to leave.

    Joined by UTC time, which no change to daylight saving makes ambiguous.
    """
    return flights.select(
        "date", "carrier", "flight", "origin", "dest", "time_hour", "dep_delay", "arr_delay"
    ).join(
        weather.select("origin", "time_hour", "temp", "wind_speed", "wind_gust", "precip", "visib"),
        on=["origin", "time_hour"],
        how="left",
    )
