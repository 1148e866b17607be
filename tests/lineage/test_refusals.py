from __future__ import annotations

from lineage.chronicle import Chronicle, result
from lineage.story import DAYS, tell
from millgate.lineage import refusals
from millgate.model.record import Judged, Judgement


def test_open_entries_and_all(chronicle: Chronicle) -> None:
    told = tell(chronicle)
    connection = chronicle.connection
    (waiting,) = refusals.quarantine_list(connection)
    assert (waiting.materialization, waiting.status) == (told["waiting"].id, "held")
    assert (waiting.verdict, waiting.rows, waiting.judged_rows) == ("hold", 10, 10)
    assert waiting.messages == ("distance > 0: 3 of 10 rows fail",)
    everything = refusals.quarantine_list(connection, closed=True)
    assert [(e.asset, e.partition, e.scope, e.status) for e in everything] == [
        ("delays", DAYS[1], "partition", "held"),
        ("flights", DAYS[2], "partition", "released"),
        ("flights", DAYS[0], "rows", "superseded"),
    ]
    only = refusals.quarantine_list(connection, ["flights"], closed=True)
    assert only == everything[1:]
    assert refusals.quarantine_list(connection, []) == []


def test_an_entry_with_its_judgement(chronicle: Chronicle) -> None:
    tell(chronicle)
    found = refusals.quarantine_show(chronicle.connection, "flights", DAYS[2])
    assert found is not None
    assert (found.entry.actor, found.entry.reason) == ("grace", "checked with the tower")
    assert [(r.rule, r.failing_rows, r.sample) for r in found.results] == [
        ("greater_than", 3, ("-1",))
    ]
    assert refusals.quarantine_show(chronicle.connection, "flights", DAYS[1]) is None


def test_the_newest_entry_is_shown(chronicle: Chronicle) -> None:
    chronicle.hold("flights", DAYS[0])
    newer = chronicle.hold("flights", DAYS[0], "still bad")
    found = refusals.quarantine_show(chronicle.connection, "flights", DAYS[0])
    assert found is not None
    assert found.entry.materialization == newer.id
    history = refusals.quarantine_history(chronicle.connection, "flights", DAYS[0])
    assert [e.status for e in history] == ["held", "superseded"]


def test_the_gravest_failure_comes_first(chronicle: Chronicle) -> None:
    held = chronicle.version("flights", DAYS[0], location="quarantine")
    results = (
        result("isin", 0),
        result("greater_than", 2),
        result("not_nullable", 9),
        result("dtype", kind="frame", passed=False, failing=None, message="no column origin"),
        result("in_range", 5, severity="warning"),
    )
    judged = Judged(7, held.id, Judgement("f" * 32, "hold", 10, 9, results), chronicle.now, 1)
    entry = chronicle.entry(held, 7, "partition")
    chronicle.commit(materializations=(held,), judged=(judged,), quarantined=(entry,))
    found = refusals.check_results(chronicle.connection, 7)
    assert [r.rule for r in found] == ["dtype", "not_nullable", "greater_than", "in_range", "isin"]
    (waiting,) = refusals.quarantine_list(chronicle.connection)
    assert waiting.messages == (
        "no column origin",
        "distance > 0: 9 of 10 rows fail",
        "distance > 0: 2 of 10 rows fail",
    )
