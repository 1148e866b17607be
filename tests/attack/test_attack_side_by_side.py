"""Two runs at once, over other partitions of one asset."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any
from unittest import mock

from conftest import Mill
from millgate.execute import committing, runner
from millgate.model.request import Request, Silence


def test_runs_side_by_side_keep_one_contract(mill: Mill) -> None:
    mill.write(
        "assets/x.py",
        """
        import time
        from pathlib import Path
        import polars as pl
        from millgate import Daily, Partition, asset

        days = Daily("2024-01-01", end="2024-01-02")

        @asset(partitions=days)
        def x(partition: Partition) -> pl.DataFrame:
            if partition.key == "2024-01-01":
                return pl.DataFrame({"n": [1], "also": [2]})
            here = Path(__file__).parents[1]
            (here / "begun").touch()
            while not (here / "go").exists():
                time.sleep(0.01)
            return pl.DataFrame({"n": ["one"]})

        @asset(partitions=days)
        def y(x: pl.LazyFrame) -> pl.LazyFrame:
            return x
        """,
    )
    command = [sys.executable, "-m", "millgate", "materialize", "@2024-01-02"]
    late = subprocess.Popen(command, cwd=mill.root, stdout=subprocess.PIPE, text=True)
    while not (mill.root / "begun").exists():
        assert late.poll() is None
        time.sleep(0.01)
    assert mill.run("@2024-01-01").exit_status == 0
    (mill.root / "go").touch()
    told, _ = late.communicate(timeout=60)
    assert late.returncode == 3, told
    columns = mill.sql("SELECT column_name, column_type FROM (DESCRIBE production.x)")
    assert columns == [("n", "BIGINT"), ("also", "BIGINT"), ("date", "DATE")]
    assert mill.sql("SELECT asset, partition, outcome, blocked_by FROM lineage.steps") == [
        ("x", "2024-01-01", "made", None),
        ("y", "2024-01-01", "made", None),
        ("x", "2024-01-02", "refused", "run 2"),
        ("y", "2024-01-02", "refused", "run 2"),
        ("x", "2024-01-02", "held", None),
        ("y", "2024-01-02", "blocked", "x@2024-01-02"),
    ]
    report = mill.run(retry_held=True)
    assert {str(d.step): d.outcome for d in report.done} == {
        "x@2024-01-02": "held",
        "y@2024-01-02": "blocked",
    }


HELD_BACK = """
import time
from pathlib import Path
import polars as pl
from millgate import Daily, Partition, asset

here = Path(__file__).parents[1]

@asset(partitions=Daily("2024-01-01", end="2024-01-03"))
def x(partition: Partition) -> pl.DataFrame:
    (here / "begun").touch()
    while not (here / "go").exists():
        time.sleep(0.01)
    return pl.DataFrame({"n": [1]})
"""


def begin(mill: Mill, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "millgate", *arguments],
        cwd=mill.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_second_run_is_refused_or_waits_for_the_first(mill: Mill) -> None:
    mill.write("assets/x.py", HELD_BACK)
    first = begin(mill, "materialize", "@2024-01-01..2024-01-02")
    while not (mill.root / "begun").exists():
        assert first.poll() is None
        time.sleep(0.01)
    refused = begin(mill, "materialize")
    _, told = refused.communicate(timeout=60)
    assert (refused.returncode, "run 1 is working on 2 of these" in told) == (4, True), told
    waiting = begin(mill, "backfill", "--all", "--wait")
    assert waiting.stderr is not None
    assert waiting.stderr.readline().startswith(
        " waiting for run 1: materialize @2024-01-01..2024-01-02, by "
    )
    (mill.root / "go").touch()
    first.communicate(timeout=60)
    assert first.returncode == 0
    told, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, told
    assert mill.sql("SELECT run, partition, outcome FROM lineage.steps ORDER BY ALL") == [
        (1, "2024-01-01", "made"),
        (1, "2024-01-02", "made"),
        (3, "2024-01-03", "made"),
    ]


def test_a_run_that_is_killed_keeps_nobody_waiting(mill: Mill) -> None:
    mill.write("assets/x.py", HELD_BACK)
    first = begin(mill, "materialize")
    while not (mill.root / "begun").exists():
        assert first.poll() is None
        time.sleep(0.01)
    waiting = begin(mill, "materialize", "--wait")
    assert waiting.stderr is not None
    assert "waiting for run 1" in waiting.stderr.readline()
    (mill.root / "go").touch()
    first.kill()
    first.communicate()
    told, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, told
    assert mill.sql("SELECT count(*) FROM production.x") == [(3,)]


def test_what_another_run_changed_is_planned_once_more(mill: Mill) -> None:
    mill.write(
        "assets/x.py",
        """
        import time
        from pathlib import Path
        import pandera.polars as pa
        import polars as pl
        from millgate import Daily, Gate, Partition, asset

        here = Path(__file__).parents[1]

        class Positive(pa.DataFrameModel):
            n: int = pa.Field(gt=0)

        days = Daily("2024-01-01", end="2024-01-02")

        @asset(partitions=days, gate=Gate(Positive))
        def x(partition: Partition) -> pl.DataFrame:
            return pl.DataFrame({"n": [int((here / "n").read_text())]})

        @asset(partitions=days)
        def y(x: pl.LazyFrame) -> pl.LazyFrame:
            return x
        """,
    )
    mill.write("n", "1")
    assert mill.run().exit_status == 0
    mill.write("n", "2")
    project = mill.open()
    enter = committing.enter
    meanwhile: list[int] = []

    def late(*arguments: Any) -> committing.Entered:
        if not meanwhile:
            meanwhile.append(3)
            expected = arguments[4]
            expected["x", "2024-01-01"] = None
        return enter(*arguments)

    with mock.patch.object(runner, "enter", late):
        request = Request("materialize", "", force=True)
        report = project.run(request, project.propose(request), workers=2, watcher=Silence())
    assert report.exit_status == 0
    assert sorted(str(done.step) for done in report.having("made")) == [
        f"{name}@2024-01-0{day}" for name in "xy" for day in (1, 2)
    ]
    assert sum(row[0] == "refused" for row in mill.sql("SELECT outcome FROM lineage.steps")) == 2
    assert mill.sql("SELECT DISTINCT n FROM production.y") == [(2,)]
    assert mill.sql("SELECT status FROM lineage.runs WHERE run = 2") == [("succeeded",)]
