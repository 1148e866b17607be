"""How many partitions with a tag are worked on at a time."""

from __future__ import annotations

from conftest import Mill
from millgate.execute.limits import Limits

ALONE = """
from pathlib import Path

import polars as pl

from millgate import Daily, asset

inside = Path(__file__).parents[1] / "inside"
days = Daily("2024-01-01", end="2024-01-05")


def alone() -> pl.DataFrame:
    inside.touch(exist_ok=False)
    inside.unlink()
    return pl.DataFrame({"n": [1]})


@asset(partitions=days, tags=["api"])
def first() -> pl.DataFrame:
    return alone()


@asset(partitions=days, tags=["api", "slow"])
def second() -> pl.DataFrame:
    return alone()


@asset(partitions=days)
def free(first: pl.LazyFrame, second: pl.LazyFrame) -> pl.LazyFrame:
    return first
"""


def test_a_limited_tag_has_so_many_partitions_at_a_time(mill: Mill) -> None:
    mill.write("pyproject.toml", '[tool.millgate]\nlimits = {"api" = 1, "slow" = 3}\n')
    mill.write("assets/alone.py", ALONE)
    report = mill.run(workers=4)
    assert (report.exit_status, len(report.having("made"))) == (0, 15)


def test_a_step_that_waits_for_one_tag_does_not_hold_up_another() -> None:
    both, one = frozenset({"a", "b"}), frozenset({"a"})
    limits = Limits({"a": 1, "b": 1}, {"both": both, "one": one, "b": frozenset({"b"})})
    assert limits.admits("one", 0)
    assert limits.admits("b", 1)
    assert not limits.admits("both", 2)
    assert not limits.admits("one", 3)
    assert limits.leave("one", 0) == [2]
    assert not limits.admits("both", 2)
    assert limits.let_through("both") == [3]
    assert limits.admits("one", 3)
    assert limits.leave("b", 1) == [2]
    assert limits.leave("both", 2) == []


def test_what_has_no_limit_always_may() -> None:
    assert all(Limits({}, {"one": frozenset({"a"})}).admits("one", rank) for rank in range(9))
