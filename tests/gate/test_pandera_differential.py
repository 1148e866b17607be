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
from gate.pandera_answer import Answer, Key, answer
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
from millgate.gate.evaluate import Evaluation
from millgate.model.policy import Gate
from millgate.model.schema import Schema

SOAK = bool(os.environ.get("MILLGATE_SOAK"))
FIRST_ONLY = ["column_in_schema", "column_ordered"]
ADDING = ["add_missing_has_default"]
"""Failures of which pandera reports the first, and the gate each."""

BLOCK = 60
BLOCKS = 400 if SOAK else 8


def evaluated(one: Case, frame: pl.DataFrame | pl.LazyFrame, **policy) -> Evaluation:
    gate = compile_gate(Gate(one.schema, **policy), "asset")
    return gate.evaluate(frame, columns=Schema(()), live=None, measure=[pl.len()])


def rows_by_rule(evaluation: Evaluation, frame: pl.DataFrame | pl.LazyFrame) -> dict[Key, set[int]]:
    found: dict[Key, set[int]] = {}
    rejected = evaluation.rejected(frame).lazy().collect()
    for i, reasons in enumerate(rejected["quarantine_reasons"].to_list()):
        for reason in reasons:
            found.setdefault((reason["rule"], reason["column_name"]), set()).add(i)
    return found


def differences(one: Case, frame: pl.DataFrame | pl.LazyFrame, theirs: Answer) -> Iterator[str]:
    """Where the gate says something else about `frame` than pandera about `one.frame`."""
    ours = evaluated(one, frame)
    failed = {(r.rule, r.column_name): r for r in ours.judgement.results if not r.passed}
    added = _added(one)
    again = answer(one.schema, theirs.shaped) if added and theirs.passes else theirs
    verdict = "promote" if again.passes else "hold"
    if ours.judgement.rows != one.frame.height or ours.measured != {"len": one.frame.height}:
        yield f"counts {ours.judgement.rows} of {one.frame.height} rows"
    if ours.judgement.verdict != verdict:
        yield f"{ours.judgement.verdict}, not {verdict}: {sorted(map(str, failed))}, {again}"
    if again.passes:
        good = ours.accepted(frame).lazy().collect()
        if good.schema != theirs.shaped.schema or not good.equals(theirs.shaped):
            yield f"accepted {good}, not {theirs.shaped}"
    lost = {key for key in failed if key[0] == "coerce_dtype"}
    if bool(lost) != (theirs.lost is not None) and theirs.complete:
        yield f"lost {lost}, not {theirs.lost}"
    if not theirs.complete or lost:
        return
    yield from _columns(failed, again, added)
    yield from _rules(one, ours, rows_by_rule(ours, frame), again)


def _added(one: Case) -> set[str]:
    """The columns that the schema adds: pandera leaves them unchecked in the same validation."""
    if not one.options.get("add_missing_columns"):
        return set()
    return {c.name for c in one.columns if not c.regex} - set(one.frame.columns)


def _columns(failed: dict[Key, object], theirs: Answer, untried: set[str]) -> Iterator[str]:
    ours = {column for rule, column in failed if rule == "dtype" and column not in untried}
    if ours != theirs.mistyped:
        yield f"wrong types of {ours}, not {theirs.mistyped}"
    for kinds in (["column_in_dataframe"], ["no_regex_column_match"], FIRST_ONLY, ADDING):
        mine = {key for key in failed if key[0] in kinds}
        wanted = {key for key in theirs.columns if key[0] in kinds}
        first_only = kinds in (FIRST_ONLY, ADDING)
        if bool(mine) != bool(wanted) or not (wanted <= mine if first_only else wanted == mine):
            yield f"{kinds}: {mine}, not {wanted}"


def _rules(
    one: Case, ours: Evaluation, ours_by_row: dict[Key, set[int]], theirs: Answer
) -> Iterator[str]:
    height, stated = one.frame.height, one.stated
    untried = theirs.mistyped | _added(one)
    unfiltered = one.options["strict"] == "filter" and bool(theirs.columns)
    results = {
        (r.rule, r.column_name): r
        for r in ours.judgement.results
        if not r.passed and (r.rule in ("not_nullable", "unique") or r.rule in stated)
    }
    sets = one.options["unique"]
    several = bool(sets) and not isinstance(sets[0], str)
    for key in {*results, *theirs.rows, *theirs.whole}:
        rule, column = key
        if column in untried or (column is None and unfiltered):
            continue
        if key == ("unique", None) and several:  # pandera reports the first failing set only
            if key in theirs.rows and not theirs.rows[key] <= ours_by_row[key]:
                yield f"{key}: {ours_by_row[key]} without {theirs.rows[key]}"
            continue
        found, wanted = results.get(key), theirs.rows.get(key)
        if found is None or (wanted is None and key not in theirs.whole):
            yield f"{key}: {found}, not {wanted or theirs.whole.get(key)}"
            continue
        warning = rule in stated and stated[rule].warning and theirs.whole.get(key) != 0
        if found.severity != ("warning" if warning else "error"):
            yield f"{key}: severity {found.severity}"
        if found.kind == "frame":
            scalar = height == 1 and rule in stated and stated[rule].whole
            if wanted is not None and not scalar:
                yield f"{key}: fails as a whole, not in {wanted}"
        elif wanted is None or found.failing_rows != len(wanted):
            yield f"{key}: {found.failing_rows} rows, not {wanted}"
        elif not warning and ours_by_row.get(key) != wanted:
            yield f"{key}: rows {ours_by_row.get(key)}, not {wanted}"
        elif height == 1 and rule in stated and stated[rule].whole:
            yield f"{key}: blames a row for a check of the whole frame"


def forms(one: Case, tmp_path) -> dict[str, pl.DataFrame | pl.LazyFrame]:
    """The frame as an asset may hand it over: whole, as a plan, or in a file that is streamed."""
    path = tmp_path / "frame.parquet"
    one.frame.write_parquet(path, row_group_size=2)
    streamed = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    return {"eager": one.frame, "lazy": one.frame.lazy(), "streamed": streamed}


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


@pytest.mark.filterwarnings("ignore")
def test_the_cases_reach_every_kind_of_answer():
    """The comparison is worth what its cases are: nearly every rule passes here and fails there."""
    seen: Counter[str] = Counter()
    for seed in range(BLOCK * 8):
        one = case(seed)
        judgement = evaluated(one, one.frame).judgement
        seen[judgement.verdict] += 1
        seen["crash"] += not answer(one.schema, one.frame).complete
        for r in judgement.results:
            seen[f"{r.rule.split('~')[0]} {'passes' if r.passed else 'fails'}"] += 1
    assert min(seen["promote"], seen["hold"]) > BLOCK
    assert seen["crash"] < BLOCK / 2
    for rule in (*BUILTIN, *(custom.name for custom in (*CUSTOM, *FRAME))):
        assert seen[f"{rule} passes"] or seen[f"{rule} fails"], rule
    for rule in ("dtype", "coerce_dtype", *FIRST_ONLY, *ADDING, "no_regex_column_match"):
        assert seen[f"{rule} fails"], rule


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
