"""Renaming: the history of an asset moves to its new name, and nothing is made again for it."""

from __future__ import annotations

import re
import shutil
from datetime import UTC
from pathlib import Path

import pytest

from conftest import Edit, Mill
from execute.dying import Dies, copied
from millgate.errors import Conflict, UnknownAsset, UsageError
from millgate.model.going_back import Destination
from millgate.store.locks import RunFiles

READERS = """
import polars as pl

from millgate import Daily, Window, asset


@asset(partitions=Daily("2024-01-01"))
def largest(orders: pl.LazyFrame) -> pl.LazyFrame:
    return orders.select(pl.col("amount").max())


@asset(partitions=Daily("2024-01-01"), upstream={"given": Window(0, 0, of="orders")})
def smallest(given: pl.LazyFrame) -> pl.LazyFrame:
    return given.select(pl.col("amount").min())
"""


def rename(mill: Mill, old: str = "orders", new: str = "purchases") -> int:
    project = mill.open()
    snapshot = project.rename(project.propose_rename(old, new), actor="ada")
    assert project.examine(deep=True) == []
    return snapshot


def call(mill: Mill, old: str, new: str) -> None:
    """Give an asset another name in the code, and change nothing else."""
    for file in (mill.root / "assets").iterdir():
        if file.is_file():
            text = file.read_text()
            file.write_text(re.sub(rf"(?<![/\w]){old}\b", new, text))


@pytest.fixture
def renamed(shop: Mill, edit: Edit) -> Mill:
    """A shop of which a day is held and one was split, after `orders` got another name in code."""
    shop.write("assets/readers.py", READERS)
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split", max_rejected=0.5)')
    edit("data/orders.csv", "2024-01-03,1,10", "2024-01-03,1,-10")
    edit("data/orders.csv", "2024-01-05,1,10", "2024-01-05,1,-10")
    edit("data/orders.csv", "2024-01-05,2,20", "2024-01-05,2,-20")
    shop.run()
    call(shop, "orders", "purchases")
    return shop


def links(mill: Mill, asset: str) -> list[Path]:
    return list((mill.root / "warehouse" / "production" / asset).rglob("*.parquet"))


def test_nothing_is_made_again_for_the_name_alone(renamed: Mill) -> None:
    before = renamed.sql("SELECT count(*), max(materialization) FROM lineage.materializations")
    rename(renamed)
    plan = renamed.plan()
    assert [s for s in renamed.steps(plan) if s[1] != "blocked"] == []
    assert plan.fresh == {"purchases": 4, "revenue": 4, "largest": 4, "smallest": 4}
    assert plan.held == {"purchases": 1}
    renamed.run()
    after = renamed.sql("SELECT count(*), max(materialization) FROM lineage.materializations")
    assert after == before


def test_all_that_is_remembered_stands_under_the_new_name(renamed: Mill) -> None:
    snapshot = rename(renamed)
    for table, column in renamed.sql("""
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'lineage' AND data_type = 'VARCHAR'
        AND table_name NOT IN ('renames', 'runs', 'attempts')
    """):
        if not column.endswith(("path", "name", "mapping")):
            found = f"SELECT count(*) FROM lineage.{table} WHERE {column} ~ '^orders(@|$)'"
            assert renamed.sql(found) == [(0,)], (table, column)
    assert renamed.sql("SELECT old_name, new_name, snapshot, actor FROM lineage.renames") == [
        ("orders", "purchases", snapshot, "ada")
    ]
    assert renamed.sql("SELECT count(*) FROM production.purchases") == [(11,)]
    assert renamed.sql("SELECT count(*) FROM quarantine.purchases") == [(4,)]
    assert renamed.sql("SELECT view_name FROM duckdb_views() WHERE view_name = 'orders'") == []
    assert len(links(renamed, "purchases")) == 4
    assert links(renamed, "orders") == []
    assert renamed.sql("""
        SELECT DISTINCT upstream FROM lineage.asset_edges WHERE downstream = 'revenue'
    """) == [("purchases",)]


def test_what_is_held_stays_held_and_can_be_released(renamed: Mill) -> None:
    rename(renamed)
    project = renamed.open()
    project.release("purchases", "2024-01-05", reason="checked")
    project.release("purchases", "2024-01-03", reason="checked")
    assert renamed.run().exit_status == 0
    assert renamed.open().examine(deep=True) == []
    assert renamed.sql("SELECT count(*) FROM production.purchases") == [(15,)]
    assert renamed.sql("SELECT count(*) FROM production.revenue") == [(5,)]


def test_older_snapshots_and_times_can_still_be_read(renamed: Mill) -> None:
    old = (renamed.root / "warehouse" / "warehouse.duckdb").resolve()
    rename(renamed)
    import duckdb

    with duckdb.connect(str(old), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM production.orders").fetchall() == [(11,)]
    with renamed.open().reading_past(Destination.parse("snapshot:1", UTC)) as past:
        for name in ("orders", "purchases"):
            found = past.connection.execute(f"SELECT count(*) FROM production.{name}").fetchall()
            assert found == [(11,)]
    with (
        renamed.open().reading_past(Destination.parse("snapshot:2", UTC)) as past,
        pytest.raises(duckdb.CatalogException),
    ):
        past.connection.execute("FROM production.orders")


def test_a_version_made_under_the_old_name_comes_back(renamed: Mill, edit: Edit) -> None:
    rename(renamed)
    edit("assets/shop.py", 'select("id", "amount")', 'select("id", pl.col("amount") + 1)')
    renamed.run("purchases@2024-01-01")
    assert renamed.sql(
        "SELECT sum(amount) FROM production.purchases WHERE date = '2024-01-01'"
    ) == [(63,)]
    project = renamed.open()
    found = project.propose_rollback(
        "purchases@2024-01-01", Destination.parse("previous", UTC), downstream=False
    )
    project.roll_back(found, reason="too much")
    assert project.examine(deep=True) == []
    assert renamed.sql(
        "SELECT sum(amount) FROM production.purchases WHERE date = '2024-01-01'"
    ) == [(60,)]


def test_vacuum_keeps_what_is_live(renamed: Mill) -> None:
    from datetime import timedelta

    rename(renamed)
    renamed.open().vacuum(timedelta(0))
    assert renamed.open().examine(deep=True) == []
    assert renamed.sql("SELECT count(*) FROM production.purchases") == [(11,)]


def test_it_is_rebuilt_from_files_under_the_new_name(renamed: Mill) -> None:
    rename(renamed)
    shutil.rmtree(renamed.root / "warehouse" / "snapshots")
    project = renamed.open()
    assert project.repair(deep=True).left == ()
    assert renamed.sql("SELECT count(*) FROM production.purchases") == [(11,)]
    assert renamed.sql("SELECT count(*) FROM quarantine.purchases") == [(4,)]
    assert renamed.sql("SELECT DISTINCT asset FROM lineage.materializations ORDER BY ALL") == [
        (name,) for name in ("largest", "purchases", "raw_orders", "revenue", "smallest")
    ]
    assert {step.cause.kind for step in renamed.plan("purchases").steps} == {"gate changed"}


def test_it_is_renamed_more_than_once_and_back(renamed: Mill) -> None:
    rename(renamed)
    call(renamed, "purchases", "sales")
    rename(renamed, "purchases", "sales")
    with renamed.open().reading_past(Destination.parse("snapshot:1", UTC)) as past:
        for name in ("orders", "purchases", "sales"):
            found = past.connection.execute(f"SELECT count(*) FROM production.{name}").fetchall()
            assert found == [(11,)]
    call(renamed, "sales", "orders")
    rename(renamed, "sales", "orders")
    assert [s for s in renamed.steps(renamed.plan()) if s[1] != "blocked"] == []
    assert renamed.sql("SELECT count(*) FROM production.orders") == [(11,)]


@pytest.mark.parametrize("order", [1, -1])
def test_an_asset_that_reads_itself_and_a_source_are_renamed_too(mill: Mill, order: int) -> None:
    mill.write("data/n.csv", "n\n1\n")
    text = """
        import polars as pl

        from millgate import Daily, Window, asset, source

        numbers = source("data/n.csv")

        before = {"growing": Window(-1, -1), "numbers": None}

        @asset(partitions=Daily("2024-01-03"), upstream=before)
        def growing(numbers: pl.DataFrame, growing: pl.DataFrame | None) -> pl.DataFrame:
            return numbers if growing is None else pl.concat([numbers, growing.select("n")])
    """
    mill.write("assets/a.py", text)
    assert mill.run().exit_status == 0
    mill.write("assets/a.py", text.replace("growing", "grown").replace("numbers", "digits"))
    for old, new in [("numbers", "digits"), ("growing", "grown")][::order]:
        rename(mill, old, new)
    assert mill.plan().steps == ()
    assert mill.sql("SELECT count(*) FROM production.grown") == [(6,)]


def test_code_that_changed_in_more_than_the_name_is_made_again(renamed: Mill, edit: Edit) -> None:
    edit("assets/revenue.sql", "sum(amount)", "max(amount)")
    rename(renamed)
    causes = {step[::2] for step in renamed.steps(renamed.plan("revenue")) if step[1] == "make"}
    assert causes == {(f"revenue@2024-01-0{day}", "code changed") for day in range(1, 5)}


def test_a_column_that_takes_the_new_name_is_a_change(shop: Mill) -> None:
    shop.write("assets/total.sql", "SELECT count(*) AS revenue FROM revenue\n")
    shop.run()
    (shop.root / "assets" / "revenue.sql").rename(shop.root / "assets" / "income.sql")
    shop.write("assets/total.sql", "SELECT count(*) AS income FROM income\n")
    rename(shop, "revenue", "income")
    assert shop.steps(shop.plan()) == [("total", "make", "code changed")]


def test_what_does_not_fit_is_refused(renamed: Mill, edit: Edit) -> None:
    project = renamed.open()
    for old, new, kind, what in (
        ("nothing", "purchases", UnknownAsset, 'nothing is on record of an asset "nothing"'),
        ("orders", "purchase", UnknownAsset, 'no asset "purchase" is declared'),
        ("revenue", "purchases", UsageError, "revenue is still declared"),
        ("orders", "revenue", UsageError, "revenue has a history of its own"),
    ):
        with pytest.raises(kind, match=what):
            project.propose_rename(old, new)
    edit("assets/shop.py", 'Daily("2024-01-01")', 'Daily("2024-01-01", offset="6h")')
    with pytest.raises(UsageError, match="purchases is partitioned by date"):
        renamed.open().propose_rename("orders", "purchases")
    renamed.write("assets/purchases.sql", "SELECT 1 AS n\n")
    (renamed.root / "assets" / "shop.py").unlink()
    (renamed.root / "assets" / "readers.py").unlink()
    (renamed.root / "assets" / "revenue.sql").unlink()
    renamed.write("assets/total.sql", "SELECT 1 AS n FROM purchases\n")
    with pytest.raises(UsageError, match="purchases is partitioned as a whole, and orders was by"):
        renamed.open().propose_rename("orders", "purchases")
    with pytest.raises(UsageError, match="raw_orders was a source and purchases is an asset"):
        renamed.open().propose_rename("raw_orders", "purchases")


@pytest.mark.parametrize("claimed", [("orders", "2024-01-02"), ("purchases", "2024-01-06")])
def test_a_run_that_works_on_either_is_left_alone(renamed: Mill, claimed: tuple[str, str]) -> None:
    files = RunFiles(renamed.open().layout)
    with files.start("materialize", "orders", "bob", "there", renamed.now, minimum=9) as other:
        assert other.claim([claimed]) == ()
        with pytest.raises(Conflict, match=f"run {other.id} is working on"):
            rename(renamed)


def test_two_people_do_not_both_rename_it(renamed: Mill) -> None:
    project = renamed.open()
    seen = project.propose_rename("orders", "purchases")
    rename(renamed)
    with pytest.raises(UnknownAsset, match="nothing is on record"):
        project.rename(seen)


def test_a_process_that_dies_leaves_the_one_name_or_the_other(
    renamed: Mill, tmp_path: Path, dies: Dies
) -> None:
    died = set()
    for at in (2, 5, 9, 14, 20, 26, 60):
        copy = copied(renamed, tmp_path / f"at{at}")
        died.add(dies(copy, at, "project.rename(project.propose_rename('orders', 'purchases'))"))
        ((name, live),) = copy.sql("""
            SELECT asset, count(*) FROM lineage.production
            WHERE asset IN ('orders', 'purchases') GROUP BY asset
        """)
        assert live == 4
        assert copy.sql(f"SELECT count(*) FROM production.{name}") == [(11,)]
        if name == "orders":
            project = copy.open()
            project.rename(project.propose_rename("orders", "purchases"))
        copy.run()
        assert copy.open().examine(deep=True) == []
        assert len(links(copy, "purchases")) == 4
        assert links(copy, "orders") == []
    assert died == {False, True}


def test_the_plan_suggests_it_where_only_the_name_changed(renamed: Mill, edit: Edit) -> None:
    assert renamed.open().probably_renamed() == [("orders", "purchases")]
    edit("assets/shop.py", '"id", "amount"', '"amount", "id"')
    assert renamed.open().probably_renamed() == []
    edit("assets/shop.py", '"amount", "id"', '"id", "amount"')
    rename(renamed)
    assert renamed.open().probably_renamed() == []
