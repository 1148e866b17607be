"""How punctual each airline was, month by month."""

import pandera.polars as pa
import polars as pl

from assets.calendar import months
from millgate import Gate, asset


class Punctuality(pa.DataFrameModel):
    """An airline's month; `on_time` is a share, and every airline is known by name."""

    carrier: str = pa.Field(unique=True)
    airline: str
    departures: int = pa.Field(gt=0)
    diverted: int = pa.Field(ge=0)
    late_arrivals: int = pa.Field(ge=0)
    on_time: float = pa.Field(ge=0, le=1)
    mean_dep_delay: float


@asset(partitions=months, gate=Gate(Punctuality), owner="network-planning", tags=["delays"])
def monthly_punctuality(daily_delays: pl.LazyFrame, airlines: pl.LazyFrame) -> pl.LazyFrame:
    """The share of an airline's flights that arrived less than 15 minutes late in a month.

    A diverted flight was not on time. Cancelled ones never left and do not count: they are in
    `quarantine.flights`. A month is made from its days without saying so.
    """
    late = pl.col("late_arrivals") + pl.col("diverted")
    return (
        daily_delays.group_by("carrier")
        .agg(pl.sum("departures", "diverted", "late_arrivals", "dep_delay_minutes"))
        .join(airlines.rename({"name": "airline"}), on="carrier", how="left")
        .select(
            "carrier",
            "airline",
            "departures",
            "diverted",
            "late_arrivals",
            on_time=1 - late / pl.col("departures"),
            mean_dep_delay=pl.col("dep_delay_minutes") / pl.col("departures"),
        )
        .sort("carrier")
    )
