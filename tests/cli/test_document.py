from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from millgate.cli.document import document, plain_data
from millgate.errors import BadKey
from millgate.model.record import CheckResult


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2025, 11, 20, 7, 14), "2025-11-20T07:14:00Z"),
        (datetime(2025, 11, 20, 7, 14, 0, 5, tzinfo=UTC), "2025-11-20T07:14:00.000005Z"),
        (datetime(2025, 11, 20, 2, tzinfo=timezone(timedelta(hours=-5))), "2025-11-20T07:00:00Z"),
        (date(2013, 1, 1), "2013-01-01"),
        (timedelta(minutes=1), 60.0),
        (Decimal("336776"), 336776),
        (Decimal("1.50"), 1.5),
        (float("inf"), None),
        (frozenset({"b", "a"}), ["a", "b"]),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Path("a/b"), "a/b"),
        (b"\x00\xff", "00ff"),
        ({1: (True, None)}, {"1": [True, None]}),
    ],
)
def test_plain_data(value, expected):
    assert plain_data(value) == expected


def test_records_become_objects_of_their_fields():
    result = CheckResult("isin", "origin", "row", "error", False, 3, 842, sample=("XXX",))
    assert plain_data(result)["column_name"] == "origin"
    assert plain_data(result)["sample"] == ["XXX"]


def test_the_shape_of_the_document():
    error = BadKey("no key", where="here", fix="do this")
    shown = document("plan", 2, None, ("a warning",), error)
    assert list(json.loads(shown).items()) == [
        ("format", 1),
        ("command", "plan"),
        ("exit", 2),
        ("data", None),
        ("warnings", ["a warning"]),
        ("error", {"code": "bad_key", "what": "no key", "where": "here", "fix": "do this"}),
    ]
