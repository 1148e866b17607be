"""Settings of alerts: what is read, and that what is mistaken is named without its secrets."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from millgate.errors import ProjectError
from millgate.model.alert_settings import read_alerts, read_deadlines, read_on_event
from millgate.model.alerting import EVENTS, Chat, Deadline, Hook, Route

FILE = "pyproject.toml"


def test_defaults() -> None:
    where = f"{FILE}, [[tool.millgate.%s]] number 1"
    everything = frozenset(EVENTS)
    assert read_alerts([{"to": ["env:A", "json://h"]}], FILE) == (
        Route((Chat("env:A"), Chat("json://h")), "", everything, "warning", where % "alerts"),
    )
    assert read_on_event([{"command": ["tell", "me"]}], FILE)[0].channels == (
        Hook(("tell", "me"), timedelta(seconds=10)),
    )
    assert read_deadlines([{"by": "1d6h"}], FILE) == (
        Deadline("", timedelta(hours=30), where % "deadlines"),
    )


@pytest.mark.parametrize(
    ("given", "what", "fix"),
    [
        ({"to": ["env:A"]}, "alerts = {'to': ['env:A']} is not a list of tables", "double"),
        (["env:A"], "alerts = ['env:A'] is not a list of tables", "double"),
        ([{}], "to is missing", "a list of text"),
        ([{"to": "slack://secret"}], "to cannot be used", "a list of text"),
        ([{"to": []}], "to cannot be used", "a list of text"),
        ([{"to": ["env:"]}], "to cannot be used", "env:CHAT_URL"),
        ([{"to": ["no-url"]}], "to cannot be used", "env:CHAT_URL"),
        ([{"to": ["env:A"], "evens": []}], "unknown setting 'evens'", "did you mean events"),
        ([{"to": ["env:A"], "events": ["hold"]}], "events = ['hold'] cannot be used", "'held'"),
        ([{"to": ["env:A"], "events": "held"}], "events = 'held' cannot be used", "a list"),
        ([{"to": ["env:A"], "severity": 3}], "severity = 3 cannot be used", '"error"'),
        ([{"to": ["env:A"], "select": ["a"]}], "select = ['a'] cannot be used", "selection"),
    ],
)
def test_mistaken_alerts(given: Any, what: str, fix: str) -> None:
    with pytest.raises(ProjectError) as raised:
        read_alerts(given, FILE)
    assert raised.value.what == what
    assert fix in raised.value.fix
    assert raised.value.where.startswith(f"{FILE}, [[tool.millgate.alerts]]")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("limit", ["soon", "0s", 10, ""])
def test_mistaken_limits(limit: Any) -> None:
    with pytest.raises(ProjectError, match=r"^limit = .* cannot be used"):
        read_on_event([{"command": ["x"], "limit": limit}], FILE)


@pytest.mark.parametrize("by", [None, "06:00", 6])
def test_mistaken_deadlines(by: Any) -> None:
    with pytest.raises(ProjectError, match=r"^by"):
        read_deadlines([{"by": by} if by is not None else {}], FILE)


def test_names_tell_channels_apart_and_keep_secrets() -> None:
    urls = ["slack://tokenA/b/c", "slack://tokenB/b/c", "env:CHAT"]
    names = [Chat(url).name for url in urls]
    assert len(set(names)) == 3
    assert not any("token" in name for name in names)


def test_the_example_of_readme_is_read() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```toml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    text = next(block for block in shown if "tool.millgate.alerts" in block)
    given = tomllib.loads(text)["tool"]["millgate"]
    assert [len(route.channels) for route in read_alerts(given["alerts"], FILE)] == [1, 2]
    assert len(read_on_event(given["on_event"], FILE)) == 1
    assert read_deadlines(given["deadlines"], FILE)[0].by == timedelta(hours=6)
