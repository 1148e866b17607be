"""What a gate makes of a frame: the judgement, and the rows that pass and those that do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from millgate.gate.failing_rows import FailingRows, any_of
from millgate.gate.inspection import Findings
from millgate.gate.outcome import Outcome
from millgate.gate.own_rules import compare_results, recent_results, rows_result
from millgate.gate.reasons import MASK_PREFIX, REASONS, masks_of, side_by_side, with_reasons
from millgate.gate.surroundings import Surroundings
from millgate.gate.verdict import decide
from millgate.model.policy import Gate
from millgate.model.record import CheckResult, Judgement

RESERVED = (REASONS, "quarantine_materialization")
"""Columns that quarantine adds to rejected rows, so that data must not have them."""

FAILING = f"{MASK_PREFIX}failing"
"""Name of the column that `flagged` adds."""

Frame = pl.DataFrame | pl.LazyFrame


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A judgement with what is needed to part the rows that it speaks of.

    `measured` has the caller's measures, taken on the frame as it came: they are those of the
    accepted rows unless the gate `rewrites`. `accepted` and `rejected` want the frame that was
    judged, or one with the same rows in the same order, and return its kind.
    """

    judgement: Judgement
    _findings: Findings
    _rejecting: tuple[Outcome, ...]
    """The failed rules that reject rows, each with its mask."""
    _failing: FailingRows
    """The rows that fail any of these."""

    @property
    def measured(self) -> Mapping[str, Any]:
        return self._findings.measured

    @property
    def reshapes(self) -> bool:
        """Whether the schema gives the rows that it accepts another form."""
        return self._findings.shaping.changes

    @property
    def rewrites(self) -> bool:
        """Whether the accepted rows differ from the frame that was judged."""
        return self.judgement.verdict == "split" or self.reshapes

    @property
    def failing(self) -> pl.Series:
        """For each row of the frame that was judged, whether it fails an error rule."""
        return self._failing.marks

    def accepted(self, frame: Frame) -> Frame:
        """The rows that enter production, in the form the schema gives them; none on hold."""
        if self.judgement.verdict == "promote" and not self.rewrites:
            return frame
        return _as(frame, self._accepted(frame.lazy()))

    def rejected(self, frame: Frame) -> Frame:
        """The rows that go to quarantine, as they came, each with its `quarantine_reasons`.

        On split those that fail, on hold all of them (without reasons where the row itself
        passes), otherwise none.
        """
        if self.judgement.verdict != "split":
            rows, masks = frame.lazy(), masks_of(self._rejecting)
            if self.judgement.verdict == "promote":
                rows, masks = rows.head(0), masks.head(0)
            return _as(frame, with_reasons(rows, masks, self._rejecting))
        failing = self.flagged(frame.lazy()).filter(FAILING).drop(FAILING)
        return _as(frame, self.with_reasons(failing))

    def flagged(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The frame that was judged, with the column `FAILING`."""
        return flagged(frame, self._failing)

    def with_reasons(self, failing: pl.LazyFrame) -> pl.LazyFrame:
        """The failing rows, all of them and in order, each with its `quarantine_reasons`."""
        masks = masks_of(self._rejecting, among=self._failing)
        return with_reasons(failing, masks, self._rejecting)

    def _accepted(self, plan: pl.LazyFrame) -> pl.LazyFrame:
        shaped = self._findings.shaping.apply(plan)
        if self.judgement.verdict == "hold":
            return shaped.head(0)
        if self.judgement.verdict == "promote":
            return shaped
        return without(shaped, self._failing)


def evaluation_of(
    policy: Gate,
    fingerprint: str,
    found: Findings,
    broken: tuple[CheckResult, ...],
    frame: pl.LazyFrame,
    around: Surroundings | None,
    rest: Callable[[pl.LazyFrame], Sequence[Outcome]],
) -> Evaluation:
    """The evaluation that follows from what was found in `frame` and what breaks the contract.

    `rest` inspects the rows that a split would let in, which must pass without the others.
    """
    outcomes = [_without_leave(policy, outcome) for outcome in found.outcomes]
    rejecting = tuple(o for o in outcomes if o.mask is not None and o.severity == "error")
    failing = any_of([o.mask for o in rejecting if o.mask is not None], found.rows)
    rejected = failing.count
    splits = rejected > 0 and policy.on_failure == "split"
    entering = found.rows - rejected if splits else found.rows
    kept = found.shaping.apply(frame)
    if splits:
        kept = without(kept, failing)
    own = (
        *rows_result(policy, found.rows, entering),
        *compare_results(policy, entering, around, found.rows),
        *recent_results(policy, kept, around, found.rows),
        *broken,
    )
    results = (*_results(found, outcomes), *own)
    judgement = decide(policy, fingerprint, found.rows, rejected, results)
    if judgement.verdict == "split":
        outcomes = _failing_alone(outcomes, rest(kept), rejected, entering)
        results = (*_results(found, outcomes), *own)
        judgement = decide(policy, fingerprint, found.rows, rejected, results)
    if around is not None and around.fingerprint:
        judgement = replace(
            judgement, reference_fingerprint=around.fingerprint, looked_at=around.looked_at
        )
    return Evaluation(judgement, found, rejecting, failing)


def _results(found: Findings, outcomes: Sequence[Outcome]) -> list[CheckResult]:
    failures = [failure.result(found.rows) for failure in found.failures]
    return failures + [outcome.result(found.rows) for outcome in outcomes]


def _failing_alone(
    outcomes: Sequence[Outcome], rest: Sequence[Outcome], rejected: int, left: int
) -> list[Outcome]:
    """The outcomes, failures of the whole where the rows that are left break a rule alone."""
    broken = [again for again in rest if not again.passed and again.severity == "error"]
    return [
        next((o.without(rejected, again, left) for again in broken if again.rule is o.rule), o)
        for o in outcomes
    ]


def flagged(frame: pl.LazyFrame, failing: FailingRows) -> pl.LazyFrame:
    """`frame` with the column `FAILING`, true for these rows of it."""
    return side_by_side(frame, failing.marks_as(FAILING))


def without(frame: pl.LazyFrame, failing: FailingRows) -> pl.LazyFrame:
    """The rows of `frame` that are not among these."""
    return flagged(frame, failing).filter(~pl.col(FAILING)).drop(FAILING)


def _without_leave(policy: Gate, outcome: Outcome) -> Outcome:
    """Under `warn` a value that cannot be coerced holds: there is no value to let pass."""
    if outcome.rule.name != "coerce_dtype" or policy.on_failure != "warn" or outcome.passed:
        return outcome
    problem = f"{outcome.failing} values cannot be coerced"
    return Outcome(outcome.rule, problem=problem, whole=True, sample=outcome.sample)


def _as(frame: Frame, plan: pl.LazyFrame) -> Frame:
    return plan.collect() if isinstance(frame, pl.DataFrame) else plan
