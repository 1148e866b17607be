"""Commits: their order, and that nothing that goes wrong in one harms what is served."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from millgate.errors import StoreError
from millgate.store.files import Files
from millgate.store.layout import Layout
from millgate.store.warehouse import Warehouse
from store.faulty_files import (
    AFTER_FIRST,
    AFTER_SECOND,
    UnlinkableFiles,
    day,
    first,
    layout_of,
    linked,
    live_files,
    live_paths,
    materialize,
    python,
    second,
    served,
    stage,
    tree,
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return layout_of(tmp_path)


@pytest.fixture
def warehouse(layout: Layout) -> Warehouse:
    return Warehouse(layout, Files())


def test_a_draft_is_called_as_it_will_be_and_needs_nothing_beside_it(
    warehouse: Warehouse, layout: Layout
) -> None:
    for _ in range(2):
        with warehouse.committing() as commit:
            asked = "SELECT current_database(), current_setting('temp_directory')"
            assert commit.connection.execute(asked).fetchall() == [
                ("warehouse", f"{layout.draft}.tmp")
            ]
            databases = commit.connection.execute("SELECT path FROM duckdb_databases()").fetchall()
            assert (str(layout.draft),) in databases
            commit.connection.execute("CREATE OR REPLACE TABLE written AS FROM range(100_000)")
            assert os.listdir(layout.draft.parent) == [layout.draft.name]
            commit.publish()
    with warehouse.connect() as connection:
        assert connection.execute("SELECT count(*) FROM written").fetchall() == [(100_000,)]


def test_the_first_commit_starts_from_what_was_prepared(warehouse: Warehouse) -> None:
    warehouse.prepare(lambda connection: connection.execute("CREATE TABLE ready AS SELECT 7 AS n"))
    with warehouse.committing() as commit:
        assert not commit.is_empty
        commit.publish()
    with warehouse.connect() as connection:
        assert connection.execute("FROM ready").fetchall() == [(7,)]
    warehouse.prepare(lambda _: pytest.fail("there is a snapshot already"))
    with warehouse.committing() as commit:
        commit.publish()


def test_a_commit_leaves_what_it_says(warehouse: Warehouse, layout: Layout) -> None:
    with warehouse.committing() as commit:
        assert (commit.fresh, commit.snapshot) == (True, 1)
    first(warehouse)
    with warehouse.committing() as commit:
        assert (commit.fresh, commit.snapshot) == (False, 2)
    second(warehouse)
    assert warehouse.current() == 2
    assert served(layout.database) == linked(layout) == AFTER_SECOND
    assert not warehouse.links_behind
    kept = [path for path in tree(layout.root) if "staging" not in path and ".lock" not in path]
    assert all((layout.root / path).stat().st_mode & 0o777 == 0o444 for path in kept)
    assert [path for path in kept if "snapshots" in path] == [
        "warehouse/snapshots/00000001/warehouse.duckdb",
        "warehouse/snapshots/00000002/warehouse.duckdb",
    ]
    assert [path for path in kept if path.startswith("quarantine")] == [
        "quarantine/flights/date=2013-01-05/2-5/report.json",
        "quarantine/flights/date=2013-01-05/2-5/rows.parquet",
    ]


def test_snapshots_keep_the_old_storage_format(warehouse: Warehouse) -> None:
    first(warehouse)
    second(warehouse)
    with warehouse.connect() as connection:
        ((name, tags),) = connection.execute(
            "SELECT database_name, tags FROM duckdb_databases() WHERE NOT internal"
        ).fetchall()
    assert name == "warehouse"
    assert tags["storage_version"].startswith("v1.0.0")


def test_leaving_a_commit_unpublished_leaves_nothing(warehouse: Warehouse, layout: Layout) -> None:
    first(warehouse)
    before = list(tree(layout.root))
    with warehouse.committing() as commit:
        commit.connection.execute("DROP VIEW production.flights")
        staged = stage(layout, 2, 1, 11)
        commit.move(staged, "flights/date=2013-01-01/2-1.parquet", "versions")
        commit.write_report("flights/x/report.json", "{}")
    with pytest.raises(ZeroDivisionError), warehouse.committing() as commit:
        1 / 0  # noqa: B018
    assert list(tree(layout.root)) == sorted([*before, "warehouse/staging/2/2-1.parquet"])
    assert served(layout.database) == AFTER_FIRST


def test_steps_of_the_run_may_go_on_reading_what_was_committed(
    warehouse: Warehouse, layout: Layout
) -> None:
    first(warehouse)
    staged = layout.staging(1) / "1-1.parquet"
    assert staged.samefile(layout.versions / "flights/date=2013-01-01/1-1.parquet")
    warehouse.sweep_staging(lambda run: run == 1)
    assert staged.exists()
    (layout.staged_runs / "notes").mkdir()
    warehouse.sweep_staging(lambda _: False)
    assert [p.name for p in layout.staged_runs.iterdir()] == ["notes"]
    assert served(layout.database) == AFTER_FIRST


def test_nothing_to_sweep_is_no_error(warehouse: Warehouse) -> None:
    warehouse.sweep_staging(lambda _: False)


def test_links_are_mended_to_what_is_live(warehouse: Warehouse, layout: Layout) -> None:
    first(warehouse)
    second(warehouse)
    live = live_paths(warehouse)
    (layout.production_folder(day(1)) / "data.parquet").unlink()
    os.link(layout.versions / live[day(1)], layout.production_folder(day(2)) / "data.parquet")
    (layout.production_folder(day(4)) / "data.parquet").unlink()
    os.link(layout.versions / live[day(3)], layout.production_folder(day(4)) / "data.parquet")
    (layout.production / "flights" / "notes.txt").write_text("somebody's own")
    assert not warehouse.mend_links(live_files(warehouse), 1), "another commit came in between"
    assert linked(layout) != AFTER_SECOND
    assert warehouse.mend_links(live_files(warehouse), 2)
    assert linked(layout) == AFTER_SECOND
    assert (layout.production / "flights" / "notes.txt").exists()


def test_mending_is_needed_until_it_is_done(layout: Layout) -> None:
    first(Warehouse(layout, Files()))
    with pytest.raises(StoreError, match=r"is published, but then: cannot rename data\.parquet"):
        second(Warehouse(layout, FailingLinks()))
    warehouse = Warehouse(layout, Files())
    assert warehouse.links_behind
    materialize(warehouse, 3, {6: 60})
    assert warehouse.links_behind, "a later commit does not hide what an earlier one left"
    assert warehouse.mend_links(live_files(warehouse), 3)
    assert not warehouse.links_behind
    assert linked(layout) == {**AFTER_SECOND, 6: 60}


class FailingLinks(Files):
    def rename(self, source: Path, target: Path) -> None:
        if target.name == "data.parquet":
            self.perform("rename", target, self._fail)
        else:
            super().rename(source, target)

    def _fail(self) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


COMMITTER = """
import sys
from pathlib import Path
from millgate.store.files import Files
from millgate.store.warehouse import Warehouse
from store.faulty_files import layout_of

warehouse = Warehouse(layout_of(Path(sys.argv[1])), Files())
print("ready", flush=True)
sys.stdin.readline()
for turn in range(15):
    with warehouse.committing() as commit:
        if commit.fresh:
            commit.connection.execute("CREATE TABLE turns (who VARCHAR, turn INT, snapshot INT)")
        commit.connection.execute(
            "INSERT INTO turns VALUES (?, ?, ?)", [sys.argv[2], turn, commit.snapshot]
        )
        commit.publish()
"""


def test_processes_that_commit_in_turn_lose_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    committers = [
        subprocess.Popen(
            [sys.executable, "-c", COMMITTER, str(tmp_path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        for name in ("ann", "bob")
    ]
    for committer in committers:
        assert committer.stdout is not None
        assert committer.stdout.readline() == "ready\n"
    for committer in committers:
        assert committer.stdin is not None
        committer.stdin.write("\n")
        committer.stdin.flush()
    seen = []
    while any(committer.poll() is None for committer in committers):
        if warehouse.current() is not None:
            with warehouse.connect() as connection:
                row = connection.execute("SELECT count(*), max(snapshot) FROM turns").fetchone()
            assert row is not None
            assert row[0] == row[1], "each snapshot has every commit up to its own"
            seen.append(row[0])
    for committer in committers:
        committer.communicate()
        assert committer.returncode == 0
    assert seen == sorted(seen)
    assert warehouse.current() == 30
    with warehouse.connect() as connection:
        rows = connection.execute("SELECT who, turn, snapshot FROM turns ORDER BY ALL").fetchall()
    assert [row[:2] for row in rows] == [
        (who, turn) for who in ("ann", "bob") for turn in range(15)
    ]
    assert sorted(row[2] for row in rows) == list(range(1, 31))
    assert warehouse.warnings == []


def test_connecting_before_the_first_commit_is_an_error(warehouse: Warehouse) -> None:
    with pytest.raises(StoreError, match="nothing has been materialized yet"):
        warehouse.connect()


def test_what_is_not_committed_in_the_draft_stops_the_publishing(warehouse: Warehouse) -> None:
    with warehouse.committing() as commit:
        commit.connection.execute("BEGIN")
        commit.connection.execute("CREATE TABLE t (a INT)")
        with pytest.raises(StoreError, match="snapshot 1 cannot be written"):
            commit.publish()
    assert warehouse.current() is None


@pytest.fixture
def other_file_system(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the warehouse's, where this machine has one."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        yield tmp_path / "elsewhere"
        return
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield folder
    shutil.rmtree(folder)


def test_a_quarantine_on_another_file_system_gets_copies(
    tmp_path: Path, other_file_system: Path
) -> None:
    far = other_file_system / "quarantine"
    layout = Layout(tmp_path, tmp_path / "warehouse", far)
    crosses = other_file_system.parent != tmp_path
    warehouse = Warehouse(layout, Files() if crosses else UnlinkableFiles())
    first(warehouse)
    second(warehouse)
    rows = far / "flights/date=2013-01-05/2-5/rows.parquet"
    with duckdb.connect() as connection:
        assert connection.execute("SELECT value FROM read_parquet(?)", [str(rows)]).fetchall() == [
            (50,)
        ]
    assert rows.stat().st_nlink == 1
    assert rows.stat().st_mode & 0o777 == 0o444
    assert list(tree(far)) == [
        "flights/date=2013-01-05/2-5/report.json",
        "flights/date=2013-01-05/2-5/rows.parquet",
    ]


def test_without_hard_links_production_has_copies(layout: Layout) -> None:
    warehouse = Warehouse(layout, UnlinkableFiles())
    first(warehouse)
    second(warehouse)
    assert linked(layout) == served(layout.database) == AFTER_SECOND


UNWRITABLE = """
import os, sys
from pathlib import Path
from millgate.errors import StoreError
from millgate.store.files import Files
from millgate.store.layout import Layout
from millgate.store.locks import RunFiles
from millgate.store.warehouse import Warehouse
from datetime import UTC, datetime
import duckdb

os.chdir(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
layout = Layout(Path("."), Path("warehouse"), Path("quarantine"))
warehouse = Warehouse(layout, Files())


def commit():
    with warehouse.committing() as commit:
        commit.connection.execute("CREATE TABLE t (a INT)")
        commit.publish()


def start():
    RunFiles(layout).start("materialize", "", "ann", "host", datetime.now(UTC))


for act in (commit, start):
    try:
        act()
    except StoreError as error:
        print(error)
print(warehouse.current())
"""


@pytest.mark.parametrize("exists", [False, True], ids=["project", "warehouse"])
def test_an_unwritable_warehouse_is_said_in_three_lines(exists: bool) -> None:
    """By a user without rights, because root may write anywhere."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        locked = root / "warehouse" if exists else root
        locked.mkdir(exist_ok=True)
        root.chmod(0o755)
        locked.chmod(0o555)
        lines = python(UNWRITABLE, folder).splitlines()
        root.chmod(0o755)
    assert len(lines) == 7
    assert lines[0] == "cannot lock commit.lock: Permission denied"
    assert lines[1].split() == ["at", "warehouse/commit.lock"]
    assert lines[2].split()[:6] == ["fix", "let", "this", "user", "write", "to"]
    assert lines[3] == "cannot lock .lock: Permission denied"
    assert lines[6] == "None"
