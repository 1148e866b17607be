"""The verdict on a frame without a project, for users' own tests."""

from __future__ import annotations

from typing import Any

import polars as pl

from millgate.gate.compiled import compile_gate
from millgate.model.asset import Asset
from millgate.model.record import Judgement
from millgate.model.schema import Schema


def judge(asset: Asset, frame: Any) -> Judgement:
    """The judgement that the gate of `asset` passes on `frame`, without a project.

    `frame` is a polars frame, anything that speaks Arrow (a pyarrow Table or RecordBatchReader,
    a DuckDB relation), or what `polars.DataFrame` takes. What needs the project is left out: the
    contract with production, `recent`, `references` and `compare`.
    """
    gate = compile_gate(asset.gate, asset.name)
    if not isinstance(frame, pl.DataFrame | pl.LazyFrame):
        frame = pl.DataFrame(frame)
    typed = gate.typed(frame)
    return gate.evaluate(typed, columns=Schema(()), live=None).judgement
