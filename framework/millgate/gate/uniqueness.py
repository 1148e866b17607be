"""Whether keys repeat, counted in bounded memory: rows take turns, by the hash of their key.

Rows with equal keys have equal hashes and so the same turn, which makes the count exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from millgate.gate.failing_rows import ROW
from millgate.gate.sampling import IN_ORDER

TURN_ROWS = 5_000_000
"""Rows whose keys are compared at a time, at most."""

_SPARING_ROWS, _SPARING_TURNS = 400_000, 3
"""Fewer take less memory, and each turn reads the keys once more: fewer only in so many turns."""


def together(columns: Sequence[str]) -> pl.Expr:
    """The key of a row: a column, or several as one."""
    return pl.col(columns[0]) if len(columns) == 1 else pl.struct(columns)


def may_repeat(column: str, dtype: pl.DataType) -> pl.Expr:
    """Whether a key that begins with `column` may repeat; it cannot where the column ascends."""
    if not (dtype.is_numeric() or dtype.is_temporal() or dtype == pl.String):
        return pl.lit(True)
    value = pl.col(column)
    return (value > value.shift(1)).fill_null(False).not_().sum() > 1


def repeats(frame: pl.LazyFrame, columns: Sequence[str], rows: int) -> pl.Series:
    """For each of the `rows` whether another one has its key."""
    mask = pl.repeat(False, rows, dtype=pl.Boolean, eager=True)
    if _distinct(frame.select(columns), columns, rows) == rows:
        return mask
    keys = frame.select(columns).with_row_index(ROW)
    for turn in _turns(keys, columns, rows):
        found = turn.filter(together(columns).is_duplicated()).select(ROW)
        rows_found = found.collect(engine="streaming", optimizations=IN_ORDER)
        mask = mask.scatter(rows_found.to_series(), True)
    return mask


def _distinct(keys: pl.LazyFrame, columns: Sequence[str], rows: int) -> int:
    return sum(
        turn.select(together(columns).n_unique()).collect(engine="streaming").item()
        for turn in _turns(keys, columns, rows)
    )


def _turns(frame: pl.LazyFrame, columns: Sequence[str], rows: int) -> Iterator[pl.LazyFrame]:
    """The rows of `frame` in parts that share no key, none of them large."""
    turns = max(-(-rows // TURN_ROWS), min(-(-rows // _SPARING_ROWS), _SPARING_TURNS))
    if turns <= 1:
        yield frame
        return
    turn = pl.sum_horizontal(pl.col(column).hash() for column in columns) % turns
    for number in range(turns):
        yield frame.filter(turn == number)
