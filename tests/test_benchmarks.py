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
        (["history.py", "--runs", "1", "--little", "10", "--much", "1500"], "commit of ten days"),
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
