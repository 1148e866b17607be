from __future__ import annotations

from datetime import date

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millgate.errors import BadResult, GateError
from millgate.gate.compiled import compile_gate
from millgate.model.policy import Gate
from millgate.model.schema import Column, Schema

NOTHING = Schema(())


class Flight(pa.DataFrameModel):
    origin: str = pa.Field(isin=["EWR", "JFK"])
    distance: int = pa.Field(gt=0)
    delay: float = pa.Field(nullable=True)

    @pa.dataframe_check
    def late_only_if_far(cls, data):
        return data.lazyframe.select((pl.col("delay") < 60) | (pl.col("distance") > 10))


GOOD = {"origin": "EWR", "distance": 5, "delay": 1.0}
BAD_ORIGIN = {"origin": "XXX", "distance": 5, "delay": 1.0}
BAD_BOTH = {"origin": "YYY", "distance": -5, "delay": None}
BAD_PAIR = {"origin": "JFK", "distance": 5, "delay": 90.0}


def flights(*rows):
    return pl.DataFrame(
        list(rows), schema={"origin": pl.String, "distance": pl.Int64, "delay": pl.Float64}
    )


def evaluate(frame, schema=Flight, measure=(), live=None, columns=NOTHING, **policy):
    gate = compile_gate(Gate(schema, **policy), "flights")
    return gate.evaluate(frame, columns=columns, live=live, measure=measure)


@pytest.mark.parametrize(
    ("rows", "policy", "verdict", "rejected", "accepted_rows", "quarantined"),
    [
        ([GOOD, GOOD], {}, "promote", 0, 2, 0),
        ([], {}, "promote", 0, 0, 0),
        ([GOOD, BAD_ORIGIN], {}, "hold", 1, 0, 2),
        ([GOOD, BAD_ORIGIN], {"on_failure": "split"}, "split", 1, 1, 1),
        ([GOOD, BAD_BOTH], {"on_failure": "split"}, "split", 1, 1, 1),
        ([BAD_BOTH], {"on_failure": "split"}, "split", 1, 0, 1),
        ([GOOD, GOOD], {"on_failure": "split"}, "promote", 0, 2, 0),
        ([GOOD, BAD_ORIGIN], {"on_failure": "split", "max_rejected": 0.5}, "split", 1, 1, 1),
        ([GOOD, BAD_ORIGIN], {"on_failure": "split", "max_rejected": 0.4}, "hold", 1, 0, 2),
        ([GOOD, BAD_ORIGIN], {"on_failure": "split", "max_rejected": 0.0}, "hold", 1, 0, 2),
        ([GOOD, BAD_ORIGIN], {"on_failure": "warn"}, "promote", 1, 2, 0),
    ],
)
@pytest.mark.parametrize("lazy", [False, True])
def test_policies(rows, policy, verdict, rejected, accepted_rows, quarantined, lazy):
    frame = flights(*rows).lazy() if lazy else flights(*rows)
    evaluation = evaluate(frame, **policy)
    assert evaluation.judgement.verdict == verdict
    assert evaluation.judgement.rejected_rows == rejected
    assert evaluation.judgement.rows == len(rows)
    accepted, refused = evaluation.accepted(frame), evaluation.rejected(frame)
    assert isinstance(accepted, type(frame))
    assert isinstance(refused, type(frame))
    assert accepted.lazy().collect().height == accepted_rows
    assert refused.lazy().collect().height == quarantined
    assert accepted.lazy().collect_schema() == flights().schema
    assert evaluation.rewrites == (verdict == "split")


def test_every_rejected_row_carries_its_reasons():
    frame = flights(GOOD, BAD_BOTH, BAD_PAIR)
    refused = evaluate(frame, on_failure="split").rejected(frame)
    assert refused["quarantine_reasons"].to_list() == [
        [
            {"rule": "isin", "column_name": "origin", "value": "YYY"},
            {"rule": "greater_than", "column_name": "distance", "value": "-5"},
        ],
        [{"rule": "late_only_if_far", "column_name": None, "value": "delay=90.0, distance=5"}],
    ]
    held = evaluate(frame).rejected(frame)
    assert held["quarantine_reasons"].list.len().to_list() == [0, 2, 1]
    assert held.drop("quarantine_reasons").equals(frame)


def test_a_null_value_stays_null_in_its_reason():
    frame = flights({"origin": None, "distance": 5, "delay": 1.0})
    evaluation = evaluate(frame)
    (reason,) = evaluation.rejected(frame)["quarantine_reasons"].to_list()[0]
    assert reason == {"rule": "not_nullable", "column_name": "origin", "value": None}
    assert evaluation.judgement.failed[0].sample == ("null",)


def test_results_say_what_failed_how_often_and_with_which_values():
    many = [{"origin": f"X{i // 2}", "distance": 5, "delay": None} for i in range(20)]
    results = {r.rule: r for r in evaluate(flights(GOOD, *many)).judgement.results}
    isin = results["isin"]
    assert isin.message == "origin in ['EWR', 'JFK']: 20 of 21 rows fail"
    assert (isin.kind, isin.severity, isin.passed) == ("row", "error", False)
    assert (isin.failing_rows, isin.total_rows) == (20, 21)
    assert isin.expected == "in ['EWR', 'JFK']"
    assert isin.sample == ("X0", "X1", "X2", "X3", "X4")
    assert results["greater_than"].passed
    assert results["greater_than"].failing_rows == 0
    assert results["greater_than"].message == ""


def test_too_many_rejected_rows_are_a_result_of_their_own():
    evaluation = evaluate(
        flights(GOOD, BAD_ORIGIN, BAD_BOTH), on_failure="split", max_rejected=0.05
    )
    result = evaluation.judgement.results[-1]
    assert (result.rule, result.kind, result.passed) == ("max_rejected", "frame", False)
    assert result.observed == "2 of 3 rows rejected, 66.7 %"
    assert result.expected == "at most 5 %"


@pytest.mark.parametrize("on_failure", ["hold", "split", "warn"])
@pytest.mark.parametrize(
    ("frame", "rule", "observed"),
    [
        (flights(GOOD).drop("distance"), "column_in_dataframe", "no such column"),
        (flights(GOOD).cast({"distance": pl.String}), "dtype", "String"),
    ],
)
def test_a_failure_of_the_whole_partition_always_holds(on_failure, frame, rule, observed):
    evaluation = evaluate(frame, on_failure=on_failure)
    assert evaluation.judgement.verdict == "hold"
    result = next(r for r in evaluation.judgement.failed if r.rule == rule)
    assert (result.column_name, result.kind, result.observed) == ("distance", "frame", observed)
    refused = evaluation.rejected(frame)
    assert (
        refused.schema["quarantine_reasons"]
        == evaluate(flights(BAD_ORIGIN)).rejected(flights(BAD_ORIGIN)).schema["quarantine_reasons"]
    )
    assert refused.height == 1


def warned(**column):
    check = pa.Check(
        lambda d: d.lazyframe.select(pl.col(d.key) > 0), name="positive", raise_warning=True
    )
    return pa.DataFrameSchema({"a": pa.Column(int, check, **column)})


def test_a_warning_is_recorded_and_rejects_nothing():
    frame = pl.DataFrame({"a": [1, -1]})
    evaluation = evaluate(frame, warned(), on_failure="split")
    assert evaluation.judgement.verdict == "promote"
    assert evaluation.judgement.rejected_rows == 0
    (result,) = [r for r in evaluation.judgement.results if not r.passed]
    assert (result.severity, result.failing_rows, result.sample) == ("warning", 1, ("-1",))
    assert evaluation.judgement.failed == ()


def test_a_warning_is_no_reason():
    frame = pl.DataFrame({"a": [1, -1, -1]})
    evaluation = evaluate(frame, warned(unique=True), on_failure="split")
    rules = [[r["rule"] for r in row] for row in evaluation.rejected(frame)["quarantine_reasons"]]
    assert rules == [["unique"], ["unique"]]


def test_a_warning_check_that_breaks_is_an_error():
    def broken(_data):
        raise KeyError("a")

    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check(broken, raise_warning=True))})
    evaluation = evaluate(pl.DataFrame({"a": [1]}), schema, on_failure="warn")
    assert evaluation.judgement.verdict == "hold"
    assert evaluation.judgement.failed[0].message == "a broken: KeyError: 'a'"


@pytest.mark.parametrize("on_failure", ["hold", "split", "warn"])
def test_measures_are_taken_on_the_frame_as_it_came(on_failure):
    measure = [pl.col("distance").sum().alias("total"), pl.len()]
    evaluation = evaluate(flights(GOOD, BAD_ORIGIN), measure=measure, on_failure=on_failure)
    assert evaluation.measured == {"total": 10, "len": 2}


@pytest.mark.parametrize("bad", [False, True])
def test_measures_do_not_depend_on_what_the_gate_rewrites_or_on_a_check_that_breaks(bad):
    column = pa.Column(int, pa.Check.isin(["x"]) if bad else None, coerce=True)
    schema = pa.DataFrameSchema({"a": column}, strict="filter")
    frame = pl.DataFrame({"a": ["1", "2"], "b": [0, 0]})
    measure = [pl.len().alias("rows"), pl.col("b").sum(), pl.col("a").max()]
    evaluation = evaluate(frame, schema, measure)
    assert evaluation.judgement.verdict == ("hold" if bad else "promote")
    assert evaluation.measured == {"rows": 2, "b": 0, "a": "2"}


def test_a_clean_frame_is_read_once():
    frame = flights(*[GOOD] * 50)
    reads = []

    def counted(batch):
        reads.append(batch.height)
        return batch

    plan = frame.lazy().map_batches(counted, streamable=False, validate_output_schema=False)
    evaluation = evaluate(plan, measure=[pl.col("distance").sum()])
    assert evaluation.judgement.verdict == "promote"
    assert evaluation.measured == {"distance": 250}
    assert reads == [50]


def test_coercion_rewrites_and_splits():
    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check.lt(9), coerce=True)})
    frame = pl.DataFrame({"a": ["1", "x", "10"]})
    gate = compile_gate(Gate(schema, on_failure="split"), "asset")
    assert gate.accepted_schema(frame.schema) == {"a": pl.Int64}
    evaluation = evaluate(frame, schema, on_failure="split")
    assert evaluation.rewrites
    assert evaluation.accepted(frame).to_dicts() == [{"a": 1}]
    assert [
        [(r["rule"], r["value"]) for r in row]
        for row in evaluation.rejected(frame)["quarantine_reasons"]
    ] == [[("coerce_dtype", "x")], [("less_than", "10")]]
    assert evaluate(frame, schema, on_failure="warn").judgement.verdict == "hold"
    assert evaluate(frame[:1], schema, on_failure="warn").accepted(frame[:1]).to_dicts() == [
        {"a": 1}
    ]


def test_a_nested_column_is_coerced_as_a_whole_or_not_at_all():
    schema = pa.DataFrameSchema({"a": pa.Column(pl.List(pl.Int64), coerce=True)})
    good, bad = pl.DataFrame({"a": [["1"], None]}), pl.DataFrame({"a": [["1"], ["x"]]})
    schema.columns["a"].nullable = True
    assert evaluate(good, schema).accepted(good)["a"].to_list() == [[1], None]
    judgement = evaluate(bad, schema, on_failure="split").judgement
    assert [(r.rule, r.kind) for r in judgement.failed] == [("coerce_dtype", "frame")]


def test_released_rows_are_shaped_like_accepted_ones_or_refused():
    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check.gt(0), coerce=True)})
    gate = compile_gate(Gate(schema), "asset")
    assert gate.shape(pl.DataFrame({"a": ["-1"]})).to_dicts() == [{"a": -1}]
    assert gate.shape(pl.LazyFrame({"a": ["-1"]})).collect_schema() == {"a": pl.Int64}
    with pytest.raises(GateError, match="values of a cannot be coerced"):
        gate.shape(pl.DataFrame({"a": ["-1", "x"]}))


def test_a_type_that_polars_cannot_cast_to_holds_and_is_said_once():
    column = pa.Column(pl.Date, pa.Check.ge(date(2013, 1, 1)), coerce=True)
    frame = pl.DataFrame({"a": ["2013-01-01"]})
    evaluation = evaluate(frame, pa.DataFrameSchema({"a": column}), on_failure="split")
    (result,) = evaluation.judgement.failed
    assert (result.rule, result.column_name, result.kind) == ("coerce_dtype", "a", "frame")
    assert "casting from string to date is not supported" in str(result.observed)
    assert evaluation.rejected(frame)["a"].to_list() == ["2013-01-01"]


def test_a_check_that_breaks_only_when_its_rows_are_sought_holds():
    calls = []

    def moody(series):
        calls.extend(["with rows"] * bool(len(series)))
        if len(calls) > 1:
            raise RuntimeError("not twice")
        return series > 0

    def check(data):
        return data.lazyframe.select(pl.col(data.key).map_batches(moody, pl.Boolean))

    schema = pa.DataFrameSchema(
        {"a": pa.Column(int, [pa.Check(check, name="moody"), pa.Check.lt(3)])}
    )
    frame = pl.DataFrame({"a": [-1, 5]})
    evaluation = evaluate(frame, schema, on_failure="split")
    assert [(r.rule, r.kind) for r in evaluation.judgement.failed] == [
        ("moody", "frame"),
        ("less_than", "row"),
    ]
    assert evaluation.judgement.verdict == "hold"


def test_without_a_schema_everything_passes():
    frame = flights(GOOD, BAD_BOTH)
    evaluation = evaluate(frame, schema=None, measure=[pl.len()])
    assert evaluation.judgement.verdict == "promote"
    assert evaluation.judgement.results == ()
    assert evaluation.measured == {"len": 2}
    assert evaluation.accepted(frame) is frame


def test_the_contract_is_part_of_the_judgement():
    live = Schema((Column("a", "BIGINT"), Column("b", "DATE")))
    new = Schema((Column("a", "INTEGER"),))
    frame = pl.DataFrame({"a": [1]})
    judgement = evaluate(frame, None, live=live, columns=new, on_failure="warn").judgement
    assert judgement.verdict == "hold"
    assert [(r.rule, r.column_name) for r in judgement.failed] == [
        ("contract", "a"),
        ("contract", "b"),
    ]
    loose = evaluate(frame, None, live=live, columns=new, contract="any").judgement
    assert loose.verdict == "promote"


@pytest.mark.parametrize("name", ["quarantine_reasons", "Quarantine_Reasons", "__millgate_0"])
def test_reserved_columns_are_refused(name):
    with pytest.raises(BadResult, match="reserved"):
        evaluate(pl.DataFrame({name: [1]}), None)


def test_a_frame_that_cannot_be_read_is_an_error_not_a_verdict(tmp_path):
    path = tmp_path / "a.parquet"
    flights(GOOD).write_parquet(path)
    plan = pl.scan_parquet(path)
    plan.collect_schema()
    path.unlink()
    with pytest.raises(GateError, match="cannot be read"):
        evaluate(plan)


def test_a_scanned_file_is_judged_and_split(tmp_path):
    path = tmp_path / "a.parquet"
    frame = flights(*[GOOD, BAD_ORIGIN, BAD_PAIR] * 1000)
    frame.write_parquet(path, row_group_size=100)
    plan = pl.scan_parquet(path)
    evaluation = evaluate(plan, on_failure="split", measure=[pl.len()])
    assert evaluation.judgement.rejected_rows == 2000
    assert evaluation.measured == {"len": 3000}
    evaluation.accepted(plan).sink_parquet(tmp_path / "good.parquet")
    evaluation.rejected(plan).sink_parquet(tmp_path / "bad.parquet")
    good, bad = (
        pl.read_parquet(tmp_path / "good.parquet"),
        pl.read_parquet(tmp_path / "bad.parquet"),
    )
    assert good.equals(flights(*[GOOD] * 1000))
    assert bad.drop("quarantine_reasons").equals(flights(*[BAD_ORIGIN, BAD_PAIR] * 1000))
    assert bad["quarantine_reasons"].list.len().unique().to_list() == [1]


def test_a_check_that_depends_on_the_moment_is_asked_each_time():
    limit = [10]
    check = pa.Check(lambda data: data.lazyframe.select(pl.col(data.key) < limit[0]), name="below")
    gate = compile_gate(Gate(pa.DataFrameSchema({"a": pa.Column(int, check)})), "asset")
    frame = pl.DataFrame({"a": [5]})
    assert gate.evaluate(frame, columns=NOTHING, live=None).judgement.verdict == "promote"
    limit[0] = 3
    assert gate.evaluate(frame, columns=NOTHING, live=None).judgement.verdict == "hold"


MIXED = pa.DataFrameSchema(
    {
        "a": pa.Column(
            int,
            [
                pa.Check.in_range(-2, 2),
                pa.Check(lambda v: v != 1, element_wise=True, name="not_one"),
                pa.Check(lambda d: d.lazyframe.select(pl.col(d.key).shift().ne(pl.col(d.key)))),
            ],
            unique=True,
        ),
        "b": pa.Column(str, pa.Check.str_length(max_value=2), nullable=True),
    },
    unique=["a", "b"],
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.none() | st.integers(-3, 9), st.none() | st.text("xy", max_size=3))),
    st.sampled_from(["hold", "split", "warn"]),
    st.booleans(),
)
def test_good_and_rejected_rows_together_are_the_input(rows, on_failure, lazy):
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.String}, orient="row")
    given_frame = frame.lazy() if lazy else frame
    evaluation = evaluate(given_frame, MIXED, on_failure=on_failure)
    good = evaluation.accepted(given_frame).lazy().collect()
    bad = evaluation.rejected(given_frame).lazy().collect()
    together = pl.concat([good, bad.drop("quarantine_reasons")])
    order = {"by": ["a", "b"], "nulls_last": True}
    assert together.sort(**order).equals(frame.sort(**order))
    if on_failure == "split":
        assert bad.height == evaluation.judgement.rejected_rows
        assert bad.filter(pl.col("quarantine_reasons").list.len() == 0).is_empty()
    if on_failure == "hold" and not bad.is_empty():
        assert good.is_empty()
        failing = bad.filter(pl.col("quarantine_reasons").list.len() > 0).height
        assert failing == evaluation.judgement.rejected_rows
