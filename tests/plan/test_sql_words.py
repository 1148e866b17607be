import duckdb
import pytest

from millgate.plan.sql_words import RESERVED, sql_words


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT 1", "select 1"),
        ("select\t1\n\n;;", "select 1"),
        ("SELECT 1 -- one", "select 1"),
        ("SELECT 1 -- it's\n, 2", "select 1 , 2"),
        ("SELECT /* a /* b */ c */ 1", "select 1"),
        ("SELECT 1 /* never closed", "select 1"),
        ("SELECT 'it''s -- no comment' AS x", "select 'it''s -- no comment' as x"),
        ("SELECT 'A  b'", "select 'A  b'"),
        (r"SELECT E'a\'b', X'FF'", r"select e'a\'b' , x'FF'"),
        ('SELECT "A""b"', 'select "A""b"'),
        ("SELECT $$ A -- ' $$, $t$ $$ $t$", "select $$ A -- ' $$ , $t$ $$ $t$"),
        ("SELECT $partition_key, $1", "select $partition_key , $1"),
        ("SELECT 1e5, 1E-5, .5, 1_000.25, 0xFF", "select 1e5 , 1E-5 , .5 , 1_000.25 , 0xFF"),
        ("SELECT COUNT(*), Sum ( x )", "select count ( * ) , sum ( x )"),
        # the case of an output column's name is kept
        ("SELECT a AS Total, b Other FROM T", "select a as Total , b Other from T"),
        (
            "SELECT max(a) AS Last, max(b) First FROM t",
            "select max ( a ) as Last , max ( b ) First from t",
        ),
        ("SELECT 1 AS Select", "select 1 as Select"),
        (
            "SUM(x) OVER (Partition By k ORDER BY t DESC Nulls Last ROWS BETWEEN 6 Preceding "
            "AND CURRENT ROW)",
            "sum ( x ) over ( partition by k order by t desc nulls last rows between 6 preceding "
            "and current row )",
        ),
        ("WITH RECURSIVE t AS (SELECT 1) FROM t", "with recursive t as ( select 1 ) from t"),
        ("FROM t SELECT * EXCLUDE (a)", "from t select * exclude ( a )"),
        ("SELECT x::INTEGER", "select x : : INTEGER"),
        ("SELECT größe", "select größe"),
        ("", ""),
        ("-- nothing", ""),
    ],
)
def test_words(sql: str, words: str) -> None:
    assert sql_words(sql) == words


@pytest.mark.parametrize("sql", ["SELECT '", 'SELECT "', "SELECT $t$", "SELECT \0", "\\", "'" * 5])
def test_what_is_no_sql_still_ends(sql: str) -> None:
    assert isinstance(sql_words(sql), str)


def test_only_what_duckdb_reserves_loses_its_case() -> None:
    rows = duckdb.sql(
        "SELECT keyword_name FROM duckdb_keywords() "
        "WHERE keyword_category IN ('reserved', 'type_function')"
    ).fetchall()
    assert {name for (name,) in rows} >= RESERVED
