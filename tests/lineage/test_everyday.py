"""Every question that people ask often is one statement, wherever they sit."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.chronicle import Chronicle
from lineage.old_client import questions
from lineage.story import tell
from millgate.model.record import show_id

ANSWERS: dict[str, Any] = {
    "what needs attention?": [
        ("delays", 1, 1, 0, 1, 1, 1),
        ("flights", 3, 1, 1, 0, 0, 0),
    ],
    "what is stale, and why?": [
        ("delays", "2013-01-01", "input changed", "flights", "2013-01-01"),
        ("flights", "2013-01-02", "input changed", "raw", ""),
    ],
    "what is live although today's gate refuses it?": [
        ("flights", "2013-01-02", 4, ["greater_than"])
    ],
    "what waits in quarantine, and which checks refused it?": [
        ("delays", "2013-01-02", "partition", 10, "greater_than", 3)
    ],
    "which rules reject most rows?": [
        ("flights", "greater_than", "distance", 12),
        ("delays", "greater_than", "distance", 3),
    ],
    "what share of the rows was rejected?": [("delays", 3, 0.1), ("flights", 12, 0.24)],
    "what was live on a given day?": lambda told: [
        ("delays", "2013-01-01", show_id(told["delays"].id), "promote"),
        ("delays", "2013-01-02", "1-8", "promote"),
        ("flights", "2013-01-01", show_id(told["first"].id), "split"),
        ("flights", "2013-01-02", show_id(told["second"].id), "promote"),
    ],
    "who let what in, and why?": lambda told: [
        ("flights", "2013-01-03", "grace", "checked with the tower", _naive(told["released at"]))
    ],
    "what left production, and when?": lambda told: [
        ("delays", "2013-01-02", "1-8", "wrong airport", _naive(told["withdrawn at"]))
    ],
    "what was this version made from?": lambda told: [
        ("raw", "", show_id(told["raw"].id), "data/raw.csv"),
        ("flights", "2013-01-01", show_id(told["first"].id), None),
        ("delays", "2013-01-01", show_id(told["delays"].id), None),
    ],
    "which live partitions go back to the first state of a file?": [
        ("delays", "2013-01-01"),
        ("flights", "2013-01-02"),
    ],
    "what depends on an asset?": [("flights", 1), ("delays", 2)],
    "why was this partition made again?": [
        (1, "make", "missing", None, "made"),
        (2, "make", "input changed", "raw", "made"),
    ],
    "what is blocked, and by what?": [("delays", "2013-01-03", "flights@2013-01-03")],
    "which runs of the last day did not succeed, and how did they end?": [
        (6, "failed", "ada", "delays@2013-01-01: no such carrier")
    ],
    "how long does a partition of each asset take?": [("delays", 1, 1.5)],
    "how much disk does each asset take?": [
        ("delays", 1000, 1000, 1000),
        ("flights", 3000, 1000, 1200),
    ],
}


def _naive(moment):
    return moment.replace(tzinfo=None)


def test_seventeen_questions_are_answered_here() -> None:
    assert list(questions()) == list(ANSWERS)
    assert len(ANSWERS) == 17


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_each_question_is_one_statement(chronicle: Chronicle, zone: str) -> None:
    told = tell(chronicle)
    connection = chronicle.connection
    connection.execute(f"SET TimeZone = '{zone}'")
    for question, statement in questions().items():
        wanted = ANSWERS[question]
        assert len(connection.extract_statements(statement)) == 1, question
        found = connection.execute(statement).fetchall()
        assert found == (wanted(told) if callable(wanted) else wanted), question
