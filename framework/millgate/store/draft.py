"""The database file of the next snapshot: begun, made smaller, its rows written elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from millgate.store.snapshots import STORAGE_VERSION

if TYPE_CHECKING:
    import duckdb

_OLD = f"STORAGE_VERSION '{STORAGE_VERSION}'"
_UNLOGGED = "RECOVERY_MODE no_wal_writes"
"""A draft is synced whole before it is published, and nobody goes on with one that was left."""


def begin(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Move a connection from its database in memory to a new file that DuckDB 1.x reads too.

    What is in memory goes into the file.
    """
    connection.execute(_attach(path, path.stem, _UNLOGGED, _OLD))
    connection.execute(f"COPY FROM DATABASE memory TO {path.stem}")
    _leave_memory(connection, path)


def go_on(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Move a connection from its database in memory, which is empty, to an existing draft."""
    connection.execute(_attach(path, path.stem, _UNLOGGED))
    _leave_memory(connection, path)


def compact(large: Path, small: Path) -> None:
    """Copy a database to a new file without the room of what was deleted.

    DuckDB uses that room again and never makes a file smaller.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(_attach(large, "large", "READ_ONLY"))
        connection.execute(_attach(small, "small", _UNLOGGED, _OLD))
        connection.execute("COPY FROM DATABASE large TO small")


def write_rows(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> int:
    """Write the rows of a query to a new Parquet file; returns how many there are."""
    written = connection.execute(
        f"COPY ({query}) TO '{_escaped(file)}' (FORMAT parquet, COMPRESSION zstd)"
    )
    return int(written.fetchall()[0][0])


def _leave_memory(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    connection.execute(f"USE {path.stem}")
    connection.execute("DETACH memory")
    connection.execute(f"SET temp_directory = '{_escaped(path)}.tmp'")


def _attach(path: Path, name: str, *options: str) -> str:
    return f"ATTACH '{_escaped(path)}' AS {name} ({', '.join(options)})"


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")
