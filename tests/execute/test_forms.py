"""Every form a parameter may have, and every kind of result."""

from __future__ import annotations

import pytest

from conftest import Mill

HEAD = """
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from millgate import Daily, Keys, Partition, Window, asset, source

raw = source("data/raw.csv")

@asset
def first(raw: pl.LazyFrame) -> pl.LazyFrame:
    return raw

"""

BODIES = {
    "lazy": "def last(first):\n    return first.filter(pl.col('n') > 1)",
    "frame": "def last(first: pl.DataFrame):\n    return first.filter(pl.col('n') > 1)",
    "table": "def last(first: pa.Table):\n    return first.slice(1)",
    "reader": (
        "def last(first: pa.RecordBatchReader):\n"
        "    return pa.RecordBatchReader.from_batches(first.schema, "
        "(b.slice(1) for b in first if b.num_rows))"
    ),
    "relation": "def last(first: duckdb.DuckDBPyRelation):\n    return first.filter('n > 1')",
    "iterator": (
        "def last(first: pl.DataFrame) -> Iterator[pl.DataFrame]:\n"
        "    yield first.slice(1, 1)\n    yield first.slice(2)"
    ),
    "sql": "def last(first) -> str:\n    return 'FROM first WHERE n > 1'",
    "path": "def last(raw: Path):\n    return pl.read_csv(raw).filter(pl.col('n') > 1)",
}


@pytest.mark.parametrize("form", BODIES)
def test_form(mill: Mill, form: str) -> None:
    mill.write("data/raw.csv", "n,t\n1,a\n2,b\n3,c\n")
    mill.write("assets/all.py", HEAD + f"@asset\n{BODIES[form]}\n")
    report = mill.run()
    assert report.exit_status == 0, [d.detail for d in report.done]
    assert mill.sql("FROM production.last ORDER BY n") == [(2, "b"), (3, "c")]


def test_a_result_that_cannot_be_stored_says_what_can(mill: Mill) -> None:
    mill.write("data/raw.csv", "n,t\n1,a\n")
    mill.write("assets/all.py", HEAD + "@asset\ndef last(first):\n    return 42\n")
    report = mill.run()
    assert report.exit_status == 1
    (failed,) = report.having("failed")
    assert failed.message == "BadResult: last returned an int"
    assert "RecordBatchReader" in failed.detail


def test_rows_of_another_partition_are_refused(mill: Mill) -> None:
    mill.write("data/raw.csv", "n,t\n1,a\n")
    mill.write(
        "assets/all.py",
        HEAD
        + """
@asset(partitions=Daily("2024-01-01", end="2024-01-02"))
def last(partition: Partition):
    return pl.DataFrame({"date": [partition["date"], pl.date(2024, 1, 1)]}, strict=False)
""".replace("pl.date(2024, 1, 1)", "__import__('datetime').date(2024, 1, 1)"),
    )
    report = mill.run()
    assert [str(d.step) for d in report.having("failed")] == ["last@2024-01-02"]
    assert "have date = 2024-01-01" in report.having("failed")[0].message
    assert mill.sql("SELECT count(*) FROM production.last") == [(2,)]


def test_the_previous_day_of_itself(mill: Mill) -> None:
    mill.write(
        "assets/all.py",
        """
        import polars as pl
        from millgate import Daily, Partition, Window, asset

        @asset(
            partitions=Daily("2024-01-01", end="2024-01-05"),
            upstream={"before": Window(-1, -1, of="balance")},
        )
        def balance(before: pl.DataFrame | None, partition: Partition) -> pl.DataFrame:
            so_far = 0 if before is None else before["total"].item()
            return pl.DataFrame({"total": [so_far + 1]})
        """,
    )
    assert mill.run().exit_status == 0
    assert mill.sql("SELECT total FROM production.balance ORDER BY date") == [
        (1,),
        (2,),
        (3,),
        (4,),
        (5,),
    ]
    assert mill.plan().steps == ()


def test_products_and_keys_read_from_production(mill: Mill) -> None:
    mill.write("data/regions.csv", "region,name\nEU,Europe\nUS,America\n")
    mill.write(
        "assets/all.py",
        """
        import polars as pl
        from millgate import Daily, Keys, Partition, asset, source

        raw = source("data/regions.csv")

        @asset
        def regions(raw: pl.LazyFrame) -> pl.LazyFrame:
            return raw

        @asset(partitions=Daily("2024-01-01", end="2024-01-02") * Keys(of="regions.region"))
        def sales(partition: Partition) -> pl.DataFrame:
            return pl.DataFrame({"key": [partition.key]})

        @asset(partitions=Daily("2024-01-01", end="2024-01-02"))
        def total(sales: pl.LazyFrame) -> pl.LazyFrame:
            return sales.select(pl.len())
        """,
    )
    report = mill.run()  # the keys are not known before regions is made, in this very run
    assert report.exit_status == 0, [d.detail for d in report.done]
    assert mill.sql("SELECT date::VARCHAR, region, key FROM production.sales ORDER BY ALL") == [
        (day, region, f"{day}/{region}")
        for day in ("2024-01-01", "2024-01-02")
        for region in ("EU", "US")
    ]
    assert mill.sql("SELECT DISTINCT len FROM production.total") == [(2,)]
    assert mill.sql("SELECT count(*), min(status) FROM lineage.runs") == [(1, "succeeded")]
    mill.write("data/regions.csv", "region,name\nEU,Europe\nUS,America\nAP,Asia\n")
    report = mill.run()
    made = sorted(str(d.step) for d in report.having("made") if d.step.asset == "sales")
    assert made == ["sales@2024-01-01/AP", "sales@2024-01-02/AP"]
    assert mill.sql("SELECT DISTINCT len FROM production.total") == [(3,)]
    assert mill.plan().steps == ()


def test_no_step_sees_what_an_earlier_one_left_in_duckdb(mill: Mill) -> None:
    mill.write(
        "assets/relations.py",
        """
        import duckdb
        import polars as pl
        from millgate import asset

        readers = []

        @asset
        def numbers() -> pl.DataFrame:
            return pl.DataFrame({"n": [1, 2]})

        @asset
        def first(numbers: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
            numbers.create("kept")
            return numbers.query("numbers", "FROM kept")

        @asset
        def second(first: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
            return first.query("first", "FROM kept")

        @asset
        def aside(numbers: duckdb.DuckDBPyRelation) -> pl.DataFrame:
            readers.append(numbers.to_arrow_reader(1))
            return pl.DataFrame({"n": [1]})
        """,
    )
    mill.write("assets/total.sql", "SELECT sum(n)::BIGINT AS n FROM first")
    done = {str(d.step): d for d in mill.run(workers=1).done}
    assert "kept does not exist" in done.pop("second").message
    assert {d.outcome for d in done.values()} == {"made"}
