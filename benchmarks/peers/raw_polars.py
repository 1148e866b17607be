"""The floor in polars: loops without orchestration.

    python raw_polars.py w1 OUT [--days 100]
    python raw_polars.py w2 SOURCE OUT [--days 31]

W2 writes a day to a staging folder after its rows passed six checks in memory, and renames it.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
from work import AMOUNT_MAX, ASSETS, COUNTRIES, STATUS_PATTERN, called, days, first_rows

ID, COUNTRY, STATUS, AMOUNT = map(pl.col, ("id", "country", "status", "amount"))
CHECKS = {
    "id_null": ID.is_null().sum(),
    "id_twice": ID.count() - ID.drop_nulls().n_unique(),
    "amount_low": (AMOUNT < 0).sum(),
    "amount_high": (AMOUNT > AMOUNT_MAX).sum(),
    "country": (~COUNTRY.is_in(COUNTRIES)).sum(),
    "status": (~STATUS.str.contains(STATUS_PATTERN)).sum(),
}


def cleaned(path: str) -> pl.DataFrame:
    """The rows of a file of the source, cleaned."""
    return (
        pl.read_parquet(path)
        .filter(STATUS != "TEST")
        .select(
            "id",
            "ts",
            pl.col("ts").cast(pl.Date).alias("day"),
            pl.col("customer_id").cast(pl.Int32),
            "country",
            "amount",
            STATUS.str.to_lowercase(),
        )
    )


def aggregated(frame: pl.DataFrame) -> pl.DataFrame:
    """The cleaned rows of a day by country and status."""
    return frame.group_by("day", "country", "status").agg(n=pl.len(), amount=AMOUNT.sum())


def failures(frame: pl.DataFrame) -> dict[str, int]:
    """How many rows fail each of the six checks, of those that some fail."""
    found = frame.select(**CHECKS).row(0, named=True)
    return {name: count for name, count in found.items() if count}


def chain(out: Path, count: int) -> None:
    """W1."""
    for number in range(ASSETS):
        (out / f"a{number}").mkdir()
    for day in days(count):
        for number in range(ASSETS):
            if number == 0:
                frame = pl.DataFrame(first_rows(day))
            else:
                frame = pl.read_parquet(out / f"a{number - 1}" / f"{day}.parquet")
                frame = frame.with_columns(v=pl.col("v") + 1)
            frame.write_parquet(out / f"a{number}" / f"{day}.parquet")


def month(source: Path, out: Path, count: int) -> None:
    """W2."""
    for name in ("cleaned", "daily_agg", "staging"):
        (out / name).mkdir()
    for day in days(count):
        file = f"{day}.parquet"
        frame = cleaned(f"{source}/{file}")
        if found := failures(frame):
            print(day, "rejected", found)
            continue
        frame.write_parquet(out / "staging" / file)
        (out / "staging" / file).rename(out / "cleaned" / file)
        aggregated(frame).write_parquet(out / "daily_agg" / file)


if __name__ == "__main__":
    called(w1=chain, w2=month)
