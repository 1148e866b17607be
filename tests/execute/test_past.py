"""Production as it was: rebuilt from the promotions over the versions that are still there."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest

from conftest import Edit, Mill
from millgate.errors import StoreError, UsageError
from millgate.model.going_back import Destination


@pytest.fixture
def changed(shop: Mill, edit: Edit) -> Mill:
    """The shop after two runs an hour apart: the second by other code, with another column."""
    shop.run()
    edit("assets/shop.py", 'select("id", "amount")', 'select("id", "amount", tax=pl.lit(1))')
    edit("data/orders.csv", "2024-01-03,1,10\n", "2024-01-03,1,11\n")
    shop.write("assets/late.sql", "SELECT count(*) AS n FROM orders\n")
    shop.now += timedelta(hours=1)
    shop.run()
    shop.now += timedelta(hours=1)
    return shop


def then(mill: Mill, moment: str, query: str) -> list[tuple[Any, ...]]:
    with mill.open().reading_past(Destination.parse(moment, UTC)) as past:
        return past.connection.execute(query).fetchall()


@pytest.mark.parametrize("moment", ["snapshot:1", "2024-01-06T12:00", "2024-01-06T13:59+01:00"])
def test_it_shows_what_was_live_then(changed: Mill, moment: str) -> None:
    assert then(changed, moment, "FROM production.total") == [(300,)]
    assert then(changed, moment, "SELECT * FROM production.orders WHERE date = '2024-01-03'") == [
        (n, 10 * n, then(changed, moment, "SELECT DATE '2024-01-03'")[0][0]) for n in (1, 2, 3)
    ]
    shown = then(
        changed,
        moment,
        "SELECT view_name FROM duckdb_views() WHERE schema_name = 'production' ORDER BY ALL",
    )
    assert shown == [("orders",), ("revenue",), ("total",)]
    assert changed.sql("FROM production.total") == [(301,)]


def test_the_last_moment_is_the_present(changed: Mill) -> None:
    query = "SELECT id, amount, tax, date FROM production.orders ORDER BY ALL"
    assert then(changed, "2024-01-06T13:00", query) == changed.sql(query)


def test_what_has_left_production_can_be_asked(changed: Mill) -> None:
    project = changed.open()
    project.roll_back(
        project.propose_rollback("late", Destination.parse("snapshot:1", UTC)), reason="no"
    )
    assert changed.sql("SELECT count(*) FROM production.late") == [(0,)]
    assert then(changed, "snapshot:2", "FROM production.late") == [(15,)]


def test_a_version_that_is_gone_is_named(changed: Mill) -> None:
    [file] = (changed.root / "warehouse" / "versions" / "total").glob("1-*.parquet")
    file.unlink()
    with changed.open().reading_past(Destination.parse("snapshot:1", UTC)) as past:
        past.check("orders")
        with pytest.raises(StoreError, match=f"the file of version {file.stem} of total is gone"):
            past.check("total")
    assert then(changed, "snapshot:2", "FROM production.total") == [(301,)]


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        ("previous", "neither a time nor a snapshot"),
        ("1-1", "neither a time nor a snapshot"),
        ("snapshot:9", "there is no snapshot 9"),
        ("2023-01-01", "nothing was in production at 2023-01-01"),
    ],
)
def test_a_moment_that_never_was_is_said(changed: Mill, moment: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        then(changed, moment, "SELECT 1")
