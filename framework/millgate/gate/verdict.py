"""From results to a verdict: a pure decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from millgate.gate.own_rules import whole_result
from millgate.gate.wording import sentence, share
from millgate.model.policy import Gate
from millgate.model.record import CheckResult, Judgement


def decide(
    gate: Gate, fingerprint: str, rows: int, rejected: int, results: Iterable[CheckResult]
) -> Judgement:
    """The judgement that `gate` passes on a partition of `rows` rows with `rejected` failing ones.

    A failed error rule of the whole partition holds it under every policy.
    """
    results = tuple(results)
    if gate.max_rejected is not None:
        results += (_share_rejected(gate, gate.max_rejected, rows, rejected),)
    if any(r.kind == "frame" for r in results if not r.passed and r.severity == "error"):
        verdict = "hold"
    elif rejected:
        verdict = {"hold": "hold", "split": "split", "warn": "promote"}[gate.on_failure]
    else:
        verdict = "promote"
    return Judgement(fingerprint, verdict, rows, rejected, results)  # type: ignore[arg-type]


def _share_rejected(gate: Gate, most: float, rows: int, rejected: int) -> CheckResult:
    """The rule `max_rejected`: whether no more than that share of the rows fail."""
    found = rejected / rows if rows else 0.0
    observed = f"{rejected} of {rows} rows rejected, {share(found)}"
    expected = f"at most {share(most)}"
    passed = found <= most
    result = whole_result(gate, "max_rejected", None, passed, rows, observed, expected)
    if passed:
        return result
    return replace(result, message=sentence(None, "max_rejected", expected, observed))
