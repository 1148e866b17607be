from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from millgate.errors import DeclarationError
from millgate.gate.compiled import compile_gate
from millgate.gate.surroundings import Surroundings
from millgate.model.policy import Gate
from millgate.model.schema import Schema


def failing(references, frame: pl.DataFrame, there: pl.DataFrame, **how) -> list[bool] | str:
    gate = compile_gate(Gate(references=references, **how), "sales")
    around = Surroundings(datetime(2024, 1, 1, tzinfo=UTC), references={"other": there.lazy()})
    for lazy in (False, True):
        given = frame.lazy() if lazy else frame
        found = gate.evaluate(given, columns=Schema(()), live=None, around=around)
    (result,) = found.judgement.results
    assert result.rule == "references"
    return result.message if result.kind == "frame" else found.failing.to_list()


@pytest.mark.parametrize(
    ("own", "there", "fails"),
    [
        ([1, 2, None], [2, 3], [True, False, False]),
        ([1], [], [True]),
        ([], [1], []),
        ([None, None], [None], [False, False]),
        (["a", "b", ""], ["a", None], [False, True, True]),
        ([1.5, float("nan")], [1.5], [False, True]),
        ([True], [False], [True]),
    ],
)
def test_values_that_are_not_there_fail_and_nulls_pass(own, there, fails):
    dtype = pl.Series(own or there).dtype
    frame = pl.DataFrame({"a": pl.Series(own, dtype=dtype)})
    other = pl.DataFrame({"k": pl.Series(there, dtype=dtype)})
    assert failing({"a": "other.k"}, frame, other) == fails


@pytest.mark.parametrize(
    ("own", "there"),
    [
        (pl.Series([1, 300], dtype=pl.Int16), pl.Series([1], dtype=pl.UInt8)),
        (pl.Series([1, 2**63], dtype=pl.UInt64), pl.Series([1, -(2**63)], dtype=pl.Int64)),
        (pl.Series(["a", "b"]), pl.Series(["a"], dtype=pl.Categorical)),
        (pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])), pl.Series(["a"])),
    ],
)
def test_types_that_hold_the_same_values_are_compared(own, there):
    assert failing({"a": "other.k"}, own.to_frame("a"), there.to_frame("k")) == [False, True]


@pytest.mark.parametrize(
    ("own", "there"), [(["1"], [1]), ([1], [1.0]), ([datetime(2024, 1, 1)], ["2024-01-01"])]
)
def test_types_that_do_not_are_an_error(own, there):
    message = failing({"a": "other.k"}, pl.DataFrame({"a": own}), pl.DataFrame({"k": there}))
    assert "cast one of them" in message


def test_several_columns_refer_together():
    frame = pl.DataFrame({"a": ["x", "x", None, "y"], "b": [1, 2, 7, None]})
    there = pl.DataFrame({"p": ["x", "z"], "q": [1, 2]})
    found = failing({("a", "b"): ("other.p", "other.q")}, frame, there)
    assert found == [False, True, False, False]


def test_a_missing_column_of_either_side_names_the_one_meant():
    frame, there = pl.DataFrame({"carrier": ["x"]}), pl.DataFrame({"code": ["x"]})
    assert "did you mean carrier" in failing({"carier": "other.code"}, frame, there)
    assert "did you mean code" in failing({"carrier": "other.cod"}, frame, there)


def test_without_a_project_references_are_left_out():
    gate = compile_gate(Gate(references={"a": "other.k"}), "sales")
    found = gate.evaluate(pl.DataFrame({"a": [1]}), columns=Schema(()), live=None)
    assert found.judgement.results == ()


@pytest.mark.parametrize(
    "references",
    [
        {},
        "airlines.carrier",
        {"a": "airlines"},
        {"a": "air.lines.carrier"},
        {"a": 1},
        {1: "airlines.carrier"},
        {("a", "b"): "airlines.carrier"},
        {("a", "b"): ("airlines.carrier", "routes.origin")},
        {(): ()},
        {"a": ".carrier"},
    ],
)
def test_references_that_say_nothing_are_refused(references):
    with pytest.raises(DeclarationError, match="which column is which"):
        Gate(references=references)


def test_references_count_in_the_fingerprint():
    gates = [Gate(), Gate(references={"a": "b.c"}), Gate(references={"a": "b.d"})]
    assert len({compile_gate(gate, "a").fingerprint for gate in gates}) == 3
