"""A plan as people read it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rich.text import Text

from millgate.cli.grid import Column, grid, hanging
from millgate.cli.ranges import spans, summary
from millgate.model.asset import Asset, Node
from millgate.model.partition import label
from millgate.model.refresh import Refresh
from millgate.model.step import Action, Plan, Step

Grains = Mapping[str, str | None]
"""Grain of each asset's time dimension, None without one."""

STYLES = {"make": "green", "judge": "cyan", "enforce": "magenta", "blocked": "yellow"}
_ACTIONS: tuple[Action, ...] = ("make", "judge", "enforce", "blocked")
_COLUMNS = (
    Column("action"),
    Column("asset"),
    Column("partitions"),
    Column("n", "right"),
    Column("why"),
)


@dataclass
class _Rows:
    """Steps of one asset that are shown together because they are planned for one reason."""

    first: Step
    steps: list[Step] = field(default_factory=list)


def plan_lines(
    plan: Plan, grains: Grains, width: int | None, *, only_looking: bool = False
) -> Iterator[Text]:
    """The plan as a table with numbered notes under it, and in numbers."""
    yield from heading(plan, width)
    if plan.steps:
        yield Text()
        rows, notes = _table(plan.steps, grains)
        yield from grid(_COLUMNS, rows, width)
        yield Text()
        for number, note in enumerate(notes, 1):
            yield from hanging(Text(f" ({number}) ", "dim"), note, width)
    unchanged = " Nothing was changed." if only_looking and plan.steps else ""
    yield from hanging("", counts(plan) + unchanged, width)


def next_line(command: str, width: int | None) -> list[Text]:
    """What to type next."""
    return hanging(Text("Next: ", "bold"), Text(command, "cyan"), width)


def after_plan(plan: Plan, run: str, backfill: str) -> str:
    """The command to type after looking at a plan, empty if there is none.

    `run` and `backfill` are the commands that would carry it out, with and without upstreams.
    """
    if len(plan.steps) > plan.count("blocked"):
        return run
    for step in plan.steps:
        if step.cause.kind == "missing upstream":
            return backfill
        if step.cause.kind == "held upstream":
            return command_line("why", step.cause.of)
    if any(plan.held.values()):
        return command_line("quarantine list", "")
    return command_line("status", "") if any(plan.failing.values()) else ""


def plan_warnings(plan: Plan, nodes: Iterable[Node]) -> tuple[str, ...]:
    """What a reader of the plan should know about the assets in it."""
    planned = {step.asset for step in plan.steps} | plan.fresh.keys() | plan.missed.keys()
    return tuple(
        f"{node.name} refreshes and reads itself: each refresh makes all its later partitions stale"
        for node in nodes
        if isinstance(node, Asset) and isinstance(node.refresh, Refresh) and node.name in planned
        if any(given.upstream == node.name for given in node.inputs)
    )


def heading(plan: Plan, width: int | None) -> list[Text]:
    """What was selected, and between which keys."""
    selection = plan.selection.partition("@")[0] or "all assets"
    zones = f" ({', '.join(plan.zones)})" if plan.zones else ""
    if plan.range_from is None and plan.range_to is None:
        bounds = "all partitions"
    elif plan.range_from == plan.range_to:
        bounds = f"{plan.range_from}{zones}"
    else:
        first, last = plan.range_from or "the first", plan.range_to or "the last"
        bounds = f"{first} to {last}, both included{zones}"
    return hanging(Text(f"{selection}  ", "bold"), bounds, width)


def counts(plan: Plan) -> str:
    """The plan in numbers.

    >>> from datetime import UTC, datetime
    >>> from millgate.model.dimension import Horizon
    >>> counts(Plan("", None, None, Horizon(datetime.now(UTC)), (), {"flights": 365}))
    'Nothing to do: 365 partitions are fresh.'
    """
    fresh, held = sum(plan.fresh.values()), sum(plan.held.values())
    failing = sum(plan.failing.values())
    waiting = f", {held:,} held" if held else ""
    waiting += f", {failing:,} live but failing today's gate" if failing else ""
    missed = sum(plan.missed.values())
    waiting += f", {missed:,} missed (a backfill makes them)" if missed else ""
    rolled_back = sum(plan.rolled_back.values())
    waiting += f", {rolled_back:,} rolled back" if rolled_back else ""
    outside = sum(map(len, plan.outside.values()))
    if outside and plan.range_from is None and plan.range_to is None:
        waiting += f", {outside:,} live but outside the definition"
    if not plan.steps and not fresh and not held and not missed and not rolled_back:
        return "Nothing to do: no partition is selected."
    if not plan.steps:
        are = "partition is" if fresh == 1 else "partitions are"
        return f"Nothing to do: {fresh:,} {are} fresh{waiting}."
    enforced = f"{plan.count('enforce'):,} to enforce, " if plan.count("enforce") else ""
    return (
        f"{plan.count('make'):,} to make{_batches(plan)}, "
        f"{plan.count('judge'):,} to judge, {enforced}"
        f"{plan.count('blocked'):,} blocked, {fresh:,} fresh{waiting}."
    )


def _batches(plan: Plan) -> str:
    """How many of the steps are computed as one with others, and in how many batches."""
    if not plan.batches:
        return ""
    batched, batches = sum(map(len, plan.batches)), len(plan.batches)
    return f" ({batched:,} of them in {batches:,} batch{'es' if batches > 1 else ''})"


def plan_data(plan: Plan) -> dict[str, object]:
    """The plan for a program, one entry for each partition."""
    return {
        "selection": plan.selection,
        "range_from": plan.range_from,
        "range_to": plan.range_to,
        "snapshot": plan.snapshot,
        "steps": [step_data(step) for step in plan.steps],
        "fresh": dict(plan.fresh),
        "held": dict(plan.held),
        "failing": dict(plan.failing),
        "missed": dict(plan.missed),
        "rolled_back": dict(plan.rolled_back),
        "outside": {name: list(keys) for name, keys in plan.outside.items() if keys},
        "batches": [
            {"asset": batch[0][0], "first": batch[0][1], "last": batch[-1][1], "steps": len(batch)}
            for batch in plan.batches
        ],
    }


def step_data(step: Step) -> dict[str, object]:
    return {
        "asset": step.asset,
        "partition": step.key,
        "action": step.action,
        "cause": step.cause.kind,
        "cause_asset": step.cause.asset,
        "cause_partition": step.cause.partition,
        "detail": step.cause.detail,
    }


def command_line(command: str, target: str, options: Iterable[str] = ()) -> str:
    """A command to type, quoted for a shell.

    >>> command_line("plan", "tag:core and not daily_*", ["--force"])
    "millgate plan 'tag:core and not daily_*' --force"
    """
    words = ["millgate", *command.split(), *([target] if target else []), *options]
    return shlex.join(words)


def _table(steps: Iterable[Step], grains: Grains) -> tuple[list[tuple[str | Text, ...]], list[str]]:
    groups: dict[tuple[str | None, ...], _Rows] = {}
    planned: dict[str, list[str]] = {}
    for step in steps:
        cause = step.cause
        told = cause.detail if cause.asset is None else None
        shared = (step.action, step.asset, cause.kind, cause.asset, told)
        groups.setdefault(shared, _Rows(step)).steps.append(step)
        planned.setdefault(step.asset, []).append(step.key)
    rows: list[tuple[str | Text, ...]] = []
    notes: list[str] = []
    for action in _ACTIONS:
        for group in groups.values():
            if group.first.action == action:
                rows.extend(_rows(group, grains, planned[group.first.asset], notes))
    return rows, notes


def _rows(
    group: _Rows, grains: Grains, planned: Sequence[str], notes: list[str]
) -> Iterator[tuple[str | Text, ...]]:
    step = group.first
    grain = grains.get(step.asset)
    why = _why(group, grains, notes)
    for span in spans((s.key for s in group.steps), grain, among=planned):
        action = Text(step.action, STYLES[step.action])
        yield action, step.asset, span.text or "-", f"{span.count:,}", why


def _why(group: _Rows, grains: Grains, notes: list[str]) -> str:
    """The reason of a row; what it speaks of goes to a note."""
    cause = group.first.cause
    if cause.asset is None:
        return f"{cause.kind}: {cause.detail}" if cause.detail else cause.kind
    if cause.kind == "input planned":
        return f"{cause.kind}: {cause.asset}"
    text = _note(group, grains)
    if text not in notes:
        notes.append(text)
    return f"{cause.kind} ({notes.index(text) + 1})"


def _note(group: _Rows, grains: Grains) -> str:
    cause = group.first.cause
    assert cause.asset is not None
    keys = {s.cause.partition or "" for s in group.steps}
    of = label(cause.asset, summary(keys, grains.get(cause.asset)))
    details = {s.cause.detail for s in group.steps}
    says = details.pop() if len(details) == 1 else ""
    hint = says or _HINTS.get(cause.kind, "").format(first=cause.of)
    return f"{of}: {hint}" if hint else of


_HINTS = {
    "held upstream": "millgate why {first}",
    "blocked upstream": "millgate why {first}",
    "missing upstream": "not made yet; millgate backfill makes upstreams too",
    "missing source file": "the file is not there",
}
