from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import current_thread
from types import ModuleType
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from millgate.errors import BadResult, StoreError
from millgate.store import streams
from millgate.store.storage import storage_at
from millgate.store.streams import is_storable
from millgate.store.writing import read_metadata, write
from store.stored_values import VALUES, column

FRAME = pl.DataFrame({"n": [1, 2, 3], "s": ["a", None, "ü"]})

FORMS: dict[str, Callable[[pl.DataFrame], Any]] = {
    "DataFrame": lambda f: f,
    "LazyFrame": lambda f: f.lazy(),
    "Table": lambda f: f.to_arrow(),
    "RecordBatchReader": lambda f: f.to_arrow().to_reader(max_chunksize=2),
    "iterator of frames": lambda f: iter([f[:1], f[1:]]),
    "iterator of lazy frames": lambda f: (part.lazy() for part in (f[:1], f[1:])),
    "iterator of tables": lambda f: (part.to_arrow() for part in (f[:1], f[1:])),
    "iterator of batches": lambda f: iter(f.to_arrow().to_batches(max_chunksize=1)),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "staging" / "7" / "7000001.parquet"


def stored(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path, glob=False, hive_partitioning=False)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_result_is_written_with_its_footer(form: str, path: Path) -> None:
    result = FORMS[form](FRAME)
    assert is_storable(result)
    write(result, path, {"asset": "flights", "inputs": [{"partition": "ü"}]})
    assert_frame_equal(stored(path), FRAME)
    assert read_metadata(path) == {"asset": "flights", "inputs": [{"partition": "ü"}]}
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("form", [f for f in FORMS if f != "iterator of batches"])
def test_every_form_may_be_empty(form: str, path: Path) -> None:
    write(FORMS[form](FRAME.clear()), path, {})
    assert_frame_equal(stored(path), FRAME.clear())


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("form", ["DataFrame", "LazyFrame", "iterator of frames"])
def test_every_storable_type_comes_back_as_it_was(name: str, form: str, path: Path) -> None:
    frame = column(name).to_frame()
    write(FORMS[form](frame), path, {})
    assert_frame_equal(stored(path), frame)


def test_a_relation_streams_from_its_connection(path: Path) -> None:
    with duckdb.connect() as connection:
        relation = connection.sql("SELECT range AS n, sum(range) OVER () AS s FROM range(300000)")
        assert is_storable(relation)
        write(relation, path, {})
    assert stored(path).schema == {"n": pl.Int64, "s": pl.Decimal(38, 0)}
    assert stored(path)["n"].to_list() == list(range(300_000))


PLAIN = {
    "d": "DATE '2013-01-01'",
    "m": "1.50::DECIMAL(9,2)",
    "t": "TIME '10:30'",
    "s": "TIMESTAMP '2013-01-01 10:30'",
    "ns": "TIMESTAMP_NS '2013-01-01 10:30'",
    "l": "[['it''s'], []]",
    "b": "'\\xFF'::BLOB",
    "nothing": "NULL::DOUBLE",
}


@pytest.mark.parametrize("other", ["", "h", "u", "e", "z", "a"])
def test_a_relation_is_the_same_rows_whoever_writes_it(other: str, path: Path) -> None:
    values = {
        **PLAIN,
        "h": "1::HUGEINT",
        "u": "uuid()::VARCHAR::UUID",
        "e": "'x'::ENUM('x', 'y')",
        "z": "TIMESTAMPTZ '2013-01-01 10:30+01'",
        "a": "[1, 2]::INTEGER[2]",
    }
    names = [*PLAIN, *([other] if other else [])]
    columns = ", ".join(f"{values[n]} AS {n}" for n in names)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE made AS SELECT {columns} FROM range(3)")
        relation = connection.table("made")
        write(relation, path, {"asset": "it's"})
        expected = pl.DataFrame(relation.to_arrow_table())
    assert_frame_equal(stored(path), expected, categorical_as_str=True)
    assert stored(path).schema == expected.schema
    assert read_metadata(path) == {"asset": "it's"}
    assert ("DuckDB" in pq.read_metadata(path).created_by) == (other == "")
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_the_error_of_a_relation_passes_and_keeps_what_was_there(path: Path) -> None:
    write(FRAME, path, {})
    with duckdb.connect() as connection, pytest.raises(duckdb.ConversionException):
        write(connection.sql("SELECT ('x' || range)::INTEGER AS n FROM range(3)"), path, {})
    assert_frame_equal(stored(path), FRAME)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_an_empty_relation_keeps_its_columns(path: Path) -> None:
    with duckdb.connect() as connection:
        write(connection.sql("SELECT 1::SMALLINT AS n, 'x' AS s WHERE false"), path, {})
    assert stored(path).schema == {"n": pl.Int16, "s": pl.String}
    assert stored(path).is_empty()


def test_a_stream_is_gathered_into_groups_and_pulled_as_it_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "GROUP_ROWS", 10)
    threads = set()
    seen = []

    def frames() -> Iterator[pl.DataFrame]:
        for i in range(12):
            threads.add(current_thread())
            part = path.with_name(path.name + ".part")
            seen.append(part.stat().st_size if part.exists() else 0)
            yield pl.DataFrame({"n": [i] * 3})

    write(frames(), path, {})
    assert stored(path)["n"].to_list() == [i for i in range(12) for _ in range(3)]
    assert pq.ParquetFile(path).num_row_groups > 1
    assert threads == {current_thread()}
    assert seen[-1] > seen[1]


def test_a_result_may_read_the_file_it_replaces(path: Path) -> None:
    write(FRAME, path, {"version": 1})
    write(pl.scan_parquet(path).with_columns(pl.col("n") + 1), path, {"version": 2})
    assert stored(path)["n"].to_list() == [2, 3, 4]
    assert read_metadata(path) == {"version": 2}


def test_the_error_of_an_iterator_passes_and_leaves_nothing(path: Path) -> None:
    def frames() -> Iterator[pl.DataFrame]:
        yield FRAME
        raise ZeroDivisionError("theirs")

    with pytest.raises(ZeroDivisionError, match="theirs"):
        write(frames(), path, {})
    assert list(path.parent.iterdir()) == []


def test_the_error_of_a_plan_passes_and_keeps_what_was_there(path: Path) -> None:
    write(FRAME, path, {})
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        write(FRAME.lazy().select("m"), path, {})
    with pytest.raises(FileNotFoundError):
        write(pl.scan_parquet(path.with_name("other.parquet")), path, {})
    assert_frame_equal(stored(path), FRAME)


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (pl.DataFrame({"n": [1.0], "s": ["a"]}), "column 'n' is Float64"),
        (pl.DataFrame({"n": [1]}), "column 's' is missing"),
        (pl.DataFrame({"s": ["a"], "n": [1]}), "another place"),
        ("text", "yielded a str"),
        ({"n": [1]}, "yielded a dict"),
    ],
)
def test_frames_of_a_stream_have_one_schema(second: Any, what: str, path: Path) -> None:
    with pytest.raises(BadResult, match=what):
        write(iter([FRAME, second]), path, {})
    assert not path.exists()


def test_a_stream_without_frames_has_no_columns(path: Path) -> None:
    with pytest.raises(BadResult, match="yielded no frame"):
        write(iter([]), path, {})


@pytest.mark.parametrize(
    "result",
    [
        pl.DataFrame({"x": [None]}).select(pl.col("x").cast(pl.Duration("us"))),
        pl.LazyFrame({"x": [1]}).select(pl.col("x").cast(pl.Int128)),
        pa.table({"x": pa.array([1], pa.duration("us"))}),
        pa.table({"x": pa.array([None], pa.month_day_nano_interval())}),
        pa.table({"x": pa.array([None], pa.month_day_nano_interval())}).to_reader(),
        pa.table({"x": pa.array([], pa.list_(pa.month_day_nano_interval()))}).to_reader(),
    ],
)
def test_a_type_that_cannot_be_stored_is_named_with_its_column(result: Any, path: Path) -> None:
    with pytest.raises(BadResult) as refused:
        write(result, path, {})
    assert "'x'" in refused.value.where
    assert not path.exists()


@pytest.mark.parametrize(
    "sql", ["INTERVAL 1 DAY", "union_value(a := 1)", "'a'::VARIANT", "1::BIGNUM"]
)
def test_a_type_of_duckdb_alone_is_refused(sql: str, path: Path) -> None:
    with duckdb.connect() as connection, pytest.raises(BadResult) as refused:
        write(connection.sql(f"SELECT {sql} AS x"), path, {})
    assert "'x'" in refused.value.where


@pytest.mark.parametrize("result", [None, 1, "SELECT 1", [FRAME], {"a": [1]}, (FRAME,), FRAME["n"]])
def test_what_is_no_frame_is_not_storable(result: object) -> None:
    assert not is_storable(result)


@pytest.mark.parametrize("form", ["DataFrame", "LazyFrame", "iterator of frames"])
def test_a_folder_that_is_a_file_is_a_store_error(form: str, tmp_path: Path) -> None:
    (tmp_path / "staging").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        write(FORMS[form](FRAME), tmp_path / "staging" / "x.parquet", {})


@pytest.mark.parametrize("form", ["DataFrame", "LazyFrame", "iterator of frames"])
def test_a_disk_that_refuses_is_a_store_error(form: str, path: Path) -> None:
    path.with_name(path.name + ".part").mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be written"):
        write(FORMS[form](FRAME), path, {})


@pytest.mark.parametrize("content", [b"", b"PAR1 not really"])
def test_a_file_without_lineage_says_so(tmp_path: Path, content: bytes) -> None:
    foreign = tmp_path / "x.parquet"
    foreign.write_bytes(content)
    with pytest.raises(StoreError, match="no lineage"):
        read_metadata(foreign)
    FRAME.write_parquet(foreign)
    with pytest.raises(StoreError, match="no lineage"):
        read_metadata(foreign)


@pytest.mark.parametrize("suffix", [".parquet", ".duckdb"])
@pytest.mark.parametrize("form", [lambda plan: plan, lambda plan: iter([plan])])
def test_rows_of_a_file_in_many_pieces_keep_their_order(form, suffix, tmp_path):
    """polars mixes up the pieces of a column that is a branch on a literal alone."""
    frame = pl.DataFrame({"n": [None if i % 4 == 0 else i for i in range(400)]})
    frame.write_parquet(tmp_path / "pieces.parquet", row_group_size=3)
    scan = pl.scan_parquet(tmp_path / "pieces.parquet")
    gone = pl.when(pl.col("n").is_null()).then(pl.lit(True)).alias("gone")
    for attempt in range(3):
        path = tmp_path / f"{attempt}{suffix}"
        write(form(pl.concat([scan, scan.select(gone)], how="horizontal")), path, {})
        assert_frame_equal(storage_at(path).scan(path).collect(), frame.with_columns(gone))


def test_frames_are_told_while_another_thread_imports_pyarrow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", ModuleType("pyarrow"))
    assert not streams.is_table(FRAME)
    assert is_storable(FRAME)
    assert not is_storable(object())
    (frame,) = streams.frames_of(FRAME)
    assert frame is FRAME
