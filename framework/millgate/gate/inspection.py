"""Rules evaluated on a frame: one select where everything passes, masks per row where not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from millgate.gate.binding import Binding, Bound, rebound
from millgate.gate.failing_rows import FailingRows, marked
from millgate.gate.opaque import BROKEN, FALSE, described, of_another_height, run_opaque
from millgate.gate.outcome import FrameFailure, Outcome, Rule
from millgate.gate.reading_once import by_row, read_once, violating
from millgate.gate.sampling import IN_ORDER, with_samples
from millgate.gate.shaping import Shaping, empty
from millgate.gate.uniqueness import may_repeat, repeats
from millgate.gate.wording import shortened

SMALL = 100_000
"""Rows of a frame in memory up to which starting a streaming engine costs more than it saves."""

_FIRST_ROWS = 200_000
"""Rows of a stream that tell which rules to expect to fail in the rest of it."""


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


@dataclass(frozen=True)
class Asked:
    """A frame, the rules on it, and the measures to be taken of it as it came.

    `small` says that the frame is in memory and has few rows.
    """

    frame: pl.LazyFrame
    schema: pl.Schema
    binding: Binding
    measure: Sequence[pl.Expr] = ()
    small: bool = False


@dataclass(frozen=True)
class _Begun:
    """A frame in the form that its schema gives it, and what a first pass over it asks."""

    frame: pl.LazyFrame
    shaping: Shaping
    lost: list[Outcome]
    failures: list[FrameFailure]
    bound: list[Bound]
    measure: Sequence[pl.Expr]
    """The measures that the first pass takes along."""
    small: bool

    @property
    def indicators(self) -> dict[str, pl.Expr]:
        return {f"r{i}": b.indicator for i, b in enumerate(self.bound) if b.indicator is not None}

    @property
    def values(self) -> dict[str, pl.Expr]:
        measures = {f"m{i}": measure for i, measure in enumerate(self.measure)}
        return {"rows": pl.len(), **self.indicators, **measures}

    @property
    def first(self) -> pl.LazyFrame:
        """The plan of the first pass."""
        rows = self.frame if self.small else self.frame.head(_FIRST_ROWS)
        return rows.select(value.alias(name) for name, value in self.values.items())


def inspect_frames(asked: Sequence[Asked]) -> list[Findings]:
    """What the rules find in each frame; raises Unreadable if one cannot be read."""
    begun = [_begun(each) for each in asked]
    first = _small_ones(begun)
    return [_found(*each) for each in zip(asked, begun, first, strict=True)]


def _begun(asked: Asked) -> _Begun:
    shaping, lost, failures = coerce(asked.frame, asked.binding.shaping)
    shaped, unshaped = asked.binding.shaped, {failure.column for failure in failures}
    bound = [rebound(b, shaped) for b in asked.binding.rules if b.column not in unshaped]
    if not asked.small:
        bound = [_streamed(b, shaped) if b.key_of else b for b in bound]
    measure = () if shaping.changes else asked.measure
    frame = shaping.apply(asked.frame)
    return _Begun(frame, shaping, lost, failures, bound, measure, asked.small)


def _small_ones(begun: Sequence[_Begun]) -> list[pl.DataFrame | None]:
    """The first pass over each small frame, made as one; None for what is to be read by itself."""
    plans = [each.first if each.small else None for each in begun]
    small = [plan for plan in plans if plan is not None]
    if len(small) < 2:
        return [None] * len(begun)
    try:
        made = iter(pl.collect_all(small, engine="in-memory", optimizations=IN_ORDER))
    except BROKEN:
        return [None] * len(begun)
    return [plan if plan is None else next(made) for plan in plans]


def _found(asked: Asked, begun: _Begun, first: pl.DataFrame | None) -> Findings:
    rows, outcomes, measured = _first_pass(begun, first)
    if not rows:  # without rows a stream raises nothing, and a plan may say what rows would
        nothing = begun.shaping.apply(empty(asked.schema).lazy())
        _, outcomes, _ = _first_pass(replace(begun, frame=nothing, measure=(), small=True))
    if measured is None or begun.shaping.changes:
        measured = _measured(asked.frame, asked.measure)
    found = begun.lost + _with_masks(begun.frame, outcomes, begun.bound, rows)
    found = [_without_lost(outcome, begun.lost) for outcome in found]
    found = with_samples(asked.frame, asked.schema, found)
    failures = (*asked.binding.failures, *begun.failures)
    return Findings(rows, begun.shaping, failures, tuple(found), measured)


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
    return inspect_frames([Asked(frame, binding.shaped, rest, small=small)])[0].outcomes


def _looks_further(bound: Bound) -> bool:
    return not bound.rule.check.element_wise and (bound.whole or not by_row(bound.violation))


def _streamed(bound: Bound, shaped: pl.Schema) -> Bound:
    """A rule on a key as a stream is asked: first whether the key may repeat, where only then."""
    first = bound.key_of[0]
    return replace(bound, violation=None, indicator=may_repeat(first, shaped[first]))


def collect(frame: pl.LazyFrame, small: bool = False) -> pl.DataFrame:
    """The rows of a plan in their order; with little memory where the plan reads a file."""
    return frame.collect(engine="in-memory" if small else "streaming", optimizations=IN_ORDER)


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
        lost.append(Outcome(rule, reads=(column,)).with_mask(marked(mask)))
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
    begun: _Begun, values: pl.DataFrame | None = None
) -> tuple[int, list[Outcome], Mapping[str, Any] | None]:
    """Rows, an outcome for each rule (`failing` may still be an indicator), and the measures.

    `values` is what the first pass gave, where it was made already. The measures are None where a
    rule that raises spoiled the pass.
    """
    frame, bound = begun.frame, begun.bound
    masks: Mapping[str, FailingRows] = {}
    try:
        if values is None:
            values = collect(begun.first, begun.small)
        found = dict(zip(values.columns, values.row(0), strict=True))
        if not begun.small and found["rows"] == _FIRST_ROWS:
            found, masks = _all_rows(frame, bound, begun.values, found)
    except BROKEN:
        rows, found, measured = *_one_by_one(frame, begun.indicators), None
    else:
        rows = found["rows"]
        measured = {m.meta.output_name(): found[f"m{i}"] for i, m in enumerate(begun.measure)}
    outcomes = [_first_outcome(frame, b, found.get(f"r{i}"), rows) for i, b in enumerate(bound)]
    for name, mask in masks.items():
        place = int(name.removeprefix("r"))
        outcomes[place] = outcomes[place].with_mask(mask)
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
        return run_opaque(frame, bound, rows)
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
    return shortened(", ".join(told)) or FALSE


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
        return outcome.with_mask(mask)
    if mask.len() != rows:
        return of_another_height(outcome.rule, mask.len(), rows)
    return outcome.with_mask(marked(mask))


def _without_lost(outcome: Outcome, lost: Iterable[Outcome]) -> Outcome:
    """`outcome` less the rows whose value could not be coerced: they fail for that alone."""
    for loss in lost:
        if loss.mask is None or outcome.mask is None or outcome.rule.name == loss.rule.name:
            continue
        if set(loss.reads) & set(outcome.reads):
            outcome = outcome.with_mask(marked(outcome.mask.marks & ~loss.mask.marks))
    return outcome
