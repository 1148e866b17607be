"""Nothing is lost where rows part: what is let in and what is refused are what came, over any case.

The parting is that of a run: the frame is judged and the files of its verdict are written.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from gate.pandera_answer import answer
from gate.schema_cases import Case, case
from millgate.declare.decorator import asset
from millgate.errors import BadResult
from millgate.execute.order import Order, Product
from millgate.execute.produce import judge_settled
from millgate.execute.settle import Settled
from millgate.gate import inspection, uniqueness
from millgate.gate.compiled import compile_gate
from millgate.model.policy import Gate
from millgate.model.step import Cause, Step
from millgate.store import types
from millgate.store.storage import storage_at

SOAK = bool(os.environ.get("MILLGATE_SOAK"))
REASONS = "quarantine_reasons"
FORMS = ["eager", "streamed", "long"]


def parted(one: Case, form: str, folder: Path, suffix: str = ".parquet") -> Product:
    """The case judged with `on_failure="split"`, in files below `folder`."""

    @asset(name="cases", gate=Gate(one.schema, on_failure="split"))
    def cases() -> None: ...

    staged = folder / f"cases{suffix}"
    storage = storage_at(staged)
    settled = Settled(one.frame, one.frame.collect_schema(), types.schema_of(one.frame), None)
    if form != "eager":
        storage.write(one.frame, staged, {}, None)
        frame = storage.scan(staged)
        settled = Settled(frame, frame.collect_schema(), storage.shape(staged)[1], staged)
    order = Order(
        step=Step("cases", "", "make", Cause("missing")),
        step_id=1,
        asset=cases,
        partition=cases.partition(""),
        run=1,
        materialization=1_000_001,
        inputs=(),
        sources={},
        code_fingerprint="",
        input_fingerprint="",
        live_schema=None,
        live=None,
        staged=staged,
    )
    gate = compile_gate(cases.gate, "cases")
    (product,) = judge_settled([settled], [order], gate, datetime.now(UTC), [{}], 0.0)
    return product


def storable(seed: int) -> Case:
    """The case of a number, its rows told apart by a column of their own."""
    one = case(seed)
    assume(one.frame.width and one.options.get("strict") is False and "dtype" not in one.options)
    try:
        types.schema_of(one.frame)
        types.schema_of(compile_gate(Gate(one.schema), "cases").accepted_schema(one.frame.schema))
    except BadResult:  # durations, which Parquet has not
        assume(False)
    numbered = one.frame.with_columns(nr=pl.int_range(one.frame.height))
    return Case(one.seed, one.schema, numbered, one.columns, one.checks, one.options)


def rows(path: Path | None, like: pl.DataFrame) -> pl.DataFrame:
    return like.head(0) if path is None else storage_at(path).scan(path).collect()


def reasons_of(refused: pl.DataFrame) -> dict[int, list[tuple[str, str | None]]]:
    return {
        nr: [(reason["rule"], reason["column_name"]) for reason in reasons]
        for nr, reasons in refused.select("nr", REASONS).iter_rows()
    }


def blamed(one: Case) -> set[int]:
    """The rows that pandera itself says fail an error check."""
    theirs = answer(one.schema, one.frame)
    errors = (
        rows
        for (rule, _), rows in theirs.rows.items()
        if not (rule in one.stated and one.stated[rule].warning)
    )
    return set().union(*errors) if theirs.complete and theirs.lost is None else set()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", FORMS)
@settings(
    max_examples=2000 if SOAK else 60,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 10**6))
@example(seed=487944)  # the good rows alone fail a check that all of them pass
@example(seed=20641)  # and so does a frame without rows, where none of them is good
@example(seed=151650)  # pandera breaks off: an absent column is to be unique together
def test_good_and_rejected_rows_are_what_came(form, seed):
    one = storable(seed)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if form == "long":
            patch.setattr(inspection, "_FIRST_ROWS", 2)
            patch.setattr(uniqueness, "TURN_ROWS", 2)
        product = parted(one, form, Path(folder))
        check(one, product)


def check(one: Case, product: Product) -> None:
    verdict = product.judgement.verdict
    good = rows(product.accepted, one.frame)
    refused = rows(product.refused and product.refused.path, one.frame)
    assert good["nr"].is_sorted()
    assert sorted([*good["nr"], *refused["nr"]]) == list(range(one.frame.height))
    came = one.frame.filter(pl.col("nr").is_in(refused["nr"].implode()))
    columns = one.frame.columns
    assert refused.sort("nr").select(columns).equals(came)
    if verdict == "promote":
        assert product.refused is None
        theirs = answer(one.schema, one.frame)
        assert theirs.passes or not theirs.complete
        return
    failed = {(r.rule, r.column_name) for r in product.judgement.results if not r.passed}
    reasons = reasons_of(refused)
    assert {reason for each in reasons.values() for reason in each} <= failed
    if verdict == "hold":
        assert product.accepted is None
        return
    assert product.materialization.rows == good.height
    assert product.refused.rows == refused.height == product.judgement.rejected_rows > 0
    assert all(reasons.values())
    assert not blamed(one) & set(good["nr"])
    theirs = answer(one.schema, good)
    assert theirs.passes or not theirs.complete
    told = Counter[tuple[str, str | None]]()
    for r in product.judgement.results:
        if r.failing_rows and r.severity == "error":
            told[r.rule, r.column_name] += r.failing_rows
    assert told == Counter(reason for each in reasons.values() for reason in each)
