"""Patterns of text checks and of columns, which pandera takes apart on polars."""

from __future__ import annotations

import re

import pandera.polars as pa
import polars as pl
import pytest
from pandera.errors import SchemaErrors

from gate.gate_answer import evaluate, failed, reasons
from gate.pandera_answer import answer, report

NAMES = ["a", "b", "abc", "xb"]


@pytest.mark.parametrize("required", [True, False])
def test_a_pattern_that_matches_no_column(required):
    pattern = pa.Column(int, regex=True, required=required)
    schema = pa.DataFrameSchema({"^x_.*$": pattern, "a": pa.Column(int, pa.Check.gt(0))})
    expected = [("no_regex_column_match", "^x_.*$", "frame")] if required else []
    expected += [("greater_than", "a", "row")]
    frame = pl.DataFrame({"a": [-1]})
    shown = "SchemaError" if required else [(0, "greater_than(0)")]
    assert report(schema, frame) == shown
    assert failed(evaluate(schema, frame)) == expected


@pytest.mark.parametrize("beside", [{}, {"other": pa.Column(int)}], ids=["alone", "beside another"])
@pytest.mark.parametrize("pattern", ["a|b", "^a|b$", "(?x) a | b  # either"])
def test_a_pattern_of_columns_matches_whole_names(pattern, beside):
    """pandera makes `^a|b$` of `a|b`, which `abc` and `xb` match, where no column has a name."""
    column = pa.Column(int, pa.Check.gt(0), regex=True)
    schema = pa.DataFrameSchema({pattern: column, **beside})
    frame = pl.DataFrame([dict.fromkeys(NAMES, 0)]).with_columns(other=pl.lit(0, pl.Int64))
    assert failed(evaluate(schema, frame)) == [
        ("greater_than", "a", "row"),
        ("greater_than", "b", "row"),
    ]
    blamed = {column for _, column in answer(schema, frame).rows}
    assert (blamed == {"a", "b"}) == bool(beside)


def test_a_column_is_known_only_by_its_whole_name():
    schema = pa.DataFrameSchema({"a|b": pa.Column(int, regex=True)}, strict=True)
    frame = pl.DataFrame([dict.fromkeys(NAMES, 1)])
    assert report(schema, frame) == "passes"
    assert failed(evaluate(schema, frame)) == [
        ("column_in_schema", "abc", "frame"),
        ("column_in_schema", "xb", "frame"),
    ]


def test_what_fails_under_a_pattern_is_told_by_its_column():
    schema = pa.DataFrameSchema({"^x_.*$": pa.Column(int, pa.Check.gt(0))})
    frame = pl.DataFrame({"x_1": [1, 1], "x_2": [1, -1]})
    with pytest.raises(SchemaErrors) as raised:
        schema.validate(frame, lazy=True)
    assert raised.value.failure_cases["column"].to_list() == ["^x_.*$"]
    evaluation = evaluate(schema, frame)
    assert failed(evaluation) == [("greater_than", "x_2", "row")]
    assert reasons(evaluation, frame) == [[], [("greater_than", "x_2")]]


def test_a_check_under_a_pattern_sees_the_other_columns():
    """pandera gives it its own column only, unless another column of the schema has a name."""
    check = pa.Check(
        lambda data: data.lazyframe.select(pl.col(data.key) < pl.col("most")), name="c"
    )
    frame = pl.DataFrame({"x_1": [1, 5], "most": [3, 3]})
    for columns, shown in (({}, [(None, "c")]), ({"most": pa.Column(int)}, [(1, "c")])):
        schema = pa.DataFrameSchema({"^x_.*$": pa.Column(int, check), **columns})
        assert report(schema, frame) == shown
        assert reasons(evaluate(schema, frame), frame) == [[], [("c", "x_1")]]


def test_a_pattern_that_matches_only_columns_with_names_of_their_own():
    columns = {"x_1": pa.Column(int), "^x_.*$": pa.Column(int)}
    schema = pa.DataFrameSchema(columns)
    frame = pl.DataFrame({"x_1": [1]})
    assert report(schema, frame) == "SchemaError"
    assert failed(evaluate(schema, frame)) == [("no_regex_column_match", "^x_.*$", "frame")]


@pytest.mark.parametrize(
    ("check", "matches", "differs", "passes"),
    [
        (pa.Check.str_matches("a|b"), "by", "xb", True),
        (pa.Check.str_matches("^a|b"), "by", "xb", True),
        (pa.Check.str_matches("(?x) a | b  # either"), "by", "xb", True),
        (pa.Check.str_matches(re.compile("(a|b)c")), "bc", "xbc", False),
        (pa.Check.str_matches(re.compile("ab", re.I)), "ABc", "xab", False),
        (pa.Check.str_matches(re.compile("a b  # c", re.X)), "ab", "xab", False),
        (pa.Check.str_contains(re.compile("A.B", re.I | re.S)), "xa\nb", "ab", False),
        (pa.Check.str_contains(re.compile("^b$", re.MULTILINE)), "a\nb", "ab", False),
    ],
)
def test_a_pattern_is_taken_as_a_whole_and_with_its_flags(check, matches, differs, passes):
    """pandera makes `^a|b` of `a|b`, and drops the flags of a compiled pattern."""
    schema = pa.DataFrameSchema({"a": pa.Column(str, check)})
    frame = pl.DataFrame({"a": [matches, differs]})
    assert (report(schema, frame) == "passes") == passes
    evaluation = evaluate(schema, frame)
    assert [len(row) for row in reasons(evaluation, frame)] == [0, 1]


def test_an_optional_pattern_does_not_coerce():
    """As pandera has it, which looks for a column of that very name."""
    column = pa.Column(int, regex=True, coerce=True, required=False)
    schema = pa.DataFrameSchema({"^x_.*$": column})
    frame = pl.DataFrame({"x_1": ["1"]})
    assert report(schema, frame) == [(None, "dtype('Int64')")]
    assert failed(evaluate(schema, frame)) == [("dtype", "x_1", "frame")]


def test_the_default_of_a_pattern_leaves_a_column_of_another_alone():
    """pandera fills that one too."""
    own = pa.Column(int, nullable=True)
    schema = pa.DataFrameSchema({"x_1": own, "^x_.*$": pa.Column(int, default=7)})
    frame = pl.DataFrame({"x_1": [1, None], "x_2": [None, 2]})
    assert schema.validate(frame)["x_1"].to_list() == [1, 7]
    accepted = evaluate(schema, frame).accepted(frame)
    assert accepted.rows() == [(1, 7), (None, 2)]
