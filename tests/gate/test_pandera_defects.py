"""Where pandera's own validation crashes, blames the wrong rows or lets bad data pass on polars."""

from __future__ import annotations

import warnings
from datetime import date, datetime, timedelta

import pandera.polars as pa
import polars as pl
import pytest

from gate.gate_answer import evaluate, failed, reasons
from gate.pandera_answer import report


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
    assert report(schema, frame) == [(0, "mean_below")]
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
    assert (1, "short") in report(schema, frame)  # row 2 has the -1
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
    assert report(schema, frame) == "SchemaError"  # of polars, while pandera writes its report
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
    assert report(schema, frame) in ("ComputeError", "InvalidOperationError")
    evaluation = evaluate(schema, frame)
    assert failed(evaluation) == [("not_equal_to", "a", "row")]
    assert evaluation.judgement.failed[0].sample == (text,)


def test_every_failing_set_of_jointly_unique_columns_is_reported():
    schema = pa.DataFrameSchema({}, unique=[["a"], ["b", "c"]])
    frame = pl.DataFrame({"a": [1, 1, 2], "b": [1, 2, 2], "c": [0, 2, 2]})
    assert {check for _, check in report(schema, frame)} == {"multiple_fields_uniqueness"}
    assert [row for row, _ in report(schema, frame)] == [0, 1]  # the first set alone
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


def test_a_bare_decimal_is_one_without_fractions():
    """As pandera has it, and said so, which a person can read."""
    schema = pa.DataFrameSchema({"a": pa.Column(pl.Decimal)})
    frame = pl.DataFrame({"a": ["1.50"]}).cast(pl.Decimal(10, 2))
    assert report(schema, frame) == [(None, "dtype('Decimal(precision=28, scale=0)')")]
    (result,) = evaluate(schema, frame).judgement.failed
    assert result.message == (
        "a is Decimal(precision=10, scale=2), not Decimal(precision=28, scale=0)"
    )


def test_nulls_repeat_each_other():
    """As pandera has it, for one column and for several together."""
    frame = pl.DataFrame({"a": [None, None, 1]}, schema={"a": pl.Int64})
    for schema in (
        pa.DataFrameSchema({"a": pa.Column(int, nullable=True, unique=True)}),
        pa.DataFrameSchema({"a": pa.Column(int, nullable=True)}, unique=["a"]),
    ):
        assert [row for row, _ in report(schema, frame)] == [0, 1]
        assert evaluate(schema, frame).failing.to_list() == [True, True, False]


def test_a_number_that_is_none_is_as_good_as_null_and_greater_than_any():
    """As pandera has it: not null, `ge`, `le` and unique each have a mind of their own."""
    nan = float("nan")
    frame = pl.DataFrame({"a": [nan, nan, 1.0]})
    for column, rows in (
        (pa.Column(float), [0, 1]),
        (pa.Column(float, pa.Check.ge(0), nullable=True), []),
        (pa.Column(float, pa.Check.le(9), nullable=True), [0, 1]),
        (pa.Column(float, unique=True, nullable=True), [0, 1]),
    ):
        schema = pa.DataFrameSchema({"a": column})
        told = report(schema, frame)
        assert ([] if told == "passes" else [row for row, _ in told]) == rows
        failing = evaluate(schema, frame).failing
        assert failing.arg_true().to_list() == rows


@pytest.mark.parametrize(("dtype", "passes"), [(pl.Int8, True), (pl.String, False)])
def test_a_result_that_is_not_boolean_holds(dtype, passes):
    def check(data):
        return data.lazyframe.select(pl.col(data.key).is_null().cast(dtype))

    column = pa.Column(int, pa.Check(check, name="c", ignore_na=False), nullable=True)
    schema = pa.DataFrameSchema({"a": column})
    frame = pl.DataFrame({"a": [None]}, schema={"a": pl.Int64})
    assert (report(schema, frame) == "passes") == passes
    assert failed(evaluate(schema, frame)) == [("c", "a", "frame")]


def test_an_optional_column_with_a_default_may_be_absent():
    column = pa.Column(int, default=1, required=False)
    schema = pa.DataFrameSchema({"a": column})
    frame = pl.DataFrame({"b": [1]})
    assert report(schema, frame) == "ColumnNotFoundError"
    assert evaluate(schema, frame).judgement.verdict == "promote"


def test_failing_values_that_python_cannot_show():
    check = pa.Check.eq(datetime(2013, 1, 1))
    schema = pa.DataFrameSchema({"a": pa.Column(pl.Datetime("us"), check, coerce=True)})
    frame = pl.DataFrame({"a": [2**62]})
    assert report(schema, frame) == [(None, "equal_to(2013-01-01 00:00:00)")]
    assert failed(evaluate(schema, frame)) == [("equal_to", "a", "row")]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [({}, [("unique", None, "frame")]), ({"a": pa.Column(int, required=False)}, [])],
    ids=["misspelt", "optional"],
)
def test_columns_that_are_to_be_unique_and_are_not_there(columns, expected):
    schema = pa.DataFrameSchema(columns, unique=["a"])
    frame = pl.DataFrame({"b": [1, 1]})
    assert report(schema, frame) == "ShapeError"
    assert failed(evaluate(schema, frame)) == expected


def test_a_default_does_not_give_a_column_another_type_for_the_check_alone():
    columns = {"a": pa.Column(pl.UInt32, default=3)}
    schema = pa.DataFrameSchema(columns, dtype=pl.UInt64)
    frame = pl.DataFrame({"a": [3]}, schema={"a": pl.UInt32})
    assert schema.validate(frame, lazy=True).schema == {"a": pl.UInt32}
    assert failed(evaluate(schema, frame)) == [("dtype", "a", "frame")]


@pytest.mark.parametrize(
    ("had", "declared", "default"),
    [
        (pl.Enum(["b", "a"]), pl.String, ""),
        (pl.Enum(["b", "a"]), pl.String, "a"),
        (pl.List(pl.Int64), pl.List(pl.String), ["a"]),
    ],
)
def test_a_default_does_not_make_a_plan_tell_another_type_than_it_computes(
    had, declared, default, tmp_path
):
    """polars plans the default's type and computes the column's; pandera believes the plan."""
    frame = pl.DataFrame({"a": [None, None]}, schema={"a": had})
    frame.write_parquet(tmp_path / "a.parquet")
    typed = pa.DataFrameSchema({"a": pa.Column(declared, default=pl.lit(default), nullable=True)})
    assert typed.validate(frame, lazy=True).schema == frame.schema
    for form in (frame, frame.lazy(), pl.scan_parquet(tmp_path / "a.parquet")):
        assert failed(evaluate(typed, form)) == [("dtype", "a", "frame")]


def test_the_default_of_a_pattern_stands_for_nan_whatever_else_matches():
    frame = pl.DataFrame({"x_1": [1.0, float("nan")], "x_2": ["a", "b"]})
    columns = {"^x_.*$": pa.Column(default=pl.lit(0.0), regex=True)}
    schema = pa.DataFrameSchema(columns)
    assert report(schema, frame) != "passes"
    assert evaluate(schema, frame).accepted(frame)["x_1"].to_list() == [1.0, 0.0]


def test_a_column_without_a_type_keeps_its_own_when_it_is_filled(tmp_path):
    letters = pl.Enum(["b", "a"])
    frame = pl.DataFrame({"a": ["b", None]}, schema={"a": letters})
    frame.write_parquet(tmp_path / "a.parquet")
    schema = pa.DataFrameSchema({"a": pa.Column(default="a")})
    for form in (frame, frame.lazy(), pl.scan_parquet(tmp_path / "a.parquet")):
        good = evaluate(schema, form).accepted(form).lazy()
        good.sink_parquet(tmp_path / "good.parquet")
        written = pl.read_parquet(tmp_path / "good.parquet")
        assert written["a"].to_list() == ["b", "a"]
        assert written.schema == good.collect_schema() == frame.schema


@pytest.mark.parametrize(
    ("dtype", "values"),
    [(pl.Binary, [b"a"]), (pl.List(pl.String), [["a"]]), (pl.UInt64, [2**63])],
    ids=["no common type", "not this list", "not this number"],
)
def test_a_default_that_does_not_fit_its_column_holds(dtype, values):
    column = pa.Column(pl.Date, default=date(2013, 1, 1))
    schema = pa.DataFrameSchema({"a": column, "b": pa.Column(int)})
    frame = pl.DataFrame({"a": values, "b": [None]}, schema={"a": dtype, "b": pl.Int64})
    assert report(schema, frame) in ("SchemaError", "InvalidOperationError")
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
        assert (report(schema, frame) == "passes") == passes
        assert (evaluate(schema, frame).judgement.verdict == "promote") == passes


def test_a_default_that_fills_nothing_is_the_same_in_every_form(tmp_path):
    """As pandera has it: to polars a float with a default is known, even without rows."""
    known = pa.Check(lambda data: data.lazyframe.select(pl.col(data.key).is_not_null().any()))
    schema = pa.DataFrameSchema({"a": pa.Column(float, known, default=1.0)})
    frame = pl.DataFrame({"a": []}, schema={"a": pl.Float64})
    frame.write_parquet(tmp_path / "a.parquet")
    assert report(schema, frame) == "passes"
    for form in (frame, frame.lazy(), pl.scan_parquet(tmp_path / "a.parquet")):
        assert evaluate(schema, form).judgement.verdict == "promote"


def test_rows_of_a_file_in_many_pieces_are_blamed_in_their_order(tmp_path):
    """polars mixes up the row groups where a branch on a literal is all that is selected."""
    known = pl.when(pl.col("a").is_null()).then(pl.lit(False))
    check = pa.Check(lambda data: data.lazyframe.select(known), name="known")
    schema = pa.DataFrameSchema({"a": pa.Column(int, check, nullable=True)})
    frame = pl.DataFrame({"a": [None if i % 4 == 0 else i for i in range(400)]})
    frame.write_parquet(tmp_path / "a.parquet", row_group_size=3)
    for _ in range(5):
        failing = evaluate(schema, pl.scan_parquet(tmp_path / "a.parquet")).failing
        assert failing.arg_true().to_list() == list(range(0, 400, 4))
