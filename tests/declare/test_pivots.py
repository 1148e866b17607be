from __future__ import annotations

import duckdb
import pytest

from millgate.declare.pivots import with_listed_values


@pytest.mark.parametrize(
    ("sql", "rewritten"),
    [
        ("PIVOT a ON b", "PIVOT a ON (b) IN ('')"),
        ("pivot a on b, c+1 using sum(d)", "pivot a on (b) IN (''), (c+1) IN ('') using sum(d)"),
        ("PIVOT a ON f(b, c) GROUP BY d", "PIVOT a ON (f(b, c)) IN ('') GROUP BY d"),
        ("PIVOT a ON b IN ('x'), c", "PIVOT a ON b IN ('x'), (c) IN ('')"),
        ("PIVOT a ON b IN kinds, c", "PIVOT a ON b IN kinds, (c) IN ('')"),
        ("PIVOT a ON b IN\n(FROM\nk)", "PIVOT a ON b IN\n('')\n"),
        ("PIVOT a JOIN b ON a.x = b.x ON c", "PIVOT a JOIN b ON a.x = b.x ON (c) IN ('')"),
        ("PIVOT (PIVOT a ON b) ON c", "PIVOT (PIVOT a ON (b) IN ('')) ON (c) IN ('')"),
        ("PIVOT a ON é /* , */ || 'ON' -- x", "PIVOT a ON (é /* , */ || 'ON') IN ('') -- x"),
        ("FROM a PIVOT (sum(b) FOR c IN (1)) JOIN d ON e", None),
        ("SELECT 'PIVOT a ON b' FROM \"PIVOT\" -- PIVOT a ON b", None),
        ("PIVOT a USING sum(b)", None),
    ],
)
def test_listed_values(sql: str, rewritten: str | None) -> None:
    first = next(with_listed_values(sql)).sql
    assert first == (sql if rewritten is None else rewritten)
    if rewritten is not None:
        assert duckdb.extract_statements(first)[0].type.name == "SELECT"


def test_an_element_that_only_ends_like_a_list() -> None:
    second = list(with_listed_values("PIVOT a ON b || c IN ('x')"))[1].sql
    assert second == "PIVOT a ON (b || c IN ('x')) IN ('')"


def test_queries_keep_their_lines() -> None:
    first = next(with_listed_values("PIVOT a ON b IN (\nFROM k), c IN (\n\nFROM (PIVOT l ON m))"))
    assert first.sql == "PIVOT a ON b IN ('')\n, c IN ('')\n\n"
    assert first.queries == ("(\nFROM k)", "\n(\n\nFROM (PIVOT l ON m))")
