"""What a gate says about a frame, as short as tests compare it."""

from __future__ import annotations

from typing import Any

import polars as pl

from millgate.gate.compiled import compile_gate
from millgate.gate.evaluate import Evaluation
from millgate.model.policy import Gate
from millgate.model.schema import Schema


def evaluate(schema: Any, frame: pl.DataFrame | pl.LazyFrame, **policy: Any) -> Evaluation:
    gate = compile_gate(Gate(schema, **policy), "asset")
    return gate.evaluate(frame, columns=Schema(()), live=None)


def failed(evaluation: Evaluation) -> list[tuple[str, str | None, str]]:
    """The rules that fail, with their columns and kinds."""
    return [(r.rule, r.column_name, r.kind) for r in evaluation.judgement.failed]


def reasons(evaluation: Evaluation, frame: pl.DataFrame) -> list[list[tuple[str, str | None]]]:
    """For each rejected row the rules and columns that reject it."""
    return [
        [(r["rule"], r["column_name"]) for r in row]
        for row in evaluation.rejected(frame)["quarantine_reasons"].to_list()
    ]
