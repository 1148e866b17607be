"""From declared assets to production, and what makes them fresh or stale."""

from __future__ import annotations

from collections import Counter

from conftest import Edit, Mill

DAYS = [f"2024-01-0{day}" for day in range(1, 6)]


def test_a_first_run_makes_everything_and_records_it(shop: Mill) -> None:
    report = shop.run()
    assert report.exit_status == 0, [(str(d.step), d.message, d.detail) for d in report.done]
    assert Counter(d.outcome for d in report.done) == {"made": 11}
    assert shop.sql("SELECT count(*), sum(amount) FROM production.orders") == [(15, 300)]
    assert shop.sql("SELECT date::VARCHAR, amount FROM production.revenue ORDER BY ALL") == [
        (day, 60) for day in DAYS
    ]
    assert shop.sql("FROM production.total") == [(300,)]
    assert shop.sql("SELECT count(*) FROM lineage.production WHERE asset <> 'raw_orders'") == [
        (11,)
    ]


def test_every_version_read_stands_in_the_edges(shop: Mill) -> None:
    shop.run()
    edges = shop.sql("""
        SELECT u.asset, u.partition, d.asset, d.partition
        FROM lineage.materialization_edges e
        JOIN lineage.materializations u ON u.materialization = e.upstream
        JOIN lineage.materializations d ON d.materialization = e.downstream
    """)
    assert sorted(edges) == sorted(
        [("raw_orders", "", "orders", day) for day in DAYS]
        + [("orders", day, "revenue", day) for day in DAYS]
        + [("revenue", day, "total", "") for day in DAYS]
    )


def test_a_second_run_finds_everything_fresh(shop: Mill) -> None:
    shop.run()
    plan = shop.plan()
    assert plan.steps == ()
    assert sum(plan.fresh.values()) == 11


def test_a_new_day_is_all_that_is_missing(shop: Mill) -> None:
    shop.run()
    shop.now = shop.now.replace(day=7)
    assert shop.steps(shop.plan()) == [
        ("orders@2024-01-06", "make", "missing"),
        ("revenue@2024-01-06", "make", "missing"),
        ("total", "make", "input planned"),
    ]


def test_comments_and_layout_change_nothing(shop: Mill, edit: Edit) -> None:
    shop.run()
    edit("assets/shop.py", "    return raw_orders", "    # the day's\n    return raw_orders")
    edit("assets/shop.py", '"""Orders of a day."""', '"""The orders of a day."""')
    edit("assets/revenue.sql", "SELECT sum", "-- all of it\nselect\n  sum")
    assert shop.plan().steps == ()


def test_changed_code_runs_it_and_only_what_its_content_changes(shop: Mill, edit: Edit) -> None:
    shop.run()
    edit("assets/shop.py", '.select("id", "amount")', '.select("id", "amount").sort("id")')
    assert {(a, c) for _, a, c in shop.steps(shop.plan("orders"))} == {("make", "code changed")}
    report = shop.run()
    assert Counter((d.step.asset, d.outcome) for d in report.done) == {
        ("orders", "made"): 5,
        ("revenue", "unchanged"): 5,
        ("total", "unchanged"): 1,
    }
    assert shop.plan().steps == ()


def test_a_changed_source_names_the_file_in_the_plan(shop: Mill, edit: Edit) -> None:
    shop.run()
    edit("data/orders.csv", "2024-01-03,1,10", "2024-01-03,1,11")
    steps = shop.plan("orders").steps
    assert [(s.cause.kind, s.cause.of) for s in steps] == [("input changed", "raw_orders")] * 5
    report = shop.run()
    made = sorted(str(d.step) for d in report.having("made"))
    assert made == [*(f"orders@{day}" for day in DAYS), "revenue@2024-01-03", "total"]
    assert shop.sql("FROM production.total") == [(301,)]


def test_a_backfill_brings_the_upstreams_it_needs(shop: Mill) -> None:
    report = shop.run("revenue@2024-01-02..2024-01-03", command="backfill")
    assert sorted(str(d.step) for d in report.done) == [
        "orders@2024-01-02",
        "orders@2024-01-03",
        "revenue@2024-01-02",
        "revenue@2024-01-03",
    ]


def test_materialize_without_its_upstream_is_blocked_and_says_by_what(shop: Mill) -> None:
    report = shop.run("revenue@2024-01-02")
    assert report.exit_status == 3
    (done,) = report.done
    assert (done.outcome, done.message) == (
        "blocked",
        "by missing upstream: orders@2024-01-02",
    )


def test_force_makes_what_is_fresh(shop: Mill) -> None:
    shop.run()
    report = shop.run("orders@2024-01-02", force=True)
    assert [d.outcome for d in report.done] == ["made"]
    assert report.done[0].step.cause.kind == "forced"
