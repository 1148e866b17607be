from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import polars as pl
import pytest

from millgate.lineage import fetch


@dataclass(frozen=True)
class Row:
    at: datetime
    hash: str
    tags: tuple[str, ...]
    owner: str | None


QUERY = (
    "SELECT TIMESTAMP '2025-01-01' AS at, "
    "'000000000000000000000000000000ff'::UUID AS hash, ['a'] AS tags, NULL::VARCHAR AS owner"
)


def test_values_are_those_of_the_model() -> None:
    row = Row(datetime(2025, 1, 1, tzinfo=UTC), "0" * 30 + "ff", ("a",), None)
    with duckdb.connect() as connection:
        assert fetch.records(connection, Row, QUERY) == [row]
        assert fetch.rows(connection, QUERY) == [(row.at, row.hash, row.tags, row.owner)]


def test_many_rows_come_in_order_and_none_is_none() -> None:
    with duckdb.connect() as connection:
        query = "SELECT i, 'x' || i FROM range(?::BIGINT) t(i)"
        assert list(fetch.many(connection, query, [3])) == [(0, "x0"), (1, "x1"), (2, "x2")]
        assert list(fetch.many(connection, query, [0])) == []


def test_an_offered_table_is_gone_afterwards_even_if_the_query_fails() -> None:
    table = pl.DataFrame({"n": [1]})
    with duckdb.connect() as connection:
        with fetch.offered(connection, lent=table):
            assert fetch.rows(connection, "FROM lent") == [(1,)]
        with pytest.raises(duckdb.BinderException), fetch.offered(connection, lent=table):
            fetch.rows(connection, "SELECT missing FROM lent")
        with pytest.raises(duckdb.CatalogException):
            fetch.rows(connection, "FROM lent")


def test_rolling_back_without_a_transaction_is_nothing() -> None:
    with duckdb.connect() as connection:
        fetch.roll_back(connection)
        connection.execute("BEGIN TRANSACTION")
        connection.execute("CREATE TABLE t(n INTEGER)")
        fetch.roll_back(connection)
        assert fetch.rows(connection, "FROM duckdb_tables()") == []
