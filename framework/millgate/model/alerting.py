"""Who is told of what: channels, the routes that lead to them, deadlines, alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import PurePath
from types import MappingProxyType
from typing import Literal, get_args

Event = Literal["failed", "held", "late", "released"]
Severity = Literal["error", "warning"]

EVENTS: tuple[Event, ...] = get_args(Event)
SEVERITIES: Mapping[Event, Severity] = MappingProxyType(
    {"failed": "error", "held": "error", "late": "warning", "released": "warning"}
)
ENVIRONMENT = "env:"
"""So begins a URL that stands in the environment."""


@dataclass(frozen=True)
class Chat:
    """A URL as apprise reads it, or `env:NAME` for one in the environment."""

    url: str

    @property
    def name(self) -> str:
        """What it is called in tables and messages: never what it must keep secret.

        >>> Chat("env:CHAT_URL").name, Chat("slack://a/b/c").name
        ('env:CHAT_URL', 'slack://*** (48f496)')
        """
        if self.url.startswith(ENVIRONMENT):
            return self.url
        return f"{self.url.partition(':')[0]}://*** ({_digest(self.url)})"


@dataclass(frozen=True)
class Hook:
    """A command that is given each event as JSON on its standard input."""

    command: tuple[str, ...]
    limit: timedelta

    @property
    def name(self) -> str:
        """What it is called in tables and messages: its arguments may be secret.

        >>> Hook(("/opt/bin/ticket", "--token", "x"), timedelta(seconds=10)).name
        'ticket (de8807)'
        """
        return f"{PurePath(self.command[0]).name} ({_digest(*self.command)})"


Channel = Chat | Hook


def _digest(*words: str) -> str:
    return blake2b("\0".join(words).encode(), digest_size=3).hexdigest()


@dataclass(frozen=True)
class Route:
    """Which events of which assets reach some channels; `where` is its place in the file."""

    channels: tuple[Channel, ...]
    select: str
    events: frozenset[Event]
    severity: Severity
    where: str

    def takes(self, event: Event) -> bool:
        """Whether an event is one of these and grave enough."""
        return event in self.events and (self.severity == "warning" or SEVERITIES[event] == "error")


@dataclass(frozen=True)
class Deadline:
    """How long after a window closed its partitions must be live."""

    select: str
    by: timedelta
    where: str


@dataclass(frozen=True)
class Alerting:
    """All that is configured; without routes nobody is told."""

    project: str = ""
    routes: tuple[Route, ...] = ()
    deadlines: tuple[Deadline, ...] = ()

    @property
    def channels(self) -> Mapping[str, Channel]:
        """Every channel once, by its name."""
        return {channel.name: channel for route in self.routes for channel in route.channels}


@dataclass(frozen=True)
class Condition:
    """What people may be told of one partition, and the run that brought it about."""

    event: Event
    asset: str
    partition: str
    run: int
    message: str


@dataclass(frozen=True)
class Alert:
    """A row of `lineage.alerts`: what one channel is told of one asset."""

    alert: int
    channel: str
    event: Event
    severity: Severity
    asset: str
    partition_keys: tuple[str, ...]
    message: str
    run: int
    raised_at: datetime
    status: Literal["sent", "waiting"] = "waiting"
    sent_at: datetime | None = None
    tries: int = 0
    last_error: str | None = None

    @property
    def partitions(self) -> int:
        return len(self.partition_keys)
