"""Live partitions whose keys left the definition: they stay, and nothing is made of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conftest import REVENUE, Edit, Mill
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


REGIONS = """
import polars as pl
from millgate import Gate, Keys, asset
import pandera.polars as pa

class Region(pa.DataFrameModel):
    region: str = pa.Field(isin=["north", "south"])

@asset(gate=Gate(Region))
def regions() -> pl.DataFrame:
    return pl.DataFrame({"region": ["north", "south"]})

@asset(partitions=Keys(of="regions.region"))
def sales() -> pl.DataFrame:
    return pl.DataFrame({"n": [1]})
"""


@pytest.fixture
def regional(mill: Mill) -> Mill:
    """Sales by region after a run, whose regions are read from production."""
    mill.write("assets/sales.py", REGIONS)
    mill.run()
    return mill


def test_keys_that_production_no_longer_has_are_outside(regional: Mill, edit: Edit) -> None:
    edit("assets/sales.py", '{"region": ["north", "south"]}', '{"region": ["north"]}')
    regional.run()
    plan = regional.plan("sales")
    assert (plan.steps, plan.outside) == ((), {"sales": ("south",)})
    retire(regional, "sales")
    assert regional.sql("SELECT region FROM production.sales") == [("north",)]


def test_keys_that_cannot_be_read_now_are_not_outside(regional: Mill, edit: Edit) -> None:
    edit("assets/sales.py", 'isin=["north", "south"]', 'isin=["north"]')
    assert regional.run("regions", enforce=True).exit_status == 3
    assert regional.plan("sales").outside == {"sales": ()}
    with pytest.raises(UsageError, match="sales is declared"):
        regional.open().propose_retirement("sales")
    assert regional.sql("SELECT count(*) FROM production.sales") == [(2,)]


def test_keys_after_the_moment_of_a_resumed_run_are_not_outside(shop: Mill) -> None:
    shop.run()
    earlier = shop.now - timedelta(days=2)
    assert shop.plan("orders", moment=earlier).outside == {"orders": ()}
    assert shop.plan("orders@2024-01-05..2024-01-05", moment=shop.now).steps == ()
    with pytest.raises(BadKey, match="selects no partition"):
        shop.plan("orders@2024-01-05", moment=earlier)


def test_what_is_made_from_it_lost_an_input(shrunk: Mill) -> None:
    """Revenue has its days still, and orders are nothing before their first day."""
    plan = shrunk.plan()
    assert [(str(s), s.action, s.cause.kind, s.cause.of) for s in plan.steps][:2] == [
        (f"revenue@{day}", "make", "input removed", f"orders@{day}") for day in DAYS[:2]
    ]
    shrunk.write("assets/revenue.sql", REVENUE.replace("2024-01-01", "2024-01-03"))
    plan = shrunk.plan()
    assert [(str(s), s.cause.kind) for s in plan.steps] == [("total", "input removed")]
    assert plan.outside["revenue"] == tuple(DAYS[:2])
