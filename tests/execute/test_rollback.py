"""Going back: what comes back, what stays away, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from conftest import Edit, Mill
from millgate.errors import Conflict, StoreError, UsageError
from millgate.model.going_back import Destination, Rollback
from millgate.model.record import show_id
from millgate.model.step import Plan
from millgate.store.locks import RunFiles

DAY = "2024-01-03"
GOOD, BAD = 'select("id", "amount")', 'select("id", pl.col("amount") + 1)'


@pytest.fixture
def changed(shop: Mill, edit: Edit) -> Mill:
    """The shop after a run, and after another one an hour later by worse code."""
    shop.run()
    edit("assets/shop.py", GOOD, BAD)
    shop.now += timedelta(hours=1)
    shop.run()
    shop.now += timedelta(hours=1)
    return shop


def back(mill: Mill, target: str, to: str, **options: Any) -> Rollback:
    project = mill.open()
    rollback = project.propose_rollback(target, Destination.parse(to, UTC), **options)
    project.roll_back(rollback, reason="wrong amounts", actor="ada")
    assert project.examine(deep=True) == []
    return rollback


def amounts(mill: Mill) -> list[int]:
    query = "SELECT sum(amount) FROM production.orders GROUP BY date ORDER BY date"
    return [amount for (amount,) in mill.sql(query)]


def versions(mill: Mill, asset: str, key: str) -> list[str]:
    found = mill.sql(
        "SELECT materialization FROM lineage.materializations WHERE asset = $1 "
        "AND partition = $2 ORDER BY 1",
        asset,
        key,
    )
    return [show_id(id_) for (id_,) in found]


def quiet(plan: Plan) -> tuple[object, dict[str, int]]:
    return plan.steps, dict(plan.rolled_back)


def test_a_partition_goes_back_to_what_it_was(changed: Mill) -> None:
    rollback = back(changed, f"orders@{DAY}", "previous")
    assert amounts(changed) == [63, 63, 60, 63, 63]
    assert [str(move) for move in rollback.moves] == [f"orders@{DAY}"]
    assert rollback.stale == (("revenue", DAY), ("total", ""))[:1]
    link = changed.root / "warehouse" / "production" / "orders" / f"date={DAY}" / "data.parquet"
    assert pq.read_table(link)["amount"].to_pylist() == [10, 20, 30]
    before, after = versions(changed, "orders", DAY)
    assert changed.sql(
        """
        SELECT p.partition, lineage_id(p.materialization), lineage_id(p.previous), p.actor,
            p.reason, r.command, r.status, r.message
        FROM lineage.promotions p JOIN lineage.runs r ON r.run = p.run WHERE kind = 'rollback'
    """.replace("lineage_id", "warehouse.lineage.show_id")
    ) == [(DAY, before, after, "ada", "wrong amounts", "rollback", "succeeded", "wrong amounts")]


def test_it_is_not_planned_again_and_downstream_is_stale(changed: Mill, edit: Edit) -> None:
    back(changed, f"orders@{DAY}", "previous")
    assert quiet(changed.plan("orders")) == ((), {"orders": 1})
    assert changed.sql("SELECT asset, partition FROM lineage.stale") == [("revenue", DAY)]
    assert changed.sql("SELECT rolled_back FROM lineage.health WHERE asset = 'orders'") == [(1,)]
    assert changed.steps(changed.plan()) == [
        (f"revenue@{DAY}", "make", "input changed"),
        ("total", "make", "input planned"),
    ]
    assert changed.run().exit_status == 0
    assert changed.sql("FROM production.total") == [(312,)]
    assert quiet(changed.plan()) == ((), {"orders": 1})
    edit("assets/shop.py", BAD, 'select("id", pl.col("amount") + 2)')
    assert (f"orders@{DAY}", "make", "code changed") in changed.steps(changed.plan("orders"))


def test_it_is_made_again_on_demand(changed: Mill) -> None:
    back(changed, f"orders@{DAY}", "previous")
    assert changed.steps(changed.plan("orders", retry_rolled_back=True)) == [
        (f"orders@{DAY}", "make", "retry rolled back")
    ]
    changed.run("orders", retry_rolled_back=True)
    assert amounts(changed) == [63] * 5
    assert quiet(changed.plan("orders")) == ((), {})
    assert changed.sql("FROM lineage.rolled_back") == []


def test_the_code_of_then_makes_it_fresh(changed: Mill, edit: Edit) -> None:
    back(changed, "orders", "previous", downstream=True)
    edit("assets/shop.py", BAD, GOOD)
    assert quiet(changed.plan()) == ((), {})


def test_going_back_twice_sticks_and_can_be_undone(changed: Mill, edit: Edit) -> None:
    edit("assets/shop.py", BAD, 'select("id", pl.col("amount") + 2)')
    changed.run()
    third = versions(changed, "orders", DAY)[-1]
    back(changed, f"orders@{DAY}", versions(changed, "orders", DAY)[1])
    back(changed, f"orders@{DAY}", versions(changed, "orders", DAY)[0])
    assert amounts(changed) == [66, 66, 60, 66, 66]
    assert quiet(changed.plan("orders")) == ((), {"orders": 1})
    back(changed, f"orders@{DAY}", third)
    assert amounts(changed) == [66] * 5
    assert quiet(changed.plan()) == ((), {})


def test_downstream_goes_back_to_what_was_made_from_it(changed: Mill) -> None:
    rollback = back(changed, "orders", "previous", downstream=True)
    assert changed.sql("FROM production.total") == [(300,)]
    assert len(rollback.moves) == 11
    assert rollback.stale == ()
    assert quiet(changed.plan()) == ((), {"orders": 5})


def test_downstream_that_was_never_made_from_it_stays_stale(changed: Mill) -> None:
    rollback = back(changed, f"orders@{DAY}", "previous", downstream=True)
    assert [str(m) for m in rollback.moves] == [f"orders@{DAY}", f"revenue@{DAY}"]
    assert rollback.stale == (("total", ""),)
    assert changed.steps(changed.plan()) == [("total", "make", "input changed")]


@pytest.mark.parametrize("to", ["snapshot:1", "2024-01-06T12:30", "2024-01-06T13:30+01:00"])
def test_everything_goes_back_to_a_state(changed: Mill, edit: Edit, to: str) -> None:
    edit("data/orders.csv", "2024-01-05,3,30", "2024-01-05,3,30\n2024-01-06,1,5")
    changed.now += timedelta(days=1)
    changed.run()
    assert changed.sql("SELECT count(*) FROM production.revenue") == [(6,)]
    back(changed, "", to)
    assert amounts(changed) == [60] * 5
    assert changed.sql("FROM production.total") == [(300,)]
    assert changed.sql("SELECT count(*) FROM production.revenue") == [(5,)]
    left = changed.root / "warehouse" / "production" / "orders" / "date=2024-01-06"
    assert list(left.glob("*.parquet")) == []
    plan = changed.plan("orders or revenue")
    assert plan.rolled_back["orders"] == 6
    assert [str(s) for s in plan.steps if s.asset == "orders"] == []


def test_a_version_comes_back_only_as_what_it_is(shop: Mill, edit: Edit) -> None:
    shop.run()
    edit("assets/shop.py", "pa.Field(gt=0)", "pa.Field(gt=10)")
    edit("assets/shop.py", GOOD, 'select("id", pl.col("amount") + 1)')
    shop.run()
    assert shop.sql("FROM lineage.failing") == []
    back(shop, f"orders@{DAY}", "previous")
    plan = shop.plan("orders")
    assert shop.steps(plan) == [(f"orders@{DAY}", "judge", "gate changed")]
    assert plan.rolled_back == {"orders": 1}
    assert shop.run("orders").exit_status == 3
    assert shop.sql("SELECT asset, partition FROM lineage.failing") == [("orders", DAY)]
    back(shop, f"orders@{DAY}", "previous")
    assert shop.sql("FROM lineage.failing") == []
    back(shop, f"orders@{DAY}", "previous")
    assert shop.sql("SELECT asset, partition FROM lineage.failing") == [("orders", DAY)]
    assert shop.plan("orders").failing == {"orders": 1}


def test_rejected_rows_go_back_with_their_version(shop: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    edit("data/orders.csv", f"{DAY},1,10", f"{DAY},1,-10")
    shop.run()
    edit("data/orders.csv", f"{DAY},1,-10", f"{DAY},1,11")
    shop.run()
    assert shop.sql("SELECT count(*) FROM quarantine.orders") == [(0,)]
    back(shop, f"orders@{DAY}", "previous")
    assert shop.sql("SELECT amount FROM quarantine.orders") == [(-10,)]
    back(shop, f"orders@{DAY}", "previous")
    assert shop.sql("SELECT count(*) FROM quarantine.orders") == [(0,)]


def test_only_what_was_in_production_comes_back(shop: Mill, edit: Edit) -> None:
    shop.run()
    edit("data/orders.csv", f"{DAY},1,10", f"{DAY},1,-10")
    shop.run()
    held = versions(shop, "orders", DAY)[-1]
    with pytest.raises(UsageError, match=r"was never in production"):
        back(shop, f"orders@{DAY}", held)
    with pytest.raises(UsageError, match="has an earlier version"):
        back(shop, f"orders@{DAY}", "previous")


@pytest.mark.parametrize(
    ("target", "to", "message"),
    [
        ("orders", "1-1", "is a version of"),
        ("orders", "9-9", "no version 9-9"),
        ("orders", "snapshot:9", "there is no snapshot 9"),
        ("orders", "2023-01-01", "nothing was in production at 2023-01-01"),
        ("raw_orders", "previous", "nothing of raw_orders was ever in production"),
    ],
)
def test_what_is_not_there_is_said(changed: Mill, target: str, to: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        back(changed, target, to)


def test_a_version_whose_file_is_gone_does_not_come_back(changed: Mill) -> None:
    before = versions(changed, "orders", DAY)[0]
    file = Path(f"warehouse/versions/orders/date={DAY}/{before}.parquet")
    (changed.root / file).unlink()
    with pytest.raises(StoreError, match=f"version {before} of orders@{DAY} is gone"):
        back(changed, "orders", "previous")
    assert amounts(changed) == [63] * 5


def test_the_second_of_two_people_is_refused(changed: Mill) -> None:
    project = changed.open()
    to = Destination.parse("previous", UTC)
    seen = project.propose_rollback(f"orders@{DAY}", to)
    back(changed, f"orders@{DAY}", "previous")
    with pytest.raises(Conflict, match=rf"run 3 changed orders@{DAY}"):
        project.roll_back(seen, reason="wrong amounts", actor="bob")
    assert amounts(changed)[2] == 60


def test_a_run_that_works_on_it_is_left_alone(changed: Mill) -> None:
    project = changed.open()
    files = RunFiles(project.layout)
    with files.start("materialize", "orders", "bob", "there", changed.now, minimum=9) as other:
        assert other.claim([("orders", DAY)]) == ()
        with pytest.raises(Conflict, match=f"run {other.id} is working"):
            back(changed, "orders", "previous")
    assert amounts(changed) == [63] * 5


REFRESHED = """
import polars as pl

from millgate import Refresh, asset


@asset(refresh=Refresh(every="6h"))
def rates() -> pl.DataFrame:
    return pl.DataFrame({"n": [1]})
"""


def test_the_clock_does_not_bring_back_what_was_left(mill: Mill) -> None:
    mill.write("assets/rates.py", REFRESHED)
    mill.run()
    mill.now += timedelta(hours=7)
    mill.run()
    back(mill, "rates", "previous")
    assert quiet(mill.plan()) == ((), {"rates": 1})
    back(mill, "rates", "previous")
    assert quiet(mill.plan()) == ((), {})
    mill.now += timedelta(hours=7)
    assert mill.steps(mill.plan()) == [("rates", "make", "refresh due")]


def test_a_rollback_needs_a_reason(changed: Mill) -> None:
    project = changed.open()
    seen = project.propose_rollback("orders", Destination.parse("previous", UTC))
    with pytest.raises(UsageError, match="needs a reason"):
        project.roll_back(replace(seen, moves=seen.moves[:1]), reason=" ")
