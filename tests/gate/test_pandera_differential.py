"""The gate against pandera's own `validate(lazy=True)` on eager frames, over generated cases.

A few hundred cases each time, and `make soak` goes through more than twenty thousand. What is
left out is where pandera is wrong, and has tests of its own in `test_pandera_defects.py`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from random import Random

import pandera.polars as pa
import polars as pl
import pytest

from gate.custom_checks import CUSTOM, FRAME
from gate.pandera_answer import answer
from gate.pandera_difference import ADDING, FIRST_ONLY, differences, evaluated, forms
from gate.schema_cases import (
    BUILTIN,
    ONE_VALUE,
    VALUES,
    Case,
    Described,
    Stated,
    arguments_of,
    case,
)
from millgate.gate.compiled import compile_gate
from millgate.model.policy import Gate
from millgate.model.schema import Schema

SOAK = bool(os.environ.get("MILLGATE_SOAK"))
FEATURES = (
    *("model", "schema", "regex", "default", "nullable", "unique", "coerce", "required"),
    *("coerce=True", "ordered=True", "strict=True", "strict=filter", "add_missing_columns=True"),
    *("custom checks, model=True", "custom checks, model=False"),
    *("checks of the frame, model=True", "checks of the frame, model=False"),
    *("height 0", "height 1", "height 2", "null", "NaN"),
)
"""What the cases must have of schemas and frames."""

BLOCK = 60
BLOCKS = 400 if SOAK else 8


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("block", range(BLOCKS))
def test_verdict_rows_and_counts_are_those_of_pandera(block, tmp_path):
    found = []
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        one = case(seed)
        theirs = answer(one.schema, one.frame)
        for form, frame in forms(one, tmp_path).items():
            found += [f"case({seed}), {form}: {d}" for d in differences(one, frame, theirs)]
    assert not found, "\n".join(found[:20])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", list(VALUES), ids=str)
def test_every_builtin_check_on_every_type(dtype, tmp_path):
    values = [*VALUES[dtype], None, VALUES[dtype][0]]
    frame = pl.DataFrame({"a": pl.Series(values, dtype=dtype, strict=True)})
    random = Random(1)
    for what in ONE_VALUE if dtype.is_nested() else BUILTIN:  # pandera wants hashable values
        for ignore_na in (True, False):
            arguments = arguments_of(random, what, VALUES[dtype])
            check = Stated(what, what, arguments, {"ignore_na": ignore_na})
            column = Described("a", dtype, {"nullable": True, "unique": False}, (check,))
            schema = pa.DataFrameSchema({"a": pa.Column(dtype, check.check(), nullable=True)})
            one = Case(0, schema, frame, (column,), (), {"strict": False, "unique": None})
            theirs = answer(schema, frame)
            for form, given in forms(one, tmp_path).items():
                assert not list(differences(one, given, theirs)), (form, arguments)


def features(one: Case) -> Iterator[str]:
    """What a schema and its frame have of all that they may have."""
    model = isinstance(one.schema, type)
    yield "model" if model else "schema"
    yield from (f"{name}={value}" for name, value in one.options.items() if value)
    if one.checks:
        yield f"checks of the frame, model={model}"
    for column in one.columns:
        yield from (name for name, value in column.options.items() if value is not False)
        yield f"type {column.dtype}"
        if any(not isinstance(check.what, str) for check in column.checks):
            yield f"custom checks, model={model}"
    yield f"height {min(one.frame.height, 2)}"
    for series in one.frame:
        if series.null_count():
            yield "null"
        if series.dtype.is_float() and series.is_nan().any():
            yield "NaN"


@pytest.mark.filterwarnings("ignore")
def test_the_cases_reach_every_kind_of_answer():
    """The comparison is worth what its cases are: nearly every rule passes here and fails there."""
    seen: Counter[str] = Counter()
    for seed in range(BLOCK * 8):
        one = case(seed)
        judgement = evaluated(one, one.frame).judgement
        seen[judgement.verdict] += 1
        seen["crash"] += not answer(one.schema, one.frame).complete
        seen.update(set(features(one)))
        for r in judgement.results:
            seen[f"{r.rule.split('~')[0]} {'passes' if r.passed else 'fails'}"] += 1
    assert min(seen["promote"], seen["hold"]) > BLOCK
    assert seen["crash"] < BLOCK / 2
    for rule in (*BUILTIN, *(custom.name for custom in (*CUSTOM, *FRAME))):
        assert seen[f"{rule} passes"] or seen[f"{rule} fails"], rule
    for rule in ("dtype", "coerce_dtype", *FIRST_ONLY, *ADDING, "no_regex_column_match"):
        assert seen[f"{rule} fails"], rule
    for feature in (*FEATURES, *(f"type {dtype}" for dtype in VALUES)):
        assert seen[feature] >= 4, feature
    for column in ("['a']", "[['"):
        assert [name for name in seen if name.startswith(f"unique={column}")], column


@pytest.mark.parametrize("dtype", list(VALUES), ids=str)
def test_unique_works_on_every_type(dtype):
    schema = pa.DataFrameSchema({"a": pa.Column(dtype, unique=True, nullable=True)})
    twice = pl.DataFrame({"a": pl.Series([VALUES[dtype][0]] * 2 + [None], dtype=dtype)})
    gate = compile_gate(Gate(schema), "asset")
    for frame, verdict in ((twice, "hold"), (twice[1:], "promote")):
        for form in (frame, frame.lazy()):
            evaluation = gate.evaluate(form, columns=Schema(()), live=None)
            assert evaluation.judgement.verdict == verdict
        assert answer(schema, frame).passes == (verdict == "promote")
