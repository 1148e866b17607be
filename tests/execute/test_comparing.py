"""Partitions compared with those before them: in order, whatever runs side by side."""

from __future__ import annotations

import pytest

from conftest import Edit, Mill

DAYS = [f"2024-01-0{day}" for day in range(1, 6)]
COMPARED = 'Gate(Order, compare={"rows": (0.5, 2.0)})'


@pytest.fixture
def watched(shop: Mill, edit: Edit) -> Mill:
    """The shop, with the orders of each day compared with those of the day before."""
    edit("assets/shop.py", "Gate(Order)", COMPARED)
    return shop


def drop(edit: Edit, day: int, keep: int = 1) -> None:
    for n in range(keep + 1, 4):
        edit("data/orders.csv", f"2024-01-0{day},{n},{10 * n}\n", "")


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_too_few_rows_hold_and_block_what_is_compared_next(
    watched: Mill, edit: Edit, executor: str
) -> None:
    drop(edit, 3)
    report = watched.run("orders", executor=executor, workers=4)
    outcomes = [next(d.outcome for d in report.done if d.step.key == day) for day in DAYS]
    assert outcomes == ["made", "made", "held", "blocked", "blocked"]
    assert watched.sql(
        "SELECT passed, observed FROM lineage.check_results WHERE rule = 'compare' ORDER BY ALL"
    ) == [(False, "1 rows, 3 before"), (True, "3 rows, 3 before"), (True, "3 rows, none before")]
    watched.open().release("orders", DAYS[2], reason="a holiday")
    report = watched.run("orders")
    assert {str(d.step): d.outcome for d in report.done} == {
        "orders@2024-01-04": "held",
        "orders@2024-01-05": "blocked",
    }


DAILY = """
import polars as pl
from millgate import Daily, Gate, asset, source

counts = source("data/{date}.csv", partitions=Daily("2024-01-01"))

@asset(partitions=Daily("2024-01-01"), gate=Gate(compare={"rows": (0.5, 2.0)}))
def daily(counts: pl.LazyFrame) -> pl.LazyFrame:
    return counts
"""


def test_a_change_before_judges_again_and_no_further(mill: Mill, edit: Edit) -> None:
    mill.write("assets/daily.py", DAILY)
    for day in DAYS:
        mill.write(f"data/{day}.csv", "n\n1\n2\n3\n")
    assert mill.run().exit_status == 0
    assert mill.plan().steps == ()
    mill.write(f"data/{DAYS[1]}.csv", "n\n" + "1\n" * 6)
    assert mill.steps(mill.plan()) == [
        ("daily@2024-01-02", "make", "input changed"),
        ("daily@2024-01-03", "judge", "reference planned"),
    ]
    outcomes = {d.step.key: d.outcome for d in mill.run().done}
    assert outcomes == {"2024-01-02": "made", "2024-01-03": "judged"}
    assert (mill.plan().steps, dict(mill.plan().failing)) == ((), {})
    edit("assets/daily.py", "(0.5, 2.0)", "(0.6, 2.0)")
    mill.run()
    assert mill.plan().failing == {"daily": 1}


def test_a_window_is_compared_by_its_mean(watched: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "import Daily", "import Window, Daily")
    edit("assets/shop.py", "(0.5, 2.0)", "(0.5, None, Window(-2, -1))")
    drop(edit, 3, keep=2)
    drop(edit, 4)
    report = watched.run("orders")
    assert [str(d.step) for d in report.having("held")] == ["orders@2024-01-04"]
    assert ("1 rows, 2.5 before",) in watched.sql("SELECT observed FROM lineage.check_results")


def test_it_may_only_warn(watched: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "(0.5, 2.0)}", '(0.5, 2.0)}, warn=["compare"]')
    drop(edit, 3)
    assert watched.run("orders").exit_status == 0


def test_one_partition_alone_waits_for_the_one_before(watched: Mill) -> None:
    assert watched.steps(watched.plan("orders@2024-01-04")) == [
        ("orders@2024-01-04", "blocked", "missing upstream")
    ]
    report = watched.run("orders@2024-01-04", command="backfill")
    assert sorted(d.step.key for d in report.done) == DAYS[:4]


def test_enforcing_and_trials_compare_too(watched: Mill, edit: Edit) -> None:
    watched.run("orders")
    edit("assets/shop.py", "(0.5, 2.0)", "(1.5, 2.0)")
    failing = [t.partition for t in watched.open().try_gates("orders") if t.is_failing]
    assert failing == DAYS[1:]
    report = watched.run("orders@2024-01-05", enforce=True)
    assert [d.outcome for d in report.done] == ["held"]
