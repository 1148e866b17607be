"""Two runs at once, over other partitions of one asset."""

from __future__ import annotations

import subprocess
import sys
import time

from conftest import Mill


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
    assert late.returncode == 4, told
    assert "run 2 changed it first" in told
    columns = mill.sql("SELECT column_name, column_type FROM (DESCRIBE production.x)")
    assert columns == [("n", "BIGINT"), ("also", "BIGINT"), ("date", "DATE")]
    assert mill.sql("SELECT asset, partition, outcome, blocked_by FROM lineage.steps") == [
        ("x", "2024-01-01", "made", None),
        ("y", "2024-01-01", "made", None),
        ("x", "2024-01-02", "refused", "run 2"),
        ("y", "2024-01-02", "refused", "run 2"),
    ]
    report = mill.run()
    assert {str(d.step): d.outcome for d in report.done} == {
        "x@2024-01-02": "held",
        "y@2024-01-02": "blocked",
    }
