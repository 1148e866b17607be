"""A partitioning that changes under what is live: refused, and nothing is lost."""

from __future__ import annotations

import itertools

import pytest

from conftest import Mill
from millgate.errors import DeclarationError

KINDS = {
    "whole": "None",
    "days": 'Daily("2024-01-01", end="2024-01-03")',
    "renamed": 'Daily("2024-01-01", end="2024-01-03", name="day")',
    "zoned": 'Daily("2024-01-01", end="2024-01-03", tz="Asia/Tokyo")',
    "weeks": 'Weekly("2023-12-25", end="2023-12-25")',
    "listed": 'Keys("2024-01-01", "b", name="date")',
    "product": 'Daily("2024-01-01", end="2024-01-02") * Keys("a", "b")',
}


def declare(mill: Mill, kind: str, *, also: str = "") -> None:
    mill.write(
        "assets/x.py",
        f"""
        import polars as pl
        from millgate import Daily, Keys, Weekly, asset

        @asset(partitions={KINDS[kind]})
        def x() -> pl.DataFrame:
            return pl.DataFrame({{"n": [1]}})

        @asset
        def other{also}() -> pl.DataFrame:
            return pl.DataFrame({{"n": [1]}})
        """,
    )


@pytest.mark.parametrize(("before", "after"), [*itertools.permutations(KINDS, 2)])
def test_a_changed_partitioning_is_refused(mill: Mill, before: str, after: str) -> None:
    declare(mill, before)
    mill.run("x")
    rows = mill.sql("SELECT count(*) FROM production.x")
    declare(mill, after)
    for target in ("x", "other"):
        with pytest.raises(DeclarationError, match="x is now partitioned"):
            mill.plan(target)
    assert mill.sql("SELECT count(*) FROM production.x") == rows
    declare(mill, before)
    assert mill.plan("x").steps == ()


def test_a_partitioning_that_changes_between_plan_and_commit_is_refused(mill: Mill) -> None:
    declare(mill, "days")
    slow = mill.open()
    assert slow.select("x") == ("x",)
    assert slow.mill.gates
    declare(mill, "whole")
    mill.run("x")
    with pytest.raises(DeclarationError, match="x is now partitioned"), slow.mill.reading():
        pass
    assert mill.sql("FROM production.x") == [(1,)]


def test_more_days_are_no_other_partitioning(mill: Mill) -> None:
    declare(mill, "days")
    mill.run()
    text = (mill.root / "assets/x.py").read_text(encoding="utf-8")
    mill.write("assets/x.py", text.replace("2024-01-03", "2024-01-05"))
    assert [s.key for s in mill.plan().steps] == ["2024-01-04", "2024-01-05"]
