"""Rules evaluated on a frame: one select where everything passes, masks per row where not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from millgate.gate.binding import Binding, Bound, rebound
from millgate.gate.failing_rows import FailingRows, marked
from millgate.gate.outcome import FrameFailure, Outcome, Rule
from millgate.gate.reading_once import by_row, read_once, violating
from millgate.gate.sampling import IN_ORDER, with_samples
from millgate.gate.shaping import Shaping, empty
from millgate.gate.uniqueness import may_repeat, repeats
from millgate.gate.wording import shortened

BROKEN = (Exception, pl.exceptions.PanicException)
"""What a user's check may raise while polars runs it; a panic of polars is no Exception."""

SMALL = 100_000
"""Rows of a frame in memory up to which starting a streaming engine costs more than it saves."""

_FIRST_ROWS = 200_000
"""Rows of a stream that tell which rules to expect to fail in the rest of it."""

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
    if not small:
        bound = [_streamed(b, binding.shaped) if b.key_of else b for b in bound]
    rows, outcomes, measured = _first_pass(shaped, bound, here, small)
    if not rows:  # without rows a stream raises nothing, and a plan may say what rows would
        nothing = shaping.apply(empty(schema).lazy())
        _, outcomes, _ = _first_pass(nothing, bound, (), small=True)
    if measured is None or shaping.changes:
        measured = _measured(frame, measure)
    found = lost + _with_masks(shaped, outcomes, bound, rows)
    found = [_without_lost(outcome, lost) for outcome in found]
    found = with_samples(frame, schema, found)
    return Findings(rows, shaping, (*binding.failures, *failures), tuple(found), measured)


def inspect_rest(
    frame: pl.LazyFrame, binding: Binding, *, small: bool = False
) -> tuple[Outcome, ...]:
    """What `binding` finds in the rows that are left once others were rejected, already shaped.

    Only checks that look beyond a row are asked again: what else holds for all rows holds for some.
    """
    fresh = [rebound(b, binding.shaped) for b in binding.rules if b.rule.check is not None]
    asked = tuple(b for b in fresh if _looks_further(b))
    if not asked:
        return ()
    rest = Binding(Shaping(), binding.shaped, (), asked)
    return inspect_frame(frame, binding.shaped, rest, (), small=small).outcomes


def _looks_further(bound: Bound) -> bool:
    return not bound.rule.check.element_wise and (bound.whole or not by_row(bound.violation))


def _streamed(bound: Bound, shaped: pl.Schema) -> Bound:
    """A rule on a key as a stream is asked: first whether the key may repeat, where only then."""
    first = bound.key_of[0]
    return replace(bound, violation=None, indicator=may_repeat(first, shaped[first]))


def collect(frame: pl.LazyFrame, small: bool = False) -> pl.DataFrame:
    """The rows of a plan in their order; with little memory where the plan reads a file."""
    return frame.collect(engine="in-memory" if small else "streaming", optimizations=IN_ORDER)


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
        lost.append(_with_mask(Outcome(rule, reads=(column,)), marked(mask)))
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
    asked = {"rows": pl.len(), **traced, **{f"m{i}": m for i, m in enumerate(measure)}}
    first = frame if small else frame.head(_FIRST_ROWS)
    masks: Mapping[str, FailingRows] = {}
    try:
        values = collect(first.select(e.alias(n) for n, e in asked.items()), small)
        found = values.row(0, named=True)
        if not small and found["rows"] == _FIRST_ROWS:
            found, masks = _all_rows(frame, bound, asked, found)
    except BROKEN:
        rows, found, measured = *_one_by_one(frame, traced), None
    else:
        rows = found["rows"]
        measured = {m.meta.output_name(): found[f"m{i}"] for i, m in enumerate(measure)}
    outcomes = [_first_outcome(frame, b, found.get(f"r{i}"), rows) for i, b in enumerate(bound)]
    for name, mask in masks.items():
        place = int(name.removeprefix("r"))
        outcomes[place] = _with_mask(outcomes[place], mask)
    return rows, outcomes, measured


def _all_rows(
    frame: pl.LazyFrame,
    bound: list[Bound],
    asked: Mapping[str, pl.Expr],
    told: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, FailingRows]]:
    """What `asked` gives on a long stream, and the rows that fail rules that its first rows fail.

    `told` is what it gives on these; they are a guess of what it pays to take along.
    """
    rules = {f"r{i}": b for i, b in enumerate(bound) if b.indicator is not None}
    steady = {n: b.violation for n, b in rules.items() if not b.whole and by_row(b.violation)}
    failing = {n: e for n, e in steady.items() if e is not None and told[n]}
    apart = {n: asked[n] for n in rules if n not in steady}
    values = {n: e for n, e in asked.items() if n not in apart and n not in failing}
    found, masks = read_once(frame, values, apart, failing)
    return found | {n: mask.count for n, mask in masks.items()}, masks


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
    if bound.indicator is None:
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
    return _with_mask(Outcome(rule, reads=_read_by(bound)), marked(~passes))


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


def _of_another_height(rule: Rule, height: int, rows: int) -> Outcome:
    problem = _FALSE if height == 1 else f"{height} results for {rows} rows, not all of them true"
    return Outcome(rule, problem=problem, whole=True)


def _with_masks(
    frame: pl.LazyFrame, outcomes: list[Outcome], bound: list[Bound], rows: int
) -> list[Outcome]:
    """The outcomes with a mask for each traced rule that failed, and the exact count."""
    failed = {
        str(i): b
        for i, (o, b) in enumerate(zip(outcomes, bound, strict=True))
        if o.failing and o.mask is None
    }
    if not failed:
        return outcomes
    masks = _masks(frame, failed, rows)
    return [
        _masked(outcome, masks[str(i)], rows) if str(i) in masks else outcome
        for i, outcome in enumerate(outcomes)
    ]


def _masks(
    frame: pl.LazyFrame, failed: Mapping[str, Bound], rows: int
) -> dict[str, FailingRows | pl.Series | BaseException]:
    """The rows that fail each rule, together where that works; a series may differ in height."""
    masks: dict[str, FailingRows | pl.Series | BaseException] = {}
    violations = {n: b.violation for n, b in failed.items() if b.violation is not None}
    heights = [violation.len().alias(name) for name, violation in violations.items()]
    try:
        if heights and all(height == rows for height in collect(frame.select(heights)).row(0)):
            masks |= violating(frame, violations, rows)
    except BROKEN:
        pass
    for name, bound in failed.items():
        try:
            if bound.violation is None:
                masks[name] = repeats(frame, bound.key_of, rows)
            elif name not in masks:
                masks[name] = collect(frame.select(bound.violation)).to_series()
        except BROKEN as error:
            masks[name] = error
    return masks


def _masked(outcome: Outcome, mask: FailingRows | pl.Series | BaseException, rows: int) -> Outcome:
    if isinstance(mask, BaseException):
        return Outcome(outcome.rule, problem=described(mask), raised=True, whole=True)
    if isinstance(mask, FailingRows):
        return _with_mask(outcome, mask)
    if mask.len() != rows:
        return _of_another_height(outcome.rule, mask.len(), rows)
    return _with_mask(outcome, marked(mask))


def _with_mask(outcome: Outcome, mask: FailingRows) -> Outcome:
    return replace(outcome, mask=mask if mask.count else None, failing=mask.count)


def _without_lost(outcome: Outcome, lost: Iterable[Outcome]) -> Outcome:
    """`outcome` less the rows whose value could not be coerced: they fail for that alone."""
    for loss in lost:
        if loss.mask is None or outcome.mask is None or outcome.rule.name == loss.rule.name:
            continue
        if set(loss.reads) & set(outcome.reads):
            outcome = _with_mask(outcome, marked(outcome.mask.marks & ~loss.mask.marks))
    return outcome
