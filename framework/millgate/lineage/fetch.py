"""Rows of the catalog as Python has them: aware times, hashes as text, lists as tuples."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

if TYPE_CHECKING:
    import duckdb

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
