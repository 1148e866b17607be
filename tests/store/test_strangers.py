"""Snapshots that somebody else has open for writing, or has written to."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from millgate.errors import StoreError
from millgate.store.files import Files
from millgate.store.layout import Layout
from millgate.store.warehouse import Warehouse
from store.faulty_files import AFTER_SECOND, first, layout_of, second, served
from strangers import stranger_in


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return layout_of(tmp_path)


@pytest.fixture
def warehouse(layout: Layout) -> Warehouse:
    return Warehouse(layout, Files())


@pytest.fixture
def stranger(warehouse: Warehouse, layout: Layout) -> Iterator[subprocess.Popen[str]]:
    """A process that has the current snapshot open read-write; it dies when it gets a line."""
    first(warehouse)
    layout.snapshot(1).chmod(0o644)
    with stranger_in(layout.database, "CREATE TABLE lineage.mine AS SELECT 1 AS a") as process:
        yield process


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
    return [name for (name,) in rows]


@pytest.mark.parametrize("dies", [False, True], ids=["lock", "stray WAL"])
def test_a_snapshot_that_somebody_writes_to_is_read_from_a_copy(
    warehouse: Warehouse,
    layout: Layout,
    stranger: subprocess.Popen[str],
    dies: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if dies:
        stranger.communicate("\n")
    wal = layout.snapshot(1).with_name("warehouse.duckdb.wal")
    assert wal.exists()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    for _ in range(2):
        with warehouse.connect() as connection:
            assert tables(connection) == ["live", "snapshots"]
            (name,) = connection.execute("SELECT current_database()").fetchone() or ("",)
            assert name == "warehouse"
            with pytest.raises(duckdb.InvalidInputException, match="read-only"):
                connection.execute("CREATE TABLE t (a INT)")
    (warning,) = warehouse.warnings
    assert warning.startswith("snapshot 1: ")
    assert "private copy" in warning
    assert list((tmp_path / "tmp").iterdir()) == []
    assert wal.exists(), "it is somebody else's"


@pytest.mark.parametrize("dies", [False, True], ids=["lock", "stray WAL"])
def test_a_stranger_neither_stops_a_commit_nor_gets_into_it(
    warehouse: Warehouse, layout: Layout, stranger: subprocess.Popen[str], dies: bool
) -> None:
    if dies:
        stranger.communicate("\n")
    second(warehouse)
    assert served(layout.database) == AFTER_SECOND
    with warehouse.connect() as connection:
        assert tables(connection) == ["live", "snapshots"]
    assert warehouse.warnings == []


def test_a_snapshot_open_read_write_in_this_process_is_read_from_a_copy(
    warehouse: Warehouse, layout: Layout
) -> None:
    first(warehouse)
    layout.snapshot(1).chmod(0o644)
    with duckdb.connect(str(layout.snapshot(1))), warehouse.connect() as connection:
        assert tables(connection) == ["live", "snapshots"]
    assert len(warehouse.warnings) == 1


def test_a_copy_can_spill_although_its_folder_is_gone(warehouse: Warehouse, layout: Layout) -> None:
    first(warehouse)
    layout.snapshot(1).with_name("warehouse.duckdb.wal").write_bytes(b"")
    with warehouse.connect() as connection:
        connection.execute("SET memory_limit = '60MB'")
        row = connection.execute(
            "SELECT count(*) FROM (SELECT i, repeat('x', 50) || hash(i) AS b, row_number() "
            "OVER (ORDER BY b) FROM range(600000) AS r(i))"
        ).fetchone()
    assert row == (600_000,)


def test_a_snapshot_that_is_no_database_is_an_error(warehouse: Warehouse, layout: Layout) -> None:
    first(warehouse)
    layout.snapshot(1).chmod(0o644)
    layout.snapshot(1).write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match="snapshot 1 cannot be read: IO Error"):
        warehouse.connect()
    with pytest.raises(StoreError, match="snapshot 2 cannot be written: IO Error"):
        second(warehouse)
    assert warehouse.current() == 1
