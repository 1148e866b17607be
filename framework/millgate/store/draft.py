"""The database file of the next snapshot: made empty, made smaller, its rows written elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from millgate.store.snapshots import STORAGE_VERSION

if TYPE_CHECKING:
    import duckdb


def create(path: Path) -> None:
    """Make an empty database that DuckDB 1.x reads too."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(_attach(path, "fresh"))
        connection.execute("DETACH fresh")


def compact(large: Path, small: Path) -> None:
    """Copy a database to a new file without the room of what was deleted.

    DuckDB uses that room again and never makes a file smaller.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{_escaped(large)}' AS large (READ_ONLY)")
        connection.execute(_attach(small, "small"))
        connection.execute("COPY FROM DATABASE large TO small")


def write_rows(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> int:
    """Write the rows of a query to a new Parquet file; returns how many there are."""
    written = connection.execute(
        f"COPY ({query}) TO '{_escaped(file)}' (FORMAT parquet, COMPRESSION zstd)"
    )
    return int(written.fetchall()[0][0])


def _attach(path: Path, name: str) -> str:
    return f"ATTACH '{_escaped(path)}' AS {name} (STORAGE_VERSION '{STORAGE_VERSION}')"


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")
