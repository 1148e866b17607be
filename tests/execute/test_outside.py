"""Live partitions whose keys left the definition: they stay, and nothing is made of them."""

from __future__ import annotations

import pytest

from conftest import Edit, Mill
from millgate.errors import BadKey, UsageError
from millgate.lineage.why import why

DAYS = [f"2024-01-0{day}" for day in range(1, 6)]
SHOPS = """
import polars as pl
from millgate import Keys, Window, asset

@asset(partitions=Keys({keys}))
def shops(partition_key: str = "") -> pl.DataFrame:
    return pl.DataFrame({{"n": [1]}})

@asset(upstream={{"each": Window(None, None, of="shops")}})
def count(each: pl.LazyFrame) -> pl.LazyFrame:
    return each.select(pl.col("n").sum())
"""


@pytest.fixture
def shrunk(shop: Mill, edit: Edit) -> Mill:
    """The shop after its orders begin two days later in code than when they were made."""
    shop.run()
    edit("assets/shop.py", 'Daily("2024-01-01")', 'Daily("2024-01-03")')
    return shop


def retire(mill: Mill, target: str) -> None:
    project = mill.open()
    project.retire(project.propose_retirement(target), reason="before our time", actor="ada")
    assert project.examine(deep=True) == []


def live(mill: Mill, asset: str) -> list[str]:
    query = f"SELECT DISTINCT date::VARCHAR FROM production.{asset} ORDER BY ALL"
    return [key for (key,) in mill.sql(query)]


def test_it_stays_live_and_is_never_planned(shrunk: Mill) -> None:
    plan = shrunk.plan("orders")
    assert plan.steps == ()
    assert plan.fresh == {"orders": 3}
    assert plan.outside == {"orders": tuple(DAYS[:2])}
    assert {s.key for s in shrunk.plan("orders", force=True).steps} == set(DAYS[2:])
    assert live(shrunk, "orders") == DAYS


def test_it_is_told_of_after_the_next_run(shrunk: Mill, edit: Edit) -> None:
    edit("assets/shop.py", 'select("id", "amount")', 'select("amount", "id")')
    shrunk.run("orders")
    health = "SELECT live, outside, stale FROM lineage.health WHERE asset = 'orders'"
    assert shrunk.sql(health) == [(5, 2, 0)]
    with shrunk.open().reading() as connection:
        assert why(connection, "orders", DAYS[0]).state == "outside"
        assert why(connection, "orders", DAYS[2]).state == "live"
    assert live(shrunk, "orders") == DAYS


def test_who_names_it_is_told_what_to_do(shrunk: Mill) -> None:
    with pytest.raises(BadKey, match="is live, and no longer in the definition") as told:
        shrunk.plan("orders@2024-01-01")
    assert told.value.fix.endswith("millgate retire orders@2024-01-01")
    with pytest.raises(BadKey, match="is live, and no longer in the definition"):
        shrunk.plan("orders", partition="2024-01-02")
    with pytest.raises(BadKey, match="selects no partition"):
        shrunk.plan("orders@2023-12-31")


def test_it_can_be_taken_out_one_by_one_or_all(shrunk: Mill) -> None:
    retire(shrunk, "orders@2024-01-02")
    assert live(shrunk, "orders") == [DAYS[0], *DAYS[2:]]
    retire(shrunk, "orders")
    assert live(shrunk, "orders") == DAYS[2:]
    with pytest.raises(UsageError, match="orders is declared"):
        retire(shrunk, "orders")
    with pytest.raises(UsageError, match="orders@2024-01-03 is declared"):
        retire(shrunk, "orders@2024-01-03")


def test_back_in_the_definition_it_is_fresh_as_before(shrunk: Mill, edit: Edit) -> None:
    edit("assets/shop.py", 'select("id", "amount")', 'select("amount", "id")')
    shrunk.run("orders")
    edit("assets/shop.py", 'select("amount", "id")', 'select("id", "amount")')
    edit("assets/shop.py", 'Daily("2024-01-03")', 'Daily("2024-01-01")')
    plan = shrunk.plan("orders")
    assert {step.key for step in plan.steps} == set(DAYS[2:])
    assert plan.outside == {"orders": ()}
    shrunk.run("orders")
    assert shrunk.sql("SELECT sum(outside) FROM lineage.health") == [(0,)]


def test_all_keys_are_those_of_the_definition(mill: Mill) -> None:
    mill.write("assets/shops.py", SHOPS.format(keys='"a", "b", "c"'))
    mill.run()
    assert mill.sql("FROM production.count") == [(3,)]
    mill.write("assets/shops.py", SHOPS.format(keys='"a", "c"'))
    assert mill.steps(mill.plan()) == [("count", "make", "input removed")]
    mill.run()
    assert mill.sql("FROM production.count") == [(2,)]
    assert mill.sql("SELECT count(*) FROM production.shops") == [(3,)]
    assert mill.sql("SELECT asset, outside FROM lineage.health WHERE outside > 0") == [("shops", 1)]
    assert mill.plan().steps == ()
