"""What people were told, what they are yet to be told, and what there is to tell."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from millgate.lineage.fetch import keys_table, named_rows, offered, rows
from millgate.lineage.last_error import error_text
from millgate.lineage.questions import failed_partitions, held_partitions
from millgate.lineage.rows import utc
from millgate.model.alerting import Alert, Condition

if TYPE_CHECKING:
    import duckdb

_COLUMNS = (
    "alert, channel, event, severity, asset, partition_keys, message, run, raised_at, status, "
    "sent_at, tries, last_error"
)
_TOLD = """
WITH told AS (
    SELECT channel, event, asset, partition, max(run) AS run, max(raised_at) AS raised_at
    FROM (SELECT channel, event, asset, unnest(partition_keys) AS partition, run, raised_at
        FROM lineage.alerts)
    GROUP BY ALL),
spoken_of AS (SELECT DISTINCT asset, partition FROM told),
entries AS (
    SELECT asset, partition, max(run) AS run, max(run) FILTER (kind = 'release') AS released
    FROM lineage.promotions SEMI JOIN spoken_of USING (asset, partition) GROUP BY ALL),
ends AS (
    SELECT asset, partition, max(run) AS run
    FROM lineage.steps SEMI JOIN spoken_of USING (asset, partition)
    WHERE outcome IN ('made', 'unchanged', 'judged', 'held') GROUP BY ALL),
decisions AS (
    SELECT asset, partition, max(decided_at) AS decided_at
    FROM lineage.quarantine SEMI JOIN spoken_of USING (asset, partition)
    WHERE status NOT IN ('held', 'superseded') GROUP BY ALL)
SELECT t.channel, t.event, t.asset, t.partition
FROM told t
LEFT JOIN entries e ON e.asset = t.asset AND e.partition = t.partition
LEFT JOIN ends s ON s.asset = t.asset AND s.partition = t.partition
LEFT JOIN decisions d ON d.asset = t.asset AND d.partition = t.partition
WHERE CASE t.event
    WHEN 'failed' THEN t.run > coalesce(s.run, 0)
    WHEN 'held' THEN t.run > coalesce(e.run, 0)
        AND (d.decided_at IS NULL OR t.raised_at > d.decided_at)
    WHEN 'released' THEN t.run >= coalesce(e.released, 0)
    ELSE true END
"""
"""What was told and still holds: nothing has ended it since, so that it would be news again."""


def told(connection: duckdb.DuckDBPyConnection) -> frozenset[tuple[str, str, str, str]]:
    """What is told already, sent or waiting, as (channel, event, asset, partition)."""
    return frozenset(rows(connection, _TOLD))


def conditions(connection: duckdb.DuckDBPyConnection, released_since: datetime) -> list[Condition]:
    """What is held, what failed for good, and what was released since a moment."""
    held = [
        Condition("held", h.asset, h.partition, h.run, _first(h.messages))
        for h in held_partitions(connection)
    ]
    failed = [
        Condition("failed", f.asset, f.partition, f.run, error_text(f))
        for f in failed_partitions(connection)
    ]
    released = [
        Condition("released", asset, key, run, f"by {actor}: {reason}")
        for asset, key, run, actor, reason in rows(
            connection,
            "SELECT asset, partition, run, actor, reason FROM lineage.promotions "
            "WHERE kind = 'release' AND promoted_at > ? ORDER BY promotion",
            [utc(released_since)],
        )
    ]
    return [*failed, *held, *released]


def live_among(
    connection: duckdb.DuckDBPyConnection, keys: Collection[tuple[str, str]]
) -> frozenset[tuple[str, str]]:
    """Those of some partitions that are live."""
    with offered(connection, asked=keys_table(keys)):
        found = rows(
            connection,
            "SELECT asset, partition FROM lineage.production "
            "SEMI JOIN asked USING (asset, partition)",
        )
    return frozenset((asset, key) for asset, key in found)


def waiting(connection: duckdb.DuckDBPyConnection) -> list[Alert]:
    """What could not be sent yet, the oldest first."""
    return _alerts(connection, "WHERE status = 'waiting' ORDER BY alert, channel")


def alerts(connection: duckdb.DuckDBPyConnection, limit: int) -> list[Alert]:
    """The newest alerts, the newest first."""
    return _alerts(connection, f"ORDER BY alert DESC, channel LIMIT {limit}")


def last_alert(connection: duckdb.DuckDBPyConnection) -> int:
    """The highest number that an alert has, 0 where there is none."""
    return int(rows(connection, "SELECT coalesce(max(alert), 0) FROM lineage.alerts")[0][0])


def _alerts(connection: duckdb.DuckDBPyConnection, clause: str) -> list[Alert]:
    found = named_rows(connection, f"SELECT {_COLUMNS} FROM lineage.alerts {clause}")
    return [Alert(**row) for row in found]


def _first(messages: Collection[str]) -> str:
    """The gravest of a judgement's messages, and how many more there are."""
    others = len(messages) - 1
    more = f" (and {others} more check{'s' if others > 1 else ''})" if others > 0 else ""
    return f"{next(iter(messages), '')}{more}"
