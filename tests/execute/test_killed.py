"""A backfill killed at any moment leaves whole, passed partitions, and the next run finishes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from conftest import Mill

DAYS = 300
NEVER = 1_000_000
MANY = '''
import polars as pl
import pandera.polars as pa
from millgate import Daily, Gate, Partition, asset

days = Daily("2024-01-01", end="2024-10-26")

class Number(pa.DataFrameModel):
    n: int = pa.Field(ge=0)

@asset(partitions=days, gate=Gate(Number))
def numbers(partition: Partition) -> pl.DataFrame:
    """A hundred numbers; those of the tenth are negative."""
    sign = -1 if partition.key == "2024-01-10" else 1
    return pl.DataFrame({"n": [sign * (i + 1) for i in range(100)]})

@asset(partitions=days)
def doubled(numbers: pl.LazyFrame) -> pl.LazyFrame:
    return numbers.with_columns(n=2 * pl.col("n"))
'''
TOTALS = "SELECT (SELECT sum(n) FROM production.numbers), (SELECT sum(n) FROM production.doubled)"


@pytest.fixture
def many(mill: Mill) -> Mill:
    mill.write("assets/many.py", MANY)
    mill.now = mill.now.replace(month=12)
    return mill


def start(mill: Mill) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "millgate", "backfill", "--all", "--workers", "2"]
    return subprocess.Popen(
        command, cwd=mill.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def check_invariants(mill: Mill) -> None:
    """What any reader may rely on, looked at without Millgate."""
    database = mill.root / "warehouse" / "warehouse.duckdb"
    if not database.exists():
        return
    path = str(database.resolve())
    with duckdb.connect(path, read_only=True) as connection:
        live = connection.execute("""
            SELECT p.asset, p.partition, m.path, m.rows, j.verdict
            FROM lineage.production p JOIN lineage.materializations m USING (materialization)
            LEFT JOIN lineage.judgements j ON j.judgement = p.judgement
        """).fetchall()
        for asset, partition, file, rows, verdict in live:
            whole = pq.read_table(mill.root / "warehouse" / "versions" / file, partitioning=None)
            assert whole.num_rows == rows == 100, (asset, partition)
            assert verdict == "promote", (asset, partition)
        for asset in {row[0] for row in live}:
            query = f"SELECT count(*), min(n) FROM production.{asset}"
            count, lowest = connection.execute(query).fetchall()[0]
            assert count == 100 * sum(row[0] == asset for row in live)
            assert lowest > 0


def wait_for_progress(mill: Mill, child: subprocess.Popen[bytes], staged: int) -> None:
    """Return once the child has that many files in flight, or makes a commit, or is done."""
    staging = mill.root / "warehouse" / "staging"
    before = count_snapshots(mill)
    deadline = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < deadline:
        in_flight = sum(len(files) for _, _, files in os.walk(staging))
        if in_flight >= staged or (in_flight and count_snapshots(mill) > before):
            return
        os.sched_yield()


def count_snapshots(mill: Mill) -> int:
    folder = mill.root / "warehouse" / "snapshots"
    return len(list(folder.glob("*/warehouse.duckdb"))) if folder.is_dir() else 0


def test_kill_at_any_moment(many: Mill, tmp_path: Path) -> None:
    for staged in (1, 60, NEVER, 20, NEVER, 130):
        child = start(many)
        wait_for_progress(many, child, staged)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        check_invariants(many)
    last = start(many)
    output, _ = last.communicate(timeout=120)
    assert last.returncode == 3, output.decode()
    check_invariants(many)

    untouched = Mill(tmp_path / "untouched")
    untouched.write("pyproject.toml", '[tool.millgate]\nname = "untouched"\n')
    untouched.write("assets/many.py", MANY)
    child = start(untouched)
    child.communicate(timeout=120)
    assert many.sql(TOTALS) == untouched.sql(TOTALS) == [((DAYS - 1) * 5050, (DAYS - 1) * 10100)]
    assert many.sql("SELECT count(*) FROM quarantine.numbers") == [(100,)]


def test_killed_runs_are_told_from_live_ones(many: Mill) -> None:
    child = start(many)
    wait_for_progress(many, child, 3)
    child.kill()
    child.communicate()
    project = many.open()
    assert not project.runs_alive()
    assert many.run(command="backfill", everything=True).exit_status == 3
    statuses = dict(many.sql("SELECT run, status FROM lineage.runs"))
    assert statuses[1] == "died"


def test_a_reader_sees_one_state_while_a_backfill_runs(many: Mill) -> None:
    first = start(many)
    first.communicate(timeout=120)
    assert first.returncode == 3
    many.write("assets/many.py", MANY.replace("n=2 * ", "n=3 * "))
    child = start(many)
    reads = 0
    while child.poll() is None:
        doubled, tripled, total, served = many.sql("""
            SELECT count(*) FILTER (run = 1), count(*) FILTER (run = 2),
                (SELECT sum(n)::BIGINT FROM production.doubled),
                (SELECT count(DISTINCT date) FROM production.doubled)
            FROM lineage.production JOIN lineage.materializations USING (materialization)
            WHERE production.asset = 'doubled'
        """)[0]
        assert doubled + tripled == served == DAYS - 1
        assert total == 5050 * (2 * doubled + 3 * tripled)
        reads += 1
    child.communicate()
    assert reads > 1
    assert many.sql("SELECT sum(n)::BIGINT FROM production.doubled") == [(3 * 5050 * (DAYS - 1),)]
