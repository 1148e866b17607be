"""plan, materialize and backfill: what would be done, and doing it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from millgate.cli.answer import Answer
from millgate.cli.call import Call
from millgate.cli.completion import complete_target
from millgate.cli.guard import guarded
from millgate.cli.options import LOOKED, RAN, command
from millgate.errors import UsageError
from millgate.model.request import Command, Request

if TYPE_CHECKING:
    from millgate.cli.show_plan import Grains
    from millgate.model.step import Plan
    from millgate.project import Project

_DECLINED = 4
_HELD = 3

Decorated = Callable[..., Any]

target = click.argument("target", metavar="[T]", default="", shell_complete=complete_target)


def _selecting(function: Decorated) -> Decorated:
    """The options that say which partitions, and what counts as stale."""
    for option in (
        click.option("--retry-held", is_flag=True, help="Make held partitions again too."),
        click.option("--force", is_flag=True, help="Make fresh partitions again too."),
        click.option("--to", "last", metavar="KEY", help="Last key, included."),
        click.option("--from", "first", metavar="KEY", help="First key, included."),
        click.option("--partition", metavar="KEY", help="One key, taken literally."),
    ):
        function = option(function)
    return target(function)


def _running(function: Decorated) -> Decorated:
    """The options of a run."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Show the plan and stop."),
        click.option(
            "--max-partitions",
            type=click.IntRange(min=0),
            metavar="N",
            help="Ask above N partitions instead of above 1,000.",
        ),
        click.option("--yes", is_flag=True, help="Run without asking, however many."),
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            metavar="N",
            help="Steps side by side; as many as processors by default.",
        ),
    ):
        function = option(function)
    return _selecting(function)


@command("plan", LOOKED)
@_selecting
def plan(call: Call, **options: Any) -> Answer:
    """Say what would happen and why; change nothing.

    T is SELECTION[@KEYS]; without it, all assets and all their partitions.
    """
    request = _request("plan", options)
    return _planned(call, request, call.open().propose(request), run="materialize")


@command("materialize", RAN)
@_running
def materialize(call: Call, **options: Any) -> Answer:
    """Make what is missing or stale.

    T is SELECTION[@KEYS]; only what it selects is made. Without it, everything that is missing or
    stale is. Fresh partitions stay as they are.
    """
    return _carry_out(call, "materialize", options)


@command("backfill", RAN)
@click.option("--all", "everything", is_flag=True, help="All keys of the definition.")
@_running
def backfill(call: Call, **options: Any) -> Answer:
    """Make what is missing or stale, and the upstreams it needs.

    T is SELECTION@KEYS; without keys say --all.
    """
    given = [options[o] for o in ("partition", "first", "last", "everything")]
    if "@" not in options["target"] and not any(given):
        raise _keyless(call, options["target"])
    return _carry_out(call, "backfill", options)


def _keyless(call: Call, selection: str) -> UsageError:
    """The error for a backfill without keys, with keys that it may be given."""
    from millgate.cli.finding import example_range
    from millgate.cli.show_plan import command_line

    example = example_range(call.open(), selection)
    everything = command_line("backfill", selection, ["--all"])
    keyed = command_line("backfill", f"{selection}@{example}") if example else ""
    return UsageError(
        "a backfill needs keys",
        where=command_line("backfill", selection),
        fix=f"give some: {keyed}; or all: {everything}" if example else everything,
    )


def _request(name: Command, options: dict[str, Any]) -> Request:
    ways = {
        "T@KEYS": "@" in options["target"],
        "--partition": options["partition"] is not None,
        "--from and --to": options["first"] is not None or options["last"] is not None,
        "--all": options.get("everything", False),
    }
    given = [way for way, is_given in ways.items() if is_given]
    if len(given) > 1:
        raise UsageError(
            f"keys are given in {len(given)} ways: {', '.join(given)}",
            where=f"millgate {name}",
            fix="keep one of them",
        )
    return Request(
        name,
        options["target"],
        options["partition"],
        options["first"],
        options["last"],
        options.get("everything", False),
        options["force"],
        options["retry_held"],
    )


def _planned(call: Call, request: Request, plan: Plan, run: Command) -> Answer:
    """The plan as the answer."""
    from millgate.cli.show_plan import after_plan, next_line, plan_data, plan_lines

    after = after_plan(plan, _typed(run, request), _typed("backfill", request))
    grains = grains_of(call.open())
    return Answer(
        plan_data(plan),
        lambda width: [
            *plan_lines(plan, grains, width, only_looking=True),
            *(next_line(after, width) if after else []),
        ],
    )


def _carry_out(call: Call, name: Command, options: dict[str, Any]) -> Answer:
    """Plan, pass the guard, run, report."""
    from millgate.cli.progress import watching
    from millgate.cli.show_plan import plan_lines
    from millgate.cli.show_report import report_data, report_lines

    project = call.open()
    request = _request(name, options)
    plan = project.propose(request)
    if options["dry_run"] or not plan.steps:
        answer = _planned(call, request, plan, run=name)
        return answer if options["dry_run"] else replace(answer, exit_status=_standing(plan))
    grains = grains_of(project)
    call.show(plan_lines(plan, grains, call.terminal.width))
    if not _may_start(call, plan, options, _typed(name, request)):
        return Answer({"run": None}, lambda _: ["Declined: nothing was changed.\n"], _DECLINED)
    began = time.monotonic()
    with watching(call.terminal, len(plan.steps), silent=call.json) as watcher:
        report = project.run(
            request, plan, workers=options["workers"] or _processors(), watcher=watcher
        )
    seconds = time.monotonic() - began
    return Answer(
        report_data(report),
        lambda width: report_lines(report, grains, seconds, width),
        report.exit_status or _standing(plan),
        report.warnings,
    )


def _may_start(call: Call, plan: Plan, options: dict[str, Any], where: str) -> bool:
    partitions = plan.count("make") + plan.count("judge")
    decision = guarded(
        partitions,
        limit=options["max_partitions"],
        confirmed=options["yes"],
        can_ask=call.can_ask,
        where=where,
    )
    return decision == "go" or call.terminal.ask(f"Run {partitions:,} partitions?")


def _standing(plan: Plan) -> int:
    """The exit status of what stays undone: held and failing partitions wait for a person."""
    return _HELD if any(plan.held.values()) or any(plan.failing.values()) else 0


def _typed(name: str, request: Request) -> str:
    """The command line that carries out a request."""
    from millgate.cli.show_plan import command_line

    options = {
        "--partition": request.partition,
        "--from": request.first,
        "--to": request.last,
    }
    words = [word for option, key in options.items() if key is not None for word in (option, key)]
    flags = {"--force": request.force, "--retry-held": request.retry_held}
    words += [flag for flag, is_set in flags.items() if is_set]
    keyless = "@" not in request.target and not any(v is not None for v in options.values())
    if name == "backfill" and (request.everything or keyless):
        words.append("--all")
    return command_line(name, request.target, words)


def grains_of(project: Project) -> Grains:
    """The grain of each declared asset's and source's time dimension."""
    return {
        node.name: node.partitions.time.grain if node.partitions.time else None
        for node in project.graph.nodes
    }


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
