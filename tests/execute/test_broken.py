"""Runs that cannot go on: what they made before stays, and how they ended is on record."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from conftest import Edit, Mill
from millgate.errors import StoreError
from millgate.store.commit import Commit
from millgate.store.warehouse import Warehouse

RUNS = "SELECT run, status, exit_status, message FROM lineage.runs ORDER BY run"

ENDLESS = """
import threading
from pathlib import Path

import polars as pl

from millgate import asset

started = Path(__file__).parent.parent / "started"


@asset
def endless() -> pl.DataFrame:
    started.touch()
    threading.Event().wait()
    return pl.DataFrame({"n": [1]})
"""


def test_a_commit_that_fails_ends_the_run_and_is_on_record(shop: Mill, edit: Edit) -> None:
    shop.run()
    before = shop.sql("FROM production.orders ORDER BY ALL")
    in_the_way = shop.write("quarantine", "a file where the folder belongs")
    edit("data/orders.csv", "2024-01-02,2,20", "2024-01-02,2,-20")
    with pytest.raises(StoreError, match="cannot make folder"):
        shop.run()
    (_, status, exit_status, message) = shop.sql(RUNS)[1]
    assert (status, exit_status) == ("failed", 1)
    assert message.startswith("cannot make folder")
    assert shop.sql("FROM production.orders ORDER BY ALL") == before
    in_the_way.unlink()
    assert shop.run().exit_status == 3


def test_where_that_cannot_be_recorded_the_next_run_does(
    shop: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.run()

    @contextmanager
    def full(*_: object) -> Iterator[Commit]:
        raise StoreError("no space left", where="warehouse", fix="free some")
        yield

    with monkeypatch.context() as patched:
        patched.setattr(Warehouse, "committing", full)
        with pytest.raises(StoreError, match="no space left"):
            shop.run(force=True)
    assert len(shop.open().runs_dead()) == 1
    shop.run(force=True)
    assert not shop.open().runs_dead()
    assert [status for _, status, *_ in shop.sql(RUNS)] == ["succeeded", "died", "succeeded"]


def test_a_second_interrupt_leaves_at_once_whatever_a_step_does(mill: Mill) -> None:
    mill.write("assets/endless.py", ENDLESS)
    command = [sys.executable, "-m", "millgate", "materialize"]
    child = subprocess.Popen(
        command, cwd=mill.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    while child.poll() is None and not (mill.root / "started").exists():
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.05)
    child.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        child.wait(0.5)
    child.send_signal(signal.SIGINT)
    output, _ = child.communicate(timeout=60)
    assert child.returncode == 130, output.decode()
    assert b"Traceback" not in output
    assert mill.sql(RUNS) == [(1, "cancelled", 130, None)]
