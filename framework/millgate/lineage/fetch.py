"""Rows of the catalog as Python has them: aware times, hashes as text, lists as tuples."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


T = TypeVar("T")

HOT = frozenset(
    {"materializations", "materialization_edges", "source_files", "judgements", "check_results"}
    | {"judgement_edges"}
    | {"promotions", "quarantine", "steps", "attempts", "runs", "snapshots"}
)
"""The tables in the schema hot: those whose rows are moved to files of history in time."""


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
    """The rows of a query of text, numbers and truth values: fast where there are many."""
    table = connection.sql(query, params=list(parameters)).to_arrow_table()
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


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
    connection: duckdb.DuckDBPyConnection, **tables: pa.Table
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The connection, on which Arrow tables can be read under their names."""
    for name, table in tables.items():
        connection.register(name, table)
    try:
        yield connection
    finally:
        for name in tables:
            connection.unregister(name)


def insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    added: pa.Table,  # noqa: ARG001
    query: str = "SELECT * FROM added",
) -> None:
    """Insert the rows of an Arrow table, called `added` in `query`, into a table of the catalog.

    DuckDB finds `added` among the variables here: in half the time of a registered view.
    """
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


def keys_table(keys: Collection[tuple[str, str]]) -> pa.Table:
    """Pairs of asset and partition as an Arrow table."""
    import pyarrow as pa

    return pa.table(
        {
            "asset": pa.array([asset for asset, _ in keys], pa.string()),
            "partition": pa.array([key for _, key in keys], pa.string()),
        }
    )


def ids_table(ids: Collection[int]) -> pa.Table:
    """Numbers as an Arrow table with the column `id`."""
    import pyarrow as pa

    return pa.table({"id": pa.array(list(ids), pa.int64())})
