"""What the gates of the two queries in this folder ask for."""

import pandera.polars as pa
import polars as pl


class DailyDelays(pa.DataFrameModel):
    """Counts of flights and sums of minutes that agree with each other."""

    date: pl.Date
    origin: str
    carrier: str
    departures: int = pa.Field(gt=0)
    diverted: int = pa.Field(ge=0)
    late_departures: int = pa.Field(ge=0)
    late_arrivals: int = pa.Field(ge=0)
    dep_delay_minutes: int
    arr_delay_minutes: int = pa.Field(nullable=True)
    mean_dep_delay: float = pa.Field(ge=-60, le=24 * 60)

    class Config:
        unique = ["origin", "carrier"]

    @pa.dataframe_check()
    def no_more_late_than_left(cls, data: pa.PolarsData) -> pl.LazyFrame:
        left = pl.col("departures")
        return data.lazyframe.select(
            (pl.col("late_departures") <= left)
            & (pl.col("late_arrivals") + pl.col("diverted") <= left)
        )


class Fleet(pa.DataFrameModel):
    """A plane's year: no plane is in the air for more than twenty hours a day."""

    tailnum: str = pa.Field(unique=True)
    carriers: int = pa.Field(ge=1, le=3)
    flights: int = pa.Field(gt=0)
    miles: int = pa.Field(gt=0)
    hours_in_the_air: float = pa.Field(nullable=True, ge=0, le=7300)
    manufacturer: str = pa.Field(nullable=True)
    model: str = pa.Field(nullable=True)
    seats: int = pa.Field(nullable=True)
