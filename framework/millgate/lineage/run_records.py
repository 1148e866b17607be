"""Runs as they are on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from millgate.lineage.fetch import rows
from millgate.model.record import Run

if TYPE_CHECKING:
    import duckdb


def last_run(connection: duckdb.DuckDBPyConnection) -> int:
    """The highest number that a run has on record, 0 where there is none."""
    return int(rows(connection, "SELECT coalesce(max(run), 0) FROM lineage.runs")[0][0])


def recorded_run(connection: duckdb.DuckDBPyConnection, run: int) -> Run | None:
    """A run as it is on record; None if it is not."""
    found = recorded_runs(connection, run)
    return found[0] if found else None


def recorded_runs(connection: duckdb.DuckDBPyConnection, run: int | None = None) -> list[Run]:
    """All runs, or one, as they are on record, the oldest first."""
    found = rows(
        connection,
        "SELECT run, command, selection, range_from, range_to, status, started_at, finished_at, "
        "actor, host, code_version, millgate_version, resumes, exit_status, message "
        "FROM lineage.runs WHERE run = coalesce(?, run) ORDER BY run",
        [run],
    )
    return [Run(*row) for row in found]


def settled(connection: duckdb.DuckDBPyConnection, run: int) -> frozenset[tuple[str, str]]:
    """The partitions that a run, and those that it resumed, came to an end with."""
    found = rows(
        connection,
        "WITH RECURSIVE chain AS ("
        "SELECT run, resumes FROM lineage.runs WHERE run = ? UNION ALL "
        "SELECT r.run, r.resumes FROM lineage.runs r JOIN chain c ON r.run = c.resumes) "
        "SELECT DISTINCT s.asset, s.partition FROM lineage.steps s JOIN chain c ON c.run = s.run "
        "WHERE s.outcome IN ('made', 'unchanged', 'judged', 'held')",
        [run],
    )
    return frozenset((asset, key) for asset, key in found)
