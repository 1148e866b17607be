"""Telling people: what is news for whom, sent, and recorded in one commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING

from millgate.errors import MillgateError, ProjectError, UsageError
from millgate.execute.alert_text import post
from millgate.execute.archiving import record
from millgate.execute.committing import committing
from millgate.execute.delivering import Outcome, Post, deliver
from millgate.execute.mill import Mill
from millgate.execute.proposal import listed_keys
from millgate.lineage import alerts, run_records
from millgate.model.alerting import (
    SEVERITIES,
    Alert,
    Alerting,
    Channel,
    Condition,
    Deadline,
    Hook,
    Route,
)
from millgate.model.asset import Asset, Node
from millgate.model.dimension import Horizon
from millgate.model.record import Change
from millgate.plan.graph import Graph
from millgate.plan.lateness import Late, due_windows, lateness
from millgate.plan.selection import select
from millgate.store.locks import exclusive_lock

if TYPE_CHECKING:
    import duckdb

_RELEASES = timedelta(days=1)
"""A release that nobody was told of for so long is no news any more."""


def tell(mill: Mill) -> tuple[str, ...]:
    """Tell people what is news to them, and send what could not be sent before.

    Returns what went wrong, as warnings: nothing about telling fails what was done before it.
    News is found in the tables, so that what a crash kept from being told is told by the next.
    """
    if mill.warehouse.current() is None:
        return ()
    try:
        with exclusive_lock(mill.layout.alerts_lock):
            return _tell(mill)
    except KeyboardInterrupt:
        return ("alerts: interrupted; what was not sent is sent by the next run",)
    except MillgateError as error:
        return (f"alerts: {error.what} ({error.where})",)
    except Exception as error:
        return (f"alerts: {type(error).__name__}: {error}",)


def try_channels(mill: Mill) -> dict[str, str | None]:
    """Send a message to every chat and hook; returns why it was not sent, by the channel's name."""
    alerting = mill.alerting
    document = {"format": 1, "project": alerting.project, "event": "test"}
    one = Post(f"{alerting.project}: test", "Alerts reach this channel.", "info", document)
    outcomes = deliver({n: [one] for n in alerting.channels}, alerting.channels, mill.root)
    return {channel: done[0].error for channel, done in outcomes.items()}


def check_alerting(alerting: Alerting, graph: Graph) -> None:
    """Raise ProjectError where a selection of the configuration names nothing that there is."""
    configured: tuple[Route | Deadline, ...] = (*alerting.routes, *alerting.deadlines)
    for one in configured:
        selected = _selected(one, graph)
        if isinstance(one, Deadline) and not any(
            isinstance(graph[name], Asset) and graph[name].partitions.time for name in selected
        ):
            raise ProjectError(
                f"nothing that {one.select or 'it'} selects has windows of time",
                where=one.where,
                fix="select assets with hourly, daily, weekly or monthly partitions",
            )


def late_assets(mill: Mill, connection: duckdb.DuckDBPyConnection) -> list[Late]:
    """The assets that miss a deadline now, in the order of their names."""
    by: dict[str, timedelta] = {}
    for deadline in mill.alerting.deadlines:
        for name in _selected(deadline, mill.graph):
            if name in mill.assets:
                by[name] = min(deadline.by, by.get(name, deadline.by))
    horizon = Horizon(mill.clock(), listed_keys(mill, by, connection))
    due = {name: due_windows(mill.assets[name], by[name], horizon) for name in sorted(by)}
    keys = {(name, key) for name, windows in due.items() for w in windows for key in w.partitions}
    live: dict[str, set[str]] = defaultdict(set)
    for name, key in alerts.live_among(connection, keys):
        live[name].add(key)
    found = (lateness(name, windows, live[name]) for name, windows in due.items())
    return [late for late in found if late is not None]


def _selected(one: Route | Deadline, graph: Graph) -> tuple[str, ...]:
    try:
        return select(one.select, graph)
    except UsageError as error:
        where = f"{one.where}, select = {one.select!r}"
        raise ProjectError(error.what, where=where, fix=error.fix) from error


def _tell(mill: Mill) -> tuple[str, ...]:
    channels = mill.alerting.channels
    now = mill.clock()
    with mill.reading() as connection:
        left = [a for a in alerts.waiting(connection) if a.channel in channels]
        news = _news(mill, connection, now)
    if not left and not news:
        return ()
    by_channel = _messages([*left, *news], channels)
    posts = {
        name: [post(mill.alerting.project, group, _declared(mill, group)) for group in groups]
        for name, groups in by_channel.items()
    }
    outcomes = deliver(posts, channels, mill.root)
    at = mill.clock()
    entered = [
        _tried(alert, outcome, at)
        for name, groups in by_channel.items()
        for group, outcome in zip_longest(groups, outcomes[name])
        for alert in group
    ]
    _record(mill, entered)
    return tuple(
        f"alerts: {name}: {done[-1].error}; kept for the next run"
        for name, done in outcomes.items()
        if done and not done[-1].is_sent
    )


def _messages(
    found: Iterable[Alert], channels: Mapping[str, Channel]
) -> dict[str, list[list[Alert]]]:
    """Alerts by channel and message: a chat has one for each run and asset, a hook one for each."""

    def message(alert: Alert) -> tuple[str, object, object]:
        hooked = isinstance(channels[alert.channel], Hook)
        return (alert.channel, *((alert.alert, 0) if hooked else (alert.raised_at, alert.asset)))

    by_channel: dict[str, list[list[Alert]]] = defaultdict(list)
    for _, group in groupby(sorted(found, key=lambda a: (a.channel, a.alert)), message):
        own = list(group)
        by_channel[own[0].channel].append(own)
    return by_channel


def _declared(mill: Mill, group: Sequence[Alert]) -> Node | None:
    name = group[0].asset
    return mill.graph[name] if name in mill.graph else None  # noqa: SIM401


def _news(mill: Mill, connection: duckdb.DuckDBPyConnection, now: datetime) -> list[Alert]:
    """What there is to tell that a channel was not told yet, as new alerts."""
    found = alerts.conditions(connection, now - _RELEASES)
    run = run_records.last_run(connection)
    for late in late_assets(mill, connection):
        since = f"since {late.since:%Y-%m-%d %H:%M} UTC"
        found += [Condition("late", late.asset, key, run, since) for key in late.partitions]
    told = alerts.told(connection) if found else frozenset()
    fresh: dict[tuple[str, str, str], dict[str, Condition]] = defaultdict(dict)
    for route in mill.alerting.routes:
        selected = frozenset(_selected(route, mill.graph))
        for one in found:
            if one.asset not in selected or not route.takes(one.event):
                continue
            for channel in route.channels:
                if (channel.name, one.event, one.asset, one.partition) not in told:
                    fresh[one.asset, one.event, channel.name][one.partition] = one
    numbers: dict[tuple[str, str], int] = {}
    last = alerts.last_alert(connection)
    return [
        _alert(numbers.setdefault((asset, event), last + len(numbers) + 1), channel, group, now)
        for (asset, event, channel), by_key in sorted(fresh.items())
        if (group := [by_key[key] for key in sorted(by_key)])
    ]


def _alert(number: int, channel: str, group: Sequence[Condition], now: datetime) -> Alert:
    first = group[0]
    reasons = list(dict.fromkeys(one.message for one in group))
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return Alert(
        number,
        channel,
        first.event,
        SEVERITIES[first.event],
        first.asset,
        tuple(one.partition for one in group),
        f"{reasons[0]}{more}",
        max(one.run for one in group),
        now,
    )


def _tried(alert: Alert, outcome: Outcome | None, at: datetime) -> Alert:
    if outcome is None:
        return alert
    return replace(
        alert,
        status="sent" if outcome.is_sent else "waiting",
        sent_at=at if outcome.is_sent else None,
        tries=alert.tries + 1,
        last_error=outcome.error,
    )


def _record(mill: Mill, entered: Collection[Alert]) -> None:
    """Enter what came of alerts, in a commit of its own that says nothing else."""
    with committing(mill) as commit:
        run = run_records.recorded_run(commit.connection, run_records.last_run(commit.connection))
        assert run is not None
        change = Change(run, "alerts", mill.clock(), alerts=tuple(entered), actor=mill.actor)
        record(commit, mill, change)
        commit.publish()
