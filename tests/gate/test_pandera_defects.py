"""Where pandera's own validation crashes, blames the wrong rows or lets bad data pass on polars."""

from __future__ import annotations

import re
import warnings
from datetime import date, datetime, timedelta

import pandera.polars as pa
import polars as pl
import pytest
from pandera.errors import SchemaErrors

from millgate.errors import GateError
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


def pandera(schema, frame):
    """What pandera says: `passes`, the rows and checks it reports, or the name of its crash."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            return errors.failure_cases.select("index", "check").rows()
        except (Exception, pl.exceptions.PanicException) as error:
            return type(error).__name__
    return "passes"


def refusal(schema):
    with pytest.raises(GateError) as refused:
        compile_gate(Gate(schema), "asset")
    return refused.value.what


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
    assert pandera(schema, frame) == [(0, "mean_below")]
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
    frame = pl.DataFrame({"a": [None, 1, -1]})
    assert (1, "short") in pandera(schema, frame)  # row 2 has the -1
    bad = evaluate(schema, frame, on_failure="split")
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
    assert pandera(schema, frame) == "SchemaError"  # of polars, while pandera writes its report
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
    frame = pl.DataFrame({"a": [bad]}, schema={"a": dtype})
    assert pandera(schema, frame) in ("ComputeError", "InvalidOperationError")
    evaluation = evaluate(schema, frame)
    assert failed(evaluation) == [("not_equal_to", "a", "row")]
    assert evaluation.judgement.failed[0].sample == (text,)


@pytest.mark.parametrize("required", [True, False])
def test_a_pattern_that_matches_no_column(required):
    pattern = pa.Column(int, regex=True, required=required)
    schema = pa.DataFrameSchema({"^x_.*$": pattern, "a": pa.Column(int, pa.Check.gt(0))})
    expected = [("no_regex_column_match", "^x_.*$", "frame")] if required else []
    expected += [("greater_than", "a", "row")]
    frame = pl.DataFrame({"a": [-1]})
    report = [(0, "greater_than(0)")]
    assert pandera(schema, frame) == ("SchemaError" if required else report)
    assert failed(evaluate(schema, frame)) == expected


def test_every_failing_set_of_jointly_unique_columns_is_reported():
    schema = pa.DataFrameSchema({}, unique=[["a"], ["b", "c"]])
    frame = pl.DataFrame({"a": [1, 1, 2], "b": [1, 2, 2], "c": [0, 2, 2]})
    assert {check for _, check in pandera(schema, frame)} == {"multiple_fields_uniqueness"}
    assert [row for row, _ in pandera(schema, frame)] == [0, 1]  # the first set alone
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
    assert (pandera(schema, frame) == "passes") == passes
    evaluation = evaluate(schema, frame)
    assert [len(row) for row in reasons(evaluation, frame)] == [0, 1]


def test_a_flag_that_polars_does_not_have_is_refused():
    schema = pa.DataFrameSchema({"a": pa.Column(str, pa.Check.str_matches(re.compile("a", re.A)))})
    assert refusal(schema).endswith("flags without effect: ASCII")


def test_a_check_by_groups_is_refused():
    check = pa.Check(
        lambda data: data.lazyframe.select(pl.col("a").sum() > 0), groupby="b", name="each_group"
    )
    schema = pa.DataFrameSchema({"a": pa.Column(int, check), "b": pa.Column(int)})
    assert pandera(schema, pl.DataFrame({"a": [3, -1], "b": [1, 2]})) == "passes"
    assert "groupby=, which pandera ignores" in refusal(schema)


def test_dropping_rows_is_refused():
    whole = pa.Check(lambda _: False, name="whole")
    schema = pa.DataFrameSchema(
        {"a": pa.Column(int), "b": pa.Column(int)}, checks=whole, drop_invalid_rows=True
    )
    frame = pl.DataFrame({"a": [1, 2]})
    assert pandera(schema, frame) == "passes"  # without b, and with a failing check
    assert "drop_invalid_rows" in refusal(schema)


def test_reporting_only_some_duplicates_is_refused():
    with pytest.warns(UserWarning, match="no effect"):
        schema = pa.DataFrameSchema({}, unique=["a"], report_duplicates="exclude_first")
    frame = pl.DataFrame({"a": [1, 1]})
    assert [row for row, _ in pandera(schema, frame)] == [0, 1]
    assert "report_duplicates=" in refusal(schema)


@pytest.mark.parametrize(("dtype", "passes"), [(pl.Int8, True), (pl.String, False)])
def test_a_result_that_is_not_boolean_holds(dtype, passes):
    def check(data):
        return data.lazyframe.select(pl.col(data.key).is_null().cast(dtype))

    column = pa.Column(int, pa.Check(check, name="c", ignore_na=False), nullable=True)
    schema = pa.DataFrameSchema({"a": column})
    frame = pl.DataFrame({"a": [None]}, schema={"a": pl.Int64})
    assert (pandera(schema, frame) == "passes") == passes
    assert failed(evaluate(schema, frame)) == [("c", "a", "frame")]


def test_an_optional_column_with_a_default_may_be_absent():
    column = pa.Column(int, default=1, required=False)
    schema = pa.DataFrameSchema({"a": column})
    frame = pl.DataFrame({"b": [1]})
    assert pandera(schema, frame) == "ColumnNotFoundError"
    assert evaluate(schema, frame).judgement.verdict == "promote"


def test_failing_values_that_python_cannot_show():
    check = pa.Check.eq(datetime(2013, 1, 1))
    schema = pa.DataFrameSchema({"a": pa.Column(pl.Datetime("us"), check, coerce=True)})
    frame = pl.DataFrame({"a": [2**62]})
    assert pandera(schema, frame) == [(None, "equal_to(2013-01-01 00:00:00)")]
    assert failed(evaluate(schema, frame)) == [("equal_to", "a", "row")]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [({}, [("unique", None, "frame")]), ({"a": pa.Column(int, required=False)}, [])],
    ids=["misspelt", "optional"],
)
def test_columns_that_are_to_be_unique_and_are_not_there(columns, expected):
    schema = pa.DataFrameSchema(columns, unique=["a"])
    frame = pl.DataFrame({"b": [1, 1]})
    assert pandera(schema, frame) == "ShapeError"
    assert failed(evaluate(schema, frame)) == expected


def test_a_default_does_not_give_a_column_another_type_for_the_check_alone():
    columns = {"a": pa.Column(pl.UInt32, default=3)}
    schema = pa.DataFrameSchema(columns, dtype=pl.UInt64)
    frame = pl.DataFrame({"a": [3]}, schema={"a": pl.UInt32})
    assert schema.validate(frame, lazy=True).schema == {"a": pl.UInt32}
    assert failed(evaluate(schema, frame)) == [("dtype", "a", "frame")]


@pytest.mark.parametrize(
    ("dtype", "values"),
    [(pl.Binary, [b"a"]), (pl.List(pl.String), [["a"]]), (pl.UInt64, [2**63])],
    ids=["no common type", "not this list", "not this number"],
)
def test_a_default_that_does_not_fit_its_column_holds(dtype, values):
    column = pa.Column(pl.Date, default=date(2013, 1, 1))
    schema = pa.DataFrameSchema({"a": column, "b": pa.Column(int)})
    frame = pl.DataFrame({"a": values, "b": [None]}, schema={"a": dtype, "b": pl.Int64})
    assert pandera(schema, frame) in ("SchemaError", "InvalidOperationError")
    rules = {rule for rule, _, _ in failed(evaluate(schema, frame))}
    assert {"default", "not_nullable"} <= rules <= {"default", "not_nullable", "dtype"}


def test_checks_that_raise_on_types_alone_raise_in_a_stream_without_rows(tmp_path):
    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check.gt("x"))})
    frame = pl.DataFrame({"a": []}, schema={"a": pl.Int64})
    frame.write_parquet(tmp_path / "a.parquet")
    for form in (frame, frame.lazy(), pl.scan_parquet(tmp_path / "a.parquet")):
        assert failed(evaluate(schema, form)) == [("greater_than", "a", "frame")]


def test_two_structs_of_nulls_are_alike_to_a_column_and_not_to_a_joint_rule():
    """As pandera has it: jointly a null struct differs from a struct of nulls."""
    frame = pl.DataFrame({"a": [None, {"x": None}]}, schema={"a": pl.Struct({"x": pl.Int8})})
    column = pa.DataFrameSchema({"a": pa.Column(unique=True, nullable=True)})
    joint = pa.DataFrameSchema({}, unique=["a"])
    for schema, passes in ((column, False), (joint, True)):
        assert (pandera(schema, frame) == "passes") == passes
        assert (evaluate(schema, frame).judgement.verdict == "promote") == passes


def test_an_optional_pattern_does_not_coerce():
    """As pandera has it, which looks for a column of that very name."""
    column = pa.Column(int, regex=True, coerce=True, required=False)
    schema = pa.DataFrameSchema({"^x_.*$": column})
    frame = pl.DataFrame({"x_1": ["1"]})
    assert pandera(schema, frame) == [(None, "dtype('Int64')")]
    assert failed(evaluate(schema, frame)) == [("dtype", "x_1", "frame")]
