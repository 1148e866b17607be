"""Runs that were left unfinished are finished by what they were asked for."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta

import pytest

from conftest import Edit, Mill
from millgate.errors import UsageError
from millgate.model.request import Report, Request, Silence

RUNS = "SELECT run, command, selection, status, resumes FROM lineage.runs ORDER BY run"

STUBBORN = """
import os
import signal
from pathlib import Path

import polars as pl

from millgate import Daily, Partition, asset

here = Path(__file__).parents[1]


@asset(partitions=Daily("2024-01-01"))
def numbers(partition: Partition) -> pl.DataFrame:
    if partition.key == "2024-01-03" and (here / "bad").exists():
        raise OSError("no number today")
    if (here / "deadly").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return pl.DataFrame({"n": [1]})
"""


@pytest.fixture
def stubborn(mill: Mill) -> Mill:
    mill.write("assets/numbers.py", STUBBORN)
    return mill


def resume(mill: Mill, run: int | None = None) -> Report:
    project = mill.open()
    chosen = project.unfinished()[0] if run is None else project.find_unfinished(run)
    assert chosen is not None
    plan = project.propose(chosen.request)
    return project.run(chosen.request, plan, workers=2, watcher=Silence())


def made(report: Report) -> list[str]:
    return [str(done.step) for done in report.having("made")]


def test_what_failed_is_made_by_the_keys_of_its_run(stubborn: Mill) -> None:
    bad = stubborn.write("bad", "")
    assert stubborn.run("numbers", first="2024-01-02").exit_status == 1
    bad.unlink()
    stubborn.now += timedelta(days=2)
    assert made(resume(stubborn)) == ["numbers@2024-01-03"]
    assert stubborn.sql(RUNS) == [
        (1, "materialize", "numbers --from 2024-01-02", "failed", None),
        (2, "materialize", "numbers --from 2024-01-02", "succeeded", 1),
    ]
    assert stubborn.open().unfinished() == []
    assert len(made(stubborn.run())) == 3


def test_a_chain_keeps_the_keys_of_the_first(stubborn: Mill) -> None:
    bad = stubborn.write("bad", "")
    stubborn.run()
    stubborn.now += timedelta(days=1)
    assert resume(stubborn).exit_status == 1
    stubborn.now += timedelta(days=1)
    bad.unlink()
    with pytest.raises(UsageError, match="run 1 was resumed by run 2"):
        stubborn.open().find_unfinished(1)
    assert made(resume(stubborn, 2)) == ["numbers@2024-01-03"]


def test_what_was_forced_is_not_forced_again(stubborn: Mill) -> None:
    stubborn.run()
    bad = stubborn.write("bad", "")
    assert len(made(stubborn.run(force=True))) == 4
    bad.unlink()
    assert made(resume(stubborn)) == ["numbers@2024-01-03"]


def test_a_run_that_died_before_its_first_commit(stubborn: Mill) -> None:
    deadly = stubborn.write("deadly", "")
    command = [sys.executable, "-m", "millgate", "backfill", "numbers@2024-01-02..2024-01-04"]
    died = subprocess.run(command, cwd=stubborn.root, capture_output=True, check=False)
    assert died.returncode < 0
    assert not (stubborn.root / "warehouse" / "warehouse.duckdb").exists()
    deadly.unlink()
    (one,) = stubborn.open().unfinished()
    assert (one.run.status, one.request.text) == ("died", "numbers@2024-01-02..2024-01-04")
    stubborn.now = one.run.started_at
    assert len(made(resume(stubborn, 1))) == 3
    assert [row[3:] for row in stubborn.sql(RUNS)] == [("died", None), ("succeeded", 1)]


def test_what_cannot_be_resumed_is_told(shop: Mill, edit: Edit) -> None:
    project = shop.open()
    with pytest.raises(UsageError, match="no run 1 is on record"):
        project.find_unfinished(1)
    shop.run()
    assert shop.open().find_unfinished(1) is None
    edit("data/orders.csv", "2024-01-02,2,20", "2024-01-02,2,-20")
    shop.run()
    shop.open().release("orders", "2024-01-02", reason="seen")
    with pytest.raises(UsageError, match="which cannot be resumed"):
        shop.open().find_unfinished(3)


def test_of_runs_with_one_request_the_last_counts(stubborn: Mill) -> None:
    stubborn.write("bad", "")
    for target in ("numbers@2024-01-03", "numbers", "numbers@2024-01-03"):
        stubborn.run(target)
    assert [one.run.id for one in stubborn.open().unfinished()] == [3, 2]


def test_a_living_run_is_not_resumed(stubborn: Mill) -> None:
    stubborn.write(
        "assets/numbers.py",
        STUBBORN.replace("    if (here", "    import time; time.sleep(60)\n    if (here"),
    )
    command = [sys.executable, "-m", "millgate", "materialize", "numbers@2024-01-02"]
    child = subprocess.Popen(command, cwd=stubborn.root, stderr=subprocess.DEVNULL)
    try:
        while not stubborn.open().runs_alive():
            assert child.poll() is None
            time.sleep(0.01)
        with pytest.raises(UsageError, match="still running"):
            stubborn.open().find_unfinished(1)
        assert stubborn.open().unfinished() == []
    finally:
        child.kill()
        child.communicate()


def test_a_request_is_read_as_it_was_written() -> None:
    for request in (
        Request("materialize", "tag:core and not daily_*"),
        Request("backfill", "", everything=True),
        Request("backfill", "orders", partition="a b"),
        Request("materialize", "orders", first="2024", last="2025", force=True, retry_held=True),
    ):
        assert Request.read(request.command, request.text) == request
    assert Request.read("quarantine release", "orders") is None
