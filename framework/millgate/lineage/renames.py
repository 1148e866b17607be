"""What assets were called: moving a history to another name, and names on record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from millgate.lineage.fetch import HOT, offered, records, rows
from millgate.lineage.rows import utc
from millgate.model.record import Change, Renaming

if TYPE_CHECKING:
    import duckdb

_NAMED = (
    ("materializations", "asset"),
    ("production", "asset"),
    ("promotions", "asset"),
    ("quarantine", "asset"),
    ("steps", "asset"),
    ("steps", "cause_asset"),
    ("columns", "asset"),
    ("column_edges", "upstream"),
    ("column_edges", "downstream"),
    ("alerts", "asset"),
    ("outside", "asset"),
)
"""Columns that name an asset; `assets` and `asset_edges` say what is declared."""


@dataclass(frozen=True)
class Undeclared:
    """An asset or source on record that is not declared now; `live` counts its partitions."""

    asset: str
    kind: str
    code_fingerprint: str | None
    live: int


@dataclass(frozen=True)
class MadeVersion:
    """A version and the fingerprint of what it was made from."""

    materialization: int
    partition: str
    input_fingerprint: str


def rename(
    connection: duckdb.DuckDBPyConnection, change: Change, renaming: Renaming, snapshot: int
) -> None:
    """Move all that is remembered of an asset to its new name, within a transaction."""
    old, new = renaming.old, renaming.new
    connection.execute("DELETE FROM lineage.assets WHERE asset = ?", [old])
    for table, column in _NAMED:
        schema = "hot" if table in HOT else "lineage"
        connection.execute(
            f"UPDATE {schema}.{table} SET {column} = ? WHERE {column} = ?", [new, old]
        )
    connection.execute(
        "UPDATE hot.steps SET blocked_by = $new || substr(blocked_by, length($old) + 1) "
        "WHERE blocked_by = $old OR starts_with(blocked_by, $old || '@')",
        {"old": old, "new": new},
    )
    for asset, before, after in renaming.code:
        connection.execute(
            "UPDATE hot.materializations SET code_fingerprint = ?::UUID "
            "WHERE asset = ? AND code_fingerprint = ?::UUID",
            [after, asset, before],
        )
    followed = pl.DataFrame(
        {"id": list(renaming.inputs), "fingerprint": list(renaming.inputs.values())},
        schema={"id": pl.Int64, "fingerprint": pl.String},
    )
    with offered(connection, followed=followed):
        connection.execute(
            "UPDATE hot.materializations SET input_fingerprint = f.fingerprint::UUID "
            "FROM followed f WHERE materializations.materialization = f.id"
        )
    connection.execute(
        "INSERT INTO lineage.renames VALUES (?, ?, ?, ?, ?, ?)",
        [old, new, utc(change.committed_at), snapshot, change.run.id, change.run.actor],
    )


def renamed_since(connection: duckdb.DuckDBPyConnection, snapshot: int) -> list[tuple[str, str]]:
    """The old and new name of each renaming after a snapshot, the last one first."""
    found = rows(
        connection,
        "SELECT old_name, new_name FROM lineage.renames WHERE snapshot > ? ORDER BY snapshot DESC",
        [snapshot],
    )
    return [(old, new) for old, new in found]


def former_names(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What each asset that was renamed was called before that."""
    found = rows(connection, "SELECT new_name, old_name FROM lineage.renames ORDER BY snapshot")
    return dict(found)


def versions_of(connection: duckdb.DuckDBPyConnection, asset: str) -> int:
    """How many versions of an asset or source are on record."""
    query = "SELECT count(*) FROM lineage.materializations WHERE asset = ?"
    return int(rows(connection, query, [asset])[0][0])


def kind_of(connection: duckdb.DuckDBPyConnection, asset: str) -> str | None:
    """What an asset was when it was last declared, `asset` or `source`; None if it never was."""
    found = rows(connection, "SELECT kind FROM lineage.assets WHERE asset = ?", [asset])
    return found[0][0] if found else None


def undeclared(connection: duckdb.DuckDBPyConnection, declared: list[str]) -> list[Undeclared]:
    """What is on record and not among the declared names, sorted."""
    return records(
        connection,
        Undeclared,
        "SELECT a.asset, a.kind, a.code_fingerprint, count(p.partition) AS live "
        "FROM lineage.assets a LEFT JOIN lineage.production p ON p.asset = a.asset "
        "WHERE a.asset NOT IN (SELECT unnest(?::VARCHAR[])) "
        "AND EXISTS (FROM lineage.materializations m WHERE m.asset = a.asset) "
        "GROUP BY ALL ORDER BY a.asset",
        [declared],
    )


def made_of(connection: duckdb.DuckDBPyConnection, asset: str) -> list[MadeVersion]:
    """The versions of an asset that were made from inputs."""
    return records(
        connection,
        MadeVersion,
        "SELECT materialization, partition, input_fingerprint FROM lineage.materializations "
        "WHERE asset = ? AND input_fingerprint IS NOT NULL ORDER BY materialization",
        [asset],
    )
