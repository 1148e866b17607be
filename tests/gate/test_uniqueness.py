"""Keys that take turns repeat exactly where keys that are compared at once do."""

from __future__ import annotations

from datetime import date

import pandera.polars as pa
import polars as pl
import pytest

from millgate.gate import uniqueness
from millgate.gate.compiled import compile_gate
from millgate.model.policy import Gate
from millgate.model.schema import Schema

NAN = float("nan")
KEYS = {
    "integers": pl.Series([3, 1, 3, None, 2, None, 7]),
    "ascending": pl.Series([1, 2, 3, 4, 5, 6, 7]),
    "null_among_equals": pl.Series([1, None, 1, 2, 3, 4, 5]),
    "last_repeats": pl.Series([1, 2, 3, 4, 5, 6, 6]),
    "one_null": pl.Series([None, 1, 2, 3, 4, 5, 6]),
    "floats": pl.Series([0.0, -0.0, NAN, NAN, 1.0, 2.0, None]),
    "nan_last": pl.Series([0.0, 1.0, 2.0, 3.0, 4.0, NAN, NAN]),
    "texts": pl.Series(["b", "a", "", "b", None, "ä", "a"]),
    "dates": pl.Series([date(2024, 1, n) for n in (1, 2, 3, 4, 5, 6, 7)]),
    "flags": pl.Series([True, False, True, None, None, True, False]),
    "categories": pl.Series(["x", "y", "x", None, "z", "w", "v"], dtype=pl.Categorical),
    "bytes": pl.Series([b"", b"a", b"a", None, b"b", b"c", b"d"]),
}


@pytest.fixture(params=[1, 3, 100])
def turn_rows(request, monkeypatch):
    monkeypatch.setattr(uniqueness, "TURN_ROWS", request.param)


@pytest.mark.usefixtures("turn_rows")
@pytest.mark.parametrize("name", KEYS)
def test_one_column(name, tmp_path):
    frame = KEYS[name].alias("key").to_frame()
    expected = frame["key"].is_duplicated()
    file = tmp_path / "keys.parquet"
    frame.write_parquet(file, row_group_size=2)
    found = uniqueness.repeats(pl.scan_parquet(file), ["key"], frame.height)
    assert found.to_list() == expected.to_list()
    may = frame.lazy().select(uniqueness.may_repeat("key", frame.schema["key"])).collect().item()
    assert may or not expected.any()


@pytest.mark.usefixtures("turn_rows")
def test_several_columns():
    frame = pl.DataFrame({"a": [1, 1, 2, 2, None, None], "b": ["x", "x", "x", "y", None, None]})
    found = uniqueness.repeats(frame.lazy(), ["a", "b"], frame.height)
    assert found.to_list() == [True, True, False, False, True, True]


@pytest.mark.usefixtures("turn_rows")
def test_a_stream_is_judged_like_the_frame():
    frame = pl.DataFrame({"id": [5, 1, 5, 2, 1], "day": [1, 1, 1, 2, 2]})
    schema = pa.DataFrameSchema({"id": pa.Column(unique=True)}, unique=["id", "day"])
    gate = compile_gate(Gate(schema, on_failure="split"), "orders")
    judged = [
        gate.evaluate(form, columns=Schema(()), live=None).judgement
        for form in (frame, frame.lazy())
    ]
    assert judged[0] == judged[1]
    assert {r.expected: r.failing_rows for r in judged[0].results if r.rule == "unique"} == {
        "unique": 4,
        "unique (id, day)": 2,
    }


def test_an_ascending_key_needs_no_counting(monkeypatch):
    monkeypatch.setattr(uniqueness, "_distinct", None)
    frame = pl.LazyFrame({"id": [1, 2, 3]})
    gate = compile_gate(Gate(pa.DataFrameSchema({"id": pa.Column(unique=True)})), "orders")
    judgement = gate.evaluate(frame, columns=Schema(()), live=None).judgement
    assert judgement.verdict == "promote"
    assert [r.rule for r in judgement.results] == ["not_nullable", "unique"]
