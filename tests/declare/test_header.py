from __future__ import annotations

import ast

import pytest

from millgate.declare.header import read_header
from millgate.errors import DeclarationError


@pytest.mark.parametrize(
    ("text", "description", "entries"),
    [
        ("SELECT 1", "", {}),
        ("", "", {}),
        ("-- Orders of a day.\nSELECT 1", "Orders of a day.", {}),
        ("-- One.\n--\n-- Two.\n--Three.\nSELECT 1", "One.\n\nTwo.\nThree.", {}),
        ('--owner:"ops"\nSELECT 1', "", {"owner": "'ops'"}),
        ("-- retries : 3\nSELECT 1", "", {"retries": "3"}),
        ('\n\n-- One.\n-- tags: ["a"]\n-- Two.\n', "One.\nTwo.", {"tags": "['a']"}),
        ('-- One.\n\n-- owner: "ops"\n-- Not told.\nSELECT 1', "One.", {"owner": "'ops'"}),
        ('SELECT 1\n-- owner: "ops"', "", {}),
        ('/* owner: "ops" */ SELECT 1', "", {}),
        ("-- partitions: calendar.days", "", {"partitions": "calendar.days"}),
        (
            '-- upstream: {\n--   "week": Window(-6, 0, of="flights"),\n-- }\n-- One.\nFROM week',
            "One.",
            {"upstream": "{'week': Window(-6, 0, of='flights')}"},
        ),
        # prose that looks like a header line
        ("-- Note: this is prose.", "Note: this is prose.", {}),
        ("-- note: this is prose.", "note: this is prose.", {}),
        ("-- see: https://example.org", "see: https://example.org", {}),
        ("-- date: day of departure", "date: day of departure", {}),
        ("-- date: day", "date: day", {}),
        ("-- Owner: the operations team", "Owner: the operations team", {}),
        ("-- https://example.org", "https://example.org", {}),
        ("-- at 12:30", "at 12:30", {}),
    ],
)
def test_header(text: str, description: str, entries: dict[str, str]) -> None:
    header = read_header(text, "x.sql")
    assert header.description == description
    assert {k: ast.unparse(e.expression) for k, e in header.entries.items()} == entries


def test_lines() -> None:
    header = read_header('-- One.\n-- tags: [\n-- "a"]\n\n-- owner: "b"\nSELECT 1', "x.sql")
    assert {key: entry.line for key, entry in header.entries.items()} == {"tags": 2, "owner": 5}


@pytest.mark.parametrize(
    ("text", "what", "line", "fix"),
    [
        ("-- owner: operations team", "the value of owner cannot be read", 1, "in quotes"),
        ("-- owner:", "the value of owner cannot be read: it is empty", 1, "in quotes"),
        ('-- x\n-- owners: "ops"', "unknown header key 'owners'", 2, "did you mean owner?"),
        ("-- onwer: x", "unknown header key 'onwer'", 1, "did you mean owner?"),
        ("-- partition: Daily('2013-01-01')", "unknown header key", 1, "partitions"),
        ("-- retry: Retry(3)", "unknown header key 'retry'", 1, "did you mean retries?"),
        ("-- upstreams: flights", "unknown header key 'upstreams'", 1, "did you mean upstream?"),
        ('-- colour: "red"', "unknown header key 'colour'", 1, "header keys are partitions"),
        ('-- name: "orders"', "unknown header key 'name'", 1, "called as its file"),
        ('-- Owner: "ops"', "'Owner' is not in lower case", 1, "write owner:"),
        ('-- owner: "a"\n-- owner: "b"', "owner is said twice", 2, "keep one"),
        ("-- tags: [\n-- SELECT 1\nSELECT 1", "the value of tags cannot be read: [", 1, "quotes"),
    ],
)
def test_refused(text: str, what: str, line: int, fix: str) -> None:
    with pytest.raises(DeclarationError) as raised:
        read_header(text, "x.sql")
    assert what in raised.value.what
    assert raised.value.where == f"x.sql:{line}"
    assert fix in raised.value.fix
