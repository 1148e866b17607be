"""Many questions to a stream, answered in one reading of it and in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from millgate.gate.failing_rows import ROW, FailingRows, marked, placed
from millgate.gate.sampling import IN_ORDER

_KEPT = 1 << 22
"""Rows that fail any rule up to which their positions are kept, in some 20 MiB."""


_SEARCHING = ("is_in", "replace", "replace_strict")
"""Functions that polars takes for ones of a row, though they look a value up in a whole column."""


def by_row(expression: pl.Expr | None) -> bool:
    """Whether an expression gives one value for each row, which does not depend on the others.

    >>> by_row(pl.col("a") > 0), by_row(pl.col("a") > pl.col("a").shift(1))
    (True, False)
    >>> by_row(pl.col("a").drop_nulls() > 0)
    False
    >>> by_row(pl.col("a").is_in([1, 2])), by_row(pl.col("a").is_in(pl.col("b")))
    (True, False)
    """
    try:
        return (
            expression is not None
            and expression.meta.is_length_preserving()
            and _is_separable(expression)
        )
    except pl.exceptions.PolarsError:  # Python code in it, or columns that no schema names here
        return False


def _is_separable(expression: pl.Expr) -> bool:
    given = expression.meta.pop()
    return (
        expression.meta.is_row_separable()
        and not _searches(expression, given)
        and all(map(_is_separable, given))
    )


def _searches(expression: pl.Expr, given: Sequence[pl.Expr]) -> bool:
    if sum(bool(each.meta.root_names()) for each in given) < 2:
        return False
    said = str(expression)
    return any(said.startswith(f"{each}.{name}(") for each in given for name in _SEARCHING)


def read_once(
    frame: pl.LazyFrame,
    values: Mapping[str, pl.Expr],
    apart: Mapping[str, pl.Expr],
    violations: Mapping[str, pl.Expr],
) -> tuple[dict[str, Any], dict[str, FailingRows]]:
    """The values that expressions of one value give, and the rows that violate others.

    `values` has the number of `rows`. `apart` are such values too, for which rows are compared with
    others: selected beside others they would make polars keep all that these read until they are
    done.
    """
    plans = [_selected(frame, values)]
    plans += [_selected(frame, {name: value}) for name, value in apart.items()]
    plans += [_first_failing(frame, violations)] if violations else []
    found = pl.collect_all(plans, engine="streaming", optimizations=IN_ORDER)
    first = found.pop() if violations else pl.DataFrame()
    told = {n: v for each in found for n, v in each.row(0, named=True).items()}
    return told, _failing(frame, violations, first, told["rows"])


def violating(
    frame: pl.LazyFrame, violations: Mapping[str, pl.Expr], height: int
) -> dict[str, FailingRows]:
    """The rows that violate each, where all of them give a value for each of `height` rows."""
    first = _first_failing(frame, violations)
    found = first.collect(engine="streaming", optimizations=IN_ORDER)
    return _failing(frame, violations, found, height)


def _first_failing(frame: pl.LazyFrame, violations: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    """The positions of rows that violate any, and which: one more than are kept, or all."""
    marks = _selected(frame, violations).with_row_index(ROW)
    return marks.filter(pl.any_horizontal(*violations)).head(_KEPT + 1)


def _failing(
    frame: pl.LazyFrame, violations: Mapping[str, pl.Expr], first: pl.DataFrame, height: int
) -> dict[str, FailingRows]:
    if first.height <= _KEPT:
        return {name: placed(first.filter(name)[ROW], height) for name in violations}
    marks = _selected(frame, violations).collect(engine="streaming", optimizations=IN_ORDER)
    return {name: marked(marks.drop_in_place(name)) for name in violations}


def _selected(frame: pl.LazyFrame, exprs: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    return frame.select(e.alias(name) for name, e in exprs.items())
