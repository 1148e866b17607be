"""Whoever imports Millgate may still fork: it lets no library start the threads that do work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TASKS = Path("/proc/self/task")

# The allocators have threads of their own, as many as they please, which a fork leaves well.
TOLD = """
from pathlib import Path
import duckdb, pandera.polars, polars, pyarrow
{imports}
names = [task.read_text().strip() for task in Path("/proc/self/task").glob("*/comm")]
print(sorted(name for name in names if not name.startswith("jemalloc")))
"""


def threads_after(imports: str) -> str:
    code = TOLD.format(imports=imports)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.skipif(not TASKS.is_dir(), reason="the system does not tell the threads of a process")
def test_importing_starts_no_thread() -> None:
    ours = "import millgate, millgate.project, millgate.execute.produce"
    assert threads_after(ours) == threads_after("")
    assert threads_after("polars.thread_pool_size()") != threads_after("")
