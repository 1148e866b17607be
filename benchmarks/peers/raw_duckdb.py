"""The floor in DuckDB: `COPY` statements and check queries by hand.

    python raw_duckdb.py w1 OUT [--days 100]
    python raw_duckdb.py w2 SOURCE OUT [--days 31]

W2 writes a day to a staging folder, asks one query for the failing rows of six checks, and renames
the file if there are none.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
from work import (
    AMOUNT_MAX,
    ASSETS,
    CLEAN_SELECT,
    CLEAN_WHERE,
    COUNTRIES,
    FIRST,
    STATUS_PATTERN,
    called,
    days,
    quoted,
)

WRITTEN = "(FORMAT parquet, COMPRESSION zstd)"
CHECKS = f"""
SELECT count_if(id IS NULL) AS id_null, count(id) - count(DISTINCT id) AS id_twice,
    count_if(NOT coalesce(amount >= 0, false)) AS amount_low,
    count_if(NOT coalesce(amount <= {AMOUNT_MAX}, false)) AS amount_high,
    count_if(NOT coalesce(country IN ({quoted(COUNTRIES)}), false)) AS country,
    count_if(NOT coalesce(regexp_matches(status, '{STATUS_PATTERN}'), false)) AS status
FROM """


def chain(out: Path, count: int) -> None:
    """W1."""
    connection = duckdb.connect()
    for number in range(ASSETS):
        (out / f"a{number}").mkdir()
    for day in days(count):
        for number in range(ASSETS):
            if number == 0:
                query = (
                    f"SELECT DATE '{day}' AS day, range AS k, "
                    f"range::DOUBLE + {(day - FIRST).days} AS v FROM range(10)"
                )
            else:
                before = out / f"a{number - 1}" / f"{day}.parquet"
                query = f"SELECT day, k, v + 1 AS v FROM read_parquet('{before}')"
            file = out / f"a{number}" / f"{day}.parquet"
            connection.execute(f"COPY ({query}) TO '{file}' {WRITTEN}")


def month(source: Path, out: Path, count: int) -> None:
    """W2."""
    connection = duckdb.connect()
    for name in ("cleaned", "daily_agg", "staging"):
        (out / name).mkdir()
    for day in days(count):
        file = f"{day}.parquet"
        staged, cleaned = out / "staging" / file, out / "cleaned" / file
        connection.execute(
            f"COPY ({CLEAN_SELECT} FROM read_parquet('{source}/{file}') WHERE {CLEAN_WHERE}) "
            f"TO '{staged}' {WRITTEN}"
        )
        asked = connection.execute(f"{CHECKS} read_parquet('{staged}')")
        counts = zip([name for name, *_ in asked.description], asked.fetchall()[0], strict=True)
        if found := {name: failing for name, failing in counts if failing}:
            print(day, "rejected", found)
            continue
        staged.rename(cleaned)
        connection.execute(
            "COPY (SELECT day, country, status, count(*) AS n, sum(amount) AS amount "
            f"FROM read_parquet('{cleaned}') GROUP BY ALL) "
            f"TO '{out}/daily_agg/{file}' {WRITTEN}"
        )


if __name__ == "__main__":
    called(w1=chain, w2=month)
