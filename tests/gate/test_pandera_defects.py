"""Where pandera's own validation crashes, blames the wrong rows or lets bad data pass on polars."""

from __future__ import annotations

import warnings
from datetime import timedelta

import pandera.polars as pa
import polars as pl
import pytest
from pandera.errors import SchemaErrors

from millgate.gate.compiled import compile_gate
from millgate.model.policy import Gate
from millgate.model.schema import Schema


def evaluate(schema, frame, **policy):
    gate = compile_gate(Gate(schema, **policy), "asset")
    return gate.evaluate(frame, columns=Schema(()), live=None)


def failed(evaluation):
    return [(r.rule, r.column_name, r.kind) for r in evaluation.judgement.failed]


def reasons(evaluation, frame):
    return [
        [(r["rule"], r["column_name"]) for r in row]
        for row in evaluation.rejected(frame)["quarantine_reasons"].to_list()
    ]


def mean_below(limit):
    return pa.Check(
        lambda data: data.lazyframe.select(pl.col(data.key).mean() < limit), name="mean_below"
    )


def test_values_of_a_lazy_frame_are_judged():
    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check.gt(0))})
    frame = pl.DataFrame({"a": [1, -1]})
    schema.validate(frame.lazy(), lazy=True).collect()  # pandera: passes
    assert failed(evaluate(schema, frame.lazy())) == [("greater_than", "a", "row")]


@pytest.mark.parametrize("enabled", [True, False])
def test_switching_pandera_off_does_not_open_the_gate(enabled):
    from pandera.config import config_context

    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check.gt(0))})
    with config_context(validation_enabled=enabled):
        assert evaluate(schema, pl.DataFrame({"a": [-1]})).judgement.verdict == "hold"


def test_an_aggregate_check_holds_and_blames_no_row():
    schema = pa.DataFrameSchema({"a": pa.Column(int, mean_below(2))})
    frame = pl.DataFrame({"a": [1, 9]})
    evaluation = evaluate(schema, frame, on_failure="split")
    assert failed(evaluation) == [("mean_below", "a", "frame")]
    assert evaluation.judgement.verdict == "hold"
    assert reasons(evaluation, frame) == [[], []]
    (result,) = evaluation.judgement.failed
    assert result.observed == 'col("a").mean() is 5.0'


@pytest.mark.parametrize("traced", [True, False])
@pytest.mark.parametrize(("values", "verdict"), [([9], "hold"), ([1], "promote")])
def test_an_aggregate_over_a_single_row_is_still_an_aggregate(traced, values, verdict):
    def check(data):
        frame = data.lazyframe if traced else data.lazyframe.filter(True)
        return frame.select(pl.col(data.key).mean() < 2)

    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check(check, name="mean"))})
    evaluation = evaluate(schema, pl.DataFrame({"a": values}), on_failure="split")
    assert evaluation.judgement.verdict == verdict
    assert evaluation.judgement.results[-1].kind == ("frame" if traced or values == [9] else "row")


@pytest.mark.parametrize("traced", [True, False])
def test_a_result_shorter_than_the_frame_holds_if_not_all_true(traced):
    def check(data):
        frame = data.lazyframe if traced else data.lazyframe.filter(True)
        return frame.select(pl.col(data.key).drop_nulls() > 0)

    schema = pa.DataFrameSchema(
        {"a": pa.Column(int, [pa.Check(check, name="short"), pa.Check.gt(0)], nullable=True)}
    )
    bad = evaluate(schema, pl.DataFrame({"a": [None, 1, -1]}), on_failure="split")
    assert failed(bad) == [("short", "a", "frame"), ("greater_than", "a", "row")]
    assert bad.judgement.verdict == "hold"
    one_left = evaluate(schema, pl.DataFrame({"a": [None, None, -1]}), on_failure="split")
    assert one_left.judgement.verdict == "hold"
    good = evaluate(schema, pl.DataFrame({"a": [None, 1]}), on_failure="split")
    assert good.judgement.verdict == "promote"


def test_a_scalar_failure_beside_a_row_failure():
    schema = pa.DataFrameSchema(
        {"a": pa.Column(int, [pa.Check.gt(0), pa.Check(lambda _: False, name="never")])}
    )
    frame = pl.DataFrame({"a": [1, -1]})
    with pytest.raises(Exception) as crash:  # noqa: PT011  (pandera's own crash)
        schema.validate(frame, lazy=True)
    assert not isinstance(crash.value, SchemaErrors)
    assert failed(evaluate(schema, frame)) == [
        ("greater_than", "a", "row"),
        ("never", "a", "frame"),
    ]


@pytest.mark.parametrize(
    ("dtype", "bad", "text"),
    [(pl.Binary, b"\xff", "0xff"), (pl.Duration("us"), timedelta(hours=1), "PT1H")],
    ids=["binary", "duration"],
)
def test_failing_values_that_pandera_cannot_show(dtype, bad, text):
    schema = pa.DataFrameSchema({"a": pa.Column(dtype, pa.Check.ne(bad))})
    evaluation = evaluate(schema, pl.DataFrame({"a": [bad]}, schema={"a": dtype}))
    assert failed(evaluation) == [("not_equal_to", "a", "row")]
    assert evaluation.judgement.failed[0].sample == (text,)


@pytest.mark.parametrize("required", [True, False])
def test_a_pattern_that_matches_no_column(required):
    schema = pa.DataFrameSchema({"^x_.*$": pa.Column(int, regex=True, required=required)})
    expected = [("no_regex_column_match", "^x_.*$", "frame")] if required else []
    assert failed(evaluate(schema, pl.DataFrame({"a": [1]}))) == expected


def test_every_failing_set_of_jointly_unique_columns_is_reported():
    schema = pa.DataFrameSchema({}, unique=[["a"], ["b", "c"]])
    frame = pl.DataFrame({"a": [1, 1, 2], "b": [1, 2, 2], "c": [0, 2, 2]})
    evaluation = evaluate(schema, frame)
    assert [r.expected for r in evaluation.judgement.failed] == ["unique (a)", "unique (b, c)"]
    assert [len(r) for r in reasons(evaluation, frame)] == [1, 2, 1]


@pytest.mark.parametrize(
    ("schema", "fix"),
    [
        (pa.DataFrameSchema({"a": pa.Column(int, coerce=True)}), "column_in_dataframe"),
        (pa.DataFrameSchema({"a": pa.Column(int, default=1)}), "column_in_dataframe"),
    ],
)
def test_a_missing_column_that_would_be_coerced_or_filled(schema, fix):
    assert failed(evaluate(schema, pl.DataFrame({"b": [1]}))) == [(fix, "a", "frame")]


def test_a_default_or_coercion_of_a_column_without_a_type():
    schema = pa.DataFrameSchema({"a": pa.Column(default=7, coerce=True)})
    frame = pl.DataFrame({"a": [None, 1]})
    assert evaluate(schema, frame).accepted(frame)["a"].to_list() == [7, 1]


def test_a_null_beside_a_value_that_cannot_be_coerced_is_not_blamed():
    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check.gt(0), coerce=True, nullable=True)})
    frame = pl.DataFrame({"a": ["1", None, "x", "-1"]})
    evaluation = evaluate(schema, frame, on_failure="split")
    assert reasons(evaluation, frame) == [[("coerce_dtype", "a")], [("greater_than", "a")]]
    assert evaluation.accepted(frame)["a"].to_list() == [1, None]
    assert evaluation.rejected(frame)["a"].to_list() == ["x", "-1"]


def test_added_columns_are_checked_too():
    column = pa.Column(int, pa.Check.gt(0), default=-1)
    schema = pa.DataFrameSchema({"a": column}, add_missing_columns=True)
    frame = pl.DataFrame({"b": [1]})
    assert schema.validate(frame, lazy=True)["a"].to_list() == [-1]
    assert failed(evaluate(schema, frame)) == [("greater_than", "a", "row")]


def test_a_check_that_panics_in_polars_holds():
    def check(data):
        return data.lazyframe.select(pl.col(data.key).map_batches(explode, pl.Boolean))

    def explode(_series):
        raise pl.exceptions.PanicException("boom")

    schema = pa.DataFrameSchema({"a": pa.Column(int, [pa.Check(check, name="p"), pa.Check.gt(0)])})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluation = evaluate(schema, pl.DataFrame({"a": [1, -1]}), on_failure="split")
    assert failed(evaluation) == [("p", "a", "frame"), ("greater_than", "a", "row")]
    assert evaluation.judgement.failed[0].observed == "PanicException: boom"


def test_the_alternatives_of_a_pattern_are_those_of_pandera():
    """`str_matches("a|b")` is `^a|b` to pandera, and so it is to the gate."""
    schema = pa.DataFrameSchema({"a": pa.Column(str, pa.Check.str_matches("a|b"))})
    assert failed(evaluate(schema, pl.DataFrame({"a": ["ab", "xb"]}))) == []
