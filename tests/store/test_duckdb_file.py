"""Versions as DuckDB files: what goes in comes out, whatever a frame calls it."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from conftest import Mill
from millgate.errors import BadResult
from millgate.store.duckdb_file import DuckDBFile

DUCKDB = DuckDBFile()
FRAME = pl.DataFrame(
    {
        "wide": pl.Series([2**100, -(2**99), None], dtype=pl.Int128),
        "unsigned": pl.Series([2**127, 0, None], dtype=pl.UInt128),
        "span": [timedelta(days=3, microseconds=1), timedelta(0), None],
        "at": [datetime(2024, 1, 1, 12, tzinfo=UTC), None, datetime(1900, 1, 1, tzinfo=UTC)],
        "on": [date(2024, 1, 1), None, date(1, 1, 1)],
        "price": pl.Series([Decimal("1.10"), None, Decimal("-0.01")], dtype=pl.Decimal(12, 2)),
        "tags": [["a", None], [], None],
        "place": [{"x": 1, "y": None}, {"x": None, "y": "north"}, {"x": 3, "y": ""}],
        "raw": [b"\x00\xff", b"", None],
        "odd 'name'\"": [float("nan"), -0.0, None],
    }
)


def written(result: object, tmp_path: Path) -> Path:
    path = tmp_path / "date=2024-01-01" / "1-1.duckdb"
    path.parent.mkdir(exist_ok=True)
    DUCKDB.write(result, path, {"asset": "planes", "inputs": [1, 2]}, None)
    return path


def test_a_frame_comes_back_as_it_was(tmp_path: Path) -> None:
    path = written(FRAME, tmp_path)
    assert_frame_equal(DUCKDB.scan(path).collect(), FRAME)
    assert DUCKDB.metadata(path) == {"asset": "planes", "inputs": [1, 2]}
    rows, schema = DUCKDB.shape(path)
    assert rows == 3
    assert schema.types["wide"] == "HUGEINT"
    assert schema.types["span"] == "INTERVAL"
    assert [p.name for p in path.parent.iterdir()] == ["1-1.duckdb"]


@pytest.mark.parametrize("rows", [0, 1, 1_000_001])
def test_rows_keep_their_order(tmp_path: Path, rows: int) -> None:
    frame = pl.select(n=pl.int_range(rows).shuffle(seed=3))
    path = written(frame.lazy(), tmp_path)
    for _ in range(8):  # Threads that compete hand out rows in their order at times.
        assert_frame_equal(DUCKDB.scan(path).collect(), frame)


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("170141183460469231731687303715884105727::HUGEINT", "HUGEINT"),
        ("'10110'::BIT", "BIT"),
        ("'123456789012345678901234567890123456789012345'::BIGNUM", "BIGNUM"),
        ("'12:30:00+02'::TIMETZ", "TIME WITH TIME ZONE"),
        ("INTERVAL 90 MINUTE", "INTERVAL"),
        ("TIMESTAMP_NS '2024-01-01 00:00:00.123456789'", "TIMESTAMP_NS"),
    ],
)
def test_what_only_duckdb_has_is_what_plain_duckdb_finds(
    tmp_path: Path, value: str, type_: str
) -> None:
    with duckdb.connect() as connection:
        relation = connection.sql(f"SELECT {value} AS v UNION ALL SELECT NULL")
        path = written(relation, tmp_path)
    with duckdb.connect(str(path), read_only=True) as plain:
        found = plain.execute(
            "SELECT typeof(v), v = $given, count(*) OVER () FROM data".replace("$given", value)
        ).fetchall()
    assert found == [(type_, True, 2), (type_, None, 2)]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("union_value(a := 1)", "a column of type UNION"),
        ("INTERVAL 1 MONTH", "an interval of months cannot be stored"),
    ],
)
def test_what_cannot_be_stored_is_refused(tmp_path: Path, value: str, says: str) -> None:
    with duckdb.connect() as connection, pytest.raises(BadResult, match=says):
        written(connection.sql(f"SELECT {value} AS v"), tmp_path)


SPANS = """
import polars as pl
from millgate import Daily, Partition, asset

@asset(partitions=Daily("2024-01-01", end="2024-01-02"), storage="{storage}")
def spans(partition: Partition) -> pl.DataFrame:
    return pl.DataFrame({{"n": pl.Series([2**70], dtype=pl.{dtype}), "s": ["x"]}})

@asset(partitions=Daily("2024-01-01", end="2024-01-02"))
def sums(spans: pl.LazyFrame) -> pl.LazyFrame:
    return spans.select(pl.col("n").cast(pl.Float64).sum())
"""


def test_an_asset_is_served_from_duckdb_files(mill: Mill) -> None:
    mill.write("assets/spans.py", SPANS.format(storage="duckdb", dtype="Int128"))
    assert mill.run().exit_status == 0
    assert mill.sql("SELECT typeof(n), n::VARCHAR, date::VARCHAR FROM production.spans") == [
        ("HUGEINT", str(2**70), "2024-01-01"),
        ("HUGEINT", str(2**70), "2024-01-02"),
    ]
    assert mill.sql("SELECT n FROM production.sums") == [(2.0**70,)] * 2
    links = sorted((mill.root / "warehouse/production/spans").rglob("data.*"))
    assert [link.name for link in links] == ["data.duckdb"] * 2
    assert mill.open().examine(deep=True) == []
    assert mill.plan().steps == ()


def test_parquet_refuses_it_and_says_what_would_hold_it(mill: Mill) -> None:
    mill.write("assets/spans.py", SPANS.format(storage="parquet", dtype="Int128"))
    report = mill.run("spans")
    assert {done.outcome for done in report.done} == {"failed"}
    assert all("Int128" in done.message for done in report.done)


def test_old_and_new_kinds_of_file_are_read_together(mill: Mill) -> None:
    mill.write("assets/spans.py", SPANS.format(storage="parquet", dtype="Float64"))
    mill.run()
    mill.write("assets/spans.py", SPANS.format(storage="duckdb", dtype="Float64"))
    assert mill.plan().steps == ()
    assert mill.run("spans@2024-01-02", force=True).exit_status == 0
    kinds = {p.suffix for p in (mill.root / "warehouse/production/spans").rglob("data.*")}
    assert kinds == {".parquet", ".duckdb"}
    assert mill.sql("SELECT n, s FROM production.spans") == [(2.0**70, "x")] * 2
    assert mill.plan().steps == ()
    assert mill.open().examine(deep=True) == []


def test_doctor_finds_what_is_wrong_with_such_files_and_rebuilds_from_them(mill: Mill) -> None:
    mill.write("assets/spans.py", SPANS.format(storage="duckdb", dtype="Int128"))
    mill.run()
    rows = mill.sql("SELECT n::VARCHAR, date FROM production.spans ORDER BY date")
    warehouse = mill.root / "warehouse"
    shutil.rmtree(warehouse / "snapshots")
    mill.open().repair()
    assert mill.sql("SELECT n::VARCHAR, date FROM production.spans ORDER BY date") == rows
    assert mill.open().examine(deep=True) == []
    damaged = next((warehouse / "versions/spans").rglob("*.duckdb"))
    damaged.chmod(0o644)
    with duckdb.connect(str(damaged)) as connection:
        connection.execute("INSERT INTO data FROM data")
    damaged.chmod(0o444)
    assert mill.open().examine() != []
    damaged.unlink()
    assert "is gone" in " ".join(problem.what for problem in mill.open().examine())
