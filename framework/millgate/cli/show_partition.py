"""Why a partition is as it is, as people read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.text import Text

from millgate.cli.blocking import Obstacle, obstacle_text
from millgate.cli.grid import Cell, Column, counted, grid, hanging
from millgate.cli.moments import ago, local
from millgate.cli.ranges import grain_of, summary
from millgate.cli.show_plan import command_line, next_line
from millgate.lineage.last_error import error_text
from millgate.lineage.questions import StepSummary
from millgate.lineage.refusals import CheckRow
from millgate.lineage.why import InputRow, JudgementRow, StaleCause, VersionRow, Why
from millgate.model.partition import label
from millgate.model.record import show_id

_STATES = {
    "held": ("yellow", "its newest version waits in quarantine"),
    "discarded": ("yellow", "its newest version was refused, and discarded by a person"),
    "failed": ("bold red", "its last step failed"),
    "blocked": ("yellow", "its last step was blocked"),
    "failing": ("yellow", "live, but today's gate refuses it"),
    "rolled back": ("cyan", "it stays so until its code or inputs change"),
    "outside": ("yellow", "live, but no longer in the asset's definition"),
    "stale": ("cyan", "live, and to be made again"),
    "live": ("green", "live"),
    "missing": ("dim", "never made"),
}
_LISTED = 8


def why_lines(why: Why, now: datetime, width: int | None) -> Iterator[Text]:
    """State, cause, checks, inputs, versions and decisions, and what to type next."""
    name = label(why.asset, why.partition)
    style, means = _STATES[why.state]
    title = Text.assemble((name, "bold"), "  ", (why.state, style))
    if means != why.state:
        title.append("  ")
    yield from hanging(title, "" if means == why.state else means, width)
    for fact, value in _facts(why, now):
        yield from hanging(Text(f" {fact:<9} ", "dim"), value, width)
    yield from check_lines(why.results, width)
    yield from input_lines(why.inputs, width)
    yield from _versions(why.versions, now, width)
    yield from _decisions(why, now, width)
    command = _next(why, name)
    if command:
        yield from next_line(command, width)


def check_lines(results: Sequence[CheckRow], width: int | None) -> Iterator[Text]:
    """The checks that failed, with some of the values that did and what was asked for."""
    failed = [result for result in results if not result.passed]
    if failed:
        yield Text()
        rows = [(result.severity, _failed_check(result)) for result in failed]
        yield from grid((Column("severity"), Column("failed check")), rows, width)


def _failed_check(result: CheckRow) -> str:
    text = result.message
    if result.sample:
        text += f", such as {', '.join(result.sample)}"
    if result.expected and result.expected not in text:
        text += f" ({result.expected})"
    return text


def verdict_text(judgement: JudgementRow) -> str:
    """A judgement in a few words."""
    rows = counted(judgement.rows, "row")
    if judgement.rejected_rows:
        fail = "fails" if judgement.rejected_rows == 1 else "fail"
        return f"{judgement.verdict}: {judgement.rejected_rows:,} of {rows} {fail}"
    if judgement.verdict == "hold":
        return f"hold: the partition fails as a whole, {rows}"
    return f"{judgement.verdict}: {rows}"


def version_text(version: VersionRow, now: datetime) -> str:
    """A version with who made it, when and how large."""
    made = f"{local(version.created_at, now)} ({ago(version.created_at, now)})"
    source = "" if version.derived_from is None else f" from {show_id(version.derived_from)}"
    head = f"{show_id(version.materialization)}{source} of run {version.run}"
    return f"{head}, {made}, {counted(version.rows, 'row')}"


def _facts(why: Why, now: datetime) -> Iterator[tuple[str, Cell]]:
    if why.version:
        yield "version", version_text(why.version, now)
    if why.live and why.live != why.version:
        yield "live", version_text(why.live, now)
    elif why.version and not why.live:
        yield "live", "nothing"
    if why.judgement:
        yield "verdict", verdict_text(why.judgement)
    for cause in why.stale[:_LISTED]:
        yield "stale", _stale_text(cause)
    if len(why.stale) > _LISTED:
        yield "stale", f"and {len(why.stale) - _LISTED:,} more reasons"
    if why.steps:
        step = why.steps[0]
        yield "last step", f"run {step.run}, {_step_text(step)}"
        if step.error:
            yield "error", error_text(step)


def _step_text(step: StepSummary) -> str:
    if step.outcome == "blocked" and step.blocked_by:
        return f"blocked {obstacle_text([Obstacle(step.blocked_by, step.cause)])}"
    return f"{step.action} because {cause_text(step)}: {step.outcome}"


def cause_text(step: StepSummary) -> str:
    """Why a step was planned."""
    if step.cause_asset is None:
        return step.cause
    return f"{step.cause} ({label(step.cause_asset, step.cause_partition or '')})"


def _stale_text(stale: StaleCause) -> str:
    if stale.cause_asset is None:
        return stale.cause
    return f"{stale.cause}: {label(stale.cause_asset, stale.cause_partition or '')}"


def input_lines(inputs: Sequence[InputRow], width: int | None) -> Iterator[Text]:
    """What a version was made from, by asset, and whether it has changed since."""
    by_asset: dict[str, list[InputRow]] = defaultdict(list)
    for given in inputs:
        by_asset[given.asset].append(given)
    if not by_asset:
        return
    rows = []
    for asset, versions in by_asset.items():
        keys = [version.partition for version in versions]
        changed = sum(version.changed for version in versions)
        made = show_id(versions[0].materialization) if len(versions) == 1 else str(len(versions))
        said = f"{changed:,} changed since" if changed and len(versions) > 1 else "changed since"
        rows.append((asset, summary(keys, grain_of(keys[0])) or "-", made, said if changed else ""))
    yield Text()
    columns = (Column("made from"), Column("partitions"), Column("version", "right"), Column(""))
    yield from grid(columns, rows, width)


def _versions(versions: Sequence[VersionRow], now: datetime, width: int | None) -> Iterator[Text]:
    if len(versions) < 2:
        return
    rows: list[Sequence[Cell]] = [
        (
            show_id(version.materialization),
            local(version.created_at, now),
            f"{version.rows:,}",
            version.verdict or "-",
            _place(version),
        )
        for version in versions[:_LISTED]
    ]
    if len(versions) > _LISTED:
        rows.append((f"and {len(versions) - _LISTED:,} more", "", "", "", ""))
    yield Text()
    yield from grid(
        (
            Column("version"),
            Column("made"),
            Column("rows", "right"),
            Column("verdict"),
            Column("where"),
        ),
        rows,
        width,
    )


def _place(version: VersionRow) -> Cell:
    if version.live:
        return Text("live", "green")
    if version.removed_at is not None:
        return "removed"
    return "quarantine" if version.location == "quarantine" else "superseded"


def _decisions(why: Why, now: datetime, width: int | None) -> Iterator[Text]:
    """What people decided, the newest first."""
    decided = [
        (entry.decided_at, entry.status, entry.actor, entry.reason)
        for entry in why.quarantine
        if entry.decided_at is not None and entry.reason
    ]
    decided += [
        (p.promoted_at, p.kind, p.actor, p.reason)
        for p in why.promotions
        if p.reason and p.kind != "release"
    ]
    if decided:
        yield Text()
    for moment, what, actor, reason in sorted(decided, key=lambda one: one[0], reverse=True):
        head = f" {local(moment, now)}  {what} by {actor}: "
        yield from hanging(head, reason or "", width)


def _next(why: Why, name: str) -> str:
    step = why.steps[0] if why.steps else None
    match why.state:
        case "held":
            return command_line("quarantine show", name)
        case "failed":
            return command_line("logs", name)
        case "blocked" if step and step.blocked_by:
            return command_line("why", step.blocked_by)
        case "failing":
            return command_line("plan", name, ["--enforce"])
        case "outside":
            return command_line("retire", name, ["--dry-run"])
        case "missing" | "stale":
            return command_line("plan", name)
    return ""
