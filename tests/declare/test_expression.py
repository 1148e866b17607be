from __future__ import annotations

import ast
from types import ModuleType
from typing import Any

import pytest

from millgate.declare.expression import value_of
from millgate.errors import DeclarationError
from millgate.model.asset import Retry
from millgate.model.dimension import Keys
from millgate.model.grain import Daily, Monthly
from millgate.model.mapping import Window
from millgate.model.partition import Partitions
from millgate.model.policy import Gate

CHECKS = ModuleType("assets.checks")
CHECKS.Delay = type("Delay", (), {"column": 1})  # type: ignore[attr-defined]
CHECKS.days = Daily("2013-01-01")  # type: ignore[attr-defined]
CHECKS.inner = ModuleType("assets.checks.inner")  # type: ignore[attr-defined]


def modules(parts: tuple[str, ...]) -> tuple[ModuleType | None, tuple[str, ...]]:
    return (CHECKS, parts[1:]) if parts[0] == "checks" else (None, parts)


def read(text: str) -> Any:
    return value_of(ast.parse(text, mode="eval").body, "x.sql:3", modules)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"ops"', "ops"),
        ("-1", -1),
        ("0.5", 0.5),
        ("None", None),
        ('["a", "b"]', ["a", "b"]),
        ('("a",)', ("a",)),
        ('{"a"}', {"a"}),
        ('{"EU": ["DE"], "US": "US"}', {"EU": ["DE"], "US": "US"}),
        ('Daily("2013-01-01", tz="America/New_York")', Daily("2013-01-01", tz="America/New_York")),
        (
            'Daily("2013-01-01") * Keys("EU", "US", name="region")',
            Partitions((Daily("2013-01-01"), Keys("EU", "US", name="region"))),
        ),
        (
            'Daily("2013-01-01") * Keys("a") * Keys("b", name="c")',
            Partitions((Daily("2013-01-01"), Keys("a"), Keys("b", name="c"))),
        ),
        ('{"week": Window(-6, 0, of="flights")}', {"week": Window(-6, 0, of="flights")}),
        ("Window(None, -1, pinned=True)", Window(None, -1, pinned=True)),
        ('Retry(3, delay="2s")', Retry(3, delay="2s")),
        ('Gate(on_failure="warn")', Gate(on_failure="warn")),
        ("checks.days", CHECKS.days),
        ('checks.days * Keys("a")', Partitions((CHECKS.days, Keys("a")))),
        ('Gate(checks.Delay, on_failure="split")', Gate(CHECKS.Delay, on_failure="split")),
        ("checks.Delay.column", 1),
        ('Monthly("2013-01")', Monthly("2013-01")),
    ],
)
def test_value(text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("operations", "operations means nothing", 'in quotes, such as "operations"'),
        ("Dayly", "Dayly means nothing", "did you mean Daily"),
        ('Dialy("2013-01-01")', "Dialy(...) cannot be called", "did you mean Daily"),
        ('open("x")', "open(...) cannot be called", "Daily, Gate"),
        ('__import__("os")', "cannot be called", "Daily, Gate"),
        ("checks.Delay()", "checks.Delay(...) cannot be called", "bind it to a name"),
        ("(lambda: 1)()", "cannot be called", "Daily, Gate"),
        ("Keys(*['a'])", "cannot stand in a header", "without * or **"),
        ("Keys(**{'of': 'a.b'})", "cannot stand in a header", "without * or **"),
        ("{**{}}", "cannot stand in a header", "module.name"),
        ("1 + 1", "1 + 1 cannot stand", "module.name"),
        ("[x for x in 'ab']", "cannot stand in a header", "module.name"),
        ("f'{1}'", "cannot stand in a header", "module.name"),
        ("b'a'", "cannot stand in a header", "module.name"),
        ("-'a'", "cannot stand in a header", "module.name"),
        ("'a'.upper", "means nothing", "quotes"),
        ("3 * 3", "3 * 3 is no product of partitionings", "Keys"),
        ("checks.Dely", "assets.checks has no Dely", "did you mean Delay"),
        ("checks.Delay.x", "assets.checks has no Delay.x", "look in assets.checks"),
        ("checks.inner", "checks.inner is a module", "after another dot"),
        ("calendar.days", "no module calendar in assets/", "path of the module"),
        ("Daily(2013)", "Daily(2013) cannot be made", "arguments"),
    ],
)
def test_refused(text: str, what: str, fix: str) -> None:
    with pytest.raises(DeclarationError) as raised:
        read(text)
    assert what in raised.value.what
    assert raised.value.where == "x.sql:3"
    assert fix in raised.value.fix


def test_errors_of_the_model_are_placed() -> None:
    with pytest.raises(DeclarationError) as raised:
        read('Daily("2013")')
    assert raised.value.where == "x.sql:3, Daily('2013')"
    with pytest.raises(DeclarationError) as raised:
        read('Daily("2013-01-01", zone="x")')
    assert raised.value.what == "zone is not an option of Daily"
    assert raised.value.where == "x.sql:3, Daily"
