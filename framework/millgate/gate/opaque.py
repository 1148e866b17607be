"""An opaque check: run as pandera runs it, and judged by what it returns."""

from __future__ import annotations

import polars as pl

from millgate.gate.binding import Bound
from millgate.gate.failing_rows import marked
from millgate.gate.outcome import Outcome, Rule
from millgate.gate.sampling import IN_ORDER
from millgate.gate.wording import shortened

BROKEN = (Exception, pl.exceptions.PanicException)
"""What a user's check may raise while polars runs it; a panic of polars is no Exception."""

FALSE = "it is false"
"""Why the partition as a whole fails a check that says no more."""


def run_opaque(frame: pl.LazyFrame, bound: Bound, rows: int) -> Outcome:
    """An opaque check, run as pandera runs it, and judged by what it returns."""
    rule = bound.rule
    try:
        passes = _passes(frame, bound)
    except BROKEN as error:
        return Outcome(rule, problem=described(error), raised=True, whole=True)
    if isinstance(passes, bool):
        return Outcome(rule, problem="" if passes else FALSE, whole=True)
    if passes.all():
        return Outcome(rule, reads=_read_by(bound))
    if passes.len() != rows or (rows == 1 and _is_aggregate(frame, bound)):
        return of_another_height(rule, passes.len(), rows)
    return Outcome(rule, reads=_read_by(bound)).with_mask(marked(~passes))


def described(error: BaseException) -> str:
    """An exception on one line."""
    return shortened(f"{type(error).__name__}: {error}")


def of_another_height(rule: Rule, height: int, rows: int) -> Outcome:
    """The outcome of a check whose results are not one for each row."""
    problem = FALSE if height == 1 else f"{height} results for {rows} rows, not all of them true"
    return Outcome(rule, problem=problem, whole=True)


def _passes(frame: pl.LazyFrame, bound: Bound) -> bool | pl.Series:
    from pandera.api.polars.types import PolarsData
    from pandera.backends.polars.checks import PolarsCheckBackend

    check = bound.rule.check
    output = PolarsCheckBackend(check).apply(PolarsData(frame, bound.key))
    if isinstance(output, bool):
        return output
    if not isinstance(output, pl.LazyFrame):
        raise TypeError(f"the check returned {type(output).__name__}, not a LazyFrame or a bool")
    passes = output.collect(optimizations=IN_ORDER).to_series()
    if passes.dtype != pl.Boolean:
        raise TypeError(f"the check returned {passes.dtype}, not Boolean")
    return passes.fill_null(check.ignore_na)


def _is_aggregate(frame: pl.LazyFrame, bound: Bound) -> bool:
    """Whether a check gives one value for any frame, as it then does for one without rows."""
    try:
        passes = _passes(frame.head(0), bound)
    except BROKEN:
        return False
    return isinstance(passes, bool) or passes.len() == 1


def _read_by(bound: Bound) -> tuple[str, ...]:
    return (bound.column,) if bound.column else ()
