"""The benchmarks run, and prove that both of their sides did the same; how fast is not asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["overhead.py", "--runs", "1", "--assets", "3", "--days", "4"], "ratio of wall time: "),
        (["overhead.py", "--runs", "1", "--days", "4", "--batch", "3"], "days in batches of 3, "),
        (
            ["history.py", "--runs", "1", "--history", "10", "1500", "--limit", "3 MB"],
            "commit of ten days",
        ),
        (["month.py", "--runs", "1", "--rows", "2000", "--days", "3"], "ratio of peak memory: "),
        (["contest.py", "dirty", "--rows", "3000", "--days", "8"], "good days aggregated"),
        (
            ["tracing.py", "--runs", "1", "--versions", "3000", "--assets", "300"],
            "both found the same rows",
        ),
        (["gate.py", "--runs", "1", "--rows", "250500", "--large", "0"], "peak memory, split"),
        (["memory.py", "--rows", "250500"], "are those of plain queries"),
        (
            ["scale.py", "--runs", "1", "--assets", "30", "--long", "20", "--days", "40"],
            "20 assets x 40 live days",
        ),
    ],
)
def test_benchmark(arguments: list[str], said: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, BENCHMARKS / arguments[0], *arguments[1:], "--folder", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert said in ran.stdout
    assert list(tmp_path.iterdir()) == []
