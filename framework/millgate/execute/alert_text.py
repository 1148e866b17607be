"""An alert as people read it, and as a hook receives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from millgate.execute.delivering import Post
from millgate.model.alerting import Alert, Event
from millgate.model.asset import Node
from millgate.model.partition import label

_TYPES: dict[Event, str] = {
    "failed": "failure",
    "held": "failure",
    "late": "warning",
    "released": "info",
}
"""Colour and sign of a message, in apprise's words."""


def post(project: str, alerts: Sequence[Alert], declared: Node | None) -> Post:
    """The one message on what happened to an asset; `declared` is None once that is gone."""
    first = alerts[0]
    events = ", ".join(one.event for one in alerts)
    types = {_TYPES[one.event] for one in alerts}
    gravest = next(t for t in ("failure", "warning", "info") if t in types)
    runs = sorted({one.run for one in alerts})
    closing = [
        f"run {', '.join(map(str, runs))}, {first.raised_at:%Y-%m-%d %H:%M} UTC",
        f"owner: {declared.owner}" if declared and declared.owner else "",
        f"millgate why {label(first.asset, first.partition_keys[0])}",
    ]
    lines = [*map(_line, alerts), *filter(None, closing)]
    return Post(
        f"{project}: {first.asset} {events}",
        "\n".join(lines),
        gravest,
        document(project, first, declared),
    )


def document(project: str, alert: Alert, declared: Node | None) -> dict[str, Any]:
    """An alert as JSON: its fields are called as the columns of `lineage.alerts` are."""
    return {
        "format": 1,
        "project": project,
        "alert": alert.alert,
        "event": alert.event,
        "severity": alert.severity,
        "asset": alert.asset,
        "owner": declared.owner if declared else None,
        "tags": sorted(declared.tags) if declared else [],
        "partitions": alert.partitions,
        "partition_keys": list(alert.partition_keys),
        "message": alert.message,
        "run": alert.run,
        "raised_at": f"{alert.raised_at:%Y-%m-%dT%H:%M:%S}Z",
    }


def _line(alert: Alert) -> str:
    keys = alert.partition_keys
    if len(keys) == 1:
        what = label(alert.asset, keys[0])
    else:
        what = f"{len(keys):,} partitions, {keys[0]} to {keys[-1]}"
    return f"{alert.event}: {what}: {alert.message}"
