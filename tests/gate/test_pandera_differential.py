"""The gate against pandera's own `validate(lazy=True)` on eager frames, over generated cases.

Where pandera is known to be wrong (tests in `test_pandera_defects.py`), the cases keep away or
only the verdict is compared.
"""

from __future__ import annotations

import warnings
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrorReason, SchemaErrors

from millgate.gate.compiled import compile_gate
from millgate.model.policy import Gate
from millgate.model.schema import Schema

NAN = float("nan")
VALUES: dict[pl.DataType, list] = {
    pl.Int64(): [0, 1, 2, 3, -1],
    pl.Int8(): [0, 1, 2, 127],
    pl.UInt32(): [0, 1, 2, 3],
    pl.Float64(): [0.0, -0.0, 1.0, 2.5, NAN, float("inf")],
    pl.Float32(): [0.0, 1.0, NAN],
    pl.String(): ["", "a", "ab", "b1", "é"],
    pl.Boolean(): [True, False],
    pl.Date(): [date(2013, 1, 1), date(2013, 1, 2)],
    pl.Datetime("us"): [datetime(2013, 1, 1), datetime(2013, 1, 1, 5)],
    pl.Duration("us"): [timedelta(0), timedelta(hours=1)],
    pl.Decimal(10, 2): [Decimal("0.00"), Decimal("1.50")],
    pl.Categorical(): ["a", "b"],
    pl.Enum(["a", "b"]): ["a", "b"],
    pl.Binary(): [b"", b"a"],
}
NUMBERS = (pl.Int64, pl.Int8, pl.UInt32, pl.Float64, pl.Float32)


def small_mean(data):
    return data.lazyframe.select(pl.col(data.key).cast(pl.Float64, strict=False).mean() < 1)


def not_shrinking(data):
    return data.lazyframe.select(pl.col(data.key).shift().is_null() | pl.col(data.key).ge(0))


def positive_by_collecting(data):
    return data.lazyframe.collect().lazy().select(pl.col(data.key).cast(pl.Float64) > 0)


def some_rows(data):
    return data.lazyframe.select(pl.len()).collect().item() > 0


def breaks(_data):
    raise ValueError("no such luck")


def known_or_null(data):
    return data.lazyframe.select(pl.col(data.key).is_not_null())


def all_known(data):
    return data.lazyframe.select(pl.all().is_not_null())


def never_null_twice(data):
    return data.lazyframe.select(pl.sum_horizontal(pl.all().is_null()) < 2)


def two_results(data):
    return data.lazyframe.select(x=pl.col("a").is_not_null(), y=pl.col("a").count() > 0)


AGGREGATES = {"small_mean", "some_rows", "unique_values_eq"}
ANY_TYPE = [
    lambda o: pa.Check(known_or_null, **o),
    lambda o: pa.Check(some_rows, **o),
]
MAY_RAISE = [
    lambda o: pa.Check(breaks, **o),
    lambda o: pa.Check.isin([1, 2, 3], **o),
    lambda o: pa.Check.ge(1, **o),
]
FOR_NUMBERS = [
    lambda o: pa.Check.gt(0, **o),
    lambda o: pa.Check.le(2, **o),
    lambda o: pa.Check.ne(1, **o),
    lambda o: pa.Check.eq(1, **o),
    lambda o: pa.Check.in_range(0, 2, include_max=False, **o),
    lambda o: pa.Check.notin([1, 127], **o),
    lambda o: pa.Check.unique_values_eq([0, 1], **o),
    lambda o: pa.Check(small_mean, **o),
    lambda o: pa.Check(not_shrinking, **o),
    lambda o: pa.Check(positive_by_collecting, **o),
    lambda o: pa.Check(lambda value: value < 2, name="each", element_wise=True, **o),
]
FOR_TEXT = [
    lambda o: pa.Check.isin(["a", "ab"], **o),
    lambda o: pa.Check.notin(["b1"], **o),
    lambda o: pa.Check.str_matches(r"[a-z]+\d?$", **o),
    lambda o: pa.Check.str_contains("a|b", **o),
    lambda o: pa.Check.str_startswith("a", **o),
    lambda o: pa.Check.str_endswith("1", **o),
    lambda o: pa.Check.str_length(1, 2, **o),
]
FOR_FRAMES = [
    lambda o: pa.Check(all_known, **o),
    lambda o: pa.Check(never_null_twice, **o),
    lambda o: pa.Check(some_rows, **o),
    lambda o: pa.Check(two_results, **o),
    lambda o: pa.Check(breaks, **o),
]


@st.composite
def columns(draw, name):
    dtype = draw(st.sampled_from([*VALUES, pl.Int64(), pl.Int64(), pl.Float64(), pl.String()]))
    pool = FOR_NUMBERS if dtype in NUMBERS else FOR_TEXT if dtype == pl.String else MAY_RAISE
    pool = pool + ANY_TYPE
    options = st.fixed_dictionaries({"ignore_na": st.booleans()})
    checks = draw(st.lists(st.sampled_from(pool), max_size=2))
    declared = draw(st.sampled_from([dtype] * 6 + [None, pl.Int64()]))
    return dtype, pa.Column(
        declared,
        checks=[check(draw(options)) for check in checks],
        nullable=draw(st.sampled_from([True, True, False])),
        unique=draw(st.sampled_from([False, False, True])),
        coerce=draw(st.sampled_from([False, False, False, declared is not None])),
        required=draw(st.booleans()),
        name=name,
    )


@st.composite
def cases(draw):
    height = draw(st.integers(0, 5))
    described, frame = {}, {}
    for name in "abc"[: draw(st.integers(1, 3))]:
        dtype, described[name] = draw(columns(name))
        pool = st.sampled_from([None, *VALUES[dtype], *VALUES[dtype]])
        values = st.lists(pool, min_size=height, max_size=height)
        if draw(st.integers(0, 19)) or described[name].coerce:
            frame[name] = pl.Series(name, draw(values), dtype=dtype, strict=True)
    if not frame or draw(st.integers(0, 4)) == 0:
        frame["extra"] = pl.Series("extra", range(height), dtype=pl.Int64)
    if draw(st.integers(0, 9)) == 0:
        frame = dict(reversed(frame.items()))
    schema = pa.DataFrameSchema(
        described,
        checks=[c({}) for c in draw(st.lists(st.sampled_from(FOR_FRAMES), max_size=1))],
        strict=draw(st.sampled_from([False, False, True, "filter"])),
        ordered=draw(st.booleans()),
        unique=draw(st.sampled_from([None, None, list(frame)[:2]])),
    )
    return schema, pl.DataFrame(frame)


def pandera_says(schema, frame):
    """None where pandera passes the frame, else its errors; [] where it crashes on failing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            return errors.schema_errors
        except (Exception, pl.exceptions.PanicException):
            return []
    return None


def rows_by_rule(errors):
    """The failing rows that pandera names, by rule and column, for rules that judge rows."""
    names = {
        SchemaErrorReason.SERIES_CONTAINS_NULLS: "not_nullable",
        SchemaErrorReason.SERIES_CONTAINS_DUPLICATES: "unique",
        SchemaErrorReason.DUPLICATES: "unique",
    }
    found: dict[tuple[str, str | None], set[int]] = {}
    for error in errors:
        if error.reason_code is SchemaErrorReason.DATAFRAME_CHECK:
            name = error.check.name
        else:
            name = names.get(error.reason_code)
        if name is None or name in AGGREGATES:
            continue
        passed = error.check_output["check_output"].to_list()
        column = error.column_name if isinstance(error.schema, pa.Column) else None
        rows = {i for i, ok in enumerate(passed) if not ok}
        found.setdefault((name, column), set()).update(rows)
    return found


def our_rows_by_rule(evaluation, frame):
    found: dict[tuple[str, str | None], set[int]] = {}
    for i, reasons in enumerate(evaluation.rejected(frame)["quarantine_reasons"].to_list()):
        for reason in reasons:
            found.setdefault((reason["rule"], reason["column_name"]), set()).add(i)
    return found


def frame_level(errors, reason):
    return {e.column_name for e in errors if e.reason_code is reason}


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(cases(), st.booleans())
def test_verdict_and_rows_are_those_of_pandera(case, lazy):
    schema, frame = case
    gate = compile_gate(Gate(schema), "asset")
    evaluation = gate.evaluate(
        frame.lazy() if lazy else frame, columns=Schema(()), live=None, measure=[pl.len()]
    )
    failed = {(r.rule, r.column_name): r for r in evaluation.judgement.failed}
    errors = pandera_says(schema, frame)

    assert evaluation.judgement.rows == frame.height
    assert evaluation.judgement.verdict == ("promote" if errors is None else "hold"), failed
    if errors is None:
        shaped = schema.validate(frame, lazy=True)
        assert evaluation.accepted(frame).equals(shaped, null_equal=True)
        assert evaluation.accepted(frame).schema == shaped.schema
        assert evaluation.rejected(frame).is_empty()
        return
    coercing = any(e.reason_code is SchemaErrorReason.DATATYPE_COERCION for e in errors) or any(
        rule == "coerce_dtype" for rule, _ in failed
    )
    if coercing or not errors:
        return
    mistyped = frame_level(errors, SchemaErrorReason.WRONG_DATATYPE)
    assert mistyped == {column for rule, column in failed if rule == "dtype"}
    theirs = {k: v for k, v in rows_by_rule(errors).items() if k[1] not in mistyped}
    ours = our_rows_by_rule(evaluation, frame)
    assert ours == theirs
    for (rule, column), rows in ours.items():
        twins = [
            r for r in evaluation.judgement.failed if (r.rule, r.column_name) == (rule, column)
        ]
        assert max(r.failing_rows for r in twins if r.kind == "row") <= len(rows)


def test_the_cases_reach_every_kind_of_answer():
    """The property above is worth what its cases are: both verdicts and many rules occur."""
    seen: Counter[str] = Counter()

    @settings(max_examples=400, deadline=None, derandomize=True, database=None)
    @given(cases())
    def look(case):
        schema, frame = case
        gate = compile_gate(Gate(schema), "asset")
        judgement = gate.evaluate(frame, columns=Schema(()), live=None).judgement
        seen[judgement.verdict] += 1
        seen.update(r.rule for r in judgement.failed)

    look()
    assert min(seen["promote"], seen["hold"]) > 40
    rules = {"not_nullable", "unique", "dtype", "column_in_schema", "column_in_dataframe"}
    assert rules | {"breaks", "greater_than", "in_range", "small_mean"} <= seen.keys()


@pytest.mark.parametrize("dtype", list(VALUES), ids=str)
def test_unique_works_on_every_type(dtype):
    schema = pa.DataFrameSchema({"a": pa.Column(dtype, unique=True, nullable=True)})
    twice = pl.DataFrame({"a": pl.Series([VALUES[dtype][0]] * 2 + [None], dtype=dtype)})
    gate = compile_gate(Gate(schema), "asset")
    for frame, verdict in ((twice, "hold"), (twice[1:], "promote")):
        evaluation = gate.evaluate(frame, columns=Schema(()), live=None)
        assert evaluation.judgement.verdict == verdict
        assert (pandera_says(schema, frame) is None) == (verdict == "promote")
