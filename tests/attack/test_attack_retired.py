"""An asset that is live and no longer declared stays whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from conftest import Edit, Mill


@pytest.fixture
def retired(shop: Mill, edit: Edit) -> Mill:
    """The shop after a run, its `orders` then renamed, with a split and a hold in quarantine."""
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    edit("data/orders.csv", "2024-01-03,1,10", "2024-01-03,1,-10")
    shop.run()
    edit("assets/shop.py", "def orders(", "def purchases(")
    edit("assets/revenue.sql", "FROM orders", "FROM purchases")
    return shop


def links(mill: Mill, asset: str) -> list[Path]:
    return sorted((mill.root / "warehouse" / "production" / asset).rglob("data.parquet"))


def test_mending_links_keeps_those_of_what_is_no_longer_declared(retired: Mill) -> None:
    served = links(retired, "orders")
    assert len(served) == 5
    mark = retired.root / "warehouse" / "production" / ".behind-1"
    mark.write_text("a commit died here\n", encoding="utf-8")
    served[2].unlink()
    retired.run()
    assert not mark.exists()
    assert links(retired, "orders") == served
    assert sum(pq.read_metadata(link).num_rows for link in served) == 14


def test_its_views_follow_the_project_to_another_folder(retired: Mill) -> None:
    there = retired.root.with_name("mo've[d] to")
    shutil.move(retired.root, there)
    moved = Mill(there, retired.now)
    moved.run()
    assert moved.sql("SELECT count(*), max(date)::VARCHAR FROM production.orders") == [
        (14, "2024-01-05")
    ]
    assert moved.sql("SELECT count(*) FROM production.purchases") == [(14,)]
    assert moved.sql("SELECT amount FROM quarantine.orders") == [(-10,)]


def test_what_modules_print_is_no_answer(shop: Mill, capsys: pytest.CaptureFixture[str]) -> None:
    shop.write("assets/noise.py", 'print("noise")\n')
    assert shop.open().select("orders") == ("orders",)
    assert capsys.readouterr() == ("", "noise\n")


@pytest.mark.parametrize(
    "partitions",
    [
        'Hourly("2024-01-01T00:00Z", end="2024-01-01T02:00Z")',
        'Daily("2024-01-01", end="2024-01-03", name="day") * Keys("2024-01-01", "b")',
        'Keys("2024-01-01", "2024-01-02") * Monthly("2023-11", end="2023-12")',
        'Weekly("2023-12-04", end="2023-12-11", name="key")',
        'Keys("a b", "c%d", "e\'f")',
    ],
)
def test_views_of_every_partitioning_follow(mill: Mill, partitions: str) -> None:
    code = f"""
        import polars as pl
        from millgate import Daily, Hourly, Keys, Monthly, Weekly, asset

        @asset(partitions={partitions})
        def old() -> pl.DataFrame:
            return pl.DataFrame({{"n": [1]}})
        """
    mill.write("assets/a.py", code)
    mill.run()
    before = mill.sql("FROM production.old ORDER BY ALL"), mill.sql("DESCRIBE production.old")
    there = mill.root.with_name("elsewhere")
    shutil.move(mill.root, there)
    moved = Mill(there, mill.now)
    moved.write("assets/a.py", code.replace("def old", "def new"))
    moved.run()
    after = moved.sql("FROM production.old ORDER BY ALL"), moved.sql("DESCRIBE production.old")
    assert after == before
