"""What came of steps and runs, as records and as one line for people."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from millgate.model.record import Judgement, Run, RunStatus, StepRecord
from millgate.model.request import Done, Report

_STATUS: dict[int, RunStatus] = {0: "succeeded", 3: "held", 130: "cancelled"}


def judgement_message(judgement: Judgement) -> str:
    """One line about a judgement: what failed, or how many rows were rejected.

    A clean judgement needs no words.
    """
    failed = judgement.failed
    if not failed:
        return ""
    others = len(failed) - 1
    more = f" (and {others} more check{'s' if others > 1 else ''})" if others else ""
    first = max(failed, key=lambda r: judgement.rows if r.failing_rows is None else r.failing_rows)
    if judgement.verdict == "split":
        rows = f"{judgement.rejected_rows:,} of {judgement.rows:,} rows rejected"
        return f"{rows}: {first.message}{more}"
    return f"{first.message}{more}"


def step_record(number: int, run: int, done: Done, blocked_by: str | None) -> StepRecord:
    """The row of `lineage.steps` for what came of a step."""
    step = done.step
    return StepRecord(
        number,
        run,
        step.asset,
        step.key,
        step.action,
        step.cause.kind,
        step.cause.asset,
        step.cause.partition,
        done.outcome,
        blocked_by if done.outcome in ("blocked", "refused") else None,
    )


def ended(run: Run, report: Report, now: datetime) -> Run:
    """The run as it is recorded when it is over."""
    failed = report.having("failed")
    return replace(
        run,
        status=_STATUS.get(report.exit_status, "failed"),
        finished_at=now,
        exit_status=report.exit_status,
        message=f"{failed[0].step}: {failed[0].message}" if failed else None,
    )
