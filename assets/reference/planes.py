"""Planes by their tail numbers."""

import pandera.polars as pa
import polars as pl

from millgate import Gate, asset


class Plane(pa.DataFrameModel):
    """A plane of the civil register that may have flown for an airline in 2013."""

    tailnum: str = pa.Field(unique=True, str_matches=r"^N[1-9][0-9]{0,4}[A-Z]{0,2}$")
    year: int = pa.Field(nullable=True, ge=1950, le=2013)
    type: str
    manufacturer: str
    model: str
    engines: int = pa.Field(ge=1, le=4)
    # The register gives some airliners' numbers to other planes: by it JetBlue flew to Orlando in
    # a helicopter with five seats. No airline here has a plane with fewer than twenty.
    seats: int = pa.Field(ge=20, le=500)
    speed: int = pa.Field(nullable=True)
    engine: str


@asset(
    gate=Gate(Plane, on_failure="split", max_rejected=0.05),
    owner="network-planning",
    tags=["reference"],
)
def planes(planes_csv: pl.LazyFrame) -> pl.LazyFrame:
    """The planes that may have flown from New York; those that cannot have go to quarantine."""
    return planes_csv.sort("tailnum")
