"""Large results are written and judged one after the other, and within a limit of the system."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import ExitStack
from typing import Any

import polars as pl
import pytest

from conftest import Mill
from millgate.execute.compute import thread_connection, use_processors
from millgate.execute.turns import at_work, in_turn, share_of

ASSETS = '''
import threading
import time
from pathlib import Path

import pandera.polars as pa
import polars as pl

from millgate import Daily, Gate, asset

days = Daily("2024-01-01", end="2024-01-04")
here = Path(__file__).parent
inside: list[int] = []
together = threading.Barrier(2, timeout=20)


def slowly(frame: pl.DataFrame) -> pl.DataFrame:
    """Tell how many are in here at a time."""
    inside.append(1)
    with (here / "most.txt").open("a") as file:
        file.write(f"{len(inside)}\\n")
    time.sleep(0.05)
    inside.pop()
    return frame


def meeting(frame: pl.DataFrame) -> pl.DataFrame:
    together.wait()
    return frame


@asset(partitions=days)
def numbers() -> pl.DataFrame:
    return pl.DataFrame({"n": [1, 2, 3]})


@asset(partitions=days)
def alone(numbers: pl.LazyFrame) -> pl.LazyFrame:
    return numbers.select("n").map_batches(slowly, schema={"n": pl.Int64})


@asset(partitions=days)
def beside(numbers: pl.LazyFrame) -> pl.LazyFrame:
    return numbers.select("n").map_batches(meeting, schema={"n": pl.Int64})


judged = pa.DataFrameSchema(checks=pa.Check(lambda data: slowly(data.lazyframe.collect()).lazy()
    .select(pl.col("n") > 0)))


@asset(partitions=days, gate=Gate(judged))
def streamed(numbers: pl.LazyFrame) -> pl.LazyFrame:
    return numbers.select("n")


@asset(partitions=days)
def by_function(numbers: pl.LazyFrame) -> pl.DataFrame:
    return meeting(numbers.collect())
'''


@pytest.fixture
def turning(mill: Mill) -> Mill:
    mill.write("assets/turning.py", ASSETS)
    mill.run("numbers")
    return mill


@pytest.mark.parametrize(
    ("what", "asset"),
    [
        pytest.param("_LARGE_BYTES", "alone", id="written"),
        pytest.param("_LARGE_FILE", "streamed", id="judged"),
    ],
)
def test_what_is_large_takes_turns(
    turning: Mill, what: str, asset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"millgate.execute.turns.{what}", 1)
    assert turning.run(asset).exit_status == 0
    told = (turning.root / "assets/most.txt").read_text().split()
    assert len(told) >= 4
    assert set(told) == {"1"}


def test_steps_side_by_side_share_what_duckdb_was_granted() -> None:
    connection = thread_connection()

    def threads() -> int:
        use_processors()
        ((found,),) = connection.execute("SELECT current_setting('threads')").fetchall()
        return int(found)

    granted = threads()
    with at_work():
        assert threads() == granted
        with at_work():
            assert threads() == share_of(granted) == max(1, granted // 2)
            with ExitStack() as others:
                for _ in range(granted):
                    others.enter_context(at_work())
                assert threads() == 1
                reader = connection.sql("FROM range(100000)").to_arrow_reader(1)
                others.pop_all().close()
                use_processors()  # not while somebody reads a result
                del reader
        assert threads() == granted


class NotedLock:
    """A lock that tells when somebody waits for it."""

    def __init__(self) -> None:
        self.lock, self.awaited = threading.Lock(), threading.Event()

    def acquire(self) -> None:
        if not self.lock.acquire(blocking=False):
            self.awaited.set()
            self.lock.acquire()

    def release(self) -> None:
        self.lock.release()


def test_who_waits_for_a_turn_is_not_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    batch: Any = None
    lock = NotedLock()
    monkeypatch.setattr("millgate.execute.turns._turn", lock)
    monkeypatch.setattr("millgate.execute.turns._is_large", lambda _: True)
    seen: list[int] = []

    def second() -> None:
        with at_work(), in_turn(batch, pl.LazyFrame()):
            seen.append(share_of(4))

    thread = threading.Thread(target=second)
    with at_work():
        with in_turn(batch, pl.LazyFrame()):
            thread.start()
            assert lock.awaited.wait(20)
            assert share_of(4) == 4
        thread.join(20)
    assert seen == [2]


def test_small_results_and_functions_do_not(turning: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    assert turning.run("beside").exit_status == 0
    monkeypatch.setattr("millgate.execute.turns._LARGE_BYTES", 1)
    assert turning.run("by_function").exit_status == 0


LIMITED = """
import resource

limit = 8 << 30
resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1]))
from millgate.execute.compute import thread_connection

print(*thread_connection().execute("SELECT current_setting('memory_limit')").fetchone())
"""


def test_queries_keep_to_a_part_of_what_the_system_grants() -> None:
    told = subprocess.run(
        [sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "2.0 GiB"
