"""Five days of a small warehouse, in which everything happens that people ask about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from lineage.chronicle import Chronicle, declared, reads
from millgate.model.record import Edge

DAYS = ("2013-01-01", "2013-01-02", "2013-01-03")


def tell(chronicle: Chronicle) -> dict[str, Any]:
    """Record the story; returns the versions and judgements that questions speak of."""
    c, told = chronicle, {}
    _first_run(c, told)
    _source_changes(c, told)
    _a_person_decides(c, told)
    _the_gate_changes(c, told)
    _a_run_fails_now(c)
    return told


def _first_run(c: Chronicle, told: dict[str, Any]) -> None:
    c.declare(
        declared("raw", kind="source", dimensions=()),
        declared("flights", owner="operations"),
        declared("delays"),
        edges=(
            Edge("raw", "flights", "data", "all of it"),
            Edge("flights", "delays", "data", "same key"),
        ),
    )
    told["raw"] = c.observe("raw", "first")
    told["first"] = c.make("flights", DAYS[0], "one", failing=2, inputs=reads(told["raw"]))
    told["second"] = c.make("flights", DAYS[1], "two", inputs=reads(told["raw"]))
    told["delays"] = c.make("delays", DAYS[0], inputs=reads(told["first"]))
    c.make("delays", DAYS[1], inputs=reads(told["second"]))
    step = c.step("delays", DAYS[0], "unchanged")
    c.commit(steps=(step,), attempts=(c.attempt(step),))
    c.run = c.finished("succeeded", 0)
    c.commit()


def _source_changes(c: Chronicle, told: dict[str, Any]) -> None:
    c.begin(2)
    told["newer raw"] = c.observe("raw", "second")
    made = c.version("flights", DAYS[0], "one again", inputs=reads(told["newer raw"]))
    judged = c.judged(made.id)
    c.commit(
        materializations=(made,),
        judged=(judged,),
        promotions=(c.promotion(made, judgement=judged.id),),
        steps=(c.step("flights", DAYS[0], "made", cause="input changed", cause_asset="raw"),),
    )
    told["again"] = made
    told["held"] = c.hold("flights", DAYS[2])
    blocked = c.step(
        "delays", DAYS[2], "blocked", action="blocked", blocked_by=f"flights@{DAYS[2]}"
    )
    c.commit(steps=(blocked,))
    c.run = c.finished("held", 3)
    c.commit()


def _a_person_decides(c: Chronicle, told: dict[str, Any]) -> None:
    c.begin(3, command="quarantine release", actor="grace")
    told["released at"] = c.now
    told["released"] = c.release(told["held"], "checked with the tower")
    c.begin(4, command="retire")
    told["withdrawn at"] = c.now
    c.withdraw(c.version("delays", DAYS[1]), "wrong airport")


def _the_gate_changes(c: Chronicle, told: dict[str, Any]) -> None:
    c.begin(5)
    told["failing"] = c.judge(told["second"], "hold", 4, "stricter")
    told["waiting"] = c.hold("delays", DAYS[1])


def _a_run_fails_now(c: Chronicle) -> None:
    c.now = datetime.now(UTC) - timedelta(hours=2)
    c.begin(6, status="failed", message=f"delays@{DAYS[0]}: no such carrier", exit_status=1)
    failed = c.step("delays", DAYS[0], "failed", cause="input changed", cause_asset="flights")
    tries = [
        c.attempt(failed, n, status="failed", error_type="KeyError", error=text, compute_s=0.1)
        for n, text in ((1, "timed out"), (2, "no such carrier"))
    ]
    c.commit(steps=(failed,), attempts=tuple(tries))
