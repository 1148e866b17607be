"""A run that dies, or whose disk fails, at each file call of its commits.

After each, a reader without Millgate checks what anyone may rely on, and the next run comes to
the content of a run that nothing happened to. `make soak` goes through every call; otherwise
every few calls are taken, beginning at a different one for each kind of accident.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from conftest import Edit, Mill
from execute.dying import Dies, copied, run_with
from millgate.errors import MillgateError
from millgate.store.files import Files
from store.faulty_files import FailingFiles, RecordedFiles

SOAK = bool(os.environ.get("MILLGATE_SOAK"))
BAD = "2024-01-03,1,-10"
LIVE = """
    SELECT p.asset, p.partition, m.data_hash, j.verdict FROM lineage.production p
    JOIN lineage.materializations m USING (materialization)
    LEFT JOIN lineage.judgements j ON j.judgement = p.judgement ORDER BY ALL
"""


def error_of(mill: Mill, files: Files) -> MillgateError | None:
    """What such a run tells; anything but an error of Millgate's own fails the test."""
    try:
        run_with(mill, files)
    except MillgateError as error:
        return error
    return None


def rows_of(file: Path) -> int:
    if file.suffix == ".parquet":
        return int(pq.read_table(file, partitioning=None).num_rows)
    with duckdb.connect(str(file), read_only=True) as connection:
        assert connection.execute("SELECT count(*) > 5 FROM lineage").fetchall() == [(True,)]
        return int(connection.execute("SELECT count(*) FROM data").fetchall()[0][0])


def check(mill: Mill) -> None:
    """What holds at any moment, looked at with duckdb and pyarrow alone."""
    database = mill.root / "warehouse" / "warehouse.duckdb"
    if not os.path.lexists(database):
        return
    with duckdb.connect(str(database.resolve(strict=True)), read_only=True) as connection:
        live = connection.execute("""
            SELECT p.asset, m.path, m.rows, j.verdict FROM lineage.production p
            JOIN lineage.materializations m USING (materialization)
            LEFT JOIN lineage.judgements j ON j.judgement = p.judgement
            WHERE m.location = 'versions'
        """).fetchall()
        for _, path, rows, verdict in live:
            file = mill.root / "warehouse" / "versions" / path
            assert rows_of(file) == rows
            assert file.stat().st_mode & 0o777 == 0o444
            assert not file.with_name(f"{file.name}.wal").exists()
            assert verdict in ("promote", "split")
        for asset in {row[0] for row in live}:
            served = connection.execute(f"SELECT count(*) FROM production.{asset}").fetchall()
            assert served == [(sum(row[2] for row in live if row[0] == asset),)]
        for schema, view in connection.execute(
            "SELECT schema_name, view_name FROM duckdb_views() WHERE schema_name <> 'main' "
            "AND NOT internal"
        ).fetchall():
            connection.execute(f'SELECT count(*) FROM {schema}."{view}"').fetchall()
        ends = connection.execute("""
            SELECT count(*) FROM lineage.materialization_edges e
            WHERE e.upstream NOT IN (SELECT materialization FROM lineage.materializations)
                OR e.downstream NOT IN (SELECT materialization FROM lineage.materializations)
        """).fetchall()
        assert ends == [(0,)]


@pytest.fixture(params=["parquet", "duckdb"])
def storage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def prepared(shop: Mill, edit: Edit) -> Mill:
    """The shop after a run, with a source that has changed since: one day is to be split."""
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    shop.run()
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    return shop


def calls_of(mill: Mill, tmp_path: Path) -> int:
    """How many file calls the run makes; the copy it was counted on is left finished."""
    copy = copied(mill, tmp_path / "counted")
    files = RecordedFiles(copy.root)
    run_with(copy, files)
    return len(files.calls)


def points(count: int, first: int, stride: int) -> range:
    return range(1, count + 1) if SOAK else range(first, count + 1, stride)


def finish(mill: Mill, expected: list[tuple[object, ...]]) -> None:
    check(mill)
    mill.run()
    check(mill)
    assert mill.sql(LIVE) == expected
    assert mill.plan().steps == ()
    links = sorted((mill.root / "warehouse" / "production").rglob("data.*"))
    assert len(links) == 11


@pytest.mark.parametrize(
    ("first", "accident"),
    [
        (2, lambda at: FailingFiles(at, errno.ENOSPC)),
        (5, lambda at: FailingFiles(at, errno.EIO, lasting=True)),
    ],
    ids=["ENOSPC", "EIO"],
)
def test_a_disk_that_fails_at_any_call(
    prepared: Mill, tmp_path: Path, first: int, accident: Callable[[int], Files]
) -> None:
    count = calls_of(prepared, tmp_path)
    expected = Mill(tmp_path / "counted", prepared.now).sql(LIVE)
    for at in points(count, first, 17):
        mill = copied(prepared, tmp_path / f"at{at}")
        error = error_of(mill, accident(at))
        assert error is None or (error.where and error.fix)
        finish(mill, expected)


def test_a_process_that_dies_at_any_call(prepared: Mill, tmp_path: Path, dies: Dies) -> None:
    count = calls_of(prepared, tmp_path)
    expected = Mill(tmp_path / "counted", prepared.now).sql(LIVE)
    died = 0
    for at in points(count, 3, 23):
        mill = copied(prepared, tmp_path / f"at{at}")
        died += dies(mill, at, "run_with(mill, files)")
        finish(mill, expected)
    assert died > 2
