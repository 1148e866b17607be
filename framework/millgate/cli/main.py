"""The entry point: the tree of commands, and every way out of it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import Any

import click

from millgate.cli import (
    commands_alerts,
    commands_data,
    commands_decide,
    commands_gate,
    commands_run,
    commands_start,
    commands_upkeep,
    commands_watch,
)
from millgate.cli.call import Call
from millgate.cli.options import Named, shared_options
from millgate.cli.trouble import from_click
from millgate.errors import UsageError
from millgate.execute.interrupt import leave_steps_behind

_INTERRUPTED = 130

SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "Start": (commands_start.init, commands_start.list_, commands_start.show),
    "Run": (
        commands_run.plan,
        commands_run.materialize,
        commands_run.backfill,
        commands_run.resume,
        commands_gate.check,
    ),
    "Watch": (
        commands_watch.status,
        commands_watch.why,
        commands_watch.runs,
        commands_watch.logs,
        commands_alerts.alerts,
    ),
    "Decide": (
        commands_decide.quarantine,
        commands_gate.gate,
        commands_decide.rollback,
        commands_decide.retire,
        commands_decide.rename,
    ),
    "Data": (commands_data.sql, commands_data.lineage, commands_data.export),
    "Upkeep": (commands_upkeep.vacuum, commands_upkeep.doctor),
}


class Commands(Named):
    """The group that shows its commands in sections."""

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(c.name or "", c.get_short_help_str(60)) for c in commands])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@shared_options()
@click.version_option(package_name="millgate", message="%(prog)s %(version)s")
def cli(**_shared: Any) -> None:
    """Data lineage by assets: what enters production has passed its checks, and all that is
    there can be traced.

    T in the commands is SELECTION[@KEYS], such as flights@2013-02, daily_delays+@2013-01..2013-03
    or "tag:core and not group:staging". Both ends of a range are included.
    """


for _commands in SECTIONS.values():
    for _command in _commands:
        cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line; returns the exit status.

    Without `arguments` it is that of this process, which does not wait for steps that an
    interrupted run has left behind.
    """
    status = _status(list(sys.argv[1:] if arguments is None else arguments))
    if arguments is None:
        # What is left goes with the process: Python need not look for garbage in it first.
        gc.freeze()
        leave_steps_behind(status)
    return status


def _status(given: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        # Data may hold characters that the terminal's encoding does not have.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        status = cli.main(given, prog_name="millgate", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return UsageError.exit_status
    except (click.ClickException, UsageError) as error:
        told = error if isinstance(error, UsageError) else from_click(error)
        # Both kinds name the command they came from in `where`.
        return Call(told.where.partition(" ")[2], json="--json" in given).fail(told)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return _INTERRUPTED
