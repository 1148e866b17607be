from __future__ import annotations

import pytest

from lineage.chronicle import Chronicle, declared
from lineage.story import DAYS, tell
from millgate.lineage.why import why


@pytest.mark.parametrize(
    ("asset", "day", "state"),
    [
        ("flights", 0, "live"),
        ("flights", 1, "failing"),
        ("flights", 2, "live"),
        ("delays", 0, "failed"),
        ("delays", 1, "held"),
        ("delays", 2, "blocked"),
        ("weather", 0, "missing"),
    ],
)
def test_the_state_of_a_partition(chronicle: Chronicle, asset: str, day: int, state: str) -> None:
    tell(chronicle)
    assert why(chronicle.connection, asset, DAYS[day]).state == state


def test_stale_or_discarded(chronicle: Chronicle) -> None:
    chronicle.declare(declared("flights", code="new"))
    chronicle.make("flights", DAYS[0])
    assert why(chronicle.connection, "flights", DAYS[0]).state == "stale"
    held = chronicle.hold("flights", DAYS[0])
    chronicle.discard(held, "broken file")
    found = why(chronicle.connection, "flights", DAYS[0])
    assert found.state == "discarded"
    assert found.version is not None
    assert found.version.materialization == held.id
    chronicle.make("flights", DAYS[0], code_fingerprint=declared("x", code="new").code_fingerprint)
    assert why(chronicle.connection, "flights", DAYS[0]).state == "live"


def test_nothing_is_on_record(chronicle: Chronicle) -> None:
    found = why(chronicle.connection, "flights", DAYS[0])
    assert (found.version, found.live, found.judgement) == (None, None, None)
    lists = (found.results, found.inputs, found.stale, found.versions, found.promotions)
    assert (*lists, found.quarantine, found.steps) == ((),) * 7


def test_a_held_version_beside_the_live_one(chronicle: Chronicle) -> None:
    live = chronicle.make("flights", DAYS[0])
    held = chronicle.hold("flights", DAYS[0])
    found = why(chronicle.connection, "flights", DAYS[0])
    assert found.version is not None
    assert found.live is not None
    assert (found.version.materialization, found.live.materialization) == (held.id, live.id)
    assert found.judgement is not None
    assert (found.judgement.verdict, found.judgement.rejected_rows) == ("hold", 3)
    assert [r.passed for r in found.results] == [False]


def test_a_live_version_with_its_inputs_and_history(chronicle: Chronicle) -> None:
    told = tell(chronicle)
    found = why(chronicle.connection, "flights", DAYS[0])
    assert [(v.materialization, v.live, v.verdict) for v in found.versions] == [
        (told["again"].id, True, "promote"),
        (told["first"].id, False, "split"),
    ]
    assert [(p.kind, p.previous) for p in found.promotions] == [
        ("promote", told["first"].id),
        ("split", None),
    ]
    assert [(i.asset, i.materialization, i.changed) for i in found.inputs] == [
        ("raw", told["newer raw"].id, False)
    ]
    assert [(s.run, s.cause) for s in found.steps] == [(2, "input changed"), (1, "missing")]


def test_an_input_that_changed_since(chronicle: Chronicle) -> None:
    told = tell(chronicle)
    found = why(chronicle.connection, "delays", DAYS[0])
    (given,) = found.inputs
    assert (given.materialization, given.live_materialization) == (
        told["first"].id,
        told["again"].id,
    )
    assert given.changed
    assert [(c.cause, c.cause_asset, c.cause_partition) for c in found.stale] == [
        ("input changed", "flights", DAYS[0])
    ]


def test_a_decision_stands_with_its_reason(chronicle: Chronicle) -> None:
    told = tell(chronicle)
    found = why(chronicle.connection, "flights", DAYS[2])
    assert found.live is not None
    assert (found.live.materialization, found.live.derived_from) == (
        told["released"].id,
        told["held"].id,
    )
    assert [(q.status, q.reason) for q in found.quarantine] == [
        ("released", "checked with the tower")
    ]
    assert found.promotions[0].reason == "checked with the tower"
    assert found.inputs == (), "what it was released from is no input that can change"


def test_a_withdrawn_partition_is_missing_and_shows_its_newest_version(
    chronicle: Chronicle,
) -> None:
    chronicle.make("flights", DAYS[0])
    made = chronicle.make("flights", DAYS[0], "newer")
    chronicle.withdraw(made, "wrong airport")
    found = why(chronicle.connection, "flights", DAYS[0])
    assert (found.state, found.live) == ("missing", None)
    assert found.version is not None
    assert found.version.materialization == made.id
    last = found.promotions[0]
    assert (last.kind, last.reason) == ("withdraw", "wrong airport")
