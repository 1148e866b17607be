"""`--atomic`: production moves once, at the end, or not at all."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from conftest import Edit, Mill
from millgate.errors import UsageError
from millgate.execute import committing, runner

LIVE = "SELECT asset, partition, materialization FROM lineage.production ORDER BY ALL"
MADE = "SELECT count(*) FROM lineage.production WHERE asset NOT LIKE 'raw%'"


def test_everything_enters_in_one_commit(shop: Mill) -> None:
    report = shop.run(atomic=True)
    assert (report.exit_status, len(report.having("made"))) == (0, 11)
    assert shop.sql(MADE) == [(11,)]
    assert shop.sql("SELECT DISTINCT snapshot FROM lineage.promotions") == [(1,)]
    assert shop.sql("SELECT selection FROM lineage.runs") == [("--atomic",)]


def test_one_hold_keeps_everything_out(shop: Mill, edit: Edit) -> None:
    shop.run()
    before = shop.sql(LIVE)
    edit("data/orders.csv", "2024-01-02,2,20", "2024-01-02,2,-20")
    edit("data/orders.csv", "2024-01-03,2,20", "2024-01-03,2,21")
    report = shop.run(atomic=True)
    assert report.exit_status == 3
    assert [str(d.step) for d in report.having("held")] == ["orders@2024-01-02"]
    cancelled = {str(d.step): d.message for d in report.having("cancelled")}
    told = "kept out because orders@2024-01-02 came out held"
    assert cancelled["orders@2024-01-03"] == cancelled["revenue@2024-01-03"] == told
    after = [row for row in shop.sql(LIVE) if row[0] != "raw_orders"]
    assert after == [row for row in before if row[0] != "raw_orders"]
    assert shop.sql("SELECT asset, partition FROM lineage.quarantine") == [
        ("orders", "2024-01-02"),
    ]
    nowhere = "SELECT DISTINCT asset FROM lineage.materializations WHERE location = 'nowhere'"
    assert sorted(shop.sql(nowhere)) == [("orders",), ("revenue",)]
    edit("data/orders.csv", "2024-01-02,2,-20", "2024-01-02,2,22")
    assert shop.run(atomic=True).exit_status == 0
    assert shop.sql("SELECT amount FROM production.revenue ORDER BY date") == [
        (60,),
        (62,),
        (61,),
        (60,),
        (60,),
    ]


def test_one_failure_keeps_everything_out(shop: Mill) -> None:
    shop.write("assets/bad.sql", "SELECT error('no') AS n FROM total")
    report = shop.run(atomic=True)
    assert report.exit_status == 1
    assert len(report.having("cancelled")) == 11
    assert shop.sql(MADE) == [(0,)]
    (shop.root / "assets" / "bad.sql").unlink()
    assert len(shop.run().having("made")) == 11


def test_where_one_partition_is_refused_all_are_and_are_planned_once_more(shop: Mill) -> None:
    shop.run()
    enter = committing.enter
    met: list[int] = []

    def overtaken(*arguments: Any) -> committing.Entered:
        if not met:
            arguments[4]["orders", "2024-01-01"] = None
        met.append(1)
        return enter(*arguments)

    with mock.patch.object(runner, "enter", overtaken):
        report = shop.run("orders", force=True, atomic=True)
    assert (report.exit_status, len(report.having("made"))) == (0, 5)
    query = "SELECT outcome, count(*) FROM lineage.steps WHERE run = 2 GROUP BY 1 ORDER BY 1"
    assert shop.sql(query) == [("made", 5), ("refused", 5)]
    assert shop.sql("SELECT count(DISTINCT snapshot) FROM lineage.promotions WHERE run = 2") == [
        (1,)
    ]


def test_keys_that_only_a_commit_would_tell_are_refused(mill: Mill) -> None:
    mill.write("assets/regions.sql", "SELECT unnest(['EU', 'US']) AS region")
    mill.write(
        "assets/sales.sql",
        """
        -- partitions: Keys(of="regions.region")
        SELECT 1 AS n, region FROM regions WHERE region = $partition_key
        """,
    )
    mill.run("regions")
    mill.write("assets/regions.sql", "SELECT unnest(['EU', 'UK']) AS region")
    with pytest.raises(UsageError, match="the keys of sales depend on what this run makes"):
        mill.run(atomic=True)
    assert mill.run().exit_status == 0
