"""Live production and its lineage as native tables in one DuckDB file, to hand on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from millgate.errors import StoreError, UsageError
from millgate.execute.archiving import bring_home, bring_up_to_date
from millgate.execute.opening import reading_history
from millgate.lineage import queries
from millgate.store import views
from millgate.store.warehouse import Warehouse

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Exported:
    """What was written: assets with their number of rows, and the size of the file."""

    file: Path
    snapshot: int
    rows: dict[str, int]
    bytes: int


def export_duckdb(
    warehouse: Warehouse, root: Path, file: Path, selected: Collection[str] | None
) -> Exported:
    """Write what is live to a new database that needs no other file.

    `production.<asset>` becomes a table for each selected asset (all unless some are named); the
    schema `lineage` is whole, as of the snapshot; quarantined rows stay behind. The file appears
    whole or not at all, and an existing one is never replaced.
    """
    if file.exists():
        raise UsageError(
            f"{file.name} exists already",
            where=str(file),
            fix="name a new file, or move that one away",
        )
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    try:
        snapshot = warehouse.copy(part)
        with _opened(part) as connection, reading_history(connection, warehouse.layout):
            bring_up_to_date(connection, warehouse.layout)
            rows = _fill(connection, root, selected)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
        part.with_name(f"{part.name}.wal").unlink(missing_ok=True)
    return Exported(file, snapshot, rows, file.stat().st_size)


def _opened(path: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    try:
        return duckdb.connect(str(path))
    except duckdb.Error as error:
        raise StoreError(
            f"{path.name} cannot be written: {error}",
            where=str(path.parent),
            fix="free some space there, or name a file elsewhere",
        ) from error


def _fill(
    connection: duckdb.DuckDBPyConnection, root: Path, selected: Collection[str] | None
) -> dict[str, int]:
    """Turn the views of production into tables; what was not selected is dropped."""
    connection.execute(f"SET VARIABLE {views.ROOT_VARIABLE} = {views.literal(str(root))}")
    rows: dict[str, int] = {}
    for schema, name in queries.served_views(connection):
        view = f"{schema}.{views.quoted(name)}"
        if schema == "production" and (selected is None or name in selected):
            held = f"{schema}.{views.quoted(f'{name} as a view')}"
            connection.execute(f"ALTER VIEW {view} RENAME TO {views.quoted(f'{name} as a view')}")
            connection.execute(f"CREATE TABLE {view} AS FROM {held}")
            connection.execute(f"DROP VIEW {held}")
            found = connection.execute(f"SELECT count(*) FROM {view}").fetchall()
            rows[name] = int(found[0][0])
        else:
            connection.execute(f"DROP VIEW {view}")
    bring_home(connection)
    connection.execute("CHECKPOINT")
    return rows
