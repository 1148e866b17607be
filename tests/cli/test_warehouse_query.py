"""Queries against a read-only DuckDB file."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest

from millgate.cli.show_result import csv_text, result_lines
from millgate.cli.warehouse_query import ask, bad_query, mentions, offer_plan
from millgate.errors import BadQuery
from millgate.model.dimension import Horizon
from millgate.model.step import Cause, Plan, Step


@pytest.fixture
def connection(tmp_path):
    path = str(tmp_path / "warehouse.duckdb")
    with duckdb.connect(path) as made:
        made.execute("CREATE TABLE flights AS SELECT 1 AS id, 'EWR' AS origin")
    with duckdb.connect(path, read_only=True) as opened:
        yield opened


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM flights",
        "FROM flights",
        "(SELECT 1)",
        "VALUES (1), (2)",
        "WITH x AS (SELECT 1) FROM x;",
        "-- how many\nSELECT count(*) FROM flights",
        "SHOW TABLES",
        "DESCRIBE flights",
        "SUMMARIZE flights",
        "PIVOT flights ON origin USING count(*)",
        "EXPLAIN SELECT 1",
        "EXPLAIN (FORMAT json) SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "SET VARIABLE wanted = 1; SELECT getvariable('wanted')",
    ],
)
def test_what_reads_is_answered(connection, query):
    assert list(ask(connection, query).texts())


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO flights VALUES (2, 'JFK')",
        "DELETE FROM flights",
        "CREATE TABLE t AS SELECT 1",
        "CREATE TEMP TABLE t AS SELECT 1",
        "COPY flights TO '{out}'",
        "COPY (PIVOT flights ON origin USING count(*)) TO '{out}'",
        "EXPLAIN ANALYZE COPY flights TO '{out}'",
        "explain (analyze) copy flights to '{out}'",
        "EXPORT DATABASE '{out}'",
        "ATTACH '{out}' AS other",
        "SELECT 1; COPY flights TO '{out}'",
        "WITH x AS (INSERT INTO flights VALUES (2, 'JFK') RETURNING *) FROM x",
        "SET threads = 1",
        "PRAGMA profile_output = '{out}'",
        "",
        "-- nothing",
    ],
)
def test_what_writes_is_refused(connection, tmp_path, query):
    out = tmp_path / "out"
    with pytest.raises(BadQuery):
        list(ask(connection, query.format(out=out)).texts())
    assert not out.exists()


@pytest.mark.parametrize(
    ("query", "what", "where", "fix"),
    [
        ("SELEC 1", "syntax error", "line 1: SELEC 1", "SHOW ALL TABLES"),
        ("SELECT *\nFROM flihgts", "flihgts does not exist", "line 2", "flights"),
        ("SELECT orign FROM flights", "orign", "line 1", "origin"),
        ("SELECT 'x'::INTEGER FROM flights", "Could not convert", "the query", "SHOW ALL TABLES"),
    ],
)
def test_errors_name_the_place_and_a_close_match(connection, query, what, where, fix):
    with pytest.raises(BadQuery) as caught:
        list(ask(connection, query).texts())
    assert what in caught.value.what
    assert where in caught.value.where
    assert fix in caught.value.fix


def test_a_write_that_duckdb_finds_reads_well():
    told = (
        'Invalid Input Error: Cannot execute statement of type "SELECT" on database "w" '
        "which is attached in read-only mode!"
    )
    assert bad_query(told).what == "the query would write, and millgate sql only reads"


def test_every_type_becomes_text_and_json(connection):
    result = ask(
        connection,
        "SELECT 1 AS a, 2 AS a, TIMESTAMPTZ '2020-01-01 00:00:00+00' AS moment, [1, 2] AS list,"
        " {'x': 1} AS struct, 7::HUGEINT AS huge, MAP {'k': 1} AS map, INTERVAL 1 DAY AS span,"
        " NULL AS nothing, 'ab'::BLOB AS bytes, TIME '01:02:03' AS clock",
    )
    assert next(result.texts())[3:] == [
        "[1, 2]",
        "{'x': 1}",
        "7",
        "{k=1}",
        "1 day",
        None,
        "ab",
        "01:02:03",
    ]
    [row] = result.values()
    assert list(row)[:3] == ["a", "a_1", "moment"]
    assert row["moment"] == datetime(2020, 1, 1, tzinfo=UTC)
    assert row["span"] == "1 day"
    assert row["list"] == [1, 2]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT * FROM plan", True),
        ('FROM "plan"', True),
        ("SELECT 'plan' FROM flights -- plan", False),
        ("SELECT planned FROM flights", False),
    ],
)
def test_mentions_plan(query, expected):
    assert mentions(query, "plan") is expected


def test_the_plan_is_a_table(connection):
    horizon = Horizon(datetime(2025, 11, 20, tzinfo=UTC))
    cause = Cause("input changed", "raw", "", "2 rows became 3")
    steps = (Step("flights", "2013-01-01", "make", cause),)
    offer_plan(connection, Plan("", None, None, horizon, steps))
    [row] = ask(connection, "SELECT * FROM plan JOIN flights ON true").values()
    assert row["asset"] == "flights"
    assert row["cause_asset"] == "raw"
    assert row["detail"] == "2 rows became 3"


def test_an_empty_plan_is_a_table_too(connection):
    horizon = Horizon(datetime(2025, 11, 20, tzinfo=UTC))
    offer_plan(connection, Plan("", None, None, horizon, ()))
    assert list(ask(connection, "FROM plan").values()) == []


def lines(width, *rows):
    shown = result_lines(["asset", "rows"], ["VARCHAR", "BIGINT"], rows, width)
    return [line.plain for line in shown]


def test_a_table_of_rows():
    assert lines(None, ["flights", "336776"], [None, "1"]) == [
        " asset      rows",
        " flights  336776",
        " NULL          1",
    ]


def test_a_terminal_is_told_the_number_of_rows():
    assert lines(80, ["flights", "1"])[-1] == "1 row"


def test_rows_too_wide_for_the_terminal_are_shown_value_by_value():
    assert lines(20, ["a name that is long", "1"]) == [
        " row 1",
        "  asset  a name that",
        "         is long",
        "  rows   1",
        "1 row",
    ]


def test_csv_quotes_and_leaves_null_empty():
    text = "".join(csv_text(["a", "b"], [["x,y", None], ['say "hi"', "1\n2"]]))
    assert text == 'a,b\n"x,y",\n"say ""hi""","1\n2"\n'


@pytest.mark.parametrize("query", ["", " ", ";", " -- nothing"])
def test_an_empty_query(connection, query):
    assert not mentions(query, "plan")
    with pytest.raises(BadQuery, match="the query is empty"):
        ask(connection, query)


def test_of_several_statements_the_last_one_answers(connection):
    assert list(ask(connection, "SELECT 1; SELECT 2 AS n").values()) == [{"n": 2}]
