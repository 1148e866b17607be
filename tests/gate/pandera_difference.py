"""Where the gate and pandera differ on a case, form by form of the frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from gate.pandera_answer import Answer, Key, answer
from gate.schema_cases import Case
from millgate.gate.compiled import compile_gate
from millgate.gate.evaluate import Evaluation
from millgate.model.policy import Gate
from millgate.model.schema import Schema

FIRST_ONLY = ["column_in_schema", "column_ordered"]
ADDING = ["add_missing_has_default"]
"""Failures of which pandera reports the first, and the gate each."""

Compile = Callable[[Gate, str], Any]


def evaluated(
    one: Case, frame: pl.DataFrame | pl.LazyFrame, compiled: Compile = compile_gate
) -> Evaluation:
    gate = compiled(Gate(one.schema), "asset")
    return gate.evaluate(frame, columns=Schema(()), live=None, measure=[pl.len()])


def rows_by_rule(evaluation: Evaluation, frame: pl.DataFrame | pl.LazyFrame) -> dict[Key, set[int]]:
    found: dict[Key, set[int]] = {}
    rejected = evaluation.rejected(frame).lazy().collect()
    for i, reasons in enumerate(rejected["quarantine_reasons"].to_list()):
        for reason in reasons:
            found.setdefault((reason["rule"], reason["column_name"]), set()).add(i)
    return found


def differences(
    one: Case,
    frame: pl.DataFrame | pl.LazyFrame,
    theirs: Answer,
    compiled: Compile = compile_gate,
) -> Iterator[str]:
    """Where the gate says something else about `frame` than pandera about `one.frame`."""
    ours = evaluated(one, frame, compiled)
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
    if ours != theirs.mistyped - untried:
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
            mine = ours_by_row.get(key, set())
            if key in theirs.rows and not theirs.rows[key] <= mine:
                yield f"{key}: {mine} without {theirs.rows[key]}"
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


def forms(one: Case, folder: Path) -> dict[str, pl.DataFrame | pl.LazyFrame]:
    """The frame as an asset may hand it over: whole, as a plan, or in a file that is streamed."""
    path = folder / "frame.parquet"
    one.frame.write_parquet(path, row_group_size=2)
    streamed = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    return {"eager": one.frame, "lazy": one.frame.lazy(), "streamed": streamed}
