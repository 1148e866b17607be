"""The rows that fail a rule, in little memory where they are few."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

POSITION_BITS = 32
"""What it takes to keep the position of a row, where a mark for each row takes a bit."""

ROW = "__millgate_row"
"""Name of a column with the positions of rows; no data has one."""

_UNMARKED = pl.Series([False])
_NOWHERE = pl.Series(dtype=pl.get_index_type())


@dataclass(frozen=True, eq=False)
class FailingRows:
    """Some rows of a frame of `height` rows, `count` of them."""

    height: int
    count: int
    _kept: pl.Series
    """Ascending positions where that takes less, else a mark for each row of the frame."""

    @property
    def is_sparse(self) -> bool:
        return self._kept.dtype != pl.Boolean

    @property
    def positions(self) -> pl.Series:
        """The number of each of the rows, ascending from 0."""
        return self._kept if self.is_sparse else self._kept.arg_true()

    @property
    def marks(self) -> pl.Series:
        """For each row of the frame whether it is one of them."""
        return self._marks(0, self.height)

    def marks_as(self, name: str) -> pl.LazyFrame:
        """The marks as the column `name` of a plan, which makes them as they are asked for."""
        if not self.is_sparse:
            return self._kept.alias(name).to_frame().lazy()
        nothing = pl.Series(name, [None]).new_from_index(0, self.height).to_frame().lazy()
        made = pl.col(ROW).map_batches(
            lambda rows: self._marks(rows[0] if rows.len() else 0, rows.len()),
            return_dtype=pl.Boolean,
            is_elementwise=True,
        )
        return nothing.with_row_index(ROW).select(made.alias(name))

    def _marks(self, first: int, count: int) -> pl.Series:
        """The marks of `count` rows from the row `first` on."""
        if not self.is_sparse:
            return self._kept.slice(first, count)
        start, end = (bisect_left(self._kept, row) for row in (first, first + count))
        marks = _UNMARKED.new_from_index(0, count)
        return marks.scatter(self._kept[start:end] - first, True)

    def within(self, more: FailingRows) -> pl.Series:
        """For each row of `more`, which has all of these rows, whether it is one of them."""
        if more.is_sparse:
            return more.positions.is_in(self.positions.implode())
        return self.marks.filter(more.marks)


def marked(marks: pl.Series) -> FailingRows:
    """The rows whose mark is true."""
    count, height = int(marks.sum()), marks.len()
    return FailingRows(height, count, marks.arg_true() if is_few(count, height) else marks)


def placed(positions: pl.Series, height: int) -> FailingRows:
    """The rows at ascending `positions` of a frame of `height` rows."""
    found = FailingRows(height, positions.len(), positions)
    if is_few(found.count, height):
        return found
    return FailingRows(height, found.count, found.marks)


def is_few(count: int, height: int) -> bool:
    """Whether to keep the positions of so many rows takes less than to mark each row."""
    return count * POSITION_BITS < height


def any_of(each: Sequence[FailingRows], height: int) -> FailingRows:
    """The rows that are among any of these, of one frame of `height` rows."""
    if not each:
        return placed(_NOWHERE, height)
    if all(rows.is_sparse for rows in each):
        return placed(pl.concat([rows.positions for rows in each]).unique().sort(), height)
    marks = {str(i): rows.marks for i, rows in enumerate(each)}
    return marked(pl.DataFrame(marks).select(pl.any_horizontal(pl.all())).to_series())
