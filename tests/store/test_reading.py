from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandera.polars as pa_polars
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from millgate.errors import DeclarationError, StepFailed
from millgate.execute.at_hand import AtHand
from millgate.model.asset import Form, Source
from millgate.model.dimension import Keys
from millgate.model.grain import Daily, Hourly
from millgate.model.partition import Partitions
from millgate.model.schema import Column, Schema, united
from millgate.store import reading
from millgate.store.layout import Layout
from millgate.store.reading import Version, read_source, read_versions, scan_version
from millgate.store.types import schema_of
from millgate.store.writing import write
from store.stored_values import VALUES, column

DAILY = Partitions((Daily("2013-01-01"),))
FRAMES = [Form.LAZY, Form.FRAME, Form.TABLE, Form.READER, Form.RELATION]
KINDS = {
    Form.LAZY: pl.LazyFrame,
    Form.FRAME: pl.DataFrame,
    Form.TABLE: pa.Table,
    Form.READER: pa.RecordBatchReader,
    Form.RELATION: duckdb.DuckDBPyRelation,
}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.fixture(params=["little", "much", "at hand"], autouse=True)
def amount(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is little is read at once; everything is as if it were much, or still in memory, too."""
    if request.param == "much":
        monkeypatch.setattr(reading, "_LITTLE", -1)
    monkeypatch.setattr(Shelf, "is_at_hand", request.param == "at hand")


class Shelf:
    """Versions as files: hive-style as when committed, or flat as in staging."""

    is_at_hand = False

    def __init__(self, root: Path, partitions: Partitions = DAILY, staged: bool = False) -> None:
        self.root, self.partitions, self.staged = root, partitions, staged
        self.versions: list[Version] = []
        self.at_hand = AtHand()

    def add(self, key: str, frame: pl.DataFrame) -> Shelf:
        layout = Layout(self.root, self.root / "warehouse", self.root / "quarantine")
        partition = self.partitions.partition("a", key)
        id_ = 7_000_001 + len(self.versions)
        committed = layout.versions / layout.version_path(partition, id_)
        path = layout.staged(7, id_) if self.staged else committed
        write(frame, path, {})
        if self.is_at_hand:
            self.at_hand.keep(path, frame)
        self.versions.append((path, partition, schema_of(frame)))
        return self

    def read(
        self, form: Form, connection: duckdb.DuckDBPyConnection, union: Schema | None = None
    ) -> Any:
        union = union or united(schema for _, _, schema in self.versions)
        frames = self.at_hand.all_of([path for path, _, _ in self.versions])
        return read_versions(
            self.versions, form, union, self.partitions, lambda: connection, frames
        )


def frame_of(result: Any) -> pl.DataFrame:
    match result:
        case pl.LazyFrame():
            return result.collect()
        case pa.RecordBatchReader():
            return pl.DataFrame(result.read_all())
        case duckdb.DuckDBPyRelation():
            return result.pl()
    return pl.DataFrame(result)


@pytest.mark.parametrize("form", FRAMES)
@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize("days", [1, 3])
def test_versions_in_every_form_with_their_partition_columns(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, form: Form, staged: bool, days: int
) -> None:
    shelf = Shelf(tmp_path, staged=staged)
    for day in range(days, 0, -1):
        shelf.add(f"2013-01-0{day}", pl.DataFrame({"n": [day, 10 * day]}))
    result = shelf.read(form, connection)
    assert isinstance(result, KINDS[form])
    order = [day for day in range(days, 0, -1) for _ in range(2)]
    wanted = {
        "n": [day * factor for day, factor in zip(order, [1, 10] * days, strict=True)],
        "date": [date(2013, 1, day) for day in order],
    }
    assert_frame_equal(frame_of(result), pl.DataFrame(wanted))


@pytest.mark.parametrize("form", FRAMES)
@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize(
    ("partitions", "keys", "values"),
    [
        (
            Partitions((Hourly("2013-11-03"),)),
            ["2013-11-03T05:00Z", "2013-11-03T06:00Z"],
            [datetime(2013, 11, 3, 5), datetime(2013, 11, 3, 6)],
        ),
        (
            Partitions((Keys("it's %41", 'é "*?[a]', name="region"),)),
            ["it's %41", 'é "*?[a]'],
            ["it's %41", 'é "*?[a]'],
        ),
    ],
)
def test_every_kind_of_key_is_a_typed_column(
    tmp_path: Path,
    connection: duckdb.DuckDBPyConnection,
    form: Form,
    staged: bool,
    partitions: Partitions,
    keys: list[str],
    values: list[Any],
) -> None:
    shelf = Shelf(tmp_path / "a=b [1]", partitions, staged)
    for key in keys:
        shelf.add(key, pl.DataFrame({"n": [1]}))
    found = frame_of(shelf.read(form, connection))
    assert_frame_equal(found, pl.DataFrame({"n": [1, 1], partitions.names[0]: values}))


@pytest.mark.parametrize("form", FRAMES)
@pytest.mark.parametrize("staged", [False, True])
def test_products_have_all_their_columns(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, form: Form, staged: bool
) -> None:
    shelf = Shelf(tmp_path, Daily("2013-01-01") * Keys("EWR", "JFK", name="airport"), staged)
    shelf.add("2013-01-01/JFK", pl.DataFrame({"n": [1]}))
    shelf.add("2013-01-02/EWR", pl.DataFrame({"n": [2]}))
    assert frame_of(shelf.read(form, connection)).rows() == [
        (1, date(2013, 1, 1), "JFK"),
        (2, date(2013, 1, 2), "EWR"),
    ]


@pytest.mark.parametrize("form", FRAMES)
def test_a_column_named_as_its_dimension_keeps_its_place(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, form: Form
) -> None:
    shelf = Shelf(tmp_path)
    for day in (1, 2):
        shelf.add(f"2013-01-0{day}", pl.DataFrame({"date": [date(2013, 1, day)], "n": [day]}))
    shelf.add("2013-01-03", pl.DataFrame({"n": [3]}))
    found = frame_of(shelf.read(form, connection))
    assert found.columns == ["date", "n"]
    assert found.rows() == [(date(2013, 1, day), day) for day in (1, 2, 3)]


@pytest.mark.parametrize("form", FRAMES)
def test_versions_widen_to_the_schema_of_the_asset(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, form: Form
) -> None:
    shelf = Shelf(tmp_path)
    shelf.add("2013-01-01", pl.DataFrame({"n": [1]}, schema={"n": pl.Int32}))
    shelf.add("2013-01-02", pl.DataFrame({"more": [[1.5]], "n": [2**40]}))
    shelf.add("2013-01-03", pl.DataFrame({"n": [3]}, schema={"n": pl.Int32}))
    union = Schema((Column("gone", "VARCHAR"), Column("n", "BIGINT")))
    found = frame_of(shelf.read(form, connection, union))
    assert dict(found.schema) == {
        "gone": pl.String,
        "n": pl.Int64,
        "more": pl.List(pl.Float64),
        "date": pl.Date,
    }
    assert found.select("gone", "n", "more").rows() == [
        (None, 1, None),
        (None, 2**40, [1.5]),
        (None, 3, None),
    ]


@pytest.mark.parametrize("form", FRAMES)
def test_values_that_no_type_holds_are_the_text_that_the_view_shows(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, form: Form
) -> None:
    shelf = Shelf(tmp_path)
    for day, value in enumerate([1.5, 2, datetime(2013, 1, 1), {"a": [1]}], start=1):
        shelf.add(f"2013-01-0{day}", pl.DataFrame({"x": [value]}))
    found = frame_of(shelf.read(form, connection))
    assert found["x"].to_list() == ["1.5", "2", "2013-01-01 00:00:00", "{'a': [1]}"]


@pytest.mark.parametrize("form", FRAMES)
def test_no_version_is_an_empty_frame_of_known_types(
    connection: duckdb.DuckDBPyConnection, form: Form
) -> None:
    union = Schema((Column("n", "INTEGER"), Column("l", 'STRUCT("a" DATE)[]')))
    found = read_versions([], form, union, DAILY, lambda: connection)
    assert isinstance(found, KINDS[form])
    assert dict(frame_of(found).schema) == {
        "n": pl.Int32,
        "l": pl.List(pl.Struct({"a": pl.Date})),
        "date": pl.Date,
    }
    assert frame_of(found).is_empty()


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("form", FRAMES)
def test_every_storable_type_is_read_in_every_form(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, form: Form, name: str
) -> None:
    frame = column(name).to_frame()
    shelf = Shelf(tmp_path, Partitions()).add("", frame)
    found = shelf.read(form, connection)
    if form is Form.RELATION:
        assert str(found.types[0]).replace('"', "") == schema_of(frame).types["x"].replace('"', "")
        assert found.count("x").fetchall() == [(frame.height - 1,)]
    else:
        assert_frame_equal(frame_of(found), frame)


@pytest.mark.parametrize("form", [Form.LAZY, Form.FRAME])
def test_types_of_polars_are_kept_where_versions_agree(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, form: Form
) -> None:
    zoned, enum = column("zoned").dtype, pl.Enum(["a", "b"])
    both = pl.DataFrame({"at": column("zoned"), "e": pl.Series(["a", "b", "a", None], dtype=enum)})
    shelf = Shelf(tmp_path).add("2013-01-01", both).add("2013-01-02", both)
    found = frame_of(shelf.read(form, connection))
    assert found.schema["at"] == zoned
    assert found.schema["e"] == enum
    shelf.add("2013-01-03", both.cast({"at": pl.Datetime("us", "UTC"), "e": pl.Categorical}))
    found = frame_of(shelf.read(form, connection))
    assert found.schema["at"] == pl.Datetime("us", "UTC")
    assert found.schema["e"] == pl.String
    assert found["e"].to_list() == ["a", "b", "a", None] * 3


HOSTILE = ["*", "^n.*$", "n", 'say "x"', "line\nbreak", "file", "file_index", "x'; --", "ünï"]


@pytest.mark.parametrize("form", FRAMES)
@pytest.mark.parametrize("staged", [False, True])
def test_any_column_name_will_do(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, form: Form, staged: bool
) -> None:
    shelf = Shelf(tmp_path, staged=staged)
    for day in (1, 2):
        shelf.add(f"2013-01-0{day}", pl.DataFrame({n: [day + i] for i, n in enumerate(HOSTILE)}))
    shelf.add("2013-01-03", pl.DataFrame({n: [3 + i] for i, n in enumerate(HOSTILE[::-1])}))
    found = frame_of(shelf.read(form, connection))
    assert found.columns == [*HOSTILE, "date"]
    assert found.rows()[0] == (*range(1, 10), date(2013, 1, 1))
    assert found.rows()[2] == (*range(11, 2, -1), date(2013, 1, 3))


def test_many_alternating_schemas_are_read_in_order(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_LAZY_RUNS", 3)
    shelf = Shelf(tmp_path)
    for day in range(1, 10):
        dtype = pl.Int64 if day % 2 else pl.Int16
        shelf.add(f"2013-01-0{day}", pl.DataFrame({"n": [day]}, schema={"n": dtype}))
    found = shelf.read(Form.LAZY, connection)
    assert found.collect()["n"].to_list() == list(range(1, 10))


def test_a_relation_can_become_a_view(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    shelf = Shelf(tmp_path).add("2013-01-01", pl.DataFrame({"n": [1]}))
    shelf.read(Form.RELATION, connection).create_view("given", replace=True)
    assert connection.execute("FROM given").fetchall() == [(1, date(2013, 1, 1))]
    source = Source(name="s", location="x.csv")
    (tmp_path / "x.csv").write_text("a\n1\n")
    files = [(tmp_path / "x.csv", source.partition())]
    read_source(source, files, Form.RELATION, lambda: connection)
    relation = read_source(source, files, Form.RELATION, lambda: connection)
    relation.create_view("given", replace=True)
    del relation
    assert connection.execute("FROM given").fetchall() == [(1,)]


@pytest.mark.parametrize("own", ["n", "file_index", "date"])
@pytest.mark.parametrize("days", [1, 3])
def test_parquet_files_of_a_source_are_the_same_rows_to_every_form(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, own: str, days: int
) -> None:
    source = Source(name="s", location="{date}.parquet", partitions=DAILY)
    files = []
    for day in range(1, 1 + days):
        frame = pl.DataFrame({own: [date(2020, 1, day)] * 2, "it's": [day, None]})
        path = tmp_path / f"[{day}].parquet"
        frame.write_parquet(path)
        files.append((path, source.partition(f"2013-01-0{day}")))
    found = read_source(source, files, Form.RELATION, lambda: connection)
    assert_frame_equal(
        frame_of(found), frame_of(read_source(source, files, Form.LAZY, lambda: connection))
    )
    assert ("PARQUET" in found.explain().upper()) == (own != "file_index" or days == 1)


@pytest.mark.parametrize("dtype", [pl.Datetime("ms"), pl.Enum(["a"]), pl.Duration("us")])
def test_a_type_that_only_polars_reads_from_parquet_stays_what_it_is(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, dtype: pl.DataType
) -> None:
    path = tmp_path / "x.parquet"
    frame = pl.DataFrame({"x": pl.Series([0 if dtype != pl.Enum(["a"]) else "a"], dtype=dtype)})
    frame.write_parquet(path)
    source = Source(name="s", location="x.parquet")
    found = read_source(source, [(path, source.partition())], Form.RELATION, lambda: connection)
    expected = connection.from_arrow(frame.to_arrow())
    assert found.fetchall() == expected.fetchall()


def test_a_version_is_no_path(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    shelf = Shelf(tmp_path).add("2013-01-01", pl.DataFrame({"n": [1]}))
    with pytest.raises(DeclarationError, match="not received as a Path"):
        shelf.read(Form.PATH, connection)


def test_a_version_is_scanned_as_it_was_written(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path).add("2013-01-01", pl.DataFrame({"n": [1]}))
    assert scan_version(shelf.versions[0][0]).collect().to_dict(as_series=False) == {"n": [1]}


# Sources


class Row(pa_polars.DataFrameModel):
    day: date
    at: datetime
    n: int
    price: float
    code: str
    absent: int = pa_polars.Field(nullable=True)


CSV = "day,at,n,price,code,other\n2013-01-01,2013-01-01T05:00:00,1,2,007,x\n,,NA,NA,NA,NA\n"


def sourced(
    path: Path, connection: duckdb.DuckDBPyConnection, form: Form = Form.FRAME, **declared: Any
) -> Any:
    source = Source(name="raw", location=str(path), **declared)
    return read_source(source, [(path, source.partition())], form, lambda: connection)


@pytest.mark.parametrize("form", FRAMES)
@pytest.mark.parametrize("name", ["rows.csv", "rows.CSV.gz", "rows[1].csv"])
def test_a_csv_is_typed_by_its_model_whoever_asks(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, form: Form, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(CSV.encode()) if name.endswith(".gz") else CSV.encode())
    result = sourced(path, connection, form, types=Row, options={"null_values": "NA"})
    assert isinstance(result, KINDS[form])
    found = frame_of(result)
    assert dict(found.schema) == {
        "day": pl.Date,
        "at": pl.Datetime("us"),
        "n": pl.Int64,
        "price": pl.Float64,
        "code": pl.String,
        "other": pl.String,
    }
    assert found.rows()[0] == (date(2013, 1, 1), datetime(2013, 1, 1, 5), 1, 2.0, "007", "x")
    assert found.rows()[1] == (None,) * 6


def test_types_are_inferred_from_every_row(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    path = tmp_path / "late.csv"
    path.write_text("n\n" + "1\n" * 500 + "1.5\n")
    assert sourced(path, connection).schema == {"n": pl.Float64}


def test_steps_that_read_a_file_share_what_is_known_of_its_columns(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    scan = pl.scan_csv
    monkeypatch.setattr(pl, "scan_csv", lambda *a, **k: opened.append(a) or scan(*a, **k))
    file = tmp_path / "x.csv"
    file.write_text("n\n1\n")
    source = Source(name="x", location=str(file))
    for _ in range(3):
        read = read_source(source, [(file, source.partition())], Form.FRAME, lambda: connection)
        assert read.to_dict(as_series=False) == {"n": [1]}
    once = len(opened)
    file.write_text("n\nlater\n")
    read = read_source(source, [(file, source.partition())], Form.FRAME, lambda: connection)
    assert read.to_dict(as_series=False) == {"n": ["later"]}
    assert len(opened) == 2 * once


def other_formats(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    frame = pl.DataFrame({"n": [1, 2], "day": ["2013-01-01", None]})
    frame.write_parquet(folder / "a.parquet")
    frame.write_ipc(folder / "a.arrow")
    frame.write_ndjson(folder / "a.jsonl")
    frame.write_json(folder / "a.json")
    frame.write_csv(folder / "a.tsv", separator="\t")
    frame.write_csv(folder / "a.dat", separator="|")
    (folder / "b.ndjson.gz").write_bytes(gzip.compress((folder / "a.jsonl").read_bytes()))
    for name in ("a.parquet", "a.arrow", "a.jsonl", "a.json", "a.tsv", "b.ndjson.gz"):
        yield folder / name, {}
    yield folder / "a.dat", {"format": "csv", "separator": "|"}


def test_every_kind_of_file_is_read_and_typed(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    types = pa_polars.DataFrameSchema(
        {"n": pa_polars.Column(pl.Int16), "^da.*$": pa_polars.Column(pl.Date, regex=True)}
    )
    for path, options in other_formats(tmp_path):
        found = sourced(path, connection, types=types, options=options)
        assert dict(found.schema) == {"n": pl.Int16, "day": pl.Date}, path.name
        assert found.rows() == [(1, date(2013, 1, 1)), (2, None)]


@pytest.mark.parametrize("form", FRAMES)
def test_files_of_a_source_are_united_and_carry_their_keys(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, form: Form
) -> None:
    source = Source(name="raw", location="{date}.csv", partitions=DAILY)
    files = []
    for key, text in (("2013-01-02", "n\n1\n"), ("2013-01-01", "n,more\n1.5,x\n")):
        path = tmp_path / f"{key}.csv"
        path.write_text(text)
        files.append((path, source.partition(key)))
    found = frame_of(read_source(source, files, form, lambda: connection))
    assert dict(found.select("n", "date", "more").to_dicts()[0]) == {
        "n": 1.0,
        "date": date(2013, 1, 2),
        "more": None,
    }
    assert found["date"].to_list() == [date(2013, 1, 2), date(2013, 1, 1)]


def test_a_sources_own_column_of_that_name_stays(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    source = Source(name="raw", location="{date}.csv", partitions=DAILY)
    path = tmp_path / "x.csv"
    path.write_text("Date\ntheirs\n")
    found = read_source(
        source, [(path, source.partition("2013-01-01"))], Form.FRAME, lambda: connection
    )
    assert found.to_dict(as_series=False) == {"Date": ["theirs"]}


def test_a_path_is_given_as_it_is(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "any.zip"
    assert sourced(path, connection, Form.PATH) == path
    source = Source(name="raw", location="*.zip", defined_in="assets/x.py:1")
    with pytest.raises(DeclarationError, match="2 files of raw"):
        read_source(source, [(path, source.partition())] * 2, Form.PATH, lambda: connection)


@pytest.mark.parametrize(
    ("name", "content", "declared", "error", "what"),
    [
        ("a.xyz", "n\n1\n", {}, DeclarationError, "no reader for a.xyz"),
        ("a.csv", "n\nx\n", {"types": Row}, StepFailed, "a.csv cannot be read: .*x"),
        ("a.csv", "", {}, StepFailed, "a.csv cannot be read"),
        ("a.parquet", "no", {}, StepFailed, "a.parquet cannot be read"),
        ("a.json", "{", {}, StepFailed, "a.json cannot be read"),
        ("a.csv", "n\n1\n", {"options": {"nul_values": "NA"}}, DeclarationError, "'nul_values'"),
        ("a.csv", "n\n1\n", {"options": {"format": "xls"}}, DeclarationError, "'xls'"),
        ("gone.csv", None, {}, StepFailed, "gone.csv cannot be read"),
    ],
)
def test_what_cannot_be_read_says_which_file_and_what_to_do(
    tmp_path: Path,
    connection: duckdb.DuckDBPyConnection,
    name: str,
    content: str | None,
    declared: dict[str, Any],
    error: type[Exception],
    what: str,
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(error, match=what):
        sourced(path, connection, defined_in="assets/x.py:3", **declared)
