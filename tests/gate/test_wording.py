from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pandera.polars as pa
import polars as pl
import pytest

from millgate.gate.wording import expectation, rule_name, text_of


def documented(_data):
    return True


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (pa.Check.gt(0), "> 0"),
        (pa.Check.ge(date(2013, 1, 1)), ">= 2013-01-01"),
        (pa.Check.lt(1.5), "< 1.5"),
        (pa.Check.le(1), "<= 1"),
        (pa.Check.eq("x"), "= 'x'"),
        (pa.Check.ne(1), "!= 1"),
        (pa.Check.in_range(0, 9), ">= 0 and <= 9"),
        (pa.Check.in_range(0, 9, include_min=False, include_max=False), "> 0 and < 9"),
        (pa.Check.isin(["JFK", "EWR"]), "in ['EWR', 'JFK']"),
        (pa.Check.isin(range(20)), "in [0, 1, 2, 3, 4, 5, 6, 7, … 20 values]"),
        (pa.Check.notin([1]), "not in [1]"),
        (pa.Check.str_matches("^a"), "matches '^a'"),
        (pa.Check.str_contains("a"), "contains 'a'"),
        (pa.Check.str_startswith("a"), "starts with 'a'"),
        (pa.Check.str_endswith("a"), "ends with 'a'"),
        (pa.Check.str_length(1, 3), "length 1 to 3"),
        (pa.Check.str_length(min_value=1), "length at least 1"),
        (pa.Check.str_length(max_value=3), "length at most 3"),
        (pa.Check.str_length(exact_value=3), "length 3"),
        (pa.Check.unique_values_eq(["b", "a"]), "values are ['a', 'b']"),
        (pa.Check(documented), None),
        (pa.Check(documented, error="a  before\nb"), "a before b"),
        (pa.Check(documented, description="Says it.\nAt length."), "Says it."),
    ],
)
def test_expectation(check, expected):
    assert expectation(check) == expected


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (pa.Check.gt(0), "greater_than"),
        (pa.Check.gt(0, name="positive"), "positive"),
        (pa.Check(documented), "documented"),
        (pa.Check(lambda _: True), "check_3"),
    ],
)
def test_rule_name(check, name):
    assert rule_name(check, 2) == name


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        ("a", pl.String, "a"),
        (1, pl.Int64, "1"),
        (1.5, pl.Float64, "1.5"),
        (True, pl.Boolean, "true"),
        (date(2013, 1, 2), pl.Date, "2013-01-02"),
        (timedelta(days=1, hours=2), pl.Duration, "P1DT2H"),
        (Decimal("1.50"), pl.Decimal(10, 2), "1.50"),
        (b"\xff\x00", pl.Binary, "0xff00"),
        ("a", pl.Categorical, "a"),
        ("a", pl.Enum(["a"]), "a"),
        ([1, None], pl.List(pl.Int64), "[1,null]"),
        ([1, 2], pl.Array(pl.Int64, 2), "[1,2]"),
        ({"x": 1}, pl.Struct({"x": pl.Int64}), '{"x":1}'),
        ([b"a"], pl.List(pl.Binary), "List(Binary)"),
    ],
    ids=str,
)
def test_any_value_has_a_text_and_null_stays_null(value, dtype, text):
    frame = pl.DataFrame({"a": pl.Series([value, None], dtype=dtype)})
    assert frame.select(text_of(pl.col("a"), frame.schema["a"])).to_series().to_list() == [
        text,
        None,
    ]
