"""plan, materialize, backfill and resume: what would be done, and doing it."""

from __future__ import annotations

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
from millgate.model.garbage import no_collection

if TYPE_CHECKING:
    from millgate.cli.show_plan import Grains
    from millgate.model.request import Command, Request
    from millgate.model.step import Plan
    from millgate.project import Project

_DECLINED = 4
_HELD = 3

Decorated = Callable[..., Any]

target = click.argument("target", metavar="[T]", default="", shell_complete=complete_target)


def _selecting(function: Decorated) -> Decorated:
    """The options that say which partitions, and what counts as stale."""
    for option in (
        click.option(
            "--retry-rolled-back", is_flag=True, help="Make again what was rolled back too."
        ),
        click.option("--retry-held", is_flag=True, help="Make held partitions again too."),
        click.option(
            "--enforce", is_flag=True, help="Take out, or split, what is live and fails its gate."
        ),
        click.option(
            "--repartition",
            is_flag=True,
            help="Make anew, all or nothing, what has another partitioning now.",
        ),
        click.option("--force", is_flag=True, help="Make fresh partitions again too."),
        click.option("--to", "last", metavar="KEY", help="Last key, included."),
        click.option("--from", "first", metavar="KEY", help="First key, included."),
        click.option("--partition", metavar="KEY", help="One key, taken literally."),
    ):
        function = option(function)
    return target(function)


def _running(function: Decorated) -> Decorated:
    """The options of a run, and those that say which partitions."""
    atomic = click.option(
        "--atomic",
        is_flag=True,
        help="All of it enters production in one commit, or nothing does.",
    )
    return _selecting(_carrying(atomic(function)))


def _carrying(function: Decorated) -> Decorated:
    """The options that say how a run is carried out."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Show the plan and stop."),
        click.option(
            "--wait", is_flag=True, help="Wait for a run that works on the same partitions."
        ),
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
        click.option(
            "--executor",
            metavar="WHERE",
            help="Where steps run: threads, processes, dask or dask:ADDRESS.",
        ),
    ):
        function = option(function)
    return function


@command("plan", LOOKED)
@_selecting
def plan(call: Call, **options: Any) -> Answer:
    """Say what would happen and why; change nothing.

    T is SELECTION[@KEYS]; without it, all assets and all their partitions.
    """
    request = _request("plan", options)
    return _planned(call, request, *_proposed(call, request), _typed("materialize", request))


@command("materialize", RAN)
@_running
def materialize(call: Call, **options: Any) -> Answer:
    """Make what is missing or stale.

    T is SELECTION[@KEYS]; only what it selects is made. Without it, everything that is missing or
    stale is. Fresh partitions stay as they are.
    """
    return _carry_out(call, _request("materialize", options), options)


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
    return _carry_out(call, _request("backfill", options), options)


@command("resume", RAN)
@click.argument("run", metavar="[RUN]", type=click.IntRange(min=1), required=False)
@_carrying
def resume(call: Call, run: int | None, **options: Any) -> Answer:
    """Finish a run that died, failed or was interrupted.

    It asks for what that run was asked for, by the keys that were complete when it started.
    Without RUN it is the one that has something left to do; where several have, it asks which.
    """
    from millgate.cli.show_resumable import choices, finishing_lines, several

    project = call.open()
    if run is not None:
        chosen = project.find_unfinished(run)
        nothing = f"Nothing to resume: run {run} came to its end."
    else:
        found = project.unfinished()
        nothing = "Nothing to resume: no run was left unfinished."
        if len(found) > 1 and not call.can_ask:
            raise several(found)
        chosen = found[0] if found else None
        if len(found) > 1:
            at = call.terminal.choose("Which one?", choices(found, call.now()))
            if at is None:
                return Answer({"run": None}, lambda _: ["Nothing was resumed.\n"], _DECLINED)
            chosen = found[at]
    if chosen is None:
        return Answer({"run": None}, lambda _: [f"{nothing}\n"])
    call.show(finishing_lines(chosen, call.now(), call.terminal.width))
    return _carry_out(call, chosen.request, options)


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
    from millgate.model.request import Request

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
        options["retry_rolled_back"],
        options["enforce"],
        options["repartition"],
        options.get("atomic", False),
    )


def _proposed(call: Call, request: Request) -> tuple[Plan, tuple[str, ...]]:
    """The plan, and hints on assets that seem to have another name in the code now."""
    from millgate.cli.show_rename import rename_hints

    project = call.open()
    with project.opened_once():
        return project.propose(request), rename_hints(project.probably_renamed())


def _planned(call: Call, request: Request, plan: Plan, hints: tuple[str, ...], run: str) -> Answer:
    """The plan as the answer."""
    from millgate.cli.show_plan import (
        after_plan,
        next_line,
        plan_data,
        plan_lines,
        plan_warnings,
    )

    after = after_plan(plan, run, _typed("backfill", request))
    grains = grains_of(call.open())
    return Answer(
        plan_data(plan),
        lambda width: [
            *plan_lines(plan, grains, width, only_looking=True),
            *(next_line(after, width) if after else []),
        ],
        warnings=(
            *plan_warnings(plan, call.open().graph.nodes),
            *hints,
        ),
    )


def _carry_out(call: Call, request: Request, options: dict[str, Any]) -> Answer:
    """Plan, pass the guard, run, report."""
    with no_collection():
        from millgate.cli.progress import watching
        from millgate.cli.show_plan import plan_lines
        from millgate.cli.show_report import report_data, report_lines

        project = call.open()
        project.placement(options["executor"])
        plan, hints = _proposed(call, request)
    typed = _typed(request.command, request)
    if request.resumes is not None:
        typed = f"millgate resume {request.resumes}"
    if options["dry_run"] or not plan.steps:
        answer = _planned(call, request, plan, hints, typed)
        if options["dry_run"]:
            return answer
        project.tell()
        return replace(answer, exit_status=_standing(plan))
    grains = grains_of(project)
    call.show(f"warning: {hint}\n" for hint in hints)
    call.show(plan_lines(plan, grains, call.terminal.width))
    if not _may_start(call, plan, options, typed):
        return Answer({"run": None}, lambda _: ["Declined: nothing was changed.\n"], _DECLINED)
    began = time.monotonic()
    with watching(call.terminal, len(plan.steps), silent=call.json) as watcher:
        report = project.run(
            request,
            plan,
            workers=options["workers"],
            watcher=watcher,
            wait=options["wait"],
            executor=options["executor"],
        )
    seconds = time.monotonic() - began
    return Answer(
        report_data(report),
        lambda width: report_lines(report, grains, seconds, width),
        report.exit_status or _standing(plan),
        report.warnings,
    )


def _may_start(call: Call, plan: Plan, options: dict[str, Any], where: str) -> bool:
    partitions = len(plan.steps) - plan.count("blocked")
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

    words = [*request.options]
    keyless = "@" not in request.target and not {"--partition", "--from", "--to"} & set(words)
    if name == "backfill" and keyless and "--all" not in words:
        words.append("--all")
    if name != "backfill":
        words = [word for word in words if word != "--all"]
    return command_line(name, request.target, words)


def grains_of(project: Project) -> Grains:
    """The grain of each declared asset's and source's time dimension."""
    return {
        node.name: node.partitions.time.grain if node.partitions.time else None
        for node in project.graph.nodes
    }
