"""What came of a run, as people read it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from rich.text import Text

from millgate.cli.blocking import Obstacle, obstacle_text
from millgate.cli.grid import Column, counted, grid, hanging
from millgate.cli.moments import took
from millgate.cli.ranges import summary
from millgate.cli.show_plan import Grains, command_line, next_line, plan_data, step_data
from millgate.model.partition import label
from millgate.model.record import Outcome
from millgate.model.request import Done, Report

STYLES: dict[str, str] = {
    "made": "green",
    "unchanged": "green",
    "judged": "cyan",
    "held": "yellow",
    "blocked": "yellow",
    "failed": "bold red",
    "refused": "magenta",
    "cancelled": "dim",
}
_TROUBLE: tuple[Outcome, ...] = ("failed", "held", "refused", "blocked", "cancelled")
_LISTED = 8
"""So many troubles of one outcome are listed; the rest is counted."""
_DETAILED = 3
"""So many different errors are shown from the user's line on."""


def report_lines(
    report: Report, grains: Grains, seconds: float, width: int | None
) -> Iterator[Text]:
    """The run in numbers, what went wrong, and what to type next."""
    yield from _details(report, width)
    yield from hanging(Text(f"run {report.run}  ", "bold"), _numbers(report, seconds), width)
    rows = [row for outcome in _TROUBLE for row in _rows(report.having(outcome), grains)]
    rows += _failing(report, grains) + _rejected(report)
    if rows:
        yield Text()
        yield from grid((Column(""), Column(""), Column("")), rows, width)
    command = _next(report)
    if command:
        yield from next_line(command, width)


def report_data(report: Report) -> dict[str, object]:
    """The run for a program, one entry for each partition."""
    return {
        "run": report.run,
        "snapshot": report.snapshot,
        "plan": plan_data(report.plan),
        "steps": [
            {
                **step_data(done.step),
                "outcome": done.outcome,
                "failing": done.failing,
                "rejected_rows": done.rejected_rows,
                "message": _message([done]),
                "error": done.detail,
            }
            for done in report.done
        ],
    }


def _numbers(report: Report, seconds: float) -> str:
    found = Counter(done.outcome for done in report.done)
    parts = [f"{found[outcome]:,} {outcome}" for outcome in STYLES if found[outcome]]  # type: ignore[index]
    snapshot = "" if report.snapshot is None else f", snapshot {report.snapshot}"
    interrupted = "interrupted: " if report.interrupted else ""
    return f"{interrupted}{', '.join(parts) or 'nothing done'} in {took(seconds)}{snapshot}"


def _rows(dones: Sequence[Done], grains: Grains) -> Iterator[tuple[str | Text, ...]]:
    """Troubles of one outcome: those of one asset with one message share a line."""
    groups: dict[tuple[str, object], list[Done]] = defaultdict(list)
    for done in dones:
        told = Obstacle.of(done).alike if done.outcome == "blocked" else done.message
        groups[done.step.asset, told].append(done)
    for number, ((asset, _), alike) in enumerate(groups.items()):
        style = STYLES[alike[0].outcome]
        if number == _LISTED - 1 and len(groups) > _LISTED:
            rest = len(dones) - sum(len(g) for g in list(groups.values())[:number])
            yield Text(alike[0].outcome, style), f"and {rest:,} more", "millgate status"
            return
        keys = summary((done.step.key for done in alike), grains.get(asset))
        yield Text(alike[0].outcome, style), label(asset, keys), _message(alike)


def _message(alike: Sequence[Done]) -> str:
    """What is told of steps that came out alike."""
    if alike[0].outcome == "blocked":
        return obstacle_text(map(Obstacle.of, alike))
    return alike[0].message


def _failing(report: Report, grains: Grains) -> list[tuple[str | Text, ...]]:
    keys: dict[str, list[str]] = defaultdict(list)
    for done in report.done:
        if done.failing:
            keys[done.step.asset].append(done.step.key)
    return [
        (
            Text("failing", "yellow"),
            label(asset, summary(failing, grains.get(asset))),
            "live, but today's gate refuses it",
        )
        for asset, failing in keys.items()
    ]


def _rejected(report: Report) -> list[tuple[str | Text, ...]]:
    """Rows that were split off, for each asset."""
    rows: Counter[str] = Counter()
    keys: dict[str, list[str]] = defaultdict(list)
    for done in report.having("made", "unchanged"):
        if done.rejected_rows:
            rows[done.step.asset] += done.rejected_rows
            keys[done.step.asset].append(done.step.key)
    return [
        (Text("rejected", "dim"), asset, f"{counted(rows[asset], 'row')} of {_parts(keys[asset])}")
        for asset in rows
    ]


def _parts(keys: Sequence[str]) -> str:
    return counted(len(keys), "partition")


def _details(report: Report, width: int | None) -> Iterator[Text]:
    """The users' own errors, each once, from their line on."""
    shown: set[str] = set()
    for done in report.having("failed"):
        if done.detail and done.message not in shown and len(shown) < _DETAILED:
            shown.add(done.message)
            yield from _detail(done, width)
            yield Text()


def _detail(done: Done, width: int | None) -> Iterator[Text]:
    """Under the name of the step an error of Millgate's own in its three lines, or a user's."""
    yield Text(f"{done.batch or done.step} failed:", "bold red")
    own = done.detail.startswith("error: ")
    for line in done.detail.splitlines():
        yield from hanging(f"  {line[:7]}", line[7:], width) if own else [Text(f"  {line}")]


def _next(report: Report) -> str:
    """Look at what failed first, then at what is held, then at what was rejected."""
    if failed := report.having("failed"):
        return command_line("logs", str(failed[0].step))
    if held := report.having("held"):
        return command_line("why", str(held[0].step))
    if blocked := report.having("blocked"):
        return command_line("why", str(blocked[0].step))
    if report.interrupted or report.having("refused", "cancelled"):
        return command_line("plan", report.plan.selection)
    rejecting = next((d.step.asset for d in report.done if d.rejected_rows), None)
    return command_line("quarantine list", rejecting) if rejecting else "millgate status"
