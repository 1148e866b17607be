"""Whether the tables, the files and the views tell one story of what was refused.

Looked at with duckdb and pyarrow alone.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

ADDED = {"quarantine_reasons", "quarantine_materialization"}
ENTERED = {"released": "release", "replayed": "replay"}
"""What entered production of an entry that was decided so."""
ENTRIES = """
    SELECT q.materialization, q.asset, q.partition, q.scope, q.rows, q.path, q.status, q.actor,
        q.reason, q.decided_at IS NOT NULL, j.verdict, j.rejected_rows, p.materialization,
        (SELECT coalesce(list((e.kind, e.actor, e.reason, m.rows, m.kind, r.status)
            ORDER BY e.promotion), []) FROM lineage.materializations m
            JOIN lineage.promotions e ON e.materialization = m.materialization
                AND e.kind IN ('release', 'replay')
            JOIN lineage.runs r ON r.run = e.run
            WHERE m.derived_from = q.materialization AND m.kind IN ('released', 'replayed')),
        (SELECT m.rows FROM lineage.materializations m
            WHERE m.materialization = q.materialization),
        (SELECT coalesce(sum(k.rows), 0) FROM lineage.materializations m
            JOIN lineage.quarantine k USING (materialization)
            WHERE m.derived_from = q.materialization AND m.kind = 'replayed')
    FROM lineage.quarantine q JOIN lineage.judgements j ON j.judgement = q.judgement
    LEFT JOIN lineage.production p ON p.asset = q.asset AND p.partition = q.partition
"""
DECIDED = """
    SELECT count(*) FROM lineage.promotions e
    JOIN lineage.materializations m ON m.materialization = e.materialization
    WHERE e.kind IN ('release', 'replay') AND NOT EXISTS (FROM lineage.quarantine q
        WHERE q.materialization = m.derived_from
        AND q.status = CASE e.kind WHEN 'release' THEN 'released' ELSE 'replayed' END
        AND q.actor = e.actor AND q.reason = e.reason)
"""
STORY = """
    SELECT 'entry', q.scope, q.status, q.rows, q.actor, q.reason, q.materialization
    FROM lineage.quarantine q WHERE q.asset = $1 AND q.partition = $2
    UNION ALL
    SELECT 'promotion', '', kind, 0, actor, reason, promotion
    FROM lineage.promotions WHERE asset = $1 AND partition = $2
    ORDER BY ALL
"""


@dataclass(frozen=True)
class Entry:
    """A quarantine entry with the judgement that refused it, and what entered of it later."""

    materialization: int
    asset: str
    partition: str
    scope: str
    rows: int
    path: str
    status: str
    actor: str | None
    reason: str | None
    decided: bool
    verdict: str
    rejected: int
    live: int | None
    entered: list[tuple[str, str, str, int, str, str]]
    """The promotion's kind, actor and reason; the version's rows and kind; the run's status."""
    kept: int
    """Rows of the version: all of a held one, those that were let in of one that was split."""
    left: int
    """Rows that a replay refused again."""


def check_story(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Every entry is open and served by its view, or closed by somebody who is on record."""
    entries = [Entry(*row) for row in connection.execute(ENTRIES).fetchall()]
    opened: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.status == "held":
            opened[entry.asset].append(entry)
            _check_open(entry, root)
        else:
            _check_closed(entry)
    views = connection.execute(
        "SELECT view_name FROM duckdb_views() WHERE schema_name = 'quarantine'"
    ).fetchall()
    for (asset,) in views:
        keys = [entry.partition for entry in opened[asset]]
        assert len(keys) == len({*keys}), f"two entries of one partition of {asset} are open"
        _check_view(connection, asset, opened[asset], root)
    assert {*opened} <= {asset for (asset,) in views}
    assert connection.execute(DECIDED).fetchall() == [(0,)]


def story(root: Path, asset: str, partition: str) -> list[tuple[Any, ...]]:
    """What is served of a partition, and what the tables say of it, without any numbers."""
    database = str((root / "warehouse" / "warehouse.duckdb").resolve(strict=True))
    with duckdb.connect(database, read_only=True) as connection:
        told: list[tuple[Any, ...]] = []
        for schema in ("production", "quarantine"):
            served = f'SELECT amount FROM {schema}."{asset}" WHERE date = ? ORDER BY ALL'
            amounts = connection.execute(served, [partition]).fetchall()
            told.append((schema, [amount for (amount,) in amounts]))
        tables = connection.execute(STORY, [asset, partition]).fetchall()
        return [*told, *(tuple(row[:-1]) for row in sorted(tables, key=_by_number))]


def _by_number(row: tuple[Any, ...]) -> tuple[str, int]:
    return row[0], row[-1]


def _check_open(entry: Entry, root: Path) -> None:
    """It waits for a decision, whole, with its report, and says of what it is a part."""
    assert (entry.actor, entry.decided, entry.entered) == (None, False, []), entry
    if entry.scope == "rows":
        assert entry.live == entry.materialization, entry
        assert entry.verdict == "split", entry
    else:
        assert entry.live != entry.materialization, entry
        assert entry.verdict == "hold", entry
    said = json.loads((root / "quarantine" / entry.path).with_name("report.json").read_text())
    assert (said["asset"], said["partition"]) == (entry.asset, entry.partition)
    assert (said["verdict"], said["rejected_rows"]) == (entry.verdict, entry.rejected), entry


def _check_closed(entry: Entry) -> None:
    """Somebody closed it; what they let in of it is on record, and nothing else is."""
    assert entry.decided, entry
    assert entry.actor, entry
    assert entry.reason or entry.status == "superseded", entry
    assert len(entry.entered) == (entry.status in ENTERED), entry
    for kind, actor, reason, rows, made, run in entry.entered:
        assert (kind, made) == (ENTERED[entry.status], entry.status), entry
        assert (actor, reason, run) == (entry.actor, entry.reason, "succeeded"), entry
        before = entry.kept if entry.scope == "rows" else 0
        assert rows + entry.left == before + entry.rows, entry


def _check_view(
    connection: duckdb.DuckDBPyConnection, asset: str, opened: list[Entry], root: Path
) -> None:
    """It serves the rows of the open entries under their keys, and nothing else."""
    found: Counter[tuple[Any, ...]] = Counter()
    files = [pq.read_table(root / "quarantine" / e.path, partitioning=None) for e in opened]
    columns = sorted({name for file in files for name in file.column_names} - ADDED)
    for entry, file in zip(opened, files, strict=True):
        for row in file.to_pylist():
            reasons = len(row["quarantine_reasons"])
            found[(entry.materialization, reasons, *(row.get(name) for name in columns))] += 1
    named = ["quarantine_materialization", "len(quarantine_reasons)"]
    query = ", ".join(named + [f'"{name}"' for name in columns])
    served = connection.execute(f'SELECT {query} FROM quarantine."{asset}"').fetchall()
    assert Counter(served) == found, asset
