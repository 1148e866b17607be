"""Past runs, their steps, and what their attempts printed, as people read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from rich.text import Text

from millgate.cli.blocking import Obstacle, obstacle_text
from millgate.cli.grid import Cell, Column, grid, hanging
from millgate.cli.moments import local, took
from millgate.cli.ranges import grain_of, spans, summary
from millgate.cli.show_health import ended
from millgate.cli.show_plan import command_line, next_line
from millgate.cli.show_report import STYLES
from millgate.lineage.last_error import error_text
from millgate.lineage.questions import AttemptRow, RunSummary, StepSummary
from millgate.model.partition import label
from millgate.store.locks import RunInfo

_ORDER = ("failed", "held", "refused", "blocked", "cancelled", "made", "unchanged", "judged")


@dataclass(frozen=True)
class Logged:
    """An attempt with what it printed; `log` is empty if it printed nothing."""

    attempt: AttemptRow
    log: str


def runs_lines(
    runs: Sequence[RunSummary], alive: Sequence[RunInfo], now: datetime, width: int | None
) -> Iterator[Text]:
    """A line for each run, the newest first; runs that have not committed yet come before."""
    recorded = {run.run for run in runs}
    rows: list[Sequence[Cell]] = [
        (str(info.run), Text("running", "cyan"), local(info.started_at, now), "-", info.actor, told)
        for info in reversed(alive)
        if info.run not in recorded
        for told in [f"{info.command} {info.selection}".strip()]
    ]
    rows += [
        (
            str(run.run),
            ended(run, alive),
            local(run.started_at, now),
            _duration(run),
            run.actor,
            f"{run.command} {run.selection}".strip() + _numbers(run),
        )
        for run in runs
    ]
    if not rows:
        yield Text("No run is on record.")
        return
    titles = (Column("run", "right"), Column("ended"), Column("started"), Column("took", "right"))
    yield from grid((*titles, Column("by"), Column("command")), rows, width)


def run_lines(
    run: RunSummary,
    steps: Sequence[StepSummary],
    alive: Sequence[RunInfo],
    now: datetime,
    width: int | None,
) -> Iterator[Text]:
    """One run: how it went, and its steps by outcome with adjacent keys as ranges."""
    head = Text(f"run {run.run}  ", "bold")
    what = f"{run.command} {run.selection}".strip()
    took_text = "" if run.finished_at is None else f", {_duration(run)}"
    body = f"{what}, {local(run.started_at, now)}{took_text}, by {run.actor} on {run.host}: "
    yield from hanging(head, body + ended(run, alive), width)
    if run.message:
        yield from hanging(Text(" error  ", "bold red"), run.message, width)
    groups: dict[tuple[str, str, object], list[StepSummary]] = defaultdict(list)
    for step in steps:
        told = Obstacle(step.blocked_by, step.cause).alike if step.blocked_by else _said(step)
        groups[step.outcome, step.asset, told].append(step)
    rows: list[Sequence[Cell]] = []
    for group in sorted(groups, key=lambda group: _ORDER.index(group[0])):
        outcome, asset, _ = group
        keys = [step.partition for step in groups[group]]
        obstacles = [Obstacle(s.blocked_by, s.cause) for s in groups[group] if s.blocked_by]
        said = obstacle_text(obstacles) if obstacles else _said(groups[group][0])
        for span in spans(keys, grain_of(keys[0])):
            shown = Text(outcome, STYLES[outcome])
            rows.append((shown, asset, span.text or "-", f"{span.count:,}", said))
    if rows:
        yield Text()
        titles = (Column("outcome"), Column("asset"), Column("partitions"), Column("n", "right"))
        yield from grid((*titles, Column("why")), rows, width)
    troubles = (s for outcome in ("failed", "held") for s in steps if s.outcome == outcome)
    bad = next(troubles, None)
    if bad is not None:
        command = "logs" if bad.outcome == "failed" else "why"
        yield from next_line(command_line(command, label(bad.asset, bad.partition)), width)


def log_lines(logs: Sequence[Logged], now: datetime, width: int | None) -> Iterator[Text | str]:
    """What each attempt printed, and its error from the user's line on."""
    if not logs:
        yield Text("Nothing was printed, and nothing failed.")
    for number, (_, alike) in enumerate(groupby(logs, key=_try)):
        logged, *others = alike
        attempt = logged.attempt
        keys = [attempt.partition, *(other.attempt.partition for other in others)]
        seconds = (attempt.finished_at - attempt.started_at).total_seconds()
        if number:
            yield Text()
        head = Text(f"{label(attempt.asset, summary(keys, grain_of(keys[0])))}  ", "bold")
        body = (
            f"run {attempt.run}, attempt {attempt.attempt}, {local(attempt.started_at, now)}: "
            f"{attempt.status} after {took(seconds)}"
        )
        yield from hanging(head, body, width)
        for text in (logged.log, attempt.error or ""):
            for line in text.splitlines():
                yield f"  {line}\n"


def _try(logged: Logged) -> tuple[object, ...]:
    """What the steps of a batch share that were tried as one."""
    one = logged.attempt
    return one.asset, one.attempt, one.started_at, one.finished_at, one.log_path, one.error


def _said(step: StepSummary) -> str:
    if step.outcome == "failed" and step.error:
        return error_text(step)
    return step.cause


def _duration(run: RunSummary) -> str:
    if run.finished_at is None:
        return "-"
    return took((run.finished_at - run.started_at).total_seconds())


def _numbers(run: RunSummary) -> str:
    found = [f"{getattr(run, outcome):,} {outcome}" for outcome in STYLES if getattr(run, outcome)]
    return f": {', '.join(found)}" if found else ""
