from __future__ import annotations

import io

import pytest
from rich.text import Text

from millgate.cli.terminal import Terminal, colors


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("choice", "environment", "is_terminal", "expected"),
    [
        ("auto", {}, True, "standard"),
        ("auto", {}, False, None),
        ("auto", {"NO_COLOR": "1"}, True, None),
        ("auto", {"NO_COLOR": ""}, True, "standard"),
        ("auto", {"TERM": "dumb"}, True, None),
        ("never", {}, True, None),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, False, "standard"),
    ],
)
def test_colors(choice, environment, is_terminal, expected):
    assert colors(choice, environment, is_terminal) == expected


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("never", "held flights\n"), ("always", "\x1b[33mheld\x1b[0m flights\n")],
)
def test_what_is_written(monkeypatch, choice, expected):
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    Terminal(choice).write([Text.assemble(("held", "yellow"), " flights")])
    assert out.getvalue() == expected


def test_long_lines_are_left_to_who_laid_them_out(monkeypatch):
    out = Screen()
    monkeypatch.setattr("sys.stdout", out)
    Terminal("always").write([Text("word " * 100)])
    assert out.getvalue().count("\n") == 1


def test_text_that_is_ready_is_not_touched(monkeypatch):
    out = Screen()
    monkeypatch.setattr("sys.stdout", out)
    Terminal("always").write(["a,b\n", "[red],\x00\n"])
    assert out.getvalue() == "a,b\n[red],\x00\n"


@pytest.mark.parametrize(
    ("given", "answer", "asked"),
    [
        ("y\n", True, 1),
        ("YES\n", True, 1),
        ("\n", False, 1),
        ("no\n", False, 1),
        ("", False, 1),
        ("maybe\ny\n", True, 2),
        ("maybe", False, 2),
    ],
)
def test_asking(monkeypatch, capsys, given, answer, asked):
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    assert Terminal("never").ask("Go?") is answer
    assert capsys.readouterr().err.count("Go? [y/N]: ") == asked
