"""Whoever imports Millgate may still fork: no library has started its threads by then."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TASKS = Path("/proc/self/task")

COUNTED = """
import os
import millgate
import millgate.project
import millgate.execute.produce
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not TASKS.is_dir(), reason="the system does not tell the threads of a process")
def test_importing_starts_no_thread() -> None:
    told = subprocess.run(
        [sys.executable, "-c", COUNTED], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "1"
