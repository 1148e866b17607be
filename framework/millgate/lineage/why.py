"""Why a partition is as it is: its state, versions, judgement, inputs, steps and decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from millgate.lineage.fetch import records, rows
from millgate.lineage.questions import StepSummary, partition_steps
from millgate.lineage.refusals import (
    CheckRow,
    QuarantineRow,
    check_results,
    quarantine_history,
)

if TYPE_CHECKING:
    import duckdb

PartitionState = Literal[
    "held",
    "discarded",
    "failed",
    "blocked",
    "failing",
    "rolled back",
    "outside",
    "stale",
    "live",
    "missing",
]
_STEPS = 10


@dataclass(frozen=True)
class VersionRow:
    """A version of a partition; `verdict` is that of the judgement in force."""

    materialization: int
    run: int
    kind: str
    derived_from: int | None
    rows: int
    bytes: int
    location: str
    path: str
    created_at: datetime
    removed_at: datetime | None
    code_fingerprint: str | None
    input_fingerprint: str | None
    data_hash: str | None
    verdict: str | None
    live: bool


@dataclass(frozen=True)
class JudgementRow:
    """A row of `lineage.judgements`."""

    judgement: int
    materialization: int
    gate_fingerprint: str
    verdict: str
    rows: int
    rejected_rows: int
    judged_at: datetime
    run: int
    in_force: bool
    reference_fingerprint: str | None


@dataclass(frozen=True)
class InputRow:
    """A version that a version was made from, and what is live of that partition now.

    What a release was taken over from is not among them: `VersionRow.derived_from` names it.
    """

    materialization: int
    asset: str
    partition: str
    kind: str
    data_hash: str | None
    live_materialization: int | None
    changed: bool
    """Whether what is live now has other content."""


@dataclass(frozen=True)
class StaleCause:
    """A row of `lineage.stale`: one reason why the live version is stale."""

    cause: str
    cause_asset: str | None
    cause_partition: str | None


@dataclass(frozen=True)
class PromotionRow:
    """A row of `lineage.promotions`."""

    promotion: int
    kind: str
    materialization: int | None
    previous: int | None
    promoted_at: datetime
    snapshot: int
    run: int
    actor: str
    reason: str | None
    judgement: int | None


@dataclass(frozen=True)
class Why:
    """Everything on record about a partition, the newest of each first.

    `judgement`, `results` and `inputs` are those of `version`: the version in quarantine if one
    waits there, else the live one, else the newest.
    """

    asset: str
    partition: str
    state: PartitionState
    version: VersionRow | None
    live: VersionRow | None
    judgement: JudgementRow | None
    results: tuple[CheckRow, ...]
    inputs: tuple[InputRow, ...]
    stale: tuple[StaleCause, ...]
    versions: tuple[VersionRow, ...]
    promotions: tuple[PromotionRow, ...]
    quarantine: tuple[QuarantineRow, ...]
    steps: tuple[StepSummary, ...]


def why(connection: duckdb.DuckDBPyConnection, asset: str, partition: str) -> Why:
    """What is on record about a partition, with its state as of the last commit."""
    versions = _versions(connection, asset, partition)
    entries = quarantine_history(connection, asset, partition)
    steps = partition_steps(connection, asset, partition, _STEPS)
    stale = _stale(connection, asset, partition)
    live = next((v for v in versions if v.live), None)
    refused = _refused(versions, entries)
    version = next(
        (v for v in versions if refused and v.materialization == refused.materialization),
        live or next(iter(versions), None),
    )
    judgement = _judgement(connection, version.materialization) if version else None
    return Why(
        asset,
        partition,
        _state(connection, asset, partition, live, refused, stale),
        version,
        live,
        judgement,
        tuple(check_results(connection, judgement.judgement)) if judgement else (),
        tuple(inputs_read(connection, version.materialization)) if version else (),
        tuple(stale),
        tuple(versions),
        tuple(_promotions(connection, asset, partition)),
        tuple(entries),
        tuple(steps),
    )


def _refused(versions: list[VersionRow], entries: list[QuarantineRow]) -> QuarantineRow | None:
    """The entry that keeps the newest version out of production."""
    newest = versions[0].materialization if versions else None
    for entry in entries:
        if entry.scope == "partition" and (
            entry.status == "held"
            or (entry.status == "discarded" and entry.materialization == newest)
        ):
            return entry
    return None


def _state(
    connection: duckdb.DuckDBPyConnection,
    asset: str,
    partition: str,
    live: VersionRow | None,
    refused: QuarantineRow | None,
    stale: list[StaleCause],
) -> PartitionState:
    if refused is not None:
        return "held" if refused.status == "held" else "discarded"
    for query in (
        "SELECT outcome FROM lineage.stuck WHERE asset = ? AND partition = ?",
        "SELECT 'failing' FROM lineage.failing WHERE asset = ? AND partition = ?",
    ):
        found = rows(connection, query, [asset, partition])
        if found:
            state: PartitionState = found[0][0]
            return state
    if stale:
        return "stale"
    left = "SELECT 1 FROM lineage.rolled_back WHERE asset = ? AND partition = ?"
    if rows(connection, left, [asset, partition]):
        return "rolled back"
    outside = "SELECT 1 FROM lineage.outside WHERE asset = ? AND partition = ?"
    if live is not None and rows(connection, outside, [asset, partition]):
        return "outside"
    return "missing" if live is None else "live"


def _versions(
    connection: duckdb.DuckDBPyConnection, asset: str, partition: str
) -> list[VersionRow]:
    return records(
        connection,
        VersionRow,
        "SELECT m.materialization, m.run, m.kind, m.derived_from, m.rows, m.bytes, m.location, "
        "m.path, m.created_at, m.removed_at, m.code_fingerprint, m.input_fingerprint, "
        "m.data_hash, j.verdict, p.materialization IS NOT NULL AS live "
        "FROM lineage.materializations m "
        "LEFT JOIN lineage.production p ON p.materialization = m.materialization "
        "LEFT JOIN lineage.judgements j ON j.materialization = m.materialization AND j.in_force "
        "WHERE m.asset = ? AND m.partition = ? ORDER BY m.materialization DESC",
        [asset, partition],
    )


def _judgement(connection: duckdb.DuckDBPyConnection, materialization: int) -> JudgementRow | None:
    found = records(
        connection,
        JudgementRow,
        "FROM lineage.judgements WHERE materialization = ? AND in_force",
        [materialization],
    )
    return found[0] if found else None


def inputs_read(connection: duckdb.DuckDBPyConnection, materialization: int) -> list[InputRow]:
    """What a version was made from, and what its gate looked at then."""
    return records(
        connection,
        InputRow,
        "SELECT u.materialization, u.asset, u.partition, e.kind, u.data_hash, "
        "n.materialization AS live_materialization, "
        "n.data_hash IS DISTINCT FROM u.data_hash AS changed "
        "FROM lineage.materialization_edges e "
        "JOIN lineage.materializations u ON u.materialization = e.upstream "
        "LEFT JOIN lineage.production p ON p.asset = u.asset AND p.partition = u.partition "
        "LEFT JOIN lineage.materializations n ON n.materialization = p.materialization "
        "WHERE e.downstream = ? AND e.kind <> 'derived' ORDER BY u.asset, u.partition",
        [materialization],
    )


def _stale(connection: duckdb.DuckDBPyConnection, asset: str, partition: str) -> list[StaleCause]:
    return records(
        connection,
        StaleCause,
        "SELECT cause, cause_asset, cause_partition FROM lineage.stale "
        "WHERE asset = ? AND partition = ? ORDER BY ALL",
        [asset, partition],
    )


def _promotions(
    connection: duckdb.DuckDBPyConnection, asset: str, partition: str
) -> list[PromotionRow]:
    return records(
        connection,
        PromotionRow,
        "SELECT * EXCLUDE (asset, partition) FROM lineage.promotions "
        "WHERE asset = ? AND partition = ? ORDER BY promotion DESC",
        [asset, partition],
    )
