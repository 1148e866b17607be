"""Millgate: a project under OUT, made by `millgate backfill --all`.

    python millgate_peer.py w1 OUT [--days 100]
    python millgate_peer.py w2 SOURCE OUT [--days 31]

W2 is two `.sql` assets whose gate is a pandera model. OUT/warehouse/warehouse.duckdb has the rows
in the schema production.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from work import (
    AMOUNT_MAX,
    ASSETS,
    CLEAN_SELECT,
    CLEAN_WHERE,
    COUNTRIES,
    FIRST,
    STATUS_PATTERN,
    beside,
    called,
    days,
    write,
)

CHAIN = """
from datetime import date

import polars as pl

from millgate import Asset, Daily, Partition, asset

days = Daily("{first}", end="{last}", name="day")


@asset(partitions=days)
def a0(partition: Partition) -> pl.DataFrame:
    day = partition["day"]
    number = (day - date({first:%Y, %-m, %-d})).days
    values = [float(k + number) for k in range(10)]
    return pl.DataFrame({{"day": [day] * 10, "k": range(10), "v": values}})


def link(number: int) -> Asset:
    @asset(name=f"a{{number}}", partitions=days, upstream={{"frame": f"a{{number - 1}}"}})
    def follow(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(v=pl.col("v") + 1)

    return follow


chain = [link(number) for number in range(1, {assets})]
"""

SOURCE = """
import pandera.polars as pa
from datetime import datetime

from millgate import Daily, source

days = Daily("{first}", end="{last}", name="day")
orders = source("{folder}/{{day}}.parquet", partitions=days)


class Cleaned(pa.DataFrameModel):
    id: int = pa.Field(unique=True)
    ts: datetime
    country: str = pa.Field(isin={countries})
    amount: float = pa.Field(ge=0, le={most})
    status: str = pa.Field(str_matches=r"{pattern}")
"""

CLEANED = """
-- The orders of a day without the tests.
-- partitions: month.days
-- gate: Gate(month.Cleaned)
{select}
FROM orders WHERE {where}
"""

DAILY = """
-- Orders by country and status.
-- partitions: month.days
SELECT day, country, status, count(*) AS n, sum(amount) AS amount FROM cleaned GROUP BY ALL
"""

HELD = 3
CONFIGURATION = '[tool.millgate]\nname = "peer"\n'


def made(out: Path) -> None:
    """Make everything that the project declares; that something is held is no failure."""
    done = subprocess.run([beside("millgate"), "backfill", "--all", "--yes"], cwd=out, check=False)
    if done.returncode not in (0, HELD):
        raise SystemExit(done.returncode)


def chain(out: Path, count: int) -> None:
    """W1."""
    text = CHAIN.format(first=FIRST, last=days(count)[-1], assets=ASSETS)
    made(write(out, {"pyproject.toml": CONFIGURATION, "assets/chain.py": text}))


def month(source: Path, out: Path, count: int) -> None:
    """W2."""
    text = SOURCE.format(
        first=FIRST,
        last=days(count)[-1],
        folder=source,
        countries=COUNTRIES,
        most=AMOUNT_MAX,
        pattern=STATUS_PATTERN,
    )
    files = {
        "pyproject.toml": CONFIGURATION,
        "assets/month.py": text,
        "assets/cleaned.sql": CLEANED.format(select=CLEAN_SELECT, where=CLEAN_WHERE),
        "assets/daily_agg.sql": DAILY,
    }
    made(write(out, files))


if __name__ == "__main__":
    called(w1=chain, w2=month)
