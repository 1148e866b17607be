"""The rows that a split lets in pass every check that is in force on their own."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl
import pytest

from millgate.gate.compiled import compile_gate
from millgate.model.policy import Gate
from millgate.model.schema import Schema


def selecting(expression, **options):
    return pa.Check(lambda data: data.lazyframe.select(expression(pl.col(data.key))), **options)


def late(expression, **options):
    """The same out of reach of tracing."""

    def check(data):
        return data.lazyframe.collect().lazy().select(expression(pl.col(data.key)))

    return pa.Check(check, **options)


MEAN = selecting(lambda c: c.mean() > 3, name="mean")
RISING = selecting(lambda c: c > c.shift(fill_value=-1), name="rising")


@pytest.fixture(params=["eager", "scanned"])
def split(request, tmp_path):
    """The evaluation of a column `a` whose values are at most 9, and the frame."""

    def evaluate(values, *checks):
        column = pa.Column(int, [pa.Check.le(9), *checks])
        gate = compile_gate(Gate(pa.DataFrameSchema({"a": column}), on_failure="split"), "asset")
        frame = pl.DataFrame({"a": values}, schema={"a": pl.Int64})
        if request.param == "scanned":
            frame.write_parquet(tmp_path / "a.parquet")
            frame = pl.scan_parquet(tmp_path / "a.parquet")
        return gate.evaluate(frame, columns=Schema(()), live=None), frame

    return evaluate


@pytest.mark.parametrize(
    ("values", "check", "says"),
    [
        ([1, 2, 99], MEAN, "without the rejected row: col(\"a\").mean() is 1.5"),
        ([1, 2, 99, 98], MEAN, "without the 2 rejected rows: col(\"a\").mean() is 1.5"),
        ([1, 2, 99], late(lambda c: c.mean() > 3, name="mean"),
         "without the rejected row: it is false"),
        ([5, 99, 5, 99], selecting(lambda c: c.ne_missing(c.shift()), name="changing"),
         "without the 2 rejected rows: 1 of 2 rows fail"),
        ([1, 9, 3, 4, 99], RISING,
             "1 of 5 rows fail; without the 2 rejected rows: 1 of 3 rows fail"),
        ([5, 99], pa.Check.unique_values_eq([5, 99], name="known"),
         "without the rejected row: it is false"),
        ([99], selecting(lambda c: c.len() > 0, name="some"), "without the rejected row: "),
    ],
)  # fmt: skip
def test_a_partition_whose_good_rows_fail_alone_is_held(split, values, check, says):
    evaluation, frame = split(values, check)
    judgement = evaluation.judgement
    assert judgement.verdict == "hold"
    (result,) = [r for r in judgement.failed if r.rule == check.name]
    assert says in result.message
    assert (result.kind, result.failing_rows, result.total_rows) == ("frame", None, len(values))
    refused = evaluation.rejected(frame).lazy().collect()
    assert refused["a"].to_list() == values
    failing = refused.filter(pl.col("quarantine_reasons").list.len() > 0)
    assert failing.height == judgement.rejected_rows > 0
    assert evaluation.accepted(frame).lazy().collect().is_empty()


def test_a_check_that_the_good_rows_pass_splits(split):
    evaluation, frame = split([1, 9, 3, 2, 99], RISING)
    assert evaluation.judgement.verdict == "split"
    assert evaluation.accepted(frame).lazy().collect()["a"].to_list() == [1, 9]


def test_a_warning_about_the_good_rows_holds_only_where_it_raises(split):
    def at_least_three(data):
        if data.lazyframe.collect().height < 3:
            raise ValueError("too few")
        return True

    warned = selecting(lambda c: c.mean() > 3, name="mean", raise_warning=True)
    evaluation, _ = split([1, 2, 99], warned)
    assert evaluation.judgement.verdict == "split"
    raising = pa.Check(at_least_three, name="three", raise_warning=True)
    evaluation, _ = split([1, 2, 99], raising)
    assert evaluation.judgement.verdict == "hold"
    (result,) = [r for r in evaluation.judgement.failed if r.rule == "three"]
    assert "without the rejected row: ValueError: too few" in result.message


def test_a_value_looked_up_in_another_column_is_looked_up_again():
    """polars takes `is_in` for a function of the row alone, whatever it searches in."""

    def known_parent(data):
        return data.lazyframe.select(pl.col("parent").is_in(pl.col("id")))

    column = pa.Column(int, pa.Check.le(2))
    schema = pa.DataFrameSchema({"id": column, "parent": pa.Column(int)}, pa.Check(known_parent))
    frame = pl.DataFrame({"id": [1, 2, 3], "parent": [1, 3, 3]})
    gate = compile_gate(Gate(schema, on_failure="split"), "asset")
    with pytest.warns(DeprecationWarning, match="is_in"):
        judgement = gate.evaluate(frame, columns=Schema(()), live=None).judgement
    assert judgement.verdict == "hold"
    assert any("without the rejected row" in result.message for result in judgement.failed)


def test_checks_of_single_rows_are_not_asked_again():
    reads, values = [], []

    def counted(batch):
        reads.append(batch.height)
        return batch

    def even(value):
        values.append(value)
        return value % 2 == 0

    schema = pa.DataFrameSchema(
        {"a": pa.Column(int, [pa.Check.le(9), pa.Check(even, element_wise=True)])}
    )
    frame = pl.DataFrame({"a": [2, 4, 99, 7]}).lazy().map_batches(counted, schema={"a": pl.Int64})
    asked = []
    for on_failure in ("hold", "split"):
        reads.clear()
        values.clear()
        gate = compile_gate(Gate(schema, on_failure=on_failure), "asset")
        judgement = gate.evaluate(frame, columns=Schema(()), live=None).judgement
        assert judgement.verdict == on_failure
        asked.append((len(reads), sorted(values)))
    assert asked[0] == asked[1]
