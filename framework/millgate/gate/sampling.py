"""What failing rows look like: a few values for each rule, found without reading all rows again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from millgate.gate.failing_rows import ROW
from millgate.gate.outcome import Outcome
from millgate.gate.wording import shortened, text_of

IN_ORDER = pl.QueryOptFlags(check_order_observe=False)
"""Rows of a plan as they come: polars 2.1 takes `when(...).then(literal)` for one that has no
order, and then hands out the row groups of a file as they are read."""

_SAMPLED = 5
_SAMPLED_FROM = 1000


def with_samples(
    frame: pl.LazyFrame, schema: pl.Schema, outcomes: Sequence[Outcome]
) -> list[Outcome]:
    """The outcomes with up to five distinct failing values for each rule that rows fail.

    They are those of the first thousand rows that fail it.
    """
    rows = {
        i: o.mask.positions.head(_SAMPLED_FROM).cast(pl.UInt64)
        for i, o in enumerate(outcomes)
        if o.mask is not None and any(name in schema for name in o.reads)
    }
    if not rows:
        return list(outcomes)
    seen = _rows_at(frame, schema, pl.concat(rows.values()).unique(), [outcomes[i] for i in rows])
    sampled = list(outcomes)
    for i, at in rows.items():
        values = seen.filter(pl.col(ROW).is_in(at.implode())).select(
            value_of(outcomes[i], schema).fill_null("null")
        )
        first = values.to_series().unique(maintain_order=True).head(_SAMPLED)
        sampled[i] = replace(outcomes[i], sample=tuple(map(shortened, first)))
    return sampled


def _rows_at(
    frame: pl.LazyFrame, schema: pl.Schema, at: pl.Series, outcomes: Sequence[Outcome]
) -> pl.DataFrame:
    """What the rules read of the rows at these positions, in order."""
    reads = dict.fromkeys(n for o in outcomes for n in o.reads if n in schema)
    until = int(at.max()) + 1  # type: ignore[arg-type]
    plan = frame.select(pl.col(list(reads))).head(until).with_row_index(ROW)
    plan = plan.with_columns(pl.col(ROW).cast(pl.UInt64))
    return plan.filter(pl.col(ROW).is_in(at.implode())).collect(
        engine="streaming", optimizations=IN_ORDER
    )


def value_of(outcome: Outcome, schema: pl.Schema) -> pl.Expr:
    """What the rule of `outcome` read of a row, as text: the value, or `a=1, b=2` for several."""
    texts = {name: text_of(pl.col(name), schema[name]) for name in outcome.reads if name in schema}
    if not texts:
        return pl.lit(None, dtype=pl.String)
    if len(texts) == 1:
        return next(iter(texts.values()))
    return pl.concat_str(
        [pl.lit(f"{name}=") + text.fill_null("null") for name, text in texts.items()],
        separator=", ",
    )
