"""Projects whose file calls are somebody's own, and real processes that die at one of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import Mill
from millgate.model.request import Report, Request, Silence
from millgate.project import Project
from millgate.store.files import Files
from millgate.store.warehouse import Warehouse

ACTING = """
import json, os, sys, traceback
from datetime import datetime
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
# What a process needs is imported once, and forked before any of it has started a thread.
import duckdb, pandera.polars, polars, pyarrow.parquet
from conftest import Mill
from execute.dying import act_with
from store.faulty_files import DyingFiles
for line in sys.stdin:
    root, now, at, act = json.loads(line)
    child = os.fork()
    if child == 0:
        try:
            mill, files = Mill(Path(root), datetime.fromisoformat(now)), DyingFiles(at)
            act_with(mill, files, act)
        except BaseException:
            print(json.dumps(traceback.format_exc()), flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != 1:
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)
"""
Dies = Callable[[Mill, int, str], bool]


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


def act_with(mill: Mill, files: Files, act: str) -> None:
    """Do what a text of Python says of `project`, `mill` and `files`; it may call `run_with`."""
    project = open_with(mill, files)
    exec(act, globals(), {"project": project, "mill": mill, "files": files})


def copied(mill: Mill, root: Path) -> Mill:
    """A copy of a project, hard links and all."""
    subprocess.run(["cp", "-a", mill.root, root], check=True)
    return Mill(root, mill.now)


@contextmanager
def dying() -> Iterator[Dies]:
    """What tells whether a process that does something got as far as a file call, where it died.

    It takes the project, the number of the call, and what to do, as `act_with` does.
    """
    with subprocess.Popen(
        [sys.executable, "-c", ACTING, str(Path(__file__).parents[1])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def dies(mill: Mill, at: int, act: str) -> bool:
            assert process.stdin is not None
            assert process.stdout is not None
            asked = [str(mill.root), mill.now.isoformat(), at, act]
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            ended = json.loads(process.stdout.readline())
            assert ended in (0, 9), ended
            return bool(ended)

        yield dies
