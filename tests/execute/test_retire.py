"""Retiring: a removed asset leaves production, and what is remembered stays."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from conftest import Edit, Mill
from millgate.errors import Conflict, UnknownAsset, UsageError
from millgate.model.going_back import Destination
from millgate.store.locks import RunFiles


@pytest.fixture
def removed(shop: Mill, edit: Edit) -> Mill:
    """The shop after a run that split one day, its `orders` and what reads them then removed."""
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    edit("data/orders.csv", "2024-01-03,1,10", "2024-01-03,1,-10")
    shop.run()
    for name in ("shop.py", "revenue.sql", "total.sql"):
        (shop.root / "assets" / name).unlink()
    shop.write("assets/other.sql", "SELECT 1 AS n\n")
    return shop


def retire(mill: Mill, asset: str) -> None:
    project = mill.open()
    project.retire(project.propose_retirement(asset), reason="nobody reads it", actor="ada")
    assert project.examine(deep=True) == []


def links(mill: Mill, asset: str) -> list[Path]:
    return list((mill.root / "warehouse" / "production" / asset).rglob("*.parquet"))


def test_a_removed_asset_leaves_production_and_stays_on_record(removed: Mill) -> None:
    retire(removed, "orders")
    assert links(removed, "orders") == []
    assert removed.sql("SELECT count(*) FROM lineage.production WHERE asset = 'orders'") == [(0,)]
    assert removed.sql("""
        SELECT kind, materialization, actor, reason, count(*) FROM lineage.promotions
        WHERE asset = 'orders' AND kind <> 'promote' AND kind <> 'split' GROUP BY ALL
    """) == [("withdraw", None, "ada", "nobody reads it", 5)]
    assert removed.sql("SELECT status, actor, reason FROM lineage.quarantine") == [
        ("discarded", "ada", "nobody reads it")
    ]
    views = "SELECT DISTINCT view_name FROM duckdb_views() WHERE schema_name = 'production'"
    assert sorted(removed.sql(views)) == [("revenue",), ("total",)]
    assert len(list((removed.root / "warehouse" / "versions" / "orders").rglob("*.parquet"))) == 5
    assert removed.run().exit_status == 0
    with removed.open().reading_past(Destination.parse("snapshot:1", UTC)) as past:
        found = past.connection.execute("SELECT count(*) FROM production.orders").fetchall()
    assert found == [(14,)]
    with removed.open().reading_past(Destination.parse("snapshot:2", UTC)) as past:
        found = past.connection.execute("SELECT count(*) FROM production.orders").fetchall()
    assert found == [(0,)]


def test_an_unpartitioned_one_and_a_source_are_retired_too(removed: Mill) -> None:
    retire(removed, "total")
    retire(removed, "raw_orders")
    assert links(removed, "total") == []
    assert removed.sql("SELECT DISTINCT asset FROM lineage.production ORDER BY ALL") == [
        ("orders",),
        ("revenue",),
    ]


def test_declared_again_it_is_made_again(removed: Mill) -> None:
    retire(removed, "total")
    removed.write("assets/total.sql", "SELECT 2 AS n\n")
    assert removed.steps(removed.plan("total")) == [("total", "make", "missing")]
    removed.run("total")
    assert removed.sql("FROM production.total") == [(2,)]


def test_what_is_declared_or_not_there_is_not_retired(removed: Mill) -> None:
    with pytest.raises(UsageError, match="other is declared"):
        retire(removed, "other")
    with pytest.raises(UnknownAsset) as refused:
        retire(removed, "order")
    assert "did you mean orders or raw_orders?" in refused.value.fix
    retire(removed, "orders")
    with pytest.raises(UnknownAsset):
        retire(removed, "orders")


def test_two_people_do_not_both_retire_it(removed: Mill) -> None:
    project = removed.open()
    seen = project.propose_retirement("orders")
    retire(removed, "orders")
    with pytest.raises(Conflict, match="changed a moment ago"):
        project.retire(seen, reason="nobody reads it")


def test_a_run_that_works_on_it_is_left_alone(removed: Mill) -> None:
    files = RunFiles(removed.open().layout)
    with files.start("materialize", "orders", "bob", "there", removed.now, minimum=9) as other:
        assert other.claim([("orders", "2024-01-03")]) == ()
        with pytest.raises(Conflict, match=f"run {other.id} is working"):
            retire(removed, "orders")
