"""Airports of the United States."""

import pandera.polars as pa
import polars as pl

from millgate import Gate, asset


class Airport(pa.DataFrameModel):
    """An airport where it says it is: in the United States, Alaska and Hawaii included."""

    faa: str = pa.Field(unique=True, str_matches=r"^[0-9A-Z]{3}$")
    name: str
    lat: float = pa.Field(ge=18, le=71.5)
    lon: float
    alt: int = pa.Field(ge=-300, le=15_000, description="Feet")
    tz: int = pa.Field(isin=[-10, -9, -8, -7, -6, -5], description="Hours from UTC in winter")
    dst: str = pa.Field(isin=["A", "N", "U"])
    tzone: str = pa.Field(nullable=True)

    @pa.check("lon")
    def american_longitude(cls, data: pa.PolarsData) -> pl.LazyFrame:
        """West of Maine, or in the Aleutians beyond the 180th meridian."""
        lon = pl.col(data.key)
        return data.lazyframe.select(lon.is_between(-180, -66) | lon.is_between(172, 180))


@asset(
    gate=Gate(Airport, on_failure="split", max_rejected=0.01),
    owner="network-planning",
    tags=["reference"],
)
def airports(airports_csv: pl.LazyFrame) -> pl.LazyFrame:
    """The airports of the country.

    Three are elsewhere by their coordinates and go to quarantine: Deer Valley and Montgomery Field
    lost the minus of their longitude and came to lie in China, Dillant Hopkins has latitude and
    longitude exchanged.
    """
    return airports_csv.sort("faa")
