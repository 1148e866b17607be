"""Somebody who opened a snapshot for writing, and writes to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STRANGER = """
import duckdb, os, sys
path = os.path.realpath(sys.argv[1])
os.chmod(path, 0o644)
connection = duckdb.connect(path)
connection.execute(sys.argv[2])
print("open", flush=True)
sys.stdin.readline()
os._exit(9)
"""


@contextmanager
def stranger_in(database: Path, statement: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has executed a statement on a snapshot and holds it open read-write.

    It dies, leaving a WAL, when it gets a line.
    """
    with subprocess.Popen(
        [sys.executable, "-c", STRANGER, str(database), statement],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()
