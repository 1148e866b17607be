"""Gate's own rules in whole runs: recorded, shown, judged again as they were judged first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner

from conftest import Edit, Mill
from millgate.cli.main import cli

GATED = """
from datetime import datetime

import polars as pl
from millgate import Gate, asset

@asset(gate=Gate(recent={"at": "1d"}, rows=(1, 5)))
def readings() -> pl.DataFrame:
    return pl.DataFrame({"at": [datetime(2024, 1, 6)]})
"""


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_rows_hold_a_partition_and_are_on_record(shop: Mill, edit: Edit, executor: str) -> None:
    edit("assets/shop.py", "Gate(Order)", "Gate(Order, rows=(3, 3))")
    edit("data/orders.csv", "2024-01-03,1,10\n", "")
    report = shop.run("orders", executor=executor)
    assert [str(d.step) for d in report.having("held")] == ["orders@2024-01-03"]
    assert shop.sql(
        "SELECT passed, count(*) FROM lineage.check_results WHERE rule = 'rows' GROUP BY ALL "
        "ORDER BY ALL"
    ) == [(False, 1), (True, 4)]


def test_recent_says_the_same_when_it_is_judged_again_later(mill: Mill, edit: Edit) -> None:
    mill.write("assets/readings.py", GATED)
    assert mill.run().exit_status == 0
    mill.now += timedelta(days=30)
    edit("assets/readings.py", "(1, 5)", "(1, 6)")
    assert [d.failing for d in mill.run().done] == [False]
    edit("assets/readings.py", '"1d"', '"1h"')
    assert [d.failing for d in mill.run().done] == [True]


def test_a_strict_contract_holds_a_new_column(shop: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, contract="strict")')
    assert shop.run("orders").exit_status == 0
    edit("assets/shop.py", 'select("id", "amount")', 'select("id", "amount", extra=1)')
    assert {d.outcome for d in shop.run("orders").done} == {"held"}
    edit("assets/shop.py", '"strict"', '"strict", warn=["contract"]')
    done = shop.run("orders").done
    assert {d.outcome for d in done} == {"made"}, done


def test_the_rules_are_shown(shop: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, rows=(1, None), warn=["rows"])')
    shown = CliRunner().invoke(cli, ["--project", str(shop.root), "show", "orders"]).output
    assert "rows (at least 1) (only a warning)" in shown


WIDENED = """
import polars as pl
from millgate import Daily, Gate, Partition, asset

@asset(partitions=Daily("2024-01-01", end="2024-01-04"), gate=Gate(contract="widen"))
def counted(partition: Partition) -> pl.DataFrame:
    day = partition.start.day
    narrow = pl.DataFrame({"n": [day], "place": [str(day)]}, {"n": pl.Int16, "place": pl.String})
    if day == 1:
        return narrow
    wide = narrow.with_columns(pl.col("n").cast(pl.Int64) * 10**12, note=pl.lit("new"))
    if day == 2:
        return wide
    return OTHER
"""


@pytest.mark.parametrize("storage", ["parquet", "duckdb"])
def test_production_reads_old_and_widened_partitions_together(mill: Mill, storage: str) -> None:
    text = WIDENED.replace("asset(", f"asset(storage={storage!r}, ").replace(
        "OTHER", "wide.with_columns(note=None)"
    )
    mill.write("assets/counted.py", text)
    for day in (1, 2, 3):
        assert mill.run(f"@2024-01-0{day}").exit_status == 0
    assert mill.sql("SELECT n, place, note FROM production.counted ORDER BY date") == [
        (1, "1", None),
        (2 * 10**12, "2", "new"),
        (3 * 10**12, "3", None),
    ]
    columns = "SELECT column_name, column_type FROM (DESCRIBE production.counted)"
    assert mill.sql(columns) == [
        ("n", "BIGINT"),
        ("place", "VARCHAR"),
        ("note", "VARCHAR"),
        ("date", "DATE"),
    ]
    assert mill.plan("@2024-01-01..2024-01-03").steps == ()


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ('wide.drop("place")', "place is VARCHAR in production: the column is gone"),
        (
            'wide.rename({"place": "moment"})',
            "place is VARCHAR in production: the column is gone; renamed to moment? "
            "(VARCHAR, new in its place)",
        ),
        ('wide.with_columns(n=pl.lit("one"))', "n is BIGINT in production: retyped to VARCHAR"),
        ("wide.with_columns(note=1)", "note is VARCHAR in production: retyped to INTEGER"),
        ("narrow.with_columns(note=None)", "n is BIGINT in production: narrowed to SMALLINT"),
    ],
)
def test_what_does_not_fit_is_held_with_the_difference_in_words(
    mill: Mill, other: str, says: str
) -> None:
    mill.write("assets/counted.py", WIDENED.replace("OTHER", other))
    mill.run("@2024-01-01..2024-01-02")
    (done,) = mill.run("@2024-01-03").done
    assert (done.outcome, done.message) == ("held", says)
    assert mill.sql("SELECT max(n) FROM production.counted") == [(2 * 10**12,)]
