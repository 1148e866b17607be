"""vacuum and doctor: what outlived its use goes, and what is damaged is found and mended."""

from __future__ import annotations

import click

from millgate.cli.answer import Answer
from millgate.cli.call import Call
from millgate.cli.options import command
from millgate.errors import UsageError

_DECLINED = 4
_CLEANED = {
    0: "done, or shown by --dry-run",
    1: "the warehouse cannot be read or written",
    2: "wrong usage, no project here, or nobody is there to ask",
    4: "you declined; nothing was changed",
}

_EXAMINED = {
    0: "every promise is kept",
    1: "there are problems, or the warehouse cannot be read",
    2: "wrong usage, or no project here",
}


@command("vacuum", _CLEANED)
@click.option("--keep", metavar="AGE", help="Instead of the project's retention, such as 30d.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed and stop.")
@click.option("--yes", is_flag=True, help="Remove without asking.")
def vacuum(call: Call, keep: str | None, dry_run: bool, yes: bool) -> Answer:
    """Remove what outlived its use: versions that were replaced, closed quarantine, old logs.

    What is live or held stays, and what somebody reads. So does what left production less than
    the retention ago: 30d, or retention in [tool.millgate].
    """
    from millgate.cli.show_upkeep import vacuum_lines
    from millgate.model.duration import parse_duration

    age = None if keep is None else parse_duration(keep, where="millgate vacuum --keep")
    project = call.open()
    if not dry_run and not yes:
        if not call.can_ask:
            raise UsageError(
                "nobody is there to ask whether to remove anything",
                where="millgate vacuum",
                fix="add --yes, or look first with --dry-run",
            )
        would = project.vacuum(age, dry_run=True)
        call.show(vacuum_lines(would, call.terminal.width, dry_run=True))
        if not would.freed:
            return Answer(would, lambda _: [])
        if not call.terminal.ask("Remove it?"):
            return Answer(None, lambda _: ["Declined: nothing was changed.\n"], _DECLINED)
    done = project.vacuum(age, dry_run=dry_run)
    return Answer(done, lambda width: vacuum_lines(done, width, dry_run=dry_run))


@command("doctor", _EXAMINED)
@click.option("--deep", is_flag=True, help="Read the rows of all that is live, too.")
@click.option("--repair", is_flag=True, help="Mend what can be mended without making it again.")
def doctor(call: Call, deep: bool, repair: bool) -> Answer:
    """Verify that the warehouse keeps its promises; without --repair it changes nothing.

    Looked at are the link and the snapshot, every live version with its mode, footer, rows and
    columns, the links of production/, quarantine, views, lineage, orphans and dead runs.
    """
    from millgate.cli.show_upkeep import doctor_lines

    project = call.open()
    if repair:
        done = project.repair(deep=deep)
        problems, mended, gone = done.left, done.mended, done.gone
    else:
        problems, mended, gone = tuple(project.examine(deep=deep)), (), ""
    data = {"problems": problems, "mended": mended, "gone": gone}
    return Answer(
        data, lambda width: doctor_lines(problems, mended, gone, width), 1 if problems else 0
    )
