"""A batch is declared by the partitioning, and by the code that can do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from millgate.declare.decorator import asset
from millgate.errors import DeclarationError
from millgate.model.dimension import Keys
from millgate.model.grain import Daily, Hourly, Monthly, Weekly
from millgate.model.partition import Partition, Partitions

DAYS = Daily("2013-01-01", batch=31)


def many(orders, partitions: list[Partition]) -> pl.LazyFrame: ...
def single(orders, day: Partition) -> pl.LazyFrame: ...
def neither(orders) -> pl.LazyFrame: ...
def text(orders) -> str: ...
def text_of_one(orders, day: Partition) -> str: ...


@pytest.mark.parametrize("function", [many, text])
def test_declared(function: Callable[..., Any]) -> None:
    made = asset(partitions=DAYS)(function)
    assert made.partitions.batched == DAYS
    assert [given.upstream for given in made.inputs] == ["orders"]


def test_the_function_stays_callable() -> None:
    @asset(partitions=DAYS)
    def days(partitions: list[Partition]) -> pl.DataFrame:
        return pl.DataFrame({"date": [partition["date"] for partition in partitions]})

    called = days([days.partition("2013-01-01"), days.partition("2013-01-02")])
    assert called["date"].dt.day().to_list() == [1, 2]


@pytest.mark.parametrize(
    ("function", "partitions", "what", "fix"),
    [
        (many, None, "partitions: list[Partition] takes adjacent", 'Daily("2013-01-01", batch=31)'),
        (many, Daily("2013-01-01"), "nothing says how many", "or take one, annotated Partition"),
        (single, DAYS, "day: Partition takes a single one", "days: list[Partition]"),
        (text_of_one, DAYS, "day: Partition takes a single one", "return the column date"),
        (neither, DAYS, "the function does not say", "add a parameter partitions: list[Partition]"),
        (neither, Keys("a", name="region") * DAYS, "batch=31", "return the column date"),
    ],
)
def test_refused(function: Callable[..., Any], partitions: Any, what: str, fix: str) -> None:
    with pytest.raises(DeclarationError) as raised:
        asset(partitions=partitions)(function)
    assert what in raised.value.what
    assert fix in raised.value.fix
    assert raised.value.where.startswith(__file__)


@pytest.mark.parametrize("batch", [0, -1, True, "31", 1.5])
@pytest.mark.parametrize("kind", [Hourly, Daily, Weekly, Monthly, Keys])
def test_a_bound_is_a_number(kind: Callable[..., Any], batch: object) -> None:
    starts = {Hourly: "2013-01-01T00:00Z", Daily: "2013-01-01", Weekly: "2013-01-07"}
    with pytest.raises(DeclarationError, match=f"batch={batch!r} is no number of partitions"):
        kind(starts.get(kind, "2013-01"), batch=batch)  # type: ignore[call-overload]


def test_batches_go_along_one_dimension() -> None:
    with pytest.raises(DeclarationError, match="two dimensions have batch="):
        DAYS * Keys("a", "b", batch=2)
    assert (DAYS * Keys("a", "b")).batched == DAYS
    assert Partitions((Daily("2013-01-01"),)).batched is None


def test_a_bound_makes_no_other_partitioning() -> None:
    assert Daily("2013-01-01", batch=31) == Daily("2013-01-01")
    assert len({Keys("a", batch=2), Keys("a")}) == 1


@pytest.mark.parametrize(
    ("partitions", "before", "after", "follows"),
    [
        (DAYS, "2013-01-31", "2013-02-01", True),
        (DAYS, "2013-01-30", "2013-02-01", False),
        (Monthly("2013-01", batch=3), "2013-12", "2014-01", True),
        (Weekly("2013-01-07", batch=3), "2013-01-07", "2013-01-14", True),
        (Hourly("2013-01-01T00:00Z", batch=3), "2013-01-01T23:00Z", "2013-01-02T00:00Z", True),
        (Keys("a", "b", "c", batch=3), "a", "c", True),
        (Keys("a", "b", batch=3), "b", "a", False),
        (DAYS * Keys("a", "b"), "2013-01-01/a", "2013-01-02/a", True),
        (DAYS * Keys("a", "b"), "2013-01-01/a", "2013-01-02/b", False),
        (Daily("2013-01-01") * Keys("a", "b", batch=2), "2013-01-01/a", "2013-01-01/b", True),
    ],
)
def test_adjacent(partitions: Any, before: str, after: str, follows: bool) -> None:
    whole = partitions if isinstance(partitions, Partitions) else Partitions((partitions,))
    assert whole.follows(before, after) is follows
