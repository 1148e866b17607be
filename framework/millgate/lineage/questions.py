"""What people ask of the whole warehouse: how it is, and what ran.

Fields are called as the columns of the catalog are; times are aware.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from millgate.lineage.fetch import records, rows
from millgate.lineage.refusals import MESSAGES

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class AssetHealth:
    """A row of `lineage.health`: numbers of partitions."""

    asset: str
    kind: str
    owner: str | None
    declared: bool
    live: int
    newest: str | None
    last_promoted_at: datetime | None
    stale: int
    failing: int
    held: int
    failed: int
    blocked: int
    rolled_back: int = 0
    outside: int = 0


@dataclass(frozen=True)
class HeldPartition:
    """A partition whose newest version waits for a decision, and what its gate says of it."""

    asset: str
    partition: str
    materialization: int
    run: int
    rows: int
    rejected_rows: int
    quarantined_at: datetime
    messages: tuple[str, ...]


@dataclass(frozen=True)
class FailingPartition:
    """A live partition that a gate adopted later refuses."""

    asset: str
    partition: str
    materialization: int
    verdict: str
    rejected_rows: int
    judged_at: datetime
    messages: tuple[str, ...]


@dataclass(frozen=True)
class FailedPartition:
    """A partition whose last step failed, with the error of its last attempt."""

    asset: str
    partition: str
    run: int
    step: int
    attempts: int
    finished_at: datetime | None
    error_type: str | None
    error: str | None
    error_line: str | None


@dataclass(frozen=True)
class RunSummary:
    """A run with the number of its steps by outcome."""

    run: int
    command: str
    selection: str
    range_from: str | None
    range_to: str | None
    status: str
    started_at: datetime
    finished_at: datetime | None
    actor: str
    host: str
    code_version: str | None
    millgate_version: str
    resumes: int | None
    exit_status: int | None
    message: str | None
    made: int
    unchanged: int
    judged: int
    held: int
    failed: int
    blocked: int
    refused: int
    cancelled: int


@dataclass(frozen=True)
class Status:
    """How the warehouse is, as of its last commit."""

    snapshot: int
    committed_at: datetime
    last_run: RunSummary
    assets: tuple[AssetHealth, ...]
    held: tuple[HeldPartition, ...]
    failing: tuple[FailingPartition, ...]
    failed: tuple[FailedPartition, ...]


@dataclass(frozen=True)
class StepSummary:
    """A step with the number of its attempts and the error of the last one."""

    step: int
    run: int
    asset: str
    partition: str
    action: str
    cause: str
    cause_asset: str | None
    cause_partition: str | None
    outcome: str
    blocked_by: str | None
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    error_type: str | None
    error: str | None
    error_line: str | None


@dataclass(frozen=True)
class AttemptRow:
    """A row of `lineage.attempts`, with the partition that was tried."""

    run: int
    step: int
    asset: str
    partition: str
    attempt: int
    status: str
    started_at: datetime
    finished_at: datetime
    compute_s: float | None
    gate_s: float | None
    write_s: float | None
    peak_bytes: int | None
    error_type: str | None
    error: str | None
    error_line: str | None
    log_path: str | None


def status(connection: duckdb.DuckDBPyConnection) -> Status:
    """How every asset is, what waits for a person, and the newest run.

    Assets are left out that are neither declared nor have anything live or held.
    """
    snapshot, committed_at, run = rows(
        connection,
        "SELECT snapshot, committed_at, run FROM lineage.snapshots ORDER BY snapshot DESC LIMIT 1",
    )[0]
    assets = records(
        connection,
        AssetHealth,
        "FROM lineage.health WHERE declared OR live > 0 OR held > 0 ORDER BY asset",
    )
    failing = records(
        connection,
        FailingPartition,
        "SELECT f.asset, f.partition, f.materialization, f.verdict, f.rejected_rows, f.judged_at, "
        f"{MESSAGES} FROM lineage.failing f "
        "JOIN lineage.production j ON j.asset = f.asset AND j.partition = f.partition "
        "ORDER BY f.asset, f.partition",
    )
    last_run = _run_summaries(connection, "WHERE r.run = ?", [run])[0]
    return Status(
        snapshot,
        committed_at,
        last_run,
        tuple(assets),
        tuple(held_partitions(connection)),
        tuple(failing),
        tuple(failed_partitions(connection)),
    )


def health(connection: duckdb.DuckDBPyConnection, asset: str) -> AssetHealth | None:
    """How an asset is; None if it is not on record."""
    found = records(connection, AssetHealth, "FROM lineage.health WHERE asset = ?", [asset])
    return found[0] if found else None


def runs(connection: duckdb.DuckDBPyConnection, limit: int | None = None) -> list[RunSummary]:
    """The newest runs, the newest first; all without a limit."""
    return _run_summaries(connection, "", [], limit)


def find_run(connection: duckdb.DuckDBPyConnection, run: int) -> RunSummary | None:
    """One run, None if it is not on record."""
    found = _run_summaries(connection, "WHERE r.run = ?", [run])
    return found[0] if found else None


def run_steps(connection: duckdb.DuckDBPyConnection, run: int) -> list[StepSummary]:
    """The steps of a run in the order in which they were settled."""
    return _step_summaries(connection, "s.run = ? ORDER BY s.step", [run])


def partition_steps(
    connection: duckdb.DuckDBPyConnection, asset: str, partition: str, limit: int | None = None
) -> list[StepSummary]:
    """The steps on a partition, the newest first."""
    text = "s.asset = ? AND s.partition = ? ORDER BY s.step DESC LIMIT ?"
    return _step_summaries(connection, text, [asset, partition, limit])


def attempts(
    connection: duckdb.DuckDBPyConnection,
    *,
    run: int | None = None,
    asset: str | None = None,
    partition: str | None = None,
    limit: int | None = None,
) -> list[AttemptRow]:
    """Tries of steps, the newest step first and its tries in order: of a run, or of a partition."""
    return records(
        connection,
        AttemptRow,
        "SELECT s.run, t.step, s.asset, s.partition, t.attempt, t.status, t.started_at, "
        "t.finished_at, t.compute_s, t.gate_s, t.write_s, t.peak_bytes, t.error_type, t.error, "
        "t.error_line, t.log_path FROM lineage.attempts t JOIN lineage.steps s ON s.step = t.step "
        "WHERE s.run = coalesce($1::BIGINT, s.run) AND s.asset = coalesce($2::VARCHAR, s.asset) "
        "AND s.partition = coalesce($3::VARCHAR, s.partition) "
        "ORDER BY t.step DESC, t.attempt LIMIT $4",
        [run, asset, partition, limit],
    )


def _run_summaries(
    connection: duckdb.DuckDBPyConnection,
    where: str,
    parameters: list[object],
    limit: int | None = None,
) -> list[RunSummary]:
    outcomes = "made unchanged judged held failed blocked refused cancelled"
    counts = ", ".join(
        f"count(*) FILTER (WHERE s.outcome = '{outcome}') AS {outcome}"
        for outcome in outcomes.split()
    )
    return records(
        connection,
        RunSummary,
        f"SELECT r.*, {counts} FROM (FROM lineage.runs r {where} ORDER BY r.run DESC LIMIT ?) r "
        "LEFT JOIN lineage.steps s ON s.run = r.run GROUP BY ALL ORDER BY r.run DESC",
        [*parameters, limit],
    )


def _step_summaries(
    connection: duckdb.DuckDBPyConnection, where: str, parameters: list[object]
) -> list[StepSummary]:
    return records(
        connection,
        StepSummary,
        "SELECT s.*, coalesce(t.attempts, 0) AS attempts, "
        "t.* EXCLUDE (step, attempts) FROM lineage.steps s LEFT JOIN ("
        "SELECT step, count(*) AS attempts, min(started_at) AS started_at, "
        "max(finished_at) AS finished_at, arg_max_null(error_type, attempt) AS error_type, "
        "arg_max_null(error, attempt) AS error, arg_max_null(error_line, attempt) AS error_line "
        f"FROM lineage.attempts GROUP BY step) t ON t.step = s.step WHERE {where}",
        parameters,
    )


def held_partitions(connection: duckdb.DuckDBPyConnection) -> list[HeldPartition]:
    """What is held as a whole and waits for a decision."""
    return records(
        connection,
        HeldPartition,
        "SELECT q.asset, q.partition, q.materialization, m.run, q.rows, j.rejected_rows, "
        f"q.quarantined_at, {MESSAGES} "
        "FROM lineage.quarantine q "
        "JOIN lineage.materializations m ON m.materialization = q.materialization "
        "JOIN lineage.judgements j ON j.judgement = q.judgement "
        "WHERE q.status = 'held' AND q.scope = 'partition' ORDER BY q.asset, q.partition",
    )


def failed_partitions(connection: duckdb.DuckDBPyConnection) -> list[FailedPartition]:
    """Partitions whose last step failed and is still wanted."""
    return records(
        connection,
        FailedPartition,
        "SELECT l.asset, l.partition, l.run, l.step, count(t.attempt) AS attempts, "
        "max(t.finished_at) AS finished_at, arg_max_null(t.error_type, t.attempt) AS error_type, "
        "arg_max_null(t.error, t.attempt) AS error, "
        "arg_max_null(t.error_line, t.attempt) AS error_line "
        "FROM lineage.stuck l LEFT JOIN lineage.attempts t ON t.step = l.step "
        "WHERE l.outcome = 'failed' GROUP BY l.asset, l.partition, l.run, l.step "
        "ORDER BY l.asset, l.partition",
    )
