"""Many questions to a stream, answered in one reading of it and in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from millgate.gate.sampling import IN_ORDER


def by_row(expression: pl.Expr | None) -> bool:
    """Whether what an expression gives for some rows does not depend on the others.

    >>> by_row(pl.col("a") > 0), by_row(pl.col("a") > pl.col("a").shift(1))
    (True, False)
    """
    try:
        return (
            expression is not None
            and expression.meta.is_row_separable()
            and all(map(by_row, expression.meta.pop()))
        )
    except pl.exceptions.PolarsError:  # Python code in it
        return False


def read_once(
    frame: pl.LazyFrame,
    values: Mapping[str, pl.Expr],
    apart: Mapping[str, pl.Expr],
    masks: Mapping[str, pl.Expr],
) -> tuple[dict[str, Any], pl.DataFrame]:
    """The values that expressions of one value give, and the rows of those that give many.

    `apart` are such values too, for which rows are compared with others: selected beside others
    they would make polars keep all that these read until they are done.
    """
    plans = [_selected(frame, values)]
    plans += [_selected(frame, {name: value}) for name, value in apart.items()]
    plans += [_selected(frame, masks)] if masks else []
    found = pl.collect_all(plans, engine="streaming", optimizations=IN_ORDER)
    rows = found.pop() if masks else pl.DataFrame()
    return {n: v for each in found for n, v in each.row(0, named=True).items()}, rows


def _selected(frame: pl.LazyFrame, exprs: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    return frame.select(e.alias(name) for name, e in exprs.items())
