"""What benchmarks share: what a process cost, a ratio on a line, and how one ends that is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

COMPILED = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
"""An installed package is compiled once, not in every process."""

WATCH = """
import json, os, subprocess, sys
from time import perf_counter

start = perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
_, status, used = os.wait4(process.pid, 0)
wall = perf_counter() - start
process.returncode = os.waitstatus_to_exitcode(status)
cpu = used.ru_utime + used.ru_stime
print(json.dumps([process.returncode, wall, cpu, used.ru_maxrss]))
"""
"""Peak memory is counted from what the process had that started another: so this one is small."""


@dataclass(frozen=True)
class Cost:
    """What one process took, in seconds and MiB."""

    wall: float
    cpu: float
    peak: float


class Wrong(Exception):
    """A side failed, or the two made different rows."""


def measured(command: list[str], folder: Path) -> Cost:
    """What a command cost that ran in `folder`, the processes it waited for included."""
    log = folder / "output.log"
    with log.open("wb") as output:
        watch = subprocess.run(
            [sys.executable, "-S", "-c", WATCH, *command],
            cwd=folder,
            env=COMPILED,
            stdout=subprocess.PIPE,
            stderr=output,
            check=True,
        )
    status, wall, cpu, peak = json.loads(watch.stdout)
    if status:
        raise Wrong(f"{' '.join(command[:2])} ended with {status}:\n{log.read_text()}")
    return Cost(wall, cpu, peak * (1 if sys.platform == "darwin" else 1024) / 2**20)


def ratio(what: str, ratios: Sequence[float]) -> str:
    """A line with the median of ratios, the least and the most."""
    return f"ratio of {what}: {median(ratios):.2f} (min {min(ratios):.2f}, max {max(ratios):.2f})"


def exit_status(benchmark: Callable[[], None]) -> int:
    """1 where a side of the benchmark is wrong, and it is told why; else 0."""
    try:
        benchmark()
    except Wrong as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0
