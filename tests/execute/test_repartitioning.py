"""Another partitioning takes the place of the old one: all at once, or not at all."""

from __future__ import annotations

import itertools
from datetime import UTC, date
from pathlib import Path

import pytest

from attack.test_attack_partitioning import KINDS, declare
from conftest import Edit, Mill
from execute.dying import Dies, copied
from millgate.errors import DeclarationError, UsageError
from millgate.model.going_back import Destination

ROWS = {"whole": 1, "days": 3, "renamed": 3, "zoned": 3, "weeks": 1, "listed": 2, "product": 4}


PAIRS = [*itertools.pairwise([*KINDS, *KINDS][: len(KINDS) + 1])]
"""Each kind once before and once after another."""


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_any_partitioning_takes_the_place_of_any(mill: Mill, before: str, after: str) -> None:
    declare(mill, before)
    mill.run()
    declare(mill, after)
    plan = mill.plan("x", repartition=True)
    assert {step.cause.kind for step in plan.steps} == {"partitioning changed"}
    report = mill.run("x", repartition=True)
    assert report.exit_status == 0, report
    assert mill.sql("SELECT count(*) FROM production.x") == [(ROWS[after],)]
    assert mill.sql("SELECT count(*) FROM lineage.production WHERE asset = 'x'") == [(ROWS[after],)]
    links = list((mill.root / "warehouse/production/x").rglob("data.parquet"))
    assert len(links) == ROWS[after]
    assert mill.open().examine(deep=True) == []
    assert mill.plan().steps == ()
    assert mill.plan("x", repartition=True).steps == ()
    assert as_of(mill, "snapshot:1") == ROWS[before]
    assert as_of(mill, "snapshot:2") == ROWS[after]


def as_of(mill: Mill, text: str) -> int:
    with mill.open().reading_past(Destination.parse(text, UTC)) as past:
        past.check("x")
        return int(past.connection.execute("SELECT count(*) FROM production.x").fetchall()[0][0])


def test_what_left_is_on_record(mill: Mill) -> None:
    declare(mill, "days")
    mill.run()
    declare(mill, "weeks")
    mill.run("x", repartition=True)
    assert mill.sql("""
        SELECT kind, count(*), count(materialization), any_value(reason)
        FROM lineage.promotions WHERE asset = 'x' AND snapshot = 2 GROUP BY kind ORDER BY kind
    """) == [("promote", 1, 1, None), ("withdraw", 3, 0, "another partitioning took its place")]
    assert mill.sql("SELECT week FROM production.x") == [(date(2023, 12, 25),)]
    with pytest.raises(UsageError, match="was partitioned otherwise"):
        mill.open().propose_rollback("x", Destination.parse("snapshot:1", UTC))


def test_a_failure_leaves_production_as_it_was(shop: Mill, edit: Edit) -> None:
    shop.run()
    edit("assets/shop.py", 'Daily("2024-01-01")', 'Daily("2024-01-01", name="day")')
    edit("assets/shop.py", 'pl.col("day") == partition.key', 'pl.col("day") == partition["day"]')
    edit("assets/shop.py", '.select("id"', '.with_columns(pl.col("nope")).select("id"')
    report = shop.run("orders", repartition=True)
    assert report.exit_status == 1
    assert shop.sql("SELECT count(*), min(date) FROM production.orders") == [(15, date(2024, 1, 1))]
    assert shop.sql("SELECT DISTINCT dimensions FROM lineage.assets WHERE asset = 'orders'") == [
        (["date"],)
    ]
    with pytest.raises(DeclarationError, match="orders is now partitioned"):
        shop.plan("orders")


def test_what_is_held_keeps_all_of_it_out(shop: Mill, edit: Edit) -> None:
    shop.run()
    edit("assets/shop.py", 'Daily("2024-01-01")', 'Daily("2024-01-01", tz="Asia/Tokyo")')
    edit("assets/shop.py", "gt=0", "gt=10")
    report = shop.run("orders", repartition=True)
    assert {done.outcome for done in report.done} <= {"held", "cancelled"}
    assert shop.sql("SELECT count(*) FROM production.orders") == [(15,)]
    assert shop.sql("SELECT count(*) FROM lineage.quarantine") == [(0,)]
    edit("assets/shop.py", "gt=10", "gt=0")
    edit("assets/shop.py", ', tz="Asia/Tokyo"', "")
    assert shop.plan("orders").steps == ()
    assert shop.open().examine(deep=True) == []


def test_what_waited_by_the_old_keys_is_over(shop: Mill, edit: Edit) -> None:
    edit("data/orders.csv", "2024-01-03,1,10", "2024-01-03,1,-10")
    shop.run()
    edit("data/orders.csv", "2024-01-03,1,-10", "2024-01-03,1,10")
    edit("assets/shop.py", 'Daily("2024-01-01")', 'Daily("2024-01-01", name="day")')
    edit("assets/shop.py", 'pl.col("day") == partition.key', 'pl.col("day") == partition["day"]')
    edit("assets/shop.py", 'partition["day"]', 'str(partition["day"])')
    edit("assets/revenue.sql", 'Daily("2024-01-01")', 'Daily("2024-01-01", name="day")')
    report = shop.run(repartition=True)
    assert report.exit_status == 0, report
    assert shop.sql("SELECT status FROM lineage.quarantine") == [("discarded",)]
    assert shop.sql("FROM production.total") == [(300,)]
    assert shop.open().examine(deep=True) == []


def test_some_keys_of_it_cannot_be_selected(mill: Mill) -> None:
    declare(mill, "days")
    mill.run()
    declare(mill, "weeks")
    with pytest.raises(UsageError, match="all of x must be made anew"):
        mill.plan("x@2023-12-25", repartition=True)
    with pytest.raises(DeclarationError, match="x is now partitioned"):
        mill.plan("other", repartition=True)


def test_a_process_that_dies_leaves_the_old_or_the_new(
    mill: Mill, tmp_path: Path, dies: Dies
) -> None:
    declare(mill, "days")
    mill.run()
    declare(mill, "weeks")
    died = set()
    for at in (1, 4, 8, 12, 16, 20, 24, 28, 32, 60):
        copy = copied(mill, tmp_path / f"at{at}")
        died.add(dies(copy, at, "run_with(mill, files, 'x', repartition=True)"))
        query = "SELECT count(*) FROM production.x"
        assert copy.sql(query) in ([(3,)], [(1,)])
        if copy.sql(query) == [(3,)]:
            assert copy.run("x", repartition=True).exit_status == 0
        copy.run()
        assert copy.sql(query) == [(1,)]
        assert copy.open().examine(deep=True) == []
    assert died == {False, True}


def test_nothing_but_what_waits_is_no_hindrance(shop: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "gt=0", "gt=1000")
    shop.run("orders")
    assert shop.sql("SELECT count(*) FROM lineage.production WHERE asset = 'orders'") == [(0,)]
    edit("assets/shop.py", "gt=1000", "gt=0")
    edit("assets/shop.py", 'Daily("2024-01-01")', 'Daily("2024-01-01", name="day")')
    edit(
        "assets/shop.py", 'pl.col("day") == partition.key', 'pl.col("day") == str(partition["day"])'
    )
    assert shop.run("orders", repartition=True).exit_status == 0
    assert shop.sql("SELECT count(day) FROM production.orders") == [(15,)]
    assert shop.sql("SELECT count(*) FROM quarantine.orders") == [(0,)]
    assert shop.sql("SELECT DISTINCT status FROM lineage.quarantine") == [("discarded",)]
    assert shop.open().examine(deep=True) == []
