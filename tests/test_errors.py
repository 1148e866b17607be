"""The tree of errors: each has a code of its own, and the places that list them are complete."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import millgate
from millgate import errors
from millgate.errors import MillgateError

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
_ENTRY = re.compile(r"^(?P<lead>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: {2,}(?P<told>.*))?$", re.MULTILINE)


def below(error: type[MillgateError]) -> Iterator[type[MillgateError]]:
    for kind in error.__subclasses__():
        yield kind
        yield from below(kind)


def every_error() -> list[type[MillgateError]]:
    """Every subclass that any module of the package defines."""
    for module in pkgutil.walk_packages(millgate.__path__, "millgate."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return [kind for kind in below(MillgateError) if kind.__module__.startswith("millgate.")]


ERRORS = every_error()
DECLARED = [kind for kind in ERRORS if kind.__module__ == errors.__name__]


def drawn() -> dict[str, tuple[str | None, str]]:
    """Each class in the tree of the docstring, with the one above it and what is told of it."""
    found: dict[str, tuple[str | None, str]] = {}
    above: dict[int, str] = {}
    for entry in _ENTRY.finditer(errors.__doc__ or ""):
        depth = len(entry["lead"]) // 4
        found[entry["name"]] = (above.get(depth - 1), entry["told"] or "")
        above[depth] = entry["name"]
    return found


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_each_has_a_code_of_its_own_and_an_exit_status(kind):
    assert "code" in vars(kind), "it has the code of the class above it"
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    assert kind.exit_status in (1, 2, 3, 4)


def test_no_two_have_one_code():
    codes = [kind.code for kind in (MillgateError, *ERRORS)]
    assert sorted(codes) == sorted(set(codes))


def test_readme_has_each_code_beside_its_exit_status_and_no_other():
    [table] = re.findall(r"^\| exit \| codes \|\n\|.*\n((?:\|.*\n)+)", README, re.MULTILINE)
    rows = [row.split("|") for row in table.splitlines()]
    documented = [(code, int(row[1])) for row in rows for code in re.findall(r"`(\w+)`", row[2])]
    assert sorted(documented) == sorted((kind.code, kind.exit_status) for kind in ERRORS)


def test_the_docstring_draws_exactly_these_classes():
    tree = {name: above for name, (above, _) in drawn().items()}
    classes = {kind.__name__: kind.__mro__[1].__name__ for kind in DECLARED}
    assert tree == {"MillgateError": None, **classes}


@pytest.mark.parametrize("kind", DECLARED, ids=lambda kind: kind.__name__)
def test_the_docstring_tells_the_exit_status(kind):
    """Its own, or that of the nearest class above it that tells one."""
    tree = drawn()
    name: str | None = kind.__name__
    while name is not None:
        above, told = tree[name]
        if status := re.search(r"\(exit (\d+)\)$", told):
            assert int(status[1]) == kind.exit_status
            return
        name = above
    pytest.fail("no exit status is told")


def test_an_error_says_what_where_and_what_to_do():
    error = MillgateError("it is dark", where="the cellar", fix="light a candle")
    assert str(error) == "it is dark\n  at   the cellar\n  fix  light a candle"
