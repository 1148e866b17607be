"""Why each row of quarantine is there: the rules that it fails, with what they read of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl

from millgate.gate.failing_rows import ROW, FailingRows
from millgate.gate.outcome import Outcome
from millgate.gate.sampling import value_of

REASONS = "quarantine_reasons"
MASK_PREFIX = "__millgate_"

_REASON = pl.Struct({"rule": pl.String, "column_name": pl.String, "value": pl.String})
_NONE = pl.lit([], dtype=pl.List(_REASON)).alias(REASONS)


def masks_of(outcomes: Sequence[Outcome], among: FailingRows | None = None) -> pl.DataFrame:
    """The masks of outcomes side by side, under names that no data has.

    They have a value for each row `among` those that fail any, or for each row of the frame.
    """
    return pl.DataFrame(
        {
            f"{MASK_PREFIX}{i}": o.mask.within(among) if among else o.mask.marks
            for i, o in enumerate(outcomes)
            if o.mask is not None
        }
    )


def side_by_side(frame: pl.LazyFrame, masks: pl.LazyFrame) -> pl.LazyFrame:
    """`frame` with the columns of `masks`, which has as many rows in the same order."""
    return pl.concat([frame, masks], how="horizontal")


def with_reasons(
    rows: pl.LazyFrame, masks: pl.DataFrame, outcomes: Sequence[Outcome]
) -> pl.LazyFrame:
    """`rows` with the reasons of each: the outcomes whose mask, in `masks` beside it, is true."""
    if not outcomes:
        return rows.with_columns(_NONE)
    schema = rows.collect_schema()
    reasons = {
        mask: pl.struct(
            pl.lit(outcome.rule.name).alias("rule"),
            pl.lit(outcome.rule.column, dtype=pl.String).alias("column_name"),
            value_of(outcome, schema).alias("value"),
        ).alias(REASONS)
        for mask, outcome in zip(masks.columns, outcomes, strict=True)
    }
    return side_by_side(rows, masks.lazy()).map_batches(
        partial(_explained, reasons),
        streamable=True,
        schema=pl.Schema({**schema, REASONS: pl.List(_REASON)}),
    )


def _explained(reasons: dict[str, pl.Expr], rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with their masks turned into lists; `concat_list` takes microseconds for each row."""
    rows = rows.with_row_index(ROW)
    each = pl.concat([rows.filter(mask).select(ROW, reason) for mask, reason in reasons.items()])
    listed = each.sort(ROW, maintain_order=True).group_by(ROW, maintain_order=True).agg(REASONS)
    explained = rows.join(listed, on=ROW, how="left", maintain_order="left")
    return explained.with_columns(pl.col(REASONS).fill_null(_NONE)).drop(ROW, *reasons)
