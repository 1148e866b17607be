"""A polars loop whose check is a pandera schema, with all failures gathered (`lazy=True`).

python pandera_peer.py w2 SOURCE OUT [--days 31]
"""

from __future__ import annotations

from pathlib import Path

import pandera.polars as pa
import polars as pl
from raw_polars import aggregated, cleaned
from work import AMOUNT_MAX, COUNTRIES, STATUS_PATTERN, called, days

SCHEMA = pa.DataFrameSchema(
    {
        "id": pa.Column(pl.Int64, nullable=False, unique=True),
        "ts": pa.Column(pl.Datetime("us")),
        "day": pa.Column(pl.Date),
        "customer_id": pa.Column(pl.Int32),
        "country": pa.Column(str, pa.Check.isin(COUNTRIES)),
        "amount": pa.Column(float, [pa.Check.ge(0), pa.Check.le(AMOUNT_MAX)]),
        "status": pa.Column(str, pa.Check.str_matches(STATUS_PATTERN)),
    }
)


def month(source: Path, out: Path, count: int) -> None:
    """W2."""
    for name in ("cleaned", "daily_agg", "staging"):
        (out / name).mkdir()
    for day in days(count):
        file = f"{day}.parquet"
        frame = cleaned(f"{source}/{file}")
        try:
            SCHEMA.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as error:
            print(day, "rejected", error.failure_cases.height)
            continue
        frame.write_parquet(out / "staging" / file)
        (out / "staging" / file).rename(out / "cleaned" / file)
        aggregated(frame).write_parquet(out / "daily_agg" / file)


if __name__ == "__main__":
    called(w2=month)
