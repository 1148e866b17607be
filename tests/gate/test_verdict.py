from __future__ import annotations

import pytest

from millgate.gate.verdict import decide
from millgate.model.policy import Gate
from millgate.model.record import CheckResult


def result(kind="row", severity="error", passed=False):
    return CheckResult("r", "a", kind, severity, passed, None if kind == "frame" else 1, 10)


@pytest.mark.parametrize(
    ("on_failure", "results", "rejected", "verdict"),
    [
        ("hold", [], 0, "promote"),
        ("hold", [result(passed=True)], 0, "promote"),
        ("hold", [result()], 1, "hold"),
        ("split", [result()], 1, "split"),
        ("warn", [result()], 1, "promote"),
        ("split", [result(), result("frame")], 1, "hold"),
        ("warn", [result("frame")], 0, "hold"),
        ("hold", [result("frame", "warning")], 0, "promote"),
        ("split", [result("row", "warning")], 0, "promote"),
    ],
)
def test_verdict(on_failure, results, rejected, verdict):
    judgement = decide(Gate(None, on_failure), "f" * 32, 10, rejected, results)
    assert judgement.verdict == verdict
    assert judgement.rejected_rows == rejected
    assert judgement.results == tuple(results)


@pytest.mark.parametrize(
    ("limit", "rejected", "verdict"),
    [(0.3, 3, "split"), (0.3, 4, "hold"), (0, 1, "hold"), (1, 10, "split"), (0, 0, "promote")],
)
def test_the_limit_itself_is_allowed(limit, rejected, verdict):
    gate = Gate(None, "split", limit)
    assert decide(gate, "f" * 32, 10, rejected, []).verdict == verdict


def test_the_limit_is_not_blurred_by_floating_point():
    gate = Gate(None, "split", 0.29)
    assert decide(gate, "f" * 32, 100, 29, []).verdict == "split"
    assert decide(gate, "f" * 32, 100, 30, []).verdict == "hold"
