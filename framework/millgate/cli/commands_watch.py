"""status, why, runs and logs: what is on record; none of them imports `assets/` needlessly."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from millgate.cli.answer import Answer
from millgate.cli.call import Call
from millgate.cli.completion import complete_target
from millgate.cli.options import LOOKED, command
from millgate.errors import MillgateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from millgate.store.locks import RunInfo


@command("status", LOOKED)
@click.argument("selection", metavar="[SELECTION]", default="", shell_complete=complete_target)
def status(call: Call, selection: str) -> Answer:
    """Show how the warehouse is, and what waits for a person.

    As of the last commit: what changed in code and files since then shows in millgate plan. Assets
    that miss a deadline of the configuration are late.
    """
    from millgate.cli.finding import find_assets
    from millgate.cli.show_health import among, late_among, status_lines
    from millgate.cli.show_rename import rename_hints
    from millgate.lineage import questions

    connection = call.reading()
    project = call.open()
    wanted = find_assets(project, connection, selection)
    found = among(questions.status(connection), wanted)
    alive = project.runs_alive()
    late = late_among(project.late(connection), wanted)
    renamed: list[tuple[str, str]] = []
    if any(asset.live and not asset.declared for asset in found.assets):
        # What is wrong in assets/ is not what was asked for.
        with suppress(MillgateError):
            renamed = project.probably_renamed()
    return Answer(
        {"project": project.name, "status": found, "running": alive, "late": late},
        lambda width: status_lines(project.name, found, alive, late, call.now(), width),
        warnings=rename_hints(renamed),
    )


@command("why", LOOKED)
@click.argument("target", metavar="T", shell_complete=complete_target)
def why(call: Call, target: str) -> Answer:
    """Say why a partition is as it is.

    T is ASSET@KEY, or ASSET where it has no partitions. Shows its state and cause, the checks it
    fails, what it was made from, its versions and what people decided.
    """
    from millgate.cli.finding import find_partition
    from millgate.cli.show_partition import why_lines
    from millgate.lineage.why import why as ask_why

    connection = call.reading()
    asset, key = find_partition(call.open(), connection, target)
    found = ask_why(connection, asset, key)
    return Answer(found, lambda width: why_lines(found, call.now(), width), paged=True)


@command("runs", LOOKED)
@click.argument("run", metavar="[RUN]", type=click.IntRange(min=1), required=False)
@click.option(
    "--limit", default=20, type=click.IntRange(min=1), help="So many runs; 20 if not given."
)
def runs(call: Call, run: int | None, limit: int) -> Answer:
    """List past runs, the newest first, or the steps of one."""
    from millgate.cli.show_runs import run_lines, runs_lines
    from millgate.lineage import questions

    connection = call.reading()
    alive = call.open().runs_alive()
    if run is None:
        found = questions.runs(connection, limit)
        return Answer(
            {"runs": found, "running": alive},
            lambda width: runs_lines(found, alive, call.now(), width),
        )
    one = questions.find_run(connection, run)
    if one is None:
        raise _no_run(run, f"millgate runs {run}", alive)
    steps = questions.run_steps(connection, run)
    return Answer(
        {"run": one, "steps": steps},
        lambda width: run_lines(one, steps, alive, call.now(), width),
        paged=True,
    )


@command("logs", LOOKED)
@click.argument("target", metavar="RUN|T", shell_complete=complete_target)
def logs(call: Call, target: str) -> Answer:
    """Show what attempts printed, and their errors.

    Of a RUN by its number, or of the last step of one partition T (ASSET@KEY).
    """
    from millgate.cli.finding import find_partition
    from millgate.cli.show_runs import Logged, log_lines
    from millgate.lineage import questions

    connection = call.reading()
    project = call.open()
    if target.isdecimal():
        attempts = questions.attempts(connection, run=int(target))
        if not attempts and questions.find_run(connection, int(target)) is None:
            raise _no_run(int(target), f"millgate logs {target}", project.runs_alive())
    else:
        asset, key = find_partition(project, connection, target)
        found = questions.attempts(connection, asset=asset, partition=key)
        attempts = [attempt for attempt in found if attempt.step == found[0].step]
    logged = []
    for attempt in sorted(attempts, key=lambda one: one.started_at):
        path = project.root / attempt.log_path if attempt.log_path else None
        kept = path is not None and path.is_file()
        text = path.read_text(encoding="utf-8", errors="replace") if path and kept else ""
        if text or attempt.error:
            logged.append(Logged(attempt, text))
    return Answer(logged, lambda width: log_lines(logged, call.now(), width), paged=True)


def _no_run(run: int, where: str, alive: Sequence[RunInfo]) -> UsageError:
    """The error for a run that is not on record, or not yet."""
    if any(info.run == run for info in alive):
        return UsageError(
            f"run {run} has not committed anything yet",
            where=where,
            fix="ask again in a moment; what is running: millgate status",
        )
    return UsageError(f"no run {run} is on record", where=where, fix="all runs: millgate runs")
