"""Rules evaluated on a frame: one select where everything passes, masks per row where not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from millgate.gate.binding import Binding, Bound, rebound
from millgate.gate.outcome import FrameFailure, Outcome, Rule
from millgate.gate.shaping import Shaping, empty
from millgate.gate.wording import shortened, text_of

BROKEN = (Exception, pl.exceptions.PanicException)
"""What a user's check may raise while polars runs it; a panic of polars is no Exception."""

SMALL = 100_000
"""Rows of a frame in memory up to which starting a streaming engine costs more than it saves."""

_SAMPLED = 5
_SAMPLED_FROM = 1000
_FALSE = "it is false"


@dataclass(frozen=True)
class Findings:
    """Everything that was found out about a frame."""

    rows: int
    shaping: Shaping
    failures: tuple[FrameFailure, ...]
    outcomes: tuple[Outcome, ...]
    measured: Mapping[str, Any]
    """The measures, taken on the frame as it came."""


class Unreadable(Exception):
    """The frame itself cannot be read, whatever the rules."""


def inspect_frame(
    frame: pl.LazyFrame,
    schema: pl.Schema,
    binding: Binding,
    measure: Sequence[pl.Expr],
    *,
    small: bool = False,
) -> Findings:
    """What the rules of `binding` find in `frame`; raises Unreadable if it cannot be read.

    `small` says that the frame is in memory and has few rows.
    """
    shaping, lost, failures = coerce(frame, binding.shaping)
    shaped = shaping.apply(frame)
    unshaped = {failure.column for failure in failures}
    bound = [rebound(b, binding.shaped) for b in binding.rules if b.column not in unshaped]
    here = () if shaping.changes else measure
    rows, outcomes, measured = _first_pass(shaped, bound, here, small)
    if not rows and not small:  # a stream without rows evaluates nothing, so nothing would raise
        nothing = shaping.apply(empty(schema).lazy())
        _, outcomes, _ = _first_pass(nothing, bound, (), small=True)
    if measured is None or shaping.changes:
        measured = _measured(frame, measure)
    found = lost + _with_masks(shaped, outcomes, bound, rows)
    found = [_without_lost(outcome, lost) for outcome in found]
    found = _with_samples(frame, schema, found)
    return Findings(rows, shaping, (*binding.failures, *failures), tuple(found), measured)


def collect(frame: pl.LazyFrame, small: bool = False) -> pl.DataFrame:
    """The rows of a plan in their order; with little memory where the plan reads a file."""
    return frame.collect(engine="in-memory" if small else "streaming")


def side_by_side(frame: pl.LazyFrame, masks: pl.DataFrame) -> pl.LazyFrame:
    """`frame` with the columns of `masks`, which has as many rows in the same order."""
    return pl.concat([frame, masks.lazy()], how="horizontal")


def described(error: BaseException) -> str:
    """An exception on one line."""
    return shortened(f"{type(error).__name__}: {error}")


def coerce(
    frame: pl.LazyFrame, shaping: Shaping
) -> tuple[Shaping, list[Outcome], list[FrameFailure]]:
    """Where coercion loses values: row by row, or for a column as a whole where the cast raises.

    The shaping that comes back leaves out the casts, and the defaults, that raise.
    """
    lost: list[Outcome] = []
    failures: list[FrameFailure] = []
    masks = shaping.uncoercible()
    for column in masks:
        rule = Rule("coerce_dtype", column, shaping.targets[column])
        try:
            mask = collect(frame.select(masks[column].alias("mask"))).to_series()
        except BROKEN as error:
            shaping = shaping.without(column)
            failures.append(FrameFailure(rule.name, column, described(error), rule.expected))
            continue
        failing = int(mask.sum())
        lost.append(Outcome(rule, mask if failing else None, failing, reads=(column,)))
    for column in shaping.retyped:
        try:
            collect(shaping.apply(frame).select(pl.col(column).null_count()))
        except BROKEN as error:
            shaping = shaping.without(column)
            failures.append(FrameFailure("default", column, described(error)))
    return shaping, lost, failures


def _measured(frame: pl.LazyFrame, measure: Sequence[pl.Expr]) -> dict[str, Any]:
    """The measures of `frame` by the name of each expression's output."""
    if not measure:
        return {}
    return collect(frame.select(measure)).row(0, named=True)


def _first_pass(
    frame: pl.LazyFrame, bound: list[Bound], measure: Sequence[pl.Expr], small: bool
) -> tuple[int, list[Outcome], Mapping[str, Any] | None]:
    """Rows, an outcome for each rule (`failing` may still be an indicator), and the measures.

    The measures are None where a rule that raises spoiled the pass.
    """
    traced = {f"r{i}": b.indicator for i, b in enumerate(bound) if b.indicator is not None}
    exprs = [pl.len().alias("rows"), *(e.alias(n) for n, e in traced.items())]
    exprs += [m.alias(f"m{i}") for i, m in enumerate(measure)]
    try:
        values = collect(frame.select(exprs), small).row(0, named=True)
    except BROKEN:
        rows, found, measured = *_one_by_one(frame, traced), None
    else:
        rows, found = values["rows"], values
        measured = {m.meta.output_name(): values[f"m{i}"] for i, m in enumerate(measure)}
    return (
        rows,
        [_first_outcome(frame, b, found.get(f"r{i}"), rows) for i, b in enumerate(bound)],
        measured,
    )


def _one_by_one(
    frame: pl.LazyFrame, traced: Mapping[str, pl.Expr]
) -> tuple[int, dict[str, int | BaseException]]:
    """The indicators where one of them raises, which must not hide the others."""
    try:
        rows = collect(frame.select(pl.len().alias("__rows"), pl.all().count())).item(0, 0)
    except BROKEN as error:
        raise Unreadable(described(error)) from error
    found: dict[str, int | BaseException] = {}
    for name, indicator in traced.items():
        try:
            found[name] = collect(frame.select(indicator)).item()
        except BROKEN as error:
            found[name] = error
    return rows, found


def _first_outcome(
    frame: pl.LazyFrame, bound: Bound, found: int | BaseException | None, rows: int
) -> Outcome:
    if bound.violation is None:
        return _run(frame, bound, rows)
    if isinstance(found, BaseException):
        return Outcome(bound.rule, problem=described(found), raised=True, whole=True)
    if bound.whole:
        return Outcome(bound.rule, problem=_observed(frame, bound) if found else "", whole=True)
    return Outcome(bound.rule, failing=int(found or 0), reads=bound.reads)


def _observed(frame: pl.LazyFrame, bound: Bound) -> str:
    """What an aggregate check compared, where the comparison is the top of its expression."""
    try:
        operands = [e for e in bound.source[0].meta.pop() if e.meta.root_names()]
        told = [f"{e} is {collect(frame.select(e)).item()}" for e in operands]
    except BROKEN:
        told = []
    return shortened(", ".join(told)) or _FALSE


def _run(frame: pl.LazyFrame, bound: Bound, rows: int) -> Outcome:
    """An opaque check, run as pandera runs it, and judged by what it returns."""
    rule = bound.rule
    try:
        passes = _passes(frame, bound)
    except BROKEN as error:
        return Outcome(rule, problem=described(error), raised=True, whole=True)
    if isinstance(passes, bool):
        return Outcome(rule, problem="" if passes else _FALSE, whole=True)
    if passes.all():
        return Outcome(rule, reads=_read_by(bound))
    if passes.len() != rows or (rows == 1 and _is_aggregate(frame, bound)):
        return _of_another_height(rule, passes.len(), rows)
    mask = ~passes
    return Outcome(rule, mask, int(mask.sum()), reads=_read_by(bound))


def _passes(frame: pl.LazyFrame, bound: Bound) -> bool | pl.Series:
    from pandera.api.polars.types import PolarsData
    from pandera.backends.polars.checks import PolarsCheckBackend

    check = bound.rule.check
    output = PolarsCheckBackend(check).apply(PolarsData(frame, bound.key))
    if isinstance(output, bool):
        return output
    if not isinstance(output, pl.LazyFrame):
        raise TypeError(f"the check returned {type(output).__name__}, not a LazyFrame or a bool")
    passes = output.collect().to_series()
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


def _of_another_height(rule: Rule, height: int, rows: int) -> Outcome:
    problem = _FALSE if height == 1 else f"{height} results for {rows} rows, not all of them true"
    return Outcome(rule, problem=problem, whole=True)


def _with_masks(
    frame: pl.LazyFrame, outcomes: list[Outcome], bound: list[Bound], rows: int
) -> list[Outcome]:
    """The outcomes with a mask for each traced rule that failed, and the exact count."""
    failed = {
        str(i): b.violation
        for i, (o, b) in enumerate(zip(outcomes, bound, strict=True))
        if o.failing and o.mask is None and b.violation is not None
    }
    if not failed:
        return outcomes
    masks = _masks(frame, failed, rows)
    return [
        _masked(outcome, masks[str(i)], rows) if str(i) in masks else outcome
        for i, outcome in enumerate(outcomes)
    ]


def _masks(
    frame: pl.LazyFrame, failed: Mapping[str, pl.Expr], rows: int
) -> dict[str, pl.Series | BaseException]:
    """What each violation gives, together where that works; it may differ in height."""
    heights = [violation.len().alias(name) for name, violation in failed.items()]
    try:
        if all(height == rows for height in collect(frame.select(heights)).row(0)):
            found = collect(frame.select(v.alias(n) for n, v in failed.items()))
            return {name: found[name] for name in failed}
    except BROKEN:
        pass
    masks: dict[str, pl.Series | BaseException] = {}
    for name, violation in failed.items():
        try:
            masks[name] = collect(frame.select(violation)).to_series()
        except BROKEN as error:
            masks[name] = error
    return masks


def _masked(outcome: Outcome, mask: pl.Series | BaseException, rows: int) -> Outcome:
    if isinstance(mask, BaseException):
        return Outcome(outcome.rule, problem=described(mask), raised=True, whole=True)
    if mask.len() != rows:
        return _of_another_height(outcome.rule, mask.len(), rows)
    failing = int(mask.sum())
    return replace(outcome, mask=mask if failing else None, failing=failing)


def _without_lost(outcome: Outcome, lost: Iterable[Outcome]) -> Outcome:
    """`outcome` less the rows whose value could not be coerced: they fail for that alone."""
    for loss in lost:
        if loss.mask is None or outcome.mask is None or outcome.rule.name == loss.rule.name:
            continue
        if set(loss.reads) & set(outcome.reads):
            mask = outcome.mask & ~loss.mask
            failing = int(mask.sum())
            outcome = replace(outcome, mask=mask if failing else None, failing=failing)
    return outcome


def _with_samples(frame: pl.LazyFrame, schema: pl.Schema, outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes with up to five distinct failing values for each rule that rows fail."""
    failed = {str(i): o for i, o in enumerate(outcomes) if o.mask is not None}
    if not failed:
        return outcomes
    masks = pl.DataFrame({f"__millgate_{n}": o.mask for n, o in failed.items()})
    samples = [
        value_of(o, schema, pl.col(f"__millgate_{n}"), _SAMPLED_FROM)
        .fill_null("null")
        .unique(maintain_order=True)
        .head(_SAMPLED)
        .implode()
        .alias(n)
        for n, o in failed.items()
        if any(name in schema for name in o.reads)
    ]
    if not samples:
        return outcomes
    found = collect(side_by_side(frame, masks).select(samples)).row(0, named=True)
    return [
        replace(outcome, sample=tuple(map(shortened, found.get(str(i)) or ())))
        for i, outcome in enumerate(outcomes)
    ]


def value_of(
    outcome: Outcome, schema: pl.Schema, mask: pl.Expr | None = None, limit: int = 0
) -> pl.Expr:
    """What the rule of `outcome` read of a row, as text: the value, or `a=1, b=2` for several."""
    texts = {}
    for name in outcome.reads:
        if name in schema:
            value = pl.col(name) if mask is None else pl.col(name).filter(mask).head(limit)
            texts[name] = text_of(value, schema[name])
    if not texts:
        return pl.lit(None, dtype=pl.String)
    if len(texts) == 1:
        return next(iter(texts.values()))
    return pl.concat_str(
        [pl.lit(f"{name}=") + text.fill_null("null") for name, text in texts.items()],
        separator=", ",
    )
