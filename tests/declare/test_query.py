"""What queries read. Every query of the table is also run: with the expected tables in a database
it runs, and without any one of them it does not."""

from __future__ import annotations

import duckdb
import pytest

from millgate.declare.query import (
    check_parameters,
    known_parameters,
    named_parameters,
    read_statement,
    statement_reads,
)
from millgate.errors import BadQuery
from millgate.model.dimension import Keys
from millgate.model.grain import Daily
from millgate.model.partition import Partitions

READS = [
    # plain
    ("SELECT * FROM a", "a"),
    ("FROM a", "a"),
    ("FROM a SELECT x WHERE x > 0", "a"),
    ("TABLE a", "a"),
    ("(SELECT x FROM a)", "a"),
    ("SELECT x FROM a;", "a"),
    ("SELECT x FROM a;;\n-- the end", "a"),
    ("SELECT 1", ""),
    ("VALUES (1), (2)", ""),
    ("SELECT * FROM (VALUES (1)) AS a(x)", ""),
    ("SELECT x FROM a AS b", "a"),
    ("SELECT b.x FROM a b", "a"),
    ("SUMMARIZE a", "a"),
    ("SELECT column_name FROM (SUMMARIZE a)", "a"),
    ("DESCRIBE a", "a"),
    ("SELECT * FROM a TABLESAMPLE 10%", "a"),
    # joins
    ("SELECT * FROM a JOIN b ON a.x = b.x", "a b"),
    ("SELECT * FROM a JOIN b USING (x) LEFT JOIN c USING (x)", "a b c"),
    ("SELECT * FROM a NATURAL JOIN b", "a b"),
    ("SELECT * FROM a ASOF JOIN b ON a.x = b.x AND a.t >= b.t", "a b"),
    ("SELECT * FROM a ASOF LEFT JOIN b USING (x, t)", "a b"),
    ("SELECT * FROM a, b, c", "a b c"),
    ("SELECT * FROM a CROSS JOIN b", "a b"),
    ("SELECT * FROM a POSITIONAL JOIN b", "a b"),
    ("FROM a SEMI JOIN b USING (x) ANTI JOIN c USING (x)", "a b c"),
    ("FROM (a JOIN b USING (x)) AS j JOIN c ON c.x = j.x", "a b c"),
    ("SELECT * FROM a AS l JOIN a AS r ON l.x = r.t", "a"),
    # subqueries
    ("SELECT * FROM (SELECT * FROM (FROM a))", "a"),
    ("SELECT * FROM a WHERE x IN (SELECT x FROM b)", "a b"),
    ("SELECT * FROM a WHERE EXISTS (FROM b WHERE b.x = a.x)", "a b"),
    ("SELECT * FROM a WHERE x > ALL (SELECT x FROM b)", "a b"),
    ("SELECT (SELECT max(x) FROM b) AS m FROM a", "a b"),
    ("SELECT x FROM a GROUP BY x HAVING x > (SELECT min(x) FROM b)", "a b"),
    ("SELECT x FROM a QUALIFY row_number() OVER (ORDER BY x) < (SELECT max(x) FROM b)", "a b"),
    ("SELECT x FROM a ORDER BY (SELECT max(x) FROM b) LIMIT (SELECT 1 FROM c)", "a b c"),
    ("SELECT CASE WHEN x = 1 THEN (SELECT max(x) FROM b) END FROM a", "a b"),
    ("SELECT [y + 1 FOR y IN (SELECT list(x) FROM a)]", "a"),
    ("SELECT sum(x) FILTER (x IN (SELECT x FROM b)) FROM a", "a b"),
    ("SELECT ARRAY(SELECT x FROM a)", "a"),
    ("SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.x)", "a b"),
    ("SELECT * FROM a, (SELECT a.x + 1 AS y)", "a"),
    ("SELECT * FROM a, unnest([a.x, a.t]) AS u(y)", "a"),
    ("SELECT * FROM range(3) AS r(i), generate_series(1, 2) AS s(j), unnest([1]) AS u(k)", ""),
    ("SELECT unnest([x]) FROM a", "a"),
    # set operations
    ("SELECT x FROM a UNION SELECT x FROM b UNION ALL SELECT x FROM c", "a b c"),
    ("FROM a UNION ALL BY NAME FROM b", "a b"),
    ("SELECT x FROM a EXCEPT SELECT x FROM b INTERSECT SELECT x FROM c", "a b c"),
    # CTEs
    ("WITH b AS (SELECT * FROM a) SELECT * FROM b", "a"),
    ("WITH a AS (SELECT * FROM a) SELECT * FROM a", "a"),
    ("WITH RECURSIVE a AS (SELECT * FROM a) SELECT * FROM a", "a"),
    ("WITH b AS (SELECT 1 AS x), c AS (SELECT x FROM b) SELECT * FROM c", ""),
    ("WITH c AS (SELECT x FROM b), b AS (SELECT 1 AS x) SELECT * FROM c", "b"),
    ("WITH RECURSIVE c AS (SELECT x FROM b), b AS (SELECT 1 AS x) SELECT * FROM c", "b"),
    ("WITH B AS (SELECT 1 AS x) SELECT * FROM b", ""),
    ("WITH b AS MATERIALIZED (FROM a) FROM b AS l, b AS r", "a"),
    ("WITH b AS (SELECT 1 AS x) SELECT * FROM (SELECT * FROM b)", ""),
    ("WITH b AS (SELECT 1 AS x) SELECT * FROM a WHERE x IN (FROM b)", "a"),
    ("WITH b AS (SELECT 1 AS x) SELECT x FROM b UNION ALL SELECT x FROM a", "a"),
    ("(WITH b AS (SELECT 1 AS x) SELECT x FROM b) UNION ALL SELECT x FROM b", "b"),
    ("SELECT (WITH b AS (SELECT 1 AS x) SELECT x FROM b), x FROM b", "b"),
    ("WITH a AS (WITH a AS (SELECT x FROM a) FROM a) FROM a", "a"),
    ("WITH a AS (SELECT 1 AS x) FROM (WITH a AS (SELECT x FROM a) FROM a)", ""),
    ("WITH b AS (SELECT 1 AS x) SELECT * FROM production.b", "production.b"),
    ("WITH b AS (SELECT 1 AS x) FROM range(2) AS r(i), LATERAL (FROM b)", ""),
    ("WITH b AS (WITH c AS (FROM a) FROM c) SELECT * FROM b JOIN c USING (x)", "a c"),
    ('WITH "my.csv" AS (FROM a) FROM "my.csv"', "a"),
    # recursive CTEs: the first part does not see the CTE, the recursive one does
    (
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) FROM r",
        "",
    ),
    (
        "WITH RECURSIVE r(n) AS (SELECT x FROM a UNION ALL"
        " SELECT n + 1 FROM r JOIN b ON b.x = r.n WHERE n < 3) FROM r",
        "a b",
    ),
    ("WITH RECURSIVE a AS (SELECT x FROM a UNION ALL SELECT x + 1 FROM a WHERE x < 3) FROM a", "a"),
    (
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL"
        " (WITH q AS (FROM r) SELECT n + 1 FROM q WHERE n < 3)) FROM r",
        "",
    ),
    (
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3),"
        " s AS (FROM r) SELECT * FROM s, a",
        "a",
    ),
    (
        "WITH RECURSIVE r(n, m) USING KEY (n) AS (SELECT x, t FROM a UNION"
        " SELECT r.n, 0 FROM r JOIN recurring.r AS o ON r.n = o.n WHERE r.m > 0) FROM r",
        "a",
    ),
    (
        "WITH RECURSIVE r(n) AS (WITH q AS (FROM a) SELECT x FROM q UNION ALL"
        " SELECT n + 1 FROM r WHERE n < (SELECT max(x) FROM q)) FROM r",
        "a",
    ),
    (
        "WITH RECURSIVE r(n) AS ((WITH q AS (FROM a) SELECT x FROM q) UNION ALL"
        " SELECT n + 1 FROM r WHERE n < (SELECT max(x) FROM q)) FROM r",
        "a q",
    ),
    ("WITH b AS (FROM a) SELECT x FROM b UNION ALL (WITH b AS (FROM b) SELECT x FROM b)", "a"),
    # pivots
    ("PIVOT a ON x USING sum(t)", "a"),
    ("PIVOT a ON x IN (1, 2) USING sum(t)", "a"),
    ("PIVOT a ON x, t", "a"),
    ("PIVOT a ON x IN (1), t USING count(*) GROUP BY u ORDER BY u LIMIT 3", "a"),
    ("PIVOT a ON x || t USING sum(u)", "a"),
    ("PIVOT a ON CASE WHEN x IN (1, 2) THEN 1 ELSE 2 END USING sum(t)", "a"),
    ("PIVOT a ON x IN (SELECT x FROM b) USING sum(t)", "a b"),
    ("PIVOT (SELECT a.x, b.t AS y FROM a JOIN b USING (x)) ON x USING sum(y)", "a b"),
    ("PIVOT a JOIN b USING (x, t, u) ON x USING sum(t)", "a b"),
    ("PIVOT a JOIN (SELECT x AS z FROM b) j ON a.x = j.z ON z USING sum(t)", "a b"),
    ("PIVOT (PIVOT a ON x USING sum(t)) ON u", "a"),
    ("SELECT * FROM (PIVOT a ON x USING sum(t)) AS p JOIN b ON p.u = b.x", "a b"),
    ("WITH p AS (PIVOT a ON x USING sum(t)) SELECT * FROM p", "a"),
    ("WITH q AS (FROM a) PIVOT q ON x USING sum(t)", "a"),
    ("WITH q AS (FROM a) PIVOT (FROM q) ON x IN (SELECT x FROM b) USING sum(t)", "a b"),
    # the query for the values is answered on its own: it knows no CTE
    ("WITH q AS (SELECT 1 AS x) PIVOT a ON x IN (SELECT x FROM q) USING sum(t)", "a q"),
    ("PIVOT a ON x IN (SELECT x FROM (PIVOT b ON t)) USING sum(t)", "a b"),
    ("PIVOT a ON x || t IN ('12') USING sum(u)", "a"),
    ("(PIVOT a ON x USING sum(t)) UNION ALL BY NAME (PIVOT b ON x)", "a b"),
    ("PIVOT a ON x UNION ALL BY NAME PIVOT b ON x, t USING sum(u)", "a b"),
    ("PIVOT_WIDER a ON x", "a"),
    ("FROM a PIVOT (sum(t) FOR x IN (1, 2)) AS p JOIN b ON p.u = b.x", "a b"),
    ("SELECT (SELECT count(*) FROM (PIVOT a ON x)) AS n", "a"),
    ("/* PIVOT z ON y */ PIVOT a ON /* , */ x -- PIVOT y ON z", "a"),
    ("UNPIVOT a ON x, t INTO NAME n VALUE v", "a"),
    ("SELECT * FROM a UNPIVOT (v FOR n IN (x, t))", "a"),
    ("UNPIVOT (SELECT x, t FROM a JOIN b USING (x, t)) ON COLUMNS(*)", "a b"),
    # names
    ('SELECT * FROM "a b"', "a b".replace(" ", "\xa0")),
    ('SELECT * FROM "A"', "a"),
    ("SELECT * FROM Production.A", "production.a"),
    ('SELECT * FROM "production"."a" JOIN a USING (x)', "production.a a"),
    ('SELECT * FROM "v1.2"', "v1.2"),
    ('SELECT * FROM "sélect"', "sélect"),
    ('SELECT "b".x FROM a AS "b"', "a"),
    # what looks like a table
    ("SELECT 'FROM b' AS \"FROM c\" FROM a -- JOIN d\n/* JOIN e */", "a"),
    ("SELECT $$ FROM b $$ FROM a", "a"),
    ("SELECT E'\\' FROM b' FROM a", "a"),
    ("SELECT 'it''s FROM b' FROM a /* -- */ JOIN c USING (x)", "a c"),
    ("SELECT x AS b, extract('day' FROM DATE '2013-01-01') FROM a", "a"),
    ("SELECT x IS DISTINCT FROM t FROM a", "a"),
    ("SELECT trim('x' FROM 'xax'), substring('abc' FROM 2) FROM a", "a"),
    ("SELECT s.b FROM (SELECT {'b': x} AS s FROM a)", "a"),
]


def expected(text: str) -> list[str]:
    return [name.replace("\xa0", " ") for name in text.split(" ") if name]


@pytest.mark.parametrize(("sql", "tables"), READS)
def test_reads(sql: str, tables: str) -> None:
    wanted = {name.removeprefix("production.") for name in expected(tables)}
    assert statement_reads(sql, "x.sql") == wanted


@pytest.mark.parametrize(("sql", "tables"), READS)
def test_duckdb_agrees(sql: str, tables: str) -> None:
    names = expected(tables)
    for missing in (None, *names):
        with duckdb.connect() as connection:
            connection.execute("CREATE SCHEMA production")
            for name in names:
                schema, _, table = name.partition("production.")
                quoted = f'production."{table}"' if table else f'"{schema}"'
                if name != missing:
                    connection.execute(f"CREATE TABLE {quoted} AS SELECT 1 AS x, 2 AS t, 3 AS u")
            if missing is None:
                connection.execute(sql).fetchall()
            else:
                with pytest.raises((duckdb.CatalogException, duckdb.BinderException)):
                    connection.execute(sql)


@pytest.mark.parametrize(
    ("sql", "what", "where"),
    [
        ("FROM 'x.csv'", "the query reads the file 'x.csv'", "x.sql:1"),
        ("SELECT *\nFROM 'data/2013-*'", "the query reads the file 'data/2013-*'", "x.sql:2"),
        ('FROM "x.parquet"', "the query reads the file 'x.parquet'", "x.sql:1"),
        ("SELECT 'é'\n, * FROM a\nJOIN 's3://b/x' USING (x)", "the file 's3://b/x'", "x.sql:3"),
        ("FROM read_csv('x.csv')", "reads files with read_csv()", "x.sql:1"),
        ("FROM\nREAD_PARQUET(['x'])", "reads files with read_parquet()", "x.sql:2"),
        ("FROM glob('*')", "reads files with glob()", "x.sql:1"),
        ("FROM sniff_csv('x')", "reads files with sniff_csv()", "x.sql:1"),
        ("FROM sqlite_scan('x', 'y')", "reads files with sqlite_scan()", "x.sql:1"),
        ("FROM parquet_metadata('x')", "reads files with parquet_metadata()", "x.sql:1"),
        ("SELECT (FROM read_text('x'))", "reads files with read_text()", "x.sql:1"),
        ("FROM query('FROM b')", "what query() reads cannot be found out", "x.sql:1"),
        ("FROM query_table('b')", "what query_table() reads cannot be found out", "x.sql:1"),
        ("FROM histogram(b, x)", "what histogram() reads cannot be found out", "x.sql:1"),
        ("FROM duckdb_tables()", "what duckdb_tables() reads cannot be found out", "x.sql:1"),
        ("FROM lineage.runs", "the query reads lineage.runs, which is no asset", "x.sql:1"),
        ("FROM quarantine.a", "the query reads quarantine.a, which is no asset", "x.sql:1"),
        ("FROM db.production.a", "reads db.production.a, which is no asset", "x.sql:1"),
        ("FROM recurring.a", "the query reads recurring.a, which is no asset", "x.sql:1"),
        ("SHOW TABLES", "the query lists what is in a database", "x.sql"),
        ("INSERT INTO a VALUES (1)", "INSERT is no query", "x.sql"),
        ("COPY a TO 'x'", "COPY is no query", "x.sql"),
        ("ATTACH 'x.db'", "ATTACH is no query", "x.sql"),
        ("SET threads = 1", "SET is no query", "x.sql"),
        ("CREATE TABLE b AS FROM a", "CREATE is no query", "x.sql"),
        ("DROP TABLE a", "DROP is no query", "x.sql"),
        ("EXPLAIN FROM a", "EXPLAIN is no query", "x.sql"),
        ("WITH b AS (FROM a) INSERT INTO c FROM b", "INSERT is no query", "x.sql"),
        (
            "WITH b AS (INSERT INTO c VALUES (1) RETURNING *) FROM b",
            "the query contains INSERT",
            "x.sql",
        ),
        (
            "WITH b AS (DELETE FROM c RETURNING *) FROM b",
            "the query contains DELETE",
            "x.sql",
        ),
        ("SELECT 1; SELECT 2", "there are 2 statements where one query belongs", "x.sql"),
        ("SET threads = 1; FROM a", "there are 2 statements where one query belongs", "x.sql"),
        ("PIVOT a ON x; FROM b", "there are 2 statements where one query belongs", "x.sql"),
        ("", "there is no query", "x.sql"),
        ("-- only a comment\n;", "there is no query", "x.sql"),
        ("PIVOT a ON x\nIN (FROM b,\n'c.csv') USING sum(t)", "reads the file 'c.csv'", "x.sql:3"),
        ("PIVOT a ON x\nIN (\nFROM b),\nt USING sum((FROM 'd.csv'))", "'d.csv'", "x.sql:4"),
        ("PIVOT (FROM a WHERE x = $date) ON t", "cannot have parameters in their source", "x.sql"),
        ("SELEC 1", 'syntax error at or near "SELEC"', "x.sql:1"),
        ("-- é\nSELECT x\nFROM a WHERE\n  AND t", 'syntax error at or near "AND"', "x.sql:4"),
        ("SELECT x\nFROM a\nWHERE x = 'é", "unterminated string literal", "x.sql:3"),
        ("SELECT * FROM a WHERE", 'syntax error at or near "WHERE"', "x.sql:1"),
        ("SELECT $a, ?", "parameters with and without names", "x.sql"),
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "", "x.sql"),
        ("SELECT 1" + " + 1" * 950, "the query is nested too deeply to be read", "x.sql"),
    ],
)
def test_refused(sql: str, what: str, where: str) -> None:
    with pytest.raises(BadQuery) as raised:
        read_statement(sql, "x.sql")
    assert what in raised.value.what
    assert raised.value.where == where
    assert raised.value.fix


def test_place_in_the_query_of_a_function() -> None:
    with pytest.raises(BadQuery) as raised:
        statement_reads("SELECT *\nFROM 'x.csv'", "assets/a.py:12")
    assert raised.value.where == "assets/a.py:12, line 2 of the query"


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT 1", ()),
        ("SELECT $b, $a, $b FROM x", ("a", "b")),
        ("SELECT '$a', \"$b\" FROM x -- $c\n WHERE y = $date", ("date",)),
        ("SELECT $partition_start, $key, $hour, $week, $month", None),
        ("SELECT ?", ("1",)),
        ("SELECT $1", ("1",)),
        ("SELECT $$ $a $$", ()),
    ],
)
def test_named_parameters(sql: str, names: tuple[str, ...] | None) -> None:
    wanted = ("hour", "key", "month", "partition_start", "week") if names is None else names
    assert named_parameters(sql) == wanted
    assert read_statement(sql, "x.sql").parameters == wanted


DAYS = Partitions((Daily("2013-01-01"),))
REGIONS = Partitions((Keys("EU", "US", name="region"),))
BATCHED = Partitions((Daily("2013-01-01", batch=31),))


@pytest.mark.parametrize(
    ("partitions", "known"),
    [
        (Partitions(), ()),
        (DAYS, ("partition_key", "partition_start", "partition_end", "date")),
        (REGIONS, ("partition_key", "region")),
        (BATCHED, ("partition_keys", "partition_start", "partition_end")),
        (BATCHED * REGIONS, ("partition_keys", "partition_start", "partition_end", "region")),
        (
            DAYS * REGIONS,
            ("partition_key", "partition_start", "partition_end", "date", "region"),
        ),
    ],
)
def test_known_parameters(partitions: Partitions, known: tuple[str, ...]) -> None:
    assert known_parameters(partitions) == known
    check_parameters(known, partitions, "x.sql")


@pytest.mark.parametrize(
    ("name", "partitions", "what", "fix"),
    [
        ("partition_kye", DAYS, "names $partition_kye", "did you mean partition_key"),
        ("Date", DAYS, "names $Date", "did you mean date"),
        ("region", DAYS, "names $region", "parameters are $partition_key, $partition_start"),
        ("partition_start", REGIONS, "names $partition_start", "did you mean"),
        ("1", DAYS, "a parameter without a name", "parameters are $partition_key"),
        ("date", Partitions(), "names $date", "once it is partitioned"),
        ("partition_key", BATCHED, "is the key of one partition", "select the column date"),
        ("date", BATCHED, "batch=31", "WHERE list_contains($partition_keys, date)"),
        ("partition_keys", DAYS, "names $partition_keys", "did you mean partition_key"),
    ],
)
def test_unknown_parameter(name: str, partitions: Partitions, what: str, fix: str) -> None:
    with pytest.raises(BadQuery) as raised:
        check_parameters([name], partitions, "x.sql")
    assert what in raised.value.what
    assert fix in raised.value.fix
