"""Release and discard: a person's decisions, each with a reason and a line in the tables."""

from __future__ import annotations

import pytest

from conftest import Edit, Mill
from millgate.errors import Conflict, UsageError
from millgate.execute import decide
from millgate.execute.committing import committing
from millgate.execute.running import open_run
from millgate.lineage import queries

BAD = "2024-01-03,1,-10"
DAY = "2024-01-03"


@pytest.fixture(params=["parquet", "duckdb"])
def storage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def split(shop: Mill, edit: Edit) -> Mill:
    """The shop after a run that split off one row of one day."""
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    shop.run()
    return shop


def test_a_released_partition_enters_as_it_is(held: Mill) -> None:
    held.open().release("orders", DAY, reason="refunds are real", actor="ada")
    assert held.sql("SELECT count(*), sum(amount) FROM production.orders") == [(15, 280)]
    assert held.sql("SELECT count(*) FROM quarantine.orders") == [(0,)]
    assert held.sql("""
        SELECT kind, actor, reason, partition FROM lineage.promotions WHERE kind = 'release'
    """) == [("release", "ada", "refunds are real", DAY)]
    assert held.sql("SELECT status, actor, reason FROM lineage.quarantine") == [
        ("released", "ada", "refunds are real")
    ]


def test_what_was_blocked_by_it_runs_next(held: Mill) -> None:
    held.open().release("orders", DAY, reason="refunds are real")
    assert held.steps(held.plan()) == [
        ("revenue@2024-01-03", "make", "missing"),
        ("total", "make", "missing"),
    ]
    assert held.run().exit_status == 0
    assert held.sql("FROM production.total") == [(280,)]
    assert held.plan().steps == ()


def test_a_release_is_not_failing_until_the_gate_changes(held: Mill, edit: Edit) -> None:
    held.open().release("orders", DAY, reason="refunds are real")
    held.run()
    assert held.sql("SELECT count(*) FROM lineage.failing") == [(0,)]
    edit("assets/shop.py", "pa.Field(gt=0)", "pa.Field(gt=1)")
    held.run()
    assert held.sql("SELECT asset, partition FROM lineage.failing") == [("orders", DAY)]


def test_released_rows_go_back_into_a_new_version(split: Mill) -> None:
    before = split.sql("SELECT count(*) FROM lineage.materializations")[0][0]
    split.open().release("orders", DAY, reason="a refund", actor="ada")
    rows = split.sql(f"SELECT id, amount FROM production.orders WHERE date = '{DAY}'")
    assert sorted(rows) == [(1, -10), (2, 20), (3, 30)]
    assert split.sql("SELECT count(*) FROM quarantine.orders") == [(0,)]
    assert split.sql("SELECT count(*) FROM lineage.materializations") == [(before + 1,)]
    traced = split.sql("""
        SELECT asset FROM lineage.trace(
            (SELECT materialization FROM lineage.materializations WHERE kind = 'released')
        )
    """)
    assert {"orders", "raw_orders"} == {asset for (asset,) in traced}


def test_rows_of_a_version_that_is_no_longer_live_are_not_released(split: Mill, edit: Edit) -> None:
    edit("data/orders.csv", BAD, "2024-01-03,1,12")
    split.run("orders@2024-01-03")
    with pytest.raises(UsageError, match="waits in quarantine: what did was superseded by"):
        split.open().release("orders", DAY, reason="a refund")


def test_rows_join_only_the_version_they_were_split_from(split: Mill, edit: Edit) -> None:
    mill = split.open().mill
    with mill.reading() as connection:
        before = queries.open_entry(connection, "orders", DAY)
    assert before is not None
    edit("data/orders.csv", BAD, "2024-01-03,1,-12")
    split.run("orders@2024-01-03")
    with open_run(mill, "quarantine release", "orders") as opened, committing(mill) as commit:
        run = decide.decided_run(mill, opened, "a refund")
        with pytest.raises(Conflict, match="not live now") as caught:
            decide._release(mill, commit, before, run, "a refund")
    assert caught.value.fix.startswith("millgate quarantine replay orders@2024-01-03")


def test_discarded_data_stays_out_until_something_changes(held: Mill, edit: Edit) -> None:
    held.open().discard("orders", DAY, reason="a test order", actor="ada")
    assert held.sql("SELECT count(*) FROM quarantine.orders") == [(0,)]
    assert held.sql("SELECT status, actor, reason FROM lineage.quarantine") == [
        ("discarded", "ada", "a test order")
    ]
    plan = held.plan("orders")
    assert (plan.steps, plan.held) == ((), {})
    edit("data/orders.csv", BAD, "2024-01-03,1,10")
    assert held.steps(held.plan("orders@2024-01-03")) == [
        ("orders@2024-01-03", "make", "input changed")
    ]


DECIDED = """
import pandera.polars as pa
import polars as pl

from millgate import Gate, asset


class Positive(pa.DataFrameModel):
    n: int = pa.Field(gt=0)


@asset
def numbers() -> pl.DataFrame:
    return pl.DataFrame({"n": [5 - 4]})


@asset(gate=Gate(Positive))
def gated(numbers: pl.DataFrame) -> pl.DataFrame:
    return numbers


@asset
def after(gated: pl.DataFrame) -> pl.DataFrame:
    return gated
"""


@pytest.mark.parametrize(
    ("was_live", "outcome", "exit_status"), [(True, "unchanged", 0), (False, "blocked", 3)]
)
def test_discarded_data_is_out_of_the_way_when_its_inputs_come_out_as_they_were(
    mill: Mill, edit: Edit, was_live: bool, outcome: str, exit_status: int
) -> None:
    mill.write("assets/decided.py", DECIDED)
    if was_live:
        mill.run()
    edit("assets/decided.py", "5 - 4", "1 - 2")
    mill.run()
    mill.open().discard("gated", "", reason="known", actor="ada")
    edit("assets/decided.py", "1 - 2", "2 - 3")
    report = mill.run()
    outcomes = {str(d.step): d.outcome for d in report.done}
    assert outcomes == {"numbers": "made", "gated": "unchanged", "after": outcome}
    assert report.exit_status == exit_status


def test_two_people_cannot_both_decide(held: Mill) -> None:
    first, second = held.open(), held.open()
    first.discard("orders", DAY, reason="a test order", actor="ada")
    with pytest.raises((UsageError, Conflict)):
        second.release("orders", DAY, reason="a refund", actor="bob")
    assert held.sql("SELECT count(*) FROM lineage.promotions WHERE kind = 'release'") == [(0,)]


def test_a_decision_needs_a_reason(held: Mill) -> None:
    with pytest.raises(UsageError, match="needs a reason"):
        held.open().release("orders", DAY, reason=" ")


def test_nothing_to_decide_says_where_to_look(shop: Mill) -> None:
    shop.run()
    with pytest.raises(UsageError, match="nothing of orders@2024-01-03 waits in quarantine"):
        shop.open().discard("orders", DAY, reason="why not")
