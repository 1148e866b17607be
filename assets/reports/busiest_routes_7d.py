"""The busiest routes of the last seven days."""

import pandera.polars as pa
import polars as pl

from assets.calendar import days
from millgate import Gate, Window, asset


class BusyRoute(pa.DataFrameModel):
    """One of the twenty-five routes with the most departures."""

    rank: int = pa.Field(unique=True, ge=1, le=25)
    origin: str
    dest: str
    destination: str = pa.Field(nullable=True, description="Null outside the fifty states")
    departures: int = pa.Field(gt=0)
    mean_dep_delay: float

    class Config:
        unique = ["origin", "dest"]


@asset(
    partitions=days,
    upstream={"week": Window(-6, 0, of="flights")},
    gate=Gate(BusyRoute),
    owner="network-planning",
    tags=["routes", "daily"],
)
def busiest_routes_7d(week: pl.LazyFrame, airports: pl.LazyFrame) -> pl.LazyFrame:
    """The twenty-five busiest routes of a day and the six days before it.

    The year's first six days look back only as far as 1 January.
    """
    return (
        week.group_by("origin", "dest")
        .agg(departures=pl.len(), mean_dep_delay=pl.mean("dep_delay"))
        .sort("departures", "origin", "dest", descending=[True, False, False])
        .head(25)
        .join(
            airports.select(dest="faa", destination="name"),
            on="dest",
            how="left",
            maintain_order="left",
        )
        .with_row_index("rank", offset=1)
        .select(
            pl.col("rank", "departures").cast(pl.Int64),
            pl.col("origin", "dest", "destination", "mean_dep_delay"),
        )
    )
