from __future__ import annotations

from dataclasses import replace

from lineage.chronicle import Chronicle, digest
from millgate.lineage.live_state import read_held, read_live
from millgate.model.state import Held, Live

DAY, NEXT = "2013-01-01", "2013-01-02"


def test_what_is_live(chronicle: Chronicle) -> None:
    raw = chronicle.observe("raw", "first")
    made = chronicle.make("flights", DAY)
    live, held = read_live(chronicle.connection), read_held(chronicle.connection)
    assert held == {}
    assert live == {
        "raw": {
            "": Live(
                raw.created_at,
                raw.id,
                "",
                "",
                digest("first"),
                None,
                None,
                "external",
                "data/raw.csv",
            )
        },
        "flights": {
            DAY: Live(
                made.created_at,
                made.id,
                digest("code"),
                digest("input"),
                digest("data"),
                digest("gate"),
                "promote",
                "versions",
                made.path,
            )
        },
    }


def test_only_the_assets_that_are_asked_for(chronicle: Chronicle) -> None:
    chronicle.make("flights", DAY)
    chronicle.make("delays", DAY)
    chronicle.hold("flights", NEXT)
    chronicle.hold("delays", NEXT)
    live, held = (
        read_live(chronicle.connection, ["delays", "unknown"]),
        read_held(chronicle.connection, ["delays", "unknown"]),
    )
    assert (list(live), list(held)) == (["delays"], ["delays"])
    assert read_live(chronicle.connection, []) == read_held(chronicle.connection, []) == {}


def test_the_judgement_in_force_is_the_one_of_a_live_version(chronicle: Chronicle) -> None:
    made = chronicle.make("flights", DAY)
    chronicle.judge(made, "hold", 3, "stricter")
    live = read_live(chronicle.connection)["flights"][DAY]
    assert (live.gate_fingerprint, live.verdict) == (digest("stricter"), "hold")
    assert live.failing


def test_released_until_another_gate_judges(chronicle: Chronicle) -> None:
    released = chronicle.release(chronicle.hold("flights", DAY), "checked")
    live, held = read_live(chronicle.connection), read_held(chronicle.connection)
    assert live["flights"][DAY].materialization == released.id
    assert not live["flights"][DAY].failing
    assert held == {}
    chronicle.judge(released, "hold", 3, "stricter")
    assert read_live(chronicle.connection)["flights"][DAY].failing


def test_what_is_held(chronicle: Chronicle) -> None:
    chronicle.make("flights", DAY)
    held = chronicle.hold("flights", DAY)
    chronicle.make("flights", NEXT, failing=2)
    wanted = Held(held.id, digest("code"), digest("input"), digest("gate"))
    live, found = read_live(chronicle.connection), read_held(chronicle.connection)
    assert set(live["flights"]) == {DAY, NEXT}
    assert found == {"flights": {DAY: wanted}}
    chronicle.discard(held, "broken file")
    assert read_held(chronicle.connection) == {"flights": {DAY: replace(wanted, discarded=True)}}
    chronicle.make("flights", DAY, "repaired")
    assert read_held(chronicle.connection) == {}
