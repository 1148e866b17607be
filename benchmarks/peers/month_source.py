"""Write the source of W2, one Parquet file a day.

    python month_source.py SOURCE [--rows 1000000] [--days 31]

SOURCE/clean/DAY.parquet has no bad rows; in SOURCE/dirty/DAY.parquet 0.1 % of the rows of three
days are bad, in six ways in equal parts. The values follow from their numbers by hashes: every
run writes the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb
from work import AMOUNT_MAX, BAD_DAYS, COUNTRIES, days, fresh, quoted

STRIDE = 7_368_787
"""A prime: times a row's number, modulo the rows of a day, it shuffles them."""

DAY = """
WITH numbered AS (
    SELECT i, {day} * {rows} + i * {stride} % {rows} AS id,
        (1 + hash(i, {day}, 1) % 1000000) / 1000001 AS u,
        hash(i, {day}, 2) % 1000000 / 1000000 AS angle,
        hash(i, {day}, 3) % 100 AS percent
    FROM range({rows}) AS r(i)
), sound AS (
    SELECT i, id,
        TIMESTAMP '{date}' + to_microseconds(i * 86399999999 // {rows}) AS ts,
        (1 + hash(i, {day}, 4) % 200000)::BIGINT AS customer_id,
        [{countries}][(1 + hash(i, {day}, 5) % 30)::INTEGER] AS country,
        round(least(exp(4 + 1.2 * sqrt(-2 * ln(u)) * cos(2 * pi() * angle)), 999999), 2) AS amount,
        CASE WHEN percent < 55 THEN 'PAID' WHEN percent < 85 THEN 'SHIPPED'
            WHEN percent < 93 THEN 'CANCELLED' WHEN percent < 98 THEN 'REFUNDED'
            ELSE 'TEST' END AS status
    FROM numbered
), spoilt AS (
    SELECT *, CASE WHEN {spoil} AND status <> 'TEST' AND i % 1000 = 500
        THEN i // 1000 % 6 ELSE -1 END AS kind,
        lag(id, 1, {day} * {rows}) OVER (ORDER BY i) AS before
    FROM sound
)
SELECT CASE kind WHEN 0 THEN NULL WHEN 1 THEN before ELSE id END AS id, ts, customer_id,
    CASE kind WHEN 4 THEN 'XX' ELSE country END AS country,
    CASE kind WHEN 2 THEN -amount - 1 WHEN 3 THEN 2 * {most} ELSE amount END AS amount,
    CASE kind WHEN 5 THEN '???' ELSE status END AS status
FROM spoilt ORDER BY i
"""


def write_source(source: Path, rows: int, count: int) -> None:
    """Write `count` days of `rows` rows each, clean and dirty."""
    source = fresh(source)
    clean, dirty = fresh(source / "clean"), fresh(source / "dirty")
    with duckdb.connect() as connection:
        for number, day in enumerate(days(count)):
            file = f"{day}.parquet"
            _write_day(connection, clean / file, number, rows, spoil=False)
            if number in BAD_DAYS:
                _write_day(connection, dirty / file, number, rows, spoil=True)
            else:
                (dirty / file).hardlink_to(clean / file)


def _write_day(
    connection: duckdb.DuckDBPyConnection, path: Path, number: int, rows: int, *, spoil: bool
) -> None:
    query = DAY.format(
        day=number,
        date=days(number + 1)[-1],
        rows=rows,
        stride=STRIDE,
        countries=quoted(COUNTRIES),
        most=AMOUNT_MAX,
        spoil=str(spoil).lower(),
    )
    connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=31)
    given = parser.parse_args()
    write_source(given.source, given.rows, given.days)


if __name__ == "__main__":
    main()
