"""What nothing in the catalog needs any more, and what it still names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from millgate.lineage.fetch import records, rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Outlived:
    """A version that is not live, or a closed quarantine entry; `path` is that of its file.

    `since` is when it left production, or when the entry was closed.
    """

    materialization: int
    asset: str
    path: str
    bytes: int
    since: datetime


@dataclass(frozen=True)
class Named:
    """Files that a snapshot names, relative to `versions`, `quarantine` and `history`."""

    versions: frozenset[str]
    quarantine: frozenset[str]
    history: frozenset[str]


def superseded_versions(connection: duckdb.DuckDBPyConnection) -> list[Outlived]:
    """The versions whose files are there although they are not live, the oldest first."""
    return records(
        connection,
        Outlived,
        "SELECT m.materialization, m.asset, m.path, m.bytes, "
        "coalesce(max(s.valid_until), m.created_at) AS since "
        "FROM lineage.materializations m "
        "LEFT JOIN lineage.stays s ON s.materialization = m.materialization "
        "WHERE m.location = 'versions' AND m.removed_at IS NULL AND m.materialization NOT IN "
        "(SELECT materialization FROM lineage.production) "
        "GROUP BY m.materialization, m.asset, m.path, m.bytes, m.created_at "
        "ORDER BY m.materialization",
    )


def closed_entries(connection: duckdb.DuckDBPyConnection) -> list[Outlived]:
    """The quarantine entries that are decided or superseded, and whose files are there."""
    return records(
        connection,
        Outlived,
        "SELECT materialization, asset, path, bytes, "
        "coalesce(decided_at, quarantined_at) AS since "
        "FROM lineage.quarantine WHERE status <> 'held' AND path <> '' ORDER BY materialization",
    )


def named_files(connection: duckdb.DuckDBPyConnection) -> Named:
    """Every file that the tables name."""
    return _named(
        connection,
        "SELECT path FROM lineage.materializations "
        "WHERE location = 'versions' AND removed_at IS NULL",
        "SELECT path FROM lineage.quarantine WHERE path <> ''",
    )


def served_files(connection: duckdb.DuckDBPyConnection) -> Named:
    """The files that the views read."""
    return _named(
        connection,
        "SELECT m.path FROM lineage.production p JOIN lineage.materializations m "
        "ON m.materialization = p.materialization WHERE m.location = 'versions'",
        "SELECT path FROM lineage.quarantine WHERE status = 'held'",
    )


def _named(connection: duckdb.DuckDBPyConnection, versions: str, quarantine: str) -> Named:
    def paths(query: str) -> frozenset[str]:
        return frozenset(path for (path,) in rows(connection, query))

    # Snapshots of earlier versions have no such table.
    has = "SELECT 1 FROM duckdb_tables() WHERE table_name = 'history_files' LIMIT 1"
    history = "SELECT path FROM lineage.history_files" if rows(connection, has) else ""
    return Named(paths(versions), paths(quarantine), paths(history) if history else frozenset())
