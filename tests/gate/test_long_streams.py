"""A stream whose first rows say what to expect of the rest is judged like the frame."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl
import pytest

from gate.pandera_answer import answer
from gate.schema_cases import case
from gate.test_pandera_differential import differences
from millgate.gate import failing_rows, inspection, reading_once, uniqueness
from millgate.gate.compiled import compile_gate
from millgate.model.policy import Gate
from millgate.model.schema import Schema


@pytest.fixture(autouse=True)
def few_first_rows(monkeypatch):
    """Few first rows, and all but all rows are few enough to keep their positions."""
    monkeypatch.setattr(inspection, "_FIRST_ROWS", 2)
    monkeypatch.setattr(failing_rows, "POSITION_BITS", 1)
    monkeypatch.setattr(uniqueness, "TURN_ROWS", 3)


def judged(schema, frame, **measure):
    gate = compile_gate(Gate(schema, on_failure="split"), "asset")
    return gate.evaluate(frame, columns=Schema(()), live=None, **measure)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("block", range(3))
def test_the_verdict_is_that_of_pandera(block, tmp_path, monkeypatch):
    found = []
    for seed in range(5000 + 60 * block, 5060 + 60 * block):
        monkeypatch.setattr(reading_once, "_KEPT", seed % 4)
        one = case(seed)
        file = tmp_path / "frame.parquet"
        one.frame.write_parquet(file, row_group_size=2)
        streamed = pl.scan_parquet(file, glob=False, hive_partitioning=False)
        told = differences(one, streamed, answer(one.schema, one.frame))
        found += [f"case({seed}): {d}" for d in told]
    assert not found, "\n".join(found[:20])


def rows(check, *values):
    schema = pa.DataFrameSchema({"a": pa.Column(pl.Int64, check)})
    return schema, pl.DataFrame({"a": pl.Series(values, dtype=pl.Int64)})


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (pa.Check.gt(0), (0, 0, 1, 0, 1)),
        (pa.Check.gt(0), (0, 1, 1, 1, 1)),
        (pa.Check.gt(0), (1, 1, 1, 1, 0)),
        (pa.Check(lambda d: d.lazyframe.select(pl.col("a") > pl.col("a").shift(1))), (3, 2, 1, 5)),
        (pa.Check(lambda d: d.lazyframe.select(pl.col("a").cum_sum() < 3)), (3, 2, 1, 5)),
        (pa.Check(lambda d: d.lazyframe.select(pl.col("a").head(2) > 5)), (1, 1, 9, 9, 9)),
        (pa.Check(lambda d: d.lazyframe.select(pl.col("a").head(1) > 5)), (1, 9, 9, 9)),
        (pa.Check(lambda d: d.lazyframe.select(pl.col("a").mean() > 5)), (1, 1, 9, 9, 9)),
        (
            pa.Check(lambda d: d.lazyframe.select(pl.col("a").filter(pl.col("a") < 5) > 1)),
            (1, 1, 9, 9),
        ),
        (
            pa.Check(
                lambda d: d.lazyframe.select(
                    pl.col("a").map_batches(lambda s: s > 5, return_dtype=pl.Boolean)
                )
            ),
            (1, 1, 9, 9),
        ),
    ],
)
@pytest.mark.parametrize("kept", [0, 1, 5])
def test_checks_of_every_reach(check, values, kept, monkeypatch):
    monkeypatch.setattr(reading_once, "_KEPT", kept)
    schema, frame = rows(check, *values)
    eager, streamed = judged(schema, frame), judged(schema, frame.lazy())
    assert streamed.judgement == eager.judgement
    assert streamed.failing.to_list() == eager.failing.to_list()


def test_measures_are_of_all_rows():
    schema, frame = rows(pa.Check.gt(0), 0, 1, 2, 3, 4)
    measure = [pl.col("a").sum(), pl.len()]
    assert judged(schema, frame.lazy(), measure=measure).measured == {"a": 10, "len": 5}
    assert judged(schema, frame[1:].lazy(), measure=measure).measured == {"a": 10, "len": 4}


@pytest.mark.parametrize("bits", [1, 32])
def test_rules_that_first_rows_fail_are_read_once(bits, monkeypatch):
    """Their rows come with the counts: no further reading asks which rows fail."""
    monkeypatch.setattr(inspection, "_masks", None)
    monkeypatch.setattr(failing_rows, "POSITION_BITS", bits)
    schema, frame = rows(pa.Check.gt(0), 0, 1, 2, 3, 0)
    assert judged(schema, frame.lazy()).judgement.rejected_rows == 2


def known(data):
    return data.lazyframe.select(pl.when(pl.col("a").is_null()).then(pl.lit(False)))


def known_late(data):
    assert data.lazyframe.collect_schema()  # which a traced check does not ask
    return known(data)


@pytest.mark.parametrize("check", [known, known_late], ids=["traced", "opaque"])
def test_the_row_that_fails_is_blamed_whatever_row_group_it_is_in(check, tmp_path):
    """polars 2.1 sees no order in `when` with a literal, and mixes the row groups of a file."""
    rows = 300_000
    file = tmp_path / "frame.parquet"
    last_is_null = pl.int_range(rows).replace(rows - 1, None)
    pl.select(a=last_is_null).write_parquet(file, row_group_size=rows // 3)
    schema = pa.DataFrameSchema({"a": pa.Column(nullable=True, checks=pa.Check(check))})
    assert judged(schema, pl.scan_parquet(file)).failing.arg_true().to_list() == [rows - 1]
