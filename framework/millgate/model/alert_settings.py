"""`alerts`, `on_event` and `deadlines` of `[tool.millgate]`, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from millgate.errors import DeclarationError, ProjectError, did_you_mean
from millgate.model.alerting import ENVIRONMENT, EVENTS, Chat, Deadline, Hook, Route
from millgate.model.duration import parse_duration

_HOOK_LIMIT = "10s"
_ROUTING = ("select", "events", "severity")


def read_alerts(given: object, file: str) -> tuple[Route, ...]:
    """The routes of `[[tool.millgate.alerts]]`."""
    return tuple(
        _route(table, tuple(map(Chat, _words(table, "to", _is_url, '["env:CHAT_URL"]'))))
        for table in _tables(given, "alerts", file, ("to", *_ROUTING))
    )


def read_on_event(given: object, file: str) -> tuple[Route, ...]:
    """The routes of `[[tool.millgate.on_event]]`."""
    return tuple(
        _route(table, (Hook(_words(table, "command", bool, '["python", "tell.py"]'), limit),))
        for table in _tables(given, "on_event", file, ("command", "limit", *_ROUTING))
        if (limit := _duration(table, "limit", _HOOK_LIMIT))
    )


def read_deadlines(given: object, file: str) -> tuple[Deadline, ...]:
    """The deadlines of `[[tool.millgate.deadlines]]`."""
    return tuple(
        Deadline(_text(table, "select", ""), _duration(table, "by", None), table.where)
        for table in _tables(given, "deadlines", file, ("select", "by"))
    )


class _Table(dict[str, Any]):
    """One table of the configuration that knows its place."""

    where: str


def _tables(given: object, key: str, file: str, known: Sequence[str]) -> Iterator[_Table]:
    place = f"{file}, [[tool.millgate.{key}]]"
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise ProjectError(
            f"{key} = {given!r} is not a list of tables",
            where=place,
            fix=f"write [[tool.millgate.{key}]] with double brackets, once for each",
        )
    for number, one in enumerate(given, 1):
        table = _Table(one)
        table.where = f"{place} number {number}"
        for name in table:
            if name not in known:
                raise ProjectError(
                    f"unknown setting {name!r}",
                    where=table.where,
                    fix=did_you_mean(name, known, f"settings are {', '.join(known)}"),
                )
        yield table


def _route(table: _Table, channels: tuple[Chat | Hook, ...]) -> Route:
    events = _words(table, "events", lambda one: one in EVENTS, f"{list(EVENTS)}", EVENTS)
    severity = table.get("severity", "warning")
    if severity not in ("error", "warning"):
        raise _mistaken(table, "severity", '"error", or "warning" for both')
    return Route(
        channels,
        _text(table, "select", ""),
        frozenset(one for one in EVENTS if one in events),
        severity,
        table.where,
    )


def _words(
    table: _Table,
    key: str,
    accepts: Callable[[str], object],
    example: str,
    default: Sequence[str] = (),
) -> tuple[str, ...]:
    given = table.get(key, list(default))
    if (
        not isinstance(given, list)
        or not given
        or not all(isinstance(one, str) and accepts(one) for one in given)
    ):
        # What is not shown cannot be a secret that lands in a log.
        raise _mistaken(table, key, f"a list of text, such as {example}", shown=key == "events")
    return tuple(given)


def _is_url(text: str) -> bool:
    scheme, mark, rest = text.partition("://")
    return bool(scheme and mark and rest) or bool(
        text.startswith(ENVIRONMENT) and text.removeprefix(ENVIRONMENT)
    )


def _text(table: _Table, key: str, default: str) -> str:
    given = table.get(key, default)
    if not isinstance(given, str):
        raise _mistaken(table, key, 'text: a selection such as "flights" or "tag:core"')
    return given


def _duration(table: _Table, key: str, default: str | None) -> timedelta:
    try:
        found = parse_duration(table.get(key, default) or "", where=table.where)
    except DeclarationError:
        found = timedelta()
    if not found:
        raise _mistaken(table, key, 'a duration above zero, such as "6h" or "1d12h"')
    return found


def _mistaken(
    table: Mapping[str, Any], key: str, expected: str, *, shown: bool = True
) -> ProjectError:
    assert isinstance(table, _Table)
    given = f"{key} = {table[key]!r}" if key in table and shown else key
    said = "is missing" if key not in table else "cannot be used"
    return ProjectError(f"{given} {said}", where=table.where, fix=f"give {expected}")
