"""Projects whose file calls are somebody's own, and real processes that die at one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from conftest import Mill
from millgate.model.request import Report, Request, Silence
from millgate.project import Project
from millgate.store.files import Files
from millgate.store.warehouse import Warehouse

ACT = """
import sys
from datetime import datetime
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from conftest import Mill
from execute.dying import open_with, run_with
from store.faulty_files import DyingFiles
mill = Mill(Path(sys.argv[2]), datetime.fromisoformat(sys.argv[3]))
files = DyingFiles(int(sys.argv[4]))
project = open_with(mill, files)
exec(sys.argv[5])
"""


def open_with(mill: Mill, files: Files) -> Project:
    """The project with file calls of one's own."""
    project = mill.open()
    project.__dict__["warehouse"] = Warehouse(project.layout, files)
    return project


def run_with(mill: Mill, files: Files, target: str = "", **options: Any) -> Report:
    """Materialize with file calls of one's own."""
    project = open_with(mill, files)
    request = Request("materialize", target, **options)
    return project.run(request, project.propose(request), workers=1, watcher=Silence())


def copied(mill: Mill, root: Path) -> Mill:
    """A copy of a project, hard links and all."""
    subprocess.run(["cp", "-a", mill.root, root], check=True)
    return Mill(root, mill.now)


def dies(mill: Mill, at: int, act: str) -> bool:
    """Whether a process that does `act` got as far as file call `at`, where it died.

    `act` is Python that may name `project`, `mill`, `files` and `run_with`.
    """
    arguments = [Path(__file__).parents[1], mill.root, mill.now.isoformat(), at, act]
    child = subprocess.run(
        [sys.executable, "-c", ACT, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode in (0, 9), child.stderr
    return child.returncode == 9
