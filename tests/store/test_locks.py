"""Locks between threads and processes, and the files that say which runs live."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from millgate.errors import StoreError
from millgate.store.layout import Layout
from millgate.store.locks import OpenRun, RunFiles, exclusive_lock, has_reader, held
from store.faulty_files import layout_of

AT = datetime(2013, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return layout_of(tmp_path)


@pytest.fixture
def runs(layout: Layout) -> RunFiles:
    return RunFiles(layout)


def start(runs: RunFiles, minimum: int = 1) -> OpenRun:
    return runs.start("materialize", "flights", "ann", "host", AT, minimum=minimum)


@contextmanager
def process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process that has printed its first line, and is killed in the end."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            yield child
        finally:
            child.kill()


RUN = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from millgate.store.layout import Layout
from millgate.store.locks import RunFiles
root = Path(sys.argv[1])
layout = Layout(root, root / "warehouse", root / "quarantine")
run = RunFiles(layout).start("backfill", "planes", "bob", "elsewhere", datetime.now(UTC))
run.claim([("planes", "")])
print(run.id, flush=True)
sys.stdin.read()
"""

READER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
print(flush=True)
sys.stdin.read()
"""


def test_a_lock_is_for_one_thread_at_a_time(tmp_path: Path) -> None:
    path, inside, order = tmp_path / "deep" / "lock", threading.Event(), list[str]()

    def second() -> None:
        inside.wait()
        with exclusive_lock(path):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with exclusive_lock(path):
        inside.set()
        assert held(path)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert not held(path)


def test_a_lock_goes_with_its_process(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from millgate.store.locks import exclusive_lock
with exclusive_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
    path = tmp_path / "lock"
    with process(code, path) as child:
        assert held(path)
        child.kill()
        child.wait()
        assert not held(path)
        with exclusive_lock(path):
            pass


def test_a_lock_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StoreError, match="cannot lock lock"),
        exclusive_lock(tmp_path / "file/lock"),
    ):
        pass


def test_a_reader_in_another_process_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    path.chmod(0o444)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert not has_reader(descriptor)
        with process(READER, path) as child:
            assert has_reader(descriptor)
            child.kill()
            child.wait()
        assert not has_reader(descriptor)
    finally:
        os.close(descriptor)


def test_numbers_go_up_and_are_never_given_twice(runs: RunFiles) -> None:
    numbers = []
    for minimum in (1, 1, 7, 3):
        with start(runs, minimum) as run:
            numbers.append(run.id)
    assert numbers == [1, 2, 7, 8]


def test_files_of_runs_that_ended_are_cleared_away(runs: RunFiles, layout: Layout) -> None:
    for _ in range(5):
        start(runs).close()
    assert [p.name for p in layout.runs.iterdir() if p.name.isdecimal()] == ["5"]


def test_two_threads_never_share_a_number(runs: RunFiles) -> None:
    found: list[OpenRun] = []
    threads = [threading.Thread(target=lambda: found.append(start(runs))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.id for run in found) == list(range(1, 9))
    for run in found:
        run.close()


def test_a_run_says_who_it_is_while_it_lives(runs: RunFiles) -> None:
    run = start(runs)
    (info,) = runs.alive()
    assert info == run.info
    assert (info.command, info.selection, info.actor, info.host) == (
        "materialize",
        "flights",
        "ann",
        "host",
    )
    assert (info.pid, info.started_at) == (os.getpid(), AT)
    assert runs.is_alive(run.id)
    run.close()
    run.close()
    assert runs.alive() == runs.dead() == ()


def test_a_killed_run_is_dead_until_it_is_forgotten(runs: RunFiles, tmp_path: Path) -> None:
    with process(RUN, tmp_path) as child:
        assert [info.actor for info in runs.alive()] == ["bob"]
        assert runs.dead() == ()
        child.kill()
        child.wait()
    assert runs.alive() == ()
    (dead,) = runs.dead()
    assert (dead.run, dead.command, dead.claims) == (1, "backfill", {"planes": frozenset({""})})
    with start(runs) as run:
        assert run.id == 2
        assert run.claim([("planes", "")]) == (), "the dead claim nothing"
    runs.forget(1)
    assert runs.dead() == ()


def test_a_claim_is_refused_as_a_whole_where_another_run_has_part_of_it(runs: RunFiles) -> None:
    with start(runs) as one, start(runs) as two:
        assert one.claim([("a", "1"), ("a", "2")]) == ()
        assert one.claim([("a", "2"), ("b", "")]) == (), "one's own claims are no obstacle"
        (overlap,) = two.claim([("a", "2"), ("a", "3"), ("b", "")])
        assert overlap.holder.run == one.id
        assert overlap.partitions == (("a", "2"), ("b", ""))
        assert two.claim([("a", "3")]) == ()
        (other,) = one.others()
        assert other.claims == {"a": frozenset({"3"})}
    with start(runs) as three:
        assert three.claim([("a", "1"), ("a", "2"), ("a", "3")]) == ()


def test_waiting_ends_with_the_run(runs: RunFiles, tmp_path: Path) -> None:
    runs.wait(99)
    with process(RUN, tmp_path) as child:
        waiter = threading.Thread(target=runs.wait, args=(1,))
        waiter.start()
        assert waiter.is_alive()
        child.kill()
        waiter.join(10)
        assert not waiter.is_alive()


@pytest.mark.parametrize("text", ["", "\n", '{"command": "mater', '\n{"claims": {}}\n'])
def test_a_file_that_was_cut_off_is_no_run(runs: RunFiles, layout: Layout, text: str) -> None:
    layout.runs.mkdir(parents=True)
    layout.run_file(4).write_text(text)
    assert runs.alive() == runs.dead() == ()
    with start(runs) as run:
        assert run.id == 5


def test_a_cut_off_line_hides_no_other(runs: RunFiles, layout: Layout) -> None:
    with start(runs) as run:
        header = layout.run_file(run.id).read_text()
    layout.run_file(4).write_text(header.replace('{"ended": true}', '{"claims": {"a'))
    (dead,) = runs.dead()
    assert (dead.run, dead.command, dead.claims) == (4, "materialize", {})
    runs.forget(4)
    assert runs.dead() == ()


def test_two_may_take_note_of_one_death(runs: RunFiles, layout: Layout) -> None:
    layout.runs.mkdir(parents=True)
    start(runs).abandon("the disk is full")
    runs.forget(1)
    with start(runs):
        assert not layout.run_file(1).exists()
        runs.forget(1)
    assert not layout.run_file(1).exists()
