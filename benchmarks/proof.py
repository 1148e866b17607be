"""What a contestant made, compared with what the work asks for, and what of it is in production."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from measuring import Wrong
from peers.work import (
    AMOUNT_MAX,
    ASSETS,
    BAD_DAYS,
    CLEAN_SELECT,
    CLEAN_WHERE,
    COUNTRIES,
    FIRST,
    STATUSES,
    days,
    quoted,
)

CLEANED = """
SELECT count(*), bit_xor(hash(id::BIGINT, ts::TIMESTAMP, day::DATE, customer_id::INTEGER,
    country::VARCHAR, amount::DOUBLE, status::VARCHAR)) FROM {rows}
"""
DAILY = """
SELECT day::DATE AS d, country::VARCHAR AS c, status::VARCHAR AS s, sum(n)::BIGINT,
    round(sum(amount), 2) FROM {rows} GROUP BY ALL ORDER BY ALL
"""
BAD = f"""
id IS NULL OR NOT coalesce(amount BETWEEN 0 AND {AMOUNT_MAX}, false)
OR NOT coalesce(country IN ({quoted(COUNTRIES)}), false)
OR NOT coalesce(status IN ({quoted(STATUSES)}), false)
"""


@dataclass(frozen=True)
class Left:
    """What readers of production see after the dirty month."""

    bad_rows: int
    """Rows that fail a check by themselves, in `cleaned`."""
    bad_days: int
    """Days with bad rows that `cleaned` shows."""
    good_days: int
    """Days without, that `daily_agg` shows."""


class Made:
    """The tables that a contestant made, whatever it keeps them in."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, out: Path) -> None:
        self._connection, self._out = connection, out
        self._schema = ""  # A view of SQLMesh refers to tables by the database's own name.
        for path in (out / "peer.duckdb", out / "warehouse" / "warehouse.duckdb"):
            if path.exists():
                connection.execute(f"ATTACH '{path}' AS {path.stem} (READ_ONLY); USE {path.stem}")
                found = self.rows(
                    f"SELECT schema_name FROM duckdb_schemas() WHERE database_name = '{path.stem}'"
                )
                named = {name for (name,) in found}
                schema = next(n for n in ("production", "peer", "main") if n in named)
                self._schema = f"{path.stem}.{schema}"

    def rows(self, query: str) -> list[tuple]:
        return self._connection.execute(query).fetchall()

    def table(self, name: str) -> str | None:
        """A table in SQL; None where readers find none."""
        if self._schema:
            found = self.rows(
                "SELECT 1 FROM information_schema.tables WHERE table_name = "
                f"'{name}' AND table_catalog || '.' || table_schema = '{self._schema}'"
            )
            return f"{self._schema}.{name}" if found else None
        files = self._out / name
        return f"read_parquet('{files}/*.parquet')" if any(files.glob("*.parquet")) else None


@contextmanager
def made(out: Path) -> Iterator[Made]:
    with duckdb.connect() as connection:
        yield Made(connection, out)


def check_chain(out: Path, count: int) -> None:
    """Raise Wrong unless the ten tables of W1 have the rows that they should."""
    numbers = f"range(10) AS k(k), range({count}) AS d(d)"
    with made(out) as found:
        for number in range(ASSETS):
            wanted = found.rows(
                f"SELECT DATE '{FIRST}' + d::INTEGER, k::BIGINT, (k + d + {number})::DOUBLE "
                f"FROM {numbers} ORDER BY ALL"
            )
            table = found.table(f"a{number}")
            got = table and found.rows(
                f"SELECT day::DATE, k::BIGINT, v::DOUBLE FROM {table} ORDER BY ALL"
            )
            if got != wanted:
                raise Wrong(f"a{number} has not the {len(wanted)} rows of {count} days: {table}")


def check_month(out: Path, source: Path) -> None:
    """Raise Wrong unless both tables of W2 have the rows that a clean source asks for."""
    with made(out) as found:
        found.rows(f"CREATE TEMP VIEW asked AS {_asked(source)}")
        for name, asked, wanted in (
            ("cleaned", CLEANED, found.rows(CLEANED.format(rows="asked"))),
            ("daily_agg", DAILY, found.rows(DAILY.format(rows="(SELECT *, 1 AS n FROM asked)"))),
        ):
            table = found.table(name)
            if table is None or found.rows(asked.format(rows=table)) != wanted:
                raise Wrong(f"the rows of {name} in {out} are not those of {source}")


def left_of(out: Path, count: int) -> Left:
    """What a contestant has in production of a dirty source of so many days."""
    bad = [str(days(count)[number]) for number in BAD_DAYS if number < count]
    with made(out) as found:
        cleaned, daily = found.table("cleaned"), found.table("daily_agg")
        bad_rows = found.rows(f"SELECT count(*) FROM {cleaned} WHERE {BAD}") if cleaned else [(0,)]
        seen, aggregated = (
            {str(day) for (day,) in found.rows(f"SELECT DISTINCT day::DATE FROM {table}")}
            if table
            else set()
            for table in (cleaned, daily)
        )
    return Left(bad_rows[0][0], len(seen & set(bad)), len(aggregated - set(bad)))


def _asked(source: Path) -> str:
    return f"{CLEAN_SELECT} FROM read_parquet('{source}/*.parquet') WHERE {CLEAN_WHERE}"
