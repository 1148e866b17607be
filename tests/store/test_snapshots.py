"""Snapshots: which is current, what is kept, and that looking at one never unlocks it."""

import subprocess
import sys
from pathlib import Path

import pytest

from millgate.errors import StoreError
from millgate.store.files import Files
from millgate.store.layout import Layout
from millgate.store.snapshots import KEPT, Snapshots
from millgate.store.warehouse import Warehouse
from store.faulty_files import layout_of, materialize, served

READER = """
import duckdb, os, sys
connection = duckdb.connect(os.path.realpath(sys.argv[1]), read_only=True)
print(flush=True)
for line in sys.stdin:
    connection.execute("SELECT max(snapshot) FROM lineage.snapshots")
    print(*connection.fetchone(), flush=True)
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return layout_of(tmp_path)


@pytest.fixture
def warehouse(layout: Layout) -> Warehouse:
    return Warehouse(layout, Files())


def numbers(layout: Layout) -> list[int]:
    return sorted(int(p.name) for p in layout.snapshots.iterdir() if p.name.isdecimal())


def test_there_is_none_before_the_first_commit(layout: Layout) -> None:
    assert Snapshots(layout, Files()).current() is None


@pytest.mark.parametrize("target", [None, "elsewhere.duckdb", "snapshots/mine/warehouse.duckdb"])
def test_a_file_of_somebody_else_is_refused(layout: Layout, target: str | None) -> None:
    layout.warehouse.mkdir()
    if target is None:
        layout.database.write_text("a database of one's own")
    else:
        layout.database.symlink_to(target)
    with pytest.raises(StoreError, match="no link to a snapshot of Millgate"):
        Snapshots(layout, Files()).current()


def test_a_missing_snapshot_is_said(layout: Layout) -> None:
    layout.warehouse.mkdir()
    layout.database.symlink_to("snapshots/00000007/warehouse.duckdb")
    with pytest.raises(StoreError, match="snapshot 7 is missing"):
        Snapshots(layout, Files()).current()


def test_the_last_ten_superseded_snapshots_stay(warehouse: Warehouse, layout: Layout) -> None:
    for run in range(1, KEPT + 4):
        materialize(warehouse, run, {1: run})
    assert numbers(layout) == list(range(3, KEPT + 4))
    assert layout.snapshot(3).stat().st_mode & 0o777 == 0o444


def test_a_reader_keeps_its_snapshot_over_many_commits(
    warehouse: Warehouse, layout: Layout
) -> None:
    materialize(warehouse, 1, {1: 1})
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(layout.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdout.readline()
        for run in range(2, KEPT + 5):
            materialize(warehouse, run, {1: run})
            reader.stdin.write("\n")
            reader.stdin.flush()
            assert reader.stdout.readline() == "1\n"
        assert numbers(layout) == [1, *range(4, KEPT + 5)], "what is read stays"
    materialize(warehouse, 99, {1: 99})
    assert numbers(layout) == list(range(5, KEPT + 6)), "and goes when it is not"


def test_a_reader_of_this_process_keeps_its_snapshot_and_its_lock(
    warehouse: Warehouse, layout: Layout
) -> None:
    materialize(warehouse, 1, {1: 1})
    with warehouse.connect() as connection:
        for run in range(2, KEPT + 5):
            if run == 5:
                assert "Conflicting lock" in open_for_writing(layout.snapshot(1))
            materialize(warehouse, run, {1: run})
            found = connection.execute("SELECT max(snapshot) FROM lineage.snapshots").fetchone()
            assert found == (1,)
    assert served(layout.database) == {1: KEPT + 4}


def test_without_a_reader_anybody_may_lock_a_superseded_snapshot(
    warehouse: Warehouse, layout: Layout
) -> None:
    materialize(warehouse, 1, {1: 1})
    materialize(warehouse, 2, {1: 2})
    layout.snapshot(1).chmod(0o644)
    assert open_for_writing(layout.snapshot(1)) == ""


def test_descriptors_of_removed_snapshots_are_closed(warehouse: Warehouse) -> None:
    for run in range(1, 3 * KEPT):
        materialize(warehouse, run, {1: run})
    assert len(warehouse._snapshots._descriptors) <= KEPT + 1


def test_a_warehouse_made_anew_at_the_same_place_is_not_mistaken(
    warehouse: Warehouse, layout: Layout
) -> None:
    for value in (10, 20):
        materialize(warehouse, value, {1: value})
        materialize(warehouse, value + 1, {2: value})
        assert served(layout.database) == {1: value, 2: value}
        layout.warehouse.rename(layout.root / f"old-{value}")


def open_for_writing(path: Path) -> str:
    """The error of a process that opens a database to write to it, empty if there is none."""
    code = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    ran = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    return ran.stderr
