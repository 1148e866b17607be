"""What people ask of quarantine: what waits there, and what a gate said of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from millgate.lineage.fetch import records, rows

if TYPE_CHECKING:
    import duckdb

MESSAGES = (
    "coalesce((SELECT list(c.message ORDER BY c.kind, c.failing_rows DESC, c.rule) "
    "FROM lineage.check_results c WHERE c.judgement = j.judgement AND NOT c.passed "
    "AND c.severity = 'error'), []) AS messages"
)
"""The failed error rules of a judgement `j` in sentences, the gravest first."""


_RULES = (
    "coalesce((SELECT list(DISTINCT c.rule ORDER BY c.rule) FROM lineage.check_results c "
    "WHERE c.judgement = j.judgement AND NOT c.passed AND c.severity = 'error'), []) AS rules"
)


@dataclass(frozen=True)
class QuarantineRow:
    """A quarantine entry with the judgement that led to it.

    `rows` are those in quarantine, `judged_rows` those that were judged, `rules` the names of the
    error rules that failed.
    """

    materialization: int
    asset: str
    partition: str
    scope: str
    rows: int
    bytes: int
    path: str
    status: str
    quarantined_at: datetime
    decided_at: datetime | None
    actor: str | None
    reason: str | None
    judgement: int
    run: int
    verdict: str
    judged_rows: int
    rejected_rows: int
    messages: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True)
class CheckRow:
    """A row of `lineage.check_results`."""

    judgement: int
    rule: str
    column_name: str | None
    kind: str
    severity: str
    passed: bool
    failing_rows: int | None
    total_rows: int
    observed: str | None
    expected: str | None
    sample: tuple[str, ...]
    message: str
    rule_fingerprint: str | None


@dataclass(frozen=True)
class QuarantineDetail:
    """A quarantine entry with every result of the judgement that led to it."""

    entry: QuarantineRow
    results: tuple[CheckRow, ...]


def quarantine_list(
    connection: duckdb.DuckDBPyConnection,
    assets: Collection[str] | None = None,
    *,
    closed: bool = False,
) -> list[QuarantineRow]:
    """Quarantine entries, the newest first: open ones, with `closed` all; of all assets or some."""
    return _entries(
        connection,
        "WHERE ($1::VARCHAR[] IS NULL OR list_contains($1::VARCHAR[], q.asset)) "
        "AND ($2 OR q.status = 'held') ORDER BY q.quarantined_at DESC, q.asset, q.partition",
        [None if assets is None else list(assets), closed],
    )


def among(
    entries: Iterable[QuarantineRow],
    *,
    rule: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[QuarantineRow]:
    """The entries that fail a rule of that name and were refused between two moments."""
    return [
        entry
        for entry in entries
        if (rule is None or rule in entry.rules)
        and (since is None or entry.quarantined_at.replace(tzinfo=UTC) >= since)
        and (until is None or entry.quarantined_at.replace(tzinfo=UTC) <= until)
    ]


def quarantine_history(
    connection: duckdb.DuckDBPyConnection, asset: str, partition: str
) -> list[QuarantineRow]:
    """Every quarantine entry of a partition, the newest first, with what was decided."""
    text = (
        "WHERE q.asset = $1 AND q.partition = $2 ORDER BY q.quarantined_at DESC, q.judgement DESC"
    )
    return _entries(connection, text, [asset, partition])


def newest_entry(
    connection: duckdb.DuckDBPyConnection, asset: str, partition: str
) -> QuarantineRow | None:
    """The newest quarantine entry of a partition, open or closed; None if there never was one."""
    found = quarantine_history(connection, asset, partition)
    return found[0] if found else None


def quarantine_show(
    connection: duckdb.DuckDBPyConnection, asset: str, partition: str
) -> QuarantineDetail | None:
    """The newest quarantine entry of a partition with what its gate found."""
    found = newest_entry(connection, asset, partition)
    if found is None:
        return None
    return QuarantineDetail(found, tuple(check_results(connection, found.judgement)))


def check_results(connection: duckdb.DuckDBPyConnection, judgement: int) -> list[CheckRow]:
    """The results of a judgement: what failed first, then in the order of the rules."""
    return records(
        connection,
        CheckRow,
        "FROM lineage.check_results WHERE judgement = ? "
        "ORDER BY passed, severity, kind, failing_rows DESC, column_name, rule",
        [judgement],
    )


def failing_rules(
    connection: duckdb.DuckDBPyConnection, assets: Collection[str]
) -> dict[str, dict[str, str]]:
    """What the gate would do with what is live and fails it, and by which rules, by asset and key.

    For example `hold by amount greater_than`.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for asset, key, verdict, rules in rows(
        connection,
        "SELECT f.asset, f.partition, f.verdict, "
        "list(DISTINCT concat_ws(' ', c.column_name, c.rule)) AS rules "
        "FROM lineage.failing f "
        "JOIN lineage.production p ON p.asset = f.asset AND p.partition = f.partition "
        "JOIN lineage.check_results c ON c.judgement = p.judgement "
        "AND NOT c.passed AND c.severity = 'error' "
        "WHERE list_contains(?::VARCHAR[], f.asset) GROUP BY f.asset, f.partition, f.verdict",
        [list(assets)],
    ):
        found[asset][key] = f"{verdict} by {', '.join(sorted(rules))}"
    return dict(found)


def _entries(
    connection: duckdb.DuckDBPyConnection, where: str, parameters: list[object]
) -> list[QuarantineRow]:
    return records(
        connection,
        QuarantineRow,
        "SELECT q.* EXCLUDE (schema_hash), m.run, j.verdict, j.rows AS judged_rows, "
        f"j.rejected_rows, {MESSAGES}, {_RULES} "
        "FROM lineage.quarantine q "
        "JOIN lineage.materializations m ON m.materialization = q.materialization "
        f"JOIN lineage.judgements j ON j.judgement = q.judgement {where}",
        parameters,
    )
