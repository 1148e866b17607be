"""Rows of the catalog as Python has them: aware times, hashes as text, lists as tuples."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import polars as pl

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")

HOT = frozenset(
    {"materializations", "materialization_edges", "source_files", "judgements", "check_results"}
    | {"judgement_edges"}
    | {"promotions", "quarantine", "steps", "attempts", "runs", "snapshots"}
)
"""The tables in the schema hot: those whose rows are moved to files of history in time."""


@dataclass(frozen=True, eq=False)
class Streamed:
    """A frame for DuckDB, which would import pyarrow to read it as it is."""

    frame: pl.DataFrame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.frame.__arrow_c_stream__(requested_schema)


def rows(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object] = ()
) -> list[tuple[Any, ...]]:
    """The rows of a query. Times are aware, a hash is its 32 hexadecimal digits."""
    found = connection.execute(query, list(parameters)).fetchall()
    return [tuple(map(plain, row)) for row in found]


def named_rows(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object] = ()
) -> list[dict[str, Any]]:
    """The rows of a query, each by column name."""
    result = connection.execute(query, list(parameters))
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, map(plain, row), strict=True)) for row in result.fetchall()]


def records(
    connection: duckdb.DuckDBPyConnection,
    kind: type[T],
    query: str,
    parameters: Sequence[object] = (),
) -> list[T]:
    """The rows of a query as a dataclass whose fields are called as the columns are."""
    return [kind(**row) for row in named_rows(connection, query, parameters)]


def many(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object] = ()
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query of text, numbers and truth values: fast where there are many.

    Its columns have names of their own.
    """
    table = pl.DataFrame(connection.sql(query, params=list(parameters)))
    return zip(*(column.to_list() for column in table), strict=True)


def plain(value: Any) -> Any:
    """A value as the rest of Millgate has it.

    >>> plain(datetime(2025, 11, 20, 7, 14)).isoformat(), plain(UUID(int=255))
    ('2025-11-20T07:14:00+00:00', '000000000000000000000000000000ff')
    """
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, list):
        return tuple(value)
    return value


@contextmanager
def offered(
    connection: duckdb.DuckDBPyConnection, **tables: pl.DataFrame
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The connection, on which frames can be read under their names."""
    for name, table in tables.items():
        connection.register(name, Streamed(table))
    try:
        yield connection
    finally:
        for name in tables:
            connection.unregister(name)


def insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    frame: pl.DataFrame,
    query: str = "SELECT * FROM added",
) -> None:
    """Insert the rows of a frame, called `added` in `query`, into a table of the catalog.

    DuckDB finds `added` among the variables here: in half the time of a registered view.
    """
    added = Streamed(frame)  # noqa: F841
    schema = "hot" if table in HOT else "lineage"
    connection.execute(f"INSERT INTO {schema}.{table} BY NAME {query}")


def commit(connection: duckdb.DuckDBPyConnection) -> None:
    """End a transaction; what it did stays. See that it did: COMMIT may roll back in silence."""
    connection.execute("COMMIT")


def roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """End a transaction without effect, if there is one."""
    import duckdb

    try:
        connection.execute("ROLLBACK")
    except duckdb.Error:
        # The transaction is gone already, or never began.
        return


def digits(column: str) -> str:
    """SQL for a hash as its 32 hexadecimal digits, empty where it is NULL."""
    return f"coalesce(replace({column}::VARCHAR, '-', ''), '')"


def keys_table(keys: Collection[tuple[str, str]]) -> pl.DataFrame:
    """Pairs of asset and partition as a frame."""
    return texts(asset=[asset for asset, _ in keys], partition=[key for _, key in keys])


def ids_table(ids: Collection[int]) -> pl.DataFrame:
    """Numbers as a frame with the column `id`."""
    return pl.DataFrame({"id": list(ids)}, schema={"id": pl.Int64})


def texts(**columns: Sequence[str]) -> pl.DataFrame:
    """A frame whose columns are text."""
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
