"""Failing rows are the same however they are kept, and take little where they are few."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millgate.gate.failing_rows import any_of, marked, placed

FEW = [i in (3, 70) for i in range(100)]
FEWER = [i == 70 for i in range(100)]
MANY = [i % 3 == 0 for i in range(100)]
ALL, NONE = [True] * 100, [False] * 100

marks = st.sampled_from([FEW, FEWER, MANY, ALL, NONE]) | st.lists(
    st.booleans(), min_size=100, max_size=100
)


def kept(marks):
    return marked(pl.Series(marks, dtype=pl.Boolean))


@settings(deadline=None)
@given(marks)
def test_rows_are_those_that_were_marked(given):
    positions = pl.Series([i for i, mark in enumerate(given) if mark], dtype=pl.get_index_type())
    for rows in (kept(given), placed(positions, 100)):
        assert rows.marks.to_list() == given
        assert rows.positions.to_list() == positions.to_list()
        assert (rows.count, rows.height) == (sum(given), 100)
        assert rows.is_sparse == (sum(given) < 4)


@settings(deadline=None)
@given(st.lists(marks, max_size=4))
def test_any_of_them_and_each_within_it(given):
    each = [kept(marks) for marks in given]
    either = any_of(each, 100)
    wanted = [any(column) for column in zip(*given, strict=True)] if given else NONE
    assert either.marks.to_list() == wanted
    for rows, marks in zip(each, given, strict=True):
        assert rows.within(either).to_list() == [m for m, w in zip(marks, wanted, strict=True) if w]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("height", [0, 1, 100, 65_536, 300_001])
@pytest.mark.parametrize("every", [1, 3, 999, 65_536, 1_000_000])
def test_a_plan_makes_the_same_marks(engine, height, every):
    given = pl.select(pl.int_range(height) % every == 0).to_series()
    rows = marked(given)
    made = rows.marks_as("marks").collect(engine=engine)
    assert made.equals(given.alias("marks").to_frame())
    beside = pl.LazyFrame({"a": range(height)}, schema={"a": pl.Int64})
    both = pl.concat([beside, rows.marks_as("marks")], how="horizontal").filter("marks")
    assert both.collect(engine=engine)["a"].to_list() == list(range(0, height, every))


def test_few_rows_of_many_take_little():
    rows = 1_000_000
    thin = pl.select(pl.int_range(rows) % 1000 == 0).to_series()
    assert kept_size(marked(thin)) < thin.estimated_size() / 20
    assert kept_size(marked(~thin)) == thin.estimated_size()


def kept_size(rows):
    return (rows.positions if rows.is_sparse else rows.marks).estimated_size()
