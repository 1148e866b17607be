"""What people were told, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.text import Text

from millgate.cli.grid import Column, grid
from millgate.cli.moments import local
from millgate.cli.ranges import grain_of, summary
from millgate.model.alerting import Alert
from millgate.model.partition import label

_STYLES = {"error": "bold red", "warning": "yellow"}


def alerts_lines(alerts: Sequence[Alert], now: datetime, width: int | None) -> Iterator[Text]:
    """One row for each alert and channel."""
    if not alerts:
        yield Text("Nobody was told of anything.")
        return
    columns = (Column("raised"), Column("event"), Column("of"), Column("channel"), Column("told"))
    rows = [
        (
            local(alert.raised_at, now),
            Text(alert.event, _STYLES[alert.severity]),
            _of(alert),
            alert.channel,
            _told(alert, now),
        )
        for alert in alerts
    ]
    yield from grid(columns, rows, width)


def tried_lines(tried: Mapping[str, str | None], width: int | None) -> Iterator[Text]:
    """One row for each channel: sent, or why not."""
    rows = [
        (name, Text("sent", "green") if error is None else Text(error, "bold red"))
        for name, error in tried.items()
    ]
    yield from grid((Column("channel"), Column("test")), rows, width)


def _of(alert: Alert) -> str:
    keys = alert.partition_keys
    return label(alert.asset, summary(keys, grain_of(keys[0])))


def _told(alert: Alert, now: datetime) -> str:
    if alert.sent_at is not None:
        return f"sent {local(alert.sent_at, now)}"
    return f"waiting: {alert.last_error}" if alert.last_error else "waiting"
