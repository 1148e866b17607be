"""What the gate refuses never enters production, and what is made from it waits."""

from __future__ import annotations

import pyarrow.parquet as pq

from conftest import Edit, Mill

BAD = "2024-01-03,1,-10"


def test_a_failing_partition_is_held_and_blocks_only_its_own_downstream(
    shop: Mill, edit: Edit
) -> None:
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    report = shop.run()
    assert report.exit_status == 3
    outcomes = {str(d.step): d.outcome for d in report.done}
    assert outcomes.pop("orders@2024-01-03") == "held"
    assert outcomes.pop("revenue@2024-01-03") == "blocked"
    assert outcomes.pop("total") == "blocked"
    assert set(outcomes.values()) == {"made"}
    assert shop.sql("SELECT count(*) FROM production.orders WHERE amount < 0") == [(0,)]
    assert shop.sql("SELECT count(DISTINCT date) FROM production.orders") == [(4,)]


def test_held_rows_carry_their_reasons(shop: Mill, edit: Edit) -> None:
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    shop.run()
    rows = shop.sql("SELECT id, amount, quarantine_reasons FROM quarantine.orders ORDER BY id")
    assert rows == [
        (1, -10, [{"rule": "greater_than", "column_name": "amount", "value": "-10"}]),
        (2, 20, []),
        (3, 30, []),
    ]


def test_the_earlier_version_stays_served(shop: Mill, edit: Edit) -> None:
    shop.run()
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    report = shop.run()
    assert [str(d.step) for d in report.having("held")] == ["orders@2024-01-03"]
    assert shop.sql("SELECT sum(amount) FROM production.orders") == [(300,)]
    assert shop.sql("FROM production.total") == [(300,)]


def test_what_is_held_is_not_made_again_until_something_changes(shop: Mill, edit: Edit) -> None:
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    shop.run()
    plan = shop.plan("orders")
    assert plan.steps == ()
    assert plan.held == {"orders": 1}
    assert shop.steps(shop.plan("orders", retry_held=True)) == [
        ("orders@2024-01-03", "make", "retry held")
    ]
    edit("data/orders.csv", BAD, "2024-01-03,1,10")
    assert shop.run().exit_status == 0
    assert shop.sql("SELECT count(*) FROM production.orders") == [(15,)]
    assert shop.sql("SELECT count(*) FROM quarantine.orders") == [(0,)]


def test_split_lets_the_good_rows_pass(shop: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split", max_rejected=0.5)')
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    report = shop.run()
    assert report.exit_status == 0
    assert [d.rejected_rows for d in report.done if d.rejected_rows] == [1]
    assert shop.sql("SELECT count(*) FROM production.orders") == [(14,)]
    assert shop.sql("SELECT date::VARCHAR, id FROM quarantine.orders") == [("2024-01-03", 1)]
    assert shop.sql("FROM production.total") == [(290,)]
    assert shop.plan().steps == ()


def test_too_many_rejected_rows_hold_the_partition(shop: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split", max_rejected=0.3)')
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    report = shop.run("raw_orders or orders")
    assert [str(d.step) for d in report.having("held")] == ["orders@2024-01-03"]


def test_warn_records_and_lets_pass(shop: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="warn")')
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    assert shop.run().exit_status == 0
    assert shop.sql("SELECT count(*) FROM production.orders WHERE amount < 0") == [(1,)]
    assert shop.sql("SELECT sum(failing_rows) FROM lineage.check_results WHERE NOT passed") == [
        (1,)
    ]


def test_a_missing_column_holds_whatever_the_policy(shop: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="warn")')
    edit("assets/shop.py", '.select("id", "amount")', '.select("amount")')
    report = shop.run("orders")
    assert {d.outcome for d in report.done} == {"held"}
    assert shop.sql("SELECT count(*) FROM lineage.production WHERE asset = 'orders'") == [(0,)]


def test_a_changed_check_judges_the_live_versions_again_without_making_them(
    shop: Mill, edit: Edit
) -> None:
    shop.run()
    edit("assets/shop.py", "pa.Field(gt=0)", "pa.Field(gt=10)")
    assert {(a, c) for _, a, c in shop.steps(shop.plan())} == {("judge", "gate changed")}
    report = shop.run()
    assert {d.outcome for d in report.done} == {"judged"}
    assert all(d.failing for d in report.done)
    assert report.exit_status == 3
    assert shop.sql("SELECT count(*) FROM production.orders") == [(15,)]
    assert shop.sql("SELECT count(*) FROM lineage.failing") == [(5,)]
    plan = shop.plan()
    assert (plan.steps, plan.failing) == ((), {"orders": 5})


def test_a_run_that_can_only_wait_makes_one_snapshot(shop: Mill, edit: Edit) -> None:
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    shop.run()
    before = shop.sql("SELECT max(snapshot) FROM lineage.snapshots")[0][0]
    report = shop.run()
    assert {d.outcome for d in report.done} == {"blocked"}
    assert shop.sql("SELECT max(snapshot) FROM lineage.snapshots") == [(before + 1,)]


def test_what_is_refused_is_in_no_file_of_production(shop: Mill, edit: Edit) -> None:
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    shop.run()
    for folder in ("versions", "production"):
        files = sorted((shop.root / "warehouse" / folder).rglob("orders/**/*.parquet"))
        assert len(files) == 4
        for file in files:
            assert min(pq.read_table(file, partitioning=None)["amount"].to_pylist()) > 0
