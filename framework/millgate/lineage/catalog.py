"""The catalog's own format: made once, checked by readers and by writers."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from millgate.errors import CatalogTooNew, StoreError
from millgate.lineage.fetch import commit, roll_back, rows

if TYPE_CHECKING:
    import duckdb

VERSION = 3
"""Of the tables that this Millgate writes."""

MIN_READER = 1
"""Oldest version that can read what this Millgate writes."""


@dataclass(frozen=True)
class CatalogFormat:
    """The row of `lineage.catalog`."""

    version: int
    min_reader: int
    project: UUID
    root: Path
    written_by: str
    duckdb_version: str


def scripts() -> tuple[str, str]:
    """The SQL that makes the tables, and that which makes the views and macros."""
    folder = files(__package__)
    tables, views = (folder.joinpath(name) for name in ("tables.sql", "views.sql"))
    return tables.read_text(encoding="utf-8"), views.read_text(encoding="utf-8")


def create(
    connection: duckdb.DuckDBPyConnection, root: Path, project: UUID | None = None
) -> CatalogFormat:
    """Make every table, view and macro in an empty database of a project at `root`."""
    import duckdb

    try:
        connection.execute("BEGIN TRANSACTION")
        for script in scripts():
            connection.execute(script)
        connection.execute(
            "INSERT INTO lineage.catalog "
            "VALUES ($version, $min_reader, $project, $root, $millgate, version())",
            {
                "version": VERSION,
                "min_reader": MIN_READER,
                "project": project or uuid4(),
                "root": str(root),
                "millgate": version("millgate"),
            },
        )
        commit(connection)
    except duckdb.Error as error:
        roll_back(connection)
        raise StoreError(
            f"the catalog could not be made: {str(error).splitlines()[0]}",
            where="the draft of the first snapshot",
            fix="see that there is space on the disk, and run again",
        ) from error
    return check(connection)


def check(connection: duckdb.DuckDBPyConnection) -> CatalogFormat:
    """The catalog's format, if this Millgate can read it; else CatalogTooNew."""
    found = _read(connection)
    if found.min_reader > VERSION:
        raise _too_new(found, "read")
    return found


def check_writable(connection: duckdb.DuckDBPyConnection) -> CatalogFormat:
    """The catalog's format, if this Millgate can write it; else CatalogTooNew."""
    found = _read(connection)
    if found.version > VERSION:
        raise _too_new(found, "write")
    return found


def set_root(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Record where the project is now, after it was moved."""
    connection.execute("UPDATE lineage.catalog SET root = ?", [str(root)])


def _read(connection: duckdb.DuckDBPyConnection) -> CatalogFormat:
    import duckdb

    try:
        # Later versions may add columns to this table, and never take one away.
        found = rows(
            connection,
            "SELECT version, min_reader, project, root, written_by, duckdb_version "
            "FROM lineage.catalog",
        )
    except duckdb.CatalogException:
        found = []
    if len(found) != 1:
        raise StoreError(
            "this is not the catalog of a Millgate warehouse",
            where="lineage.catalog",
            fix="point the project at its own warehouse folder, or at an empty one",
        )
    version_, min_reader, project, root, written_by, duckdb_version = found[0]
    return CatalogFormat(
        version_, min_reader, UUID(project), Path(root), written_by, duckdb_version
    )


def _too_new(found: CatalogFormat, verb: str) -> CatalogTooNew:
    return CatalogTooNew(
        f"the warehouse has catalog version {found.version}, which this Millgate cannot {verb}",
        where=f"lineage.catalog, written by Millgate {found.written_by}",
        fix=f"pip install 'millgate>={found.written_by}' (this is {version('millgate')})",
    )
