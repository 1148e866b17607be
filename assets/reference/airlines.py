"""Airlines by their codes."""

import pandera.polars as pa
import polars as pl

from millgate import Gate, asset


class Airline(pa.DataFrameModel):
    """A carrier: its two-character code and its name."""

    carrier: str = pa.Field(unique=True, str_matches=r"^[0-9A-Z]{2}$")
    name: str


@asset(gate=Gate(Airline), owner="network-planning", tags=["reference"])
def airlines(airlines_csv: pl.LazyFrame) -> pl.LazyFrame:
    """The airlines that flew from New York in 2013."""
    return airlines_csv.sort("carrier")
