"""Which rows of the hot tables nothing needs to be fast, and which ones a change calls back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as resources
from typing import TYPE_CHECKING

from millgate.lineage.fetch import HOT, ids_table, offered, records, rows
from millgate.model.record import Change

if TYPE_CHECKING:
    import duckdb

WORTH = 0.1
"""The share of rows that a move must take away: else it would be tried again at every commit."""


@dataclass(frozen=True)
class HistoryFile:
    """A row of `lineage.history_files`; `path` is relative to the folder of history."""

    table_name: str
    path: str
    row_count: int
    bytes: int
    snapshot: int
    column_names: tuple[str, ...]


def history_files(connection: duckdb.DuckDBPyConnection) -> list[HistoryFile]:
    """The files of history, in the order in which they were written."""
    return records(
        connection,
        HistoryFile,
        "SELECT table_name, path, row_count, bytes, snapshot, column_names "
        "FROM lineage.history_files ORDER BY table_name, snapshot, path",
    )


def spoken_of(connection: duckdb.DuckDBPyConnection, said: str) -> HistoryFile | None:
    """The file of history that a message of DuckDB names, if it names one."""
    named = (file for file in history_files(connection) if f"/{file.path}" in said)
    return next(named, None)


def enter(connection: duckdb.DuckDBPyConnection, file: HistoryFile) -> None:
    """Name a file, so that its rows are read."""
    connection.execute(
        "INSERT INTO lineage.history_files VALUES (?, ?, ?, ?, ?, ?)",
        [
            file.table_name,
            file.path,
            file.row_count,
            file.bytes,
            file.snapshot,
            list(file.column_names),
        ],
    )


def forget(connection: duckdb.DuckDBPyConnection, paths: Collection[str]) -> None:
    """Name files no longer."""
    connection.execute(
        "DELETE FROM lineage.history_files WHERE list_contains(?::VARCHAR[], path)", [list(paths)]
    )


def going(connection: duckdb.DuckDBPyConnection, oldest: int) -> dict[str, str]:
    """The rows that can go to history, as a condition for each table that has some.

    Those of versions stay that are live, held, the newest of their partition, what such a one was
    made from, rolled back from, or of run `oldest` or a later one; entries into production stay
    since the last one that a run made: those that `lineage.rolled_back` looks at. Empty
    where too little would go.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE needed AS {_NEEDED.format(oldest=oldest)}")
    found: dict[str, str] = {}
    total = moving = 0
    for table, pattern in _GOING.items():
        condition = pattern.format(oldest=oldest)
        query = f"SELECT count(*), count(*) FILTER (WHERE {condition}) FROM hot.{table}"
        all_rows, some = rows(connection, query)[0]
        total, moving = total + all_rows, moving + some
        if some:
            found[table] = condition
    return found if moving >= total * WORTH else {}


def remove(connection: duckdb.DuckDBPyConnection, moved: Mapping[str, str]) -> None:
    """Take rows away from the hot tables, in the order in which their conditions allow it."""
    for table, condition in moved.items():
        connection.execute(f"DELETE FROM hot.{table} WHERE {condition}")


def called_back(connection: duckdb.DuckDBPyConnection, change: Change) -> dict[str, str]:
    """The rows of history that a change reads or writes, as a condition for each table."""
    if change.renaming is not None:
        return dict.fromkeys((*_OF_VERSIONS, "promotions", "steps"), "true")
    removal = change.removal
    wanted = {
        *(p.materialization for p in change.promotions),
        *change.relocated,
        *change.reopened,
        *(removal.versions if removal else ()),
        *(removal.entries if removal else ()),
        *(d.materialization for d in change.decisions),
        *(j.materialization for j in change.judged),
        *(i.materialization for m in change.materializations for i in m.inputs),
        *(m.derived_from for m in change.materializations),
    } - {None, *(m.id for m in change.materializations)}
    back = [p.materialization for p in change.promotions if p.kind == "rollback"]
    ids = ids_table([id_ for id_ in wanted if id_ is not None])
    returned = ids_table([id_ for id_ in back if id_ is not None])
    with offered(connection, wanted=ids, returned=returned):
        connection.execute("CREATE OR REPLACE TEMP TABLE called_back AS " + _ABSENT)
        if returned.height:
            connection.execute("INSERT INTO called_back " + _INPUTS)
    found = dict(_OF_VERSIONS) if rows(connection, "SELECT 1 FROM called_back LIMIT 1") else {}
    if removal and removal.logs:
        runs = ", ".join(map(str, removal.logs))
        of_runs = f"(SELECT step FROM lineage.steps WHERE run IN ({runs}))"
        found["attempts"] = f"log_path IS NOT NULL AND step IN {of_runs}"
        found["steps"] = f"run IN ({runs})"
    return found


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str, bool]]:
    """The name and type of each column of a hot table, and whether it may be NULL."""
    return [
        (column, type_, optional)
        for column, type_, optional in rows(
            connection,
            "SELECT column_name, data_type, is_nullable FROM duckdb_columns() "
            "WHERE database_name = current_database() AND schema_name = 'hot' "
            "AND table_name = ? ORDER BY column_index",
            [table],
        )
    ]


def show(connection: duckdb.DuckDBPyConnection, table: str, arms: Sequence[str]) -> None:
    """Make `lineage.<table>` the hot rows and those of `arms`, with the comments that it has."""
    assert table in HOT
    union = "".join(f"\nUNION ALL\n{arm}" for arm in arms)
    connection.execute(f"CREATE OR REPLACE VIEW lineage.{table} AS FROM hot.{table}{union}")
    script = resources(__package__).joinpath("tables.sql").read_text(encoding="utf-8")
    heads = f"COMMENT ON VIEW lineage.{table} ", f"COMMENT ON COLUMN lineage.{table}."
    for line in script.splitlines():
        if line.startswith(heads):
            connection.execute(line)


_NEEDED = """
WITH kept AS (
    SELECT materialization FROM lineage.production
    UNION SELECT max(materialization) FROM hot.materializations GROUP BY asset, partition
    UNION SELECT materialization FROM hot.quarantine WHERE status = 'held'
    UNION SELECT left_materialization FROM lineage.rolled_back
    UNION SELECT materialization FROM hot.materializations WHERE run >= {oldest})
SELECT materialization FROM kept UNION
SELECT e.upstream FROM hot.materialization_edges e JOIN kept k ON k.materialization = e.downstream
UNION SELECT e.upstream FROM hot.judgement_edges e JOIN hot.judgements j USING (judgement)
JOIN kept k ON k.materialization = j.materialization WHERE j.in_force
"""

_GOING = {
    "check_results": "judgement IN (SELECT judgement FROM hot.judgements "
    "WHERE materialization NOT IN (FROM needed))",
    "judgement_edges": "judgement IN (SELECT judgement FROM hot.judgements "
    "WHERE materialization NOT IN (FROM needed))",
    "judgements": "materialization NOT IN (FROM needed)",
    "materialization_edges": "downstream NOT IN (FROM needed)",
    "source_files": "materialization NOT IN (FROM needed)",
    "quarantine": "materialization NOT IN (FROM needed)",
    "materializations": "materialization NOT IN (FROM needed)",
    "promotions": "run < {oldest} AND promotion NOT IN (SELECT promotion FROM hot.promotions "
    "QUALIFY promotion >= coalesce(max(promotion) FILTER (WHERE kind <> 'rollback' "
    "AND NOT (kind IN ('split', 'withdraw') AND judgement IS NOT NULL AND reason IS NOT NULL)) "
    "OVER (PARTITION BY asset, partition), 0))",
    "attempts": "step NOT IN (SELECT step FROM hot.steps WHERE run >= {oldest})",
    "steps": "run < {oldest}",
    "runs": "run < {oldest} AND status <> 'running'",
    "snapshots": "run < {oldest}",
}
"""In an order in which no condition reads rows that were taken away before it."""

FOUND_AGAIN = {
    "materializations": "materialization NOT IN (SELECT materialization FROM hot.materializations)",
    "materialization_edges": "downstream NOT IN "
    "(SELECT downstream FROM hot.materialization_edges WHERE upstream = h.upstream)",
    "source_files": "materialization NOT IN (SELECT materialization FROM hot.source_files)",
    "judgements": "materialization NOT IN (SELECT materialization FROM hot.judgements)",
    "check_results": "judgement IN (SELECT judgement FROM hot.judgements) "
    "AND judgement NOT IN (SELECT judgement FROM hot.check_results)",
    "judgement_edges": "judgement IN (SELECT judgement FROM hot.judgements) "
    "AND judgement NOT IN (SELECT judgement FROM hot.judgement_edges)",
    "runs": "run NOT IN (SELECT run FROM hot.runs)",
    "steps": "step NOT IN (SELECT step FROM hot.steps)",
    "attempts": "step NOT IN (SELECT step FROM hot.attempts)",
}
"""Rows of files that a catalog made anew takes in, in an order in which they fit each other."""

_ABSENT = "SELECT id FROM wanted WHERE id NOT IN (SELECT materialization FROM hot.materializations)"

_INPUTS = """
SELECT DISTINCT e.upstream FROM lineage.materialization_edges e
JOIN returned r ON r.id = e.downstream
WHERE e.upstream NOT IN (SELECT materialization FROM hot.materializations)
AND e.upstream NOT IN (SELECT id FROM called_back)
"""
"""What comes back needs its inputs too: planning asks whether they are still what they were."""

_OF_VERSIONS = {
    "check_results": "judgement IN (SELECT judgement FROM lineage.judgements "
    "WHERE materialization IN (SELECT id FROM called_back))",
    "judgement_edges": "judgement IN (SELECT judgement FROM lineage.judgements "
    "WHERE materialization IN (SELECT id FROM called_back))",
    "judgements": "materialization IN (SELECT id FROM called_back)",
    "materialization_edges": "downstream IN (SELECT id FROM called_back)",
    "source_files": "materialization IN (SELECT id FROM called_back)",
    "quarantine": "materialization IN (SELECT id FROM called_back)",
    "materializations": "materialization IN (SELECT id FROM called_back)",
}
