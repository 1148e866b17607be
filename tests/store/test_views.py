"""The views, as DuckDB itself answers them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from millgate.errors import StoreError
from millgate.model.dimension import Keys
from millgate.model.grain import Daily, Hourly, Monthly, Weekly
from millgate.model.partition import Partitions
from millgate.model.record import LiveVersion, materialization_id
from millgate.model.schema import Column, Schema
from millgate.store.layout import Layout
from millgate.store.types import schema_of
from millgate.store.views import exact_path, literal, production_view, quarantine_view
from millgate.store.writing import write
from store.stored_values import VALUES, column

DAILY = Partitions((Daily("2013-01-01"),))
REASON = {"rule": "gt", "column_name": "n", "value": "0"}


class Bench:
    """A warehouse's files and a database with its views."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root, root / "warehouse", root / "quarantine")
        self.connection = duckdb.connect()
        self.connection.execute(
            "SET TimeZone = 'UTC'; CREATE SCHEMA production; CREATE SCHEMA quarantine"
        )
        self._ordinal = 0

    def version(
        self, partitions: Partitions, key: str, frame: pl.DataFrame, *, refused: bool = False
    ) -> LiveVersion:
        self._ordinal += 1
        id_ = materialization_id(7, self._ordinal)
        partition = partitions.partition("a", key)
        if refused:
            path = f"{self.layout.quarantine_path(partition, id_)}/rows.parquet"
            write(frame, self.layout.quarantine / path, {})
        else:
            path = self.layout.version_path(partition, id_)
            write(frame, self.layout.versions / path, {})
        return LiveVersion(key, id_, path, schema_of(frame), frame.height)

    def publish(
        self, partitions: Partitions, versions: list[LiveVersion], known: Schema | None = None
    ) -> str:
        folder, root = self.layout.versions, self.layout.root
        return self._run(production_view("a", partitions, versions, folder, known, root=root))

    def quarantine(
        self, partitions: Partitions, refused: list[LiveVersion], known: Schema | None = None
    ) -> str:
        folder, root = self.layout.quarantine, self.layout.root
        return self._run(quarantine_view("a", partitions, refused, folder, known, root=root))

    def _run(self, statements: list[str]) -> str:
        for statement in statements:
            self.connection.execute(statement)
        return "\n".join(statements)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def types(self, view: str = "production.a") -> dict[str, str]:
        return {row[0]: row[1] for row in self.rows(f"DESCRIBE {view}")}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.connection.close()


def scanned(bench: Bench, where: str) -> str:
    plan = bench.rows(f"EXPLAIN ANALYZE SELECT sum(n) FROM production.a WHERE {where}")[0][1]
    found = re.search(r"Scanning Files: *(\d+/\d+)", plan)
    return found[1] if found else plan


def test_a_year_prunes_to_the_days_that_are_asked_for(bench: Bench) -> None:
    days = [date(2013, 1, 1) + timedelta(i) for i in range(365)]
    versions = [
        bench.version(DAILY, day.isoformat(), pl.DataFrame({"n": [i]}))
        for i, day in enumerate(days)
    ]
    text = bench.publish(DAILY, versions)
    assert bench.rows("SELECT count(*), sum(n), min(date), max(date) FROM production.a") == [
        (365, 365 * 364 // 2, days[0], days[-1])
    ]
    assert bench.types() == {"n": "BIGINT", "date": "DATE"}
    assert scanned(bench, "date BETWEEN '2013-03-01' AND '2013-03-03'") == "3/365"
    assert scanned(bench, "date = DATE '2013-12-31'") == "1/365"
    assert len(text) < 365 * len("2013-01-01/7-365 ") + 500


@pytest.mark.parametrize(
    ("partitions", "keys", "where", "type_", "first"),
    [
        (
            Partitions((Hourly("2013-11-03"),)),
            ["2013-11-03T05:00Z", "2013-11-03T06:00Z", "2013-11-03T07:00Z"],
            "hour >= '2013-11-03 06:00'",
            "TIMESTAMP",
            datetime(2013, 11, 3, 5),
        ),
        (
            Partitions((Weekly("2013-01-07"),)),
            ["2013-01-07", "2013-01-14", "2013-01-21"],
            "week > DATE '2013-01-07'",
            "DATE",
            date(2013, 1, 7),
        ),
        (
            Partitions((Monthly("2013-01"),)),
            ["2013-01", "2013-02", "2013-03"],
            "month IN ('2013-02', '2013-03')",
            "VARCHAR",
            "2013-01",
        ),
        (
            Partitions((Keys("it's %", "a é", 'say "x";--?*[1]'),)),
            ["a é", "it's %", 'say "x";--?*[1]'],
            "key <> 'a é'",
            "VARCHAR",
            "a é",
        ),
    ],
)
def test_every_kind_of_key_is_typed_and_prunes(
    bench: Bench, partitions: Partitions, keys: list[str], where: str, type_: str, first: object
) -> None:
    versions = [
        bench.version(partitions, key, pl.DataFrame({"n": [i]})) for i, key in enumerate(keys)
    ]
    bench.publish(partitions, versions)
    name = partitions.names[0]
    assert bench.types() == {"n": "BIGINT", name: type_}
    assert bench.rows(f"SELECT {name} FROM production.a WHERE n = 0") == [(first,)]
    assert bench.rows(f"SELECT n FROM production.a WHERE {where} ORDER BY n") == [(1,), (2,)]
    assert scanned(bench, where) == "2/3"


def test_products_have_both_columns_and_prune_by_either(bench: Bench) -> None:
    partitions = Daily("2013-01-01") * Keys("EWR", "JFK", name="airport")
    versions = [
        bench.version(partitions, f"2013-01-0{day}/{airport}", pl.DataFrame({"n": [day]}))
        for day in (1, 2)
        for airport in ("EWR", "JFK")
    ]
    bench.publish(partitions, versions)
    assert bench.rows("SELECT * FROM production.a ORDER BY ALL")[0] == (1, date(2013, 1, 1), "EWR")
    assert scanned(bench, "airport = 'EWR'") == "2/4"
    assert scanned(bench, "airport = 'EWR' AND date = '2013-01-02'") == "1/4"


def test_an_unpartitioned_asset(bench: Bench) -> None:
    version = bench.version(Partitions(), "", pl.DataFrame({"n": [1]}))
    bench.publish(Partitions(), [version])
    assert bench.rows("FROM production.a") == [(1,)]


def test_a_column_named_as_its_dimension_keeps_its_place(bench: Bench) -> None:
    frame = pl.DataFrame({"date": [date(2013, 1, 1)], "n": [1]})
    bench.publish(DAILY, [bench.version(DAILY, "2013-01-01", frame)])
    assert bench.types() == {"date": "DATE", "n": "BIGINT"}
    assert bench.rows("FROM production.a") == [(date(2013, 1, 1), 1)]


@pytest.mark.parametrize(
    ("old", "new", "types", "rows"),
    [
        pytest.param(
            pl.DataFrame({"n": [1]}),
            pl.DataFrame({"n": [2], "added": ["x"]}),
            {"n": "BIGINT", "added": "VARCHAR"},
            [(1, None), (2, "x")],
            id="an added column reads as null",
        ),
        pytest.param(
            pl.DataFrame({"n": [1], "lost": ["x"]}),
            pl.DataFrame({"n": [2]}),
            {"n": "BIGINT", "lost": "VARCHAR"},
            [(1, "x"), (2, None)],
            id="a lost column stays while a version has it",
        ),
        pytest.param(
            pl.DataFrame({"n": [1]}, schema={"n": pl.Int32}),
            pl.DataFrame({"n": [2**40]}),
            {"n": "BIGINT"},
            [(1,), (2**40,)],
            id="a widened type reads widened",
        ),
        pytest.param(
            pl.DataFrame({"n": [1.5]}),
            pl.DataFrame({"n": [2]}),
            {"n": "VARCHAR"},
            [("1.5",), ("2",)],
            id="DOUBLE and BIGINT lose nothing as text",
        ),
        pytest.param(
            pl.DataFrame({"n": [2]}),
            pl.DataFrame({"n": [{"a": 1}]}),
            {"n": "VARCHAR"},
            [("2",), ("{'a': 1}",)],
            id="nested and plain values are text",
        ),
        pytest.param(
            pl.DataFrame({"a": [1], "n": [2]}),
            pl.DataFrame({"n": [4], "a": [3]}),
            {"n": "BIGINT", "a": "BIGINT"},
            [(2, 1), (4, 3)],
            id="columns are matched by name, placed as in the newest",
        ),
        pytest.param(
            pl.DataFrame({"Carrier": ["UA"]}),
            pl.DataFrame({"carrier": ["AA"]}),
            {"carrier": "VARCHAR"},
            [("UA",), ("AA",)],
            id="names that differ in case are one column",
        ),
        pytest.param(
            pl.DataFrame({"n": [[1]]}, schema={"n": pl.List(pl.Int16)}),
            pl.DataFrame({"n": [[2**40]]}),
            {"n": "BIGINT[]"},
            [([1],), ([2**40],)],
            id="lists widen",
        ),
    ],
)
def test_a_change_of_schema_never_makes_the_view_lie(
    bench: Bench, old: pl.DataFrame, new: pl.DataFrame, types: dict[str, str], rows: list[Any]
) -> None:
    versions = [
        bench.version(DAILY, "2013-01-01", old),
        bench.version(DAILY, "2013-01-02", new),
    ]
    bench.publish(DAILY, versions)
    assert bench.types() == {**types, "date": "DATE"}
    assert bench.rows("SELECT * EXCLUDE (date) FROM production.a ORDER BY date") == rows
    assert bench.rows("SELECT count(*) FROM production.a WHERE date = '2013-01-02'") == [(1,)]


@pytest.mark.parametrize("name", VALUES)
def test_every_storable_type_is_shown_as_its_type_on_record(bench: Bench, name: str) -> None:
    frame = column(name).to_frame()
    bench.publish(Partitions(), [bench.version(Partitions(), "", frame)])
    wanted = schema_of(frame).types["x"]
    assert bench.types()["x"].replace('"', "") == wanted.replace('"', "")
    assert bench.rows("SELECT count(*), count(x) FROM production.a") == [
        (frame.height, frame.height - 1)
    ]


def test_times_are_of_a_type_that_older_clients_know(bench: Bench) -> None:
    frame = pl.DataFrame({"t": [time(1, 2, 3, 4)], "l": [[time(1)]]})
    bench.publish(Partitions(), [bench.version(Partitions(), "", frame)])
    assert bench.rows("FROM production.a") == [(time(1, 2, 3, 4), [time(1)])]


HOSTILE = [
    'say "x"',
    "it's",
    "a b",
    "line\nbreak",
    "ünï",
    "x; DROP TABLE y; --",
    "*",
    "select",
    "$1",
]


def test_any_column_name_will_do(bench: Bench) -> None:
    frame = pl.DataFrame({name: [i] for i, name in enumerate(HOSTILE)})
    bench.publish(DAILY, [bench.version(DAILY, "2013-01-01", frame)])
    assert list(bench.types()) == [*HOSTILE, "date"]
    assert bench.rows("SELECT * EXCLUDE (date) FROM production.a") == [tuple(range(len(HOSTILE)))]


@pytest.mark.parametrize("name", ["it's", "a b", "d[1]", "a*", "env=prod", "a?b", 'say "x"'])
def test_any_root_will_do(tmp_path: Path, name: str) -> None:
    decoy = Bench(tmp_path / "d1")
    decoy.version(DAILY, "2013-01-01", pl.DataFrame({"n": [666]}))
    twin = Bench(tmp_path / "ab")
    twin.version(DAILY, "2013-01-01", pl.DataFrame({"n": [666]}))
    bench = Bench(tmp_path / name)
    bench.publish(DAILY, [bench.version(DAILY, "2013-01-01", pl.DataFrame({"n": [1]}))])
    assert bench.rows("FROM production.a") == [(1, date(2013, 1, 1))]


def test_a_root_that_reads_as_a_partition_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "date=1999-01-01")
    version = bench.version(DAILY, "2013-01-01", pl.DataFrame({"n": [1]}))
    with pytest.raises(StoreError, match="take the folder date=1999-01-01"):
        bench.publish(DAILY, [version])
    bench.publish(Partitions(), [bench.version(Partitions(), "", pl.DataFrame({"n": [1]}))])
    assert bench.rows("FROM production.a") == [(1,)]


def test_a_copy_of_the_project_is_read_by_setting_the_root(bench: Bench, tmp_path: Path) -> None:
    here = bench.version(DAILY, "2013-01-01", pl.DataFrame({"n": [1]}))
    bench.publish(DAILY, [here])
    copy = tmp_path / "it's a copy [1]"
    write(pl.DataFrame({"n": [2]}), copy / "warehouse" / "versions" / here.path, {})
    bench.connection.execute(f"SET VARIABLE millgate_root = {literal(str(copy))}")
    assert bench.rows("SELECT n FROM production.a") == [(2,)]


def test_nothing_live_is_an_empty_view_of_known_types(bench: Bench) -> None:
    known = Schema((Column("n", "INTEGER"), Column("untyped", "NULL")))
    bench.publish(DAILY, [], known)
    assert bench.types() == {"n": "INTEGER", "untyped": "VARCHAR", "date": "DATE"}
    assert bench.rows("FROM production.a") == []


def test_nothing_live_and_nothing_known_is_no_view(bench: Bench) -> None:
    bench.publish(DAILY, [bench.version(DAILY, "2013-01-01", pl.DataFrame({"n": [1]}))])
    bench.publish(DAILY, [])
    with pytest.raises(duckdb.CatalogException):
        bench.rows("FROM production.a")
    bench.publish(DAILY, [])


def test_quarantine_shows_refused_rows_with_their_reasons_and_version(bench: Bench) -> None:
    schema = {
        "n": pl.Int64,
        "quarantine_reasons": pl.List(pl.Struct(dict.fromkeys(REASON, pl.String))),
    }
    held = pl.DataFrame({"n": [0, 1], "quarantine_reasons": [[REASON], []]}, schema=schema)
    split = pl.DataFrame(
        {"n": ["x"], "quarantine_reasons": [[REASON]]},
        schema_overrides={"quarantine_reasons": schema["quarantine_reasons"]},
    )
    refused = [
        bench.version(DAILY, "2013-01-01", held, refused=True),
        bench.version(DAILY, "2013-01-02", split, refused=True),
    ]
    bench.quarantine(DAILY, refused)
    assert list(bench.types("quarantine.a")) == [
        "n",
        "date",
        "quarantine_reasons",
        "quarantine_materialization",
    ]
    assert bench.rows("FROM quarantine.a ORDER BY date, n") == [
        ("0", date(2013, 1, 1), [REASON], refused[0].materialization),
        ("1", date(2013, 1, 1), [], refused[0].materialization),
        ("x", date(2013, 1, 2), [REASON], refused[1].materialization),
    ]


def test_an_unpartitioned_quarantine_with_a_column_called_file(bench: Bench) -> None:
    frame = pl.DataFrame({"file": [1], "quarantine_reasons": [[REASON]]})
    entry = bench.version(Partitions(), "", frame, refused=True)
    bench.quarantine(Partitions(), [entry])
    assert bench.rows("FROM quarantine.a") == [(1, [REASON], entry.materialization)]


def test_an_empty_quarantine_has_the_columns_of_production(bench: Bench) -> None:
    bench.quarantine(DAILY, [], Schema((Column("n", "BIGINT"),)))
    types = {name: text.replace('"', "") for name, text in bench.types("quarantine.a").items()}
    assert types == {
        "n": "BIGINT",
        "date": "DATE",
        "quarantine_reasons": "STRUCT(rule VARCHAR, column_name VARCHAR, value VARCHAR)[]",
        "quarantine_materialization": "BIGINT",
    }
    assert bench.rows("FROM quarantine.a") == []


def test_views_stay_in_a_database_written_for_older_clients(bench: Bench, tmp_path: Path) -> None:
    versions = [bench.version(DAILY, f"2013-01-0{d}", pl.DataFrame({"n": [d]})) for d in (1, 2)]
    file = tmp_path / "old.duckdb"
    bench.connection.execute(f"ATTACH '{file}' AS old (STORAGE_VERSION 'v1.0.0'); USE old")
    bench.connection.execute("CREATE SCHEMA production")
    bench.publish(DAILY, versions)
    bench.connection.execute("USE memory; DETACH old")
    with duckdb.connect(str(file), read_only=True) as reader:
        assert reader.execute("SELECT sum(n) FROM production.a").fetchall() == [(3,)]


def test_a_path_that_looks_like_a_pattern_is_one_file() -> None:
    assert exact_path("/a?/b*[1]/c.parquet") == "/a[?]/b[*][[]1]/c.parquet"
