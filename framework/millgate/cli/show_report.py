"""What came of a run, as people read it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from rich.text import Text

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
    yield from _details(report)
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
                "message": done.message,
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
    groups: dict[tuple[str, str], list[Done]] = defaultdict(list)
    for done in dones:
        groups[done.step.asset, done.message].append(done)
    for number, ((asset, message), alike) in enumerate(groups.items()):
        style = STYLES[alike[0].outcome]
        if number == _LISTED - 1 and len(groups) > _LISTED:
            rest = len(dones) - sum(len(g) for g in list(groups.values())[:number])
            yield Text(alike[0].outcome, style), f"and {rest:,} more", "millgate status"
            return
        keys = summary((done.step.key for done in alike), grains.get(asset))
        yield Text(alike[0].outcome, style), label(asset, keys), message


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


def _details(report: Report) -> Iterator[Text]:
    """The users' own errors, each once, from their line on."""
    shown: set[str] = set()
    for done in report.having("failed"):
        if done.detail and done.message not in shown and len(shown) < _DETAILED:
            shown.add(done.message)
            yield from _detail(done)
            yield Text()


def _detail(done: Done) -> Iterator[Text]:
    """An error of Millgate's own in its three lines, a user's under the name of the step."""
    own = done.detail.startswith("error: ")
    if not own:
        yield Text(f"{done.step} failed:", "bold red")
    for line in done.detail.splitlines():
        yield Text(line if own else f"  {line}")


def _next(report: Report) -> str:
    """Look at what failed first, then at what is held, then at what was rejected."""
    for outcome in ("failed", "held", "blocked"):
        dones = report.having(outcome)
        if dones:
            return command_line("logs" if outcome == "failed" else "why", str(dones[0].step))
    if report.interrupted or report.having("refused", "cancelled"):
        return command_line("plan", report.plan.selection)
    rejecting = next((d.step.asset for d in report.done if d.rejected_rows), None)
    return command_line("quarantine list", rejecting) if rejecting else "millgate status"
