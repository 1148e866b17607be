from __future__ import annotations

import pytest

from lineage.chronicle import NOON, Chronicle, declared, reads
from lineage.story import DAYS, tell
from millgate.lineage import questions

DAY = DAYS[0]


def test_how_it_is(chronicle: Chronicle) -> None:
    told = tell(chronicle)
    found = questions.status(chronicle.connection)
    assert (found.snapshot, found.last_run.run) == (chronicle.snapshot, 6)
    assert [
        (a.asset, a.kind, a.live, a.newest, a.stale, a.failing, a.held, a.failed, a.blocked)
        for a in found.assets
    ] == [
        ("delays", "asset", 1, DAYS[0], 1, 0, 1, 1, 1),
        ("flights", "asset", 3, DAYS[2], 1, 1, 0, 0, 0),
        ("raw", "source", 1, "", 0, 0, 0, 0, 0),
    ]
    assert [(h.asset, h.partition, h.rejected_rows, h.messages) for h in found.held] == [
        ("delays", DAYS[1], 3, ("distance > 0: 3 of 10 rows fail",))
    ]
    assert [(f.asset, f.partition, f.verdict, f.messages) for f in found.failing] == [
        ("flights", DAYS[1], "hold", ("distance > 0: 4 of 10 rows fail",))
    ]
    assert found.failing[0].materialization == told["second"].id
    assert [(f.asset, f.partition, f.run, f.attempts, f.error) for f in found.failed] == [
        ("delays", DAYS[0], 6, 2, "no such carrier")
    ]


def test_assets_that_are_gone_and_left_nothing_are_left_out(chronicle: Chronicle) -> None:
    chronicle.declare(declared("a"), declared("b"), declared("c"))
    chronicle.make("b", DAY)
    chronicle.declare(declared("a"))
    found = questions.status(chronicle.connection)
    assert [(a.asset, a.declared, a.live) for a in found.assets] == [
        ("a", True, 0),
        ("b", False, 1),
    ]


@pytest.mark.parametrize(
    ("outcome", "cause", "live", "stale", "is_stuck"),
    [
        ("failed", "missing", False, False, True),
        ("failed", "code changed", True, True, True),
        ("failed", "code changed", True, False, False),
        ("failed", "input changed", True, False, False),
        ("failed", "input added", True, False, True),
        ("failed", "forced", True, False, True),
        ("failed", "gate changed", True, False, True),
        ("blocked", "missing upstream", False, False, True),
        ("blocked", "held upstream", True, True, True),
        ("blocked", "held upstream", True, False, False),
        ("made", "missing", True, True, False),
    ],
)
def test_stuck_until_what_called_for_the_step_is_gone(
    chronicle: Chronicle, outcome: str, cause: str, live: bool, stale: bool, is_stuck: bool
) -> None:
    chronicle.declare(declared("flights", code="other" if stale else "code"))
    if live:
        chronicle.make("flights", DAY)
    chronicle.begin(2)
    chronicle.commit(steps=(chronicle.step("flights", DAY, outcome, cause=cause),))
    chronicle.begin(3)
    chronicle.commit(steps=(chronicle.step("flights", DAY, "cancelled"),))
    found = chronicle.connection.execute("SELECT outcome FROM lineage.stuck").fetchall()
    assert found == ([(outcome,)] if is_stuck else [])


def test_what_is_no_longer_declared_is_not_stuck(chronicle: Chronicle) -> None:
    chronicle.declare(declared("flights"))
    chronicle.commit(steps=(chronicle.step("flights", DAY, "failed"),))
    assert len(questions.status(chronicle.connection).failed) == 1
    chronicle.declare()
    assert questions.status(chronicle.connection).failed == ()


def test_pinned_and_derived_inputs_make_nothing_stale(chronicle: Chronicle) -> None:
    chronicle.declare(declared("flights"), declared("raw", kind="source"))
    raw = chronicle.observe("raw", "first")
    old = chronicle.make("flights", DAY, "old")
    chronicle.make("flights", DAY, "new", inputs=reads(raw, pinned=True), derived_from=old.id)
    chronicle.observe("raw", "second")
    assert chronicle.connection.execute("FROM lineage.stale").fetchall() == []


def test_an_input_of_the_same_content_makes_nothing_stale(chronicle: Chronicle) -> None:
    chronicle.declare(declared("flights"), declared("delays"))
    flights = chronicle.make("flights", DAY)
    chronicle.make("delays", DAY, inputs=reads(flights))
    rebuilt = chronicle.make("flights", DAY)
    stale = "SELECT asset, cause FROM lineage.stale"
    assert chronicle.connection.execute(stale).fetchall() == []
    chronicle.withdraw(rebuilt, "wrong airport")
    found = chronicle.connection.execute(stale).fetchall()
    assert found == [("delays", "input left production")]


def test_runs_newest_first_with_their_outcomes(chronicle: Chronicle) -> None:
    tell(chronicle)
    found = questions.runs(chronicle.connection)
    assert [(r.run, r.status) for r in found] == [
        (6, "failed"),
        (5, "running"),
        (4, "running"),
        (3, "running"),
        (2, "held"),
        (1, "succeeded"),
    ]
    assert [(r.made, r.held, r.blocked, r.failed, r.unchanged) for r in found][-2:] == [
        (1, 1, 1, 0, 0),
        (4, 0, 0, 0, 1),
    ]
    assert [r.run for r in questions.runs(chronicle.connection, 2)] == [6, 5]
    assert questions.find_run(chronicle.connection, 2) == found[-2]
    assert questions.find_run(chronicle.connection, 99) is None


def test_steps_of_a_run(chronicle: Chronicle) -> None:
    tell(chronicle)
    found = questions.run_steps(chronicle.connection, 2)
    assert [(s.asset, s.partition, s.outcome, s.attempts, s.blocked_by) for s in found] == [
        ("flights", DAYS[0], "made", 0, None),
        ("flights", DAYS[2], "held", 0, None),
        ("delays", DAYS[2], "blocked", 0, f"flights@{DAYS[2]}"),
    ]
    (failed,) = questions.run_steps(chronicle.connection, 6)
    assert (failed.attempts, failed.error_type, failed.error) == (2, "KeyError", "no such carrier")


def test_the_error_of_a_step_is_that_of_its_last_attempt(chronicle: Chronicle) -> None:
    step = chronicle.step("flights", DAY, "made")
    failed = chronicle.attempt(step, 1, status="failed", error="timed out")
    chronicle.commit(steps=(step,), attempts=(failed, chronicle.attempt(step, 2)))
    (found,) = questions.run_steps(chronicle.connection, 1)
    assert (found.attempts, found.error, found.started_at) == (2, None, NOON)


def test_attempts_of_a_run_or_a_partition(chronicle: Chronicle) -> None:
    tell(chronicle)
    connection = chronicle.connection
    assert [(a.run, a.attempt) for a in questions.attempts(connection)] == [(6, 1), (6, 2), (1, 1)]
    assert [a.attempt for a in questions.attempts(connection, run=6)] == [1, 2]
    assert [a.run for a in questions.attempts(connection, asset="delays", limit=1)] == [6]
    assert questions.attempts(connection, asset="delays", partition=DAYS[1]) == []
    assert questions.attempts(connection, asset="flights") == []


def test_steps_of_a_partition_newest_first(chronicle: Chronicle) -> None:
    tell(chronicle)
    found = questions.partition_steps(chronicle.connection, "flights", DAY)
    assert [(s.run, s.outcome, s.cause) for s in found] == [
        (2, "made", "input changed"),
        (1, "made", "missing"),
    ]
    assert len(questions.partition_steps(chronicle.connection, "flights", DAY, 1)) == 1
