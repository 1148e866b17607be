"""quarantine, rollback, retire and rename: deciding about what was refused and what is live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from millgate.cli.answer import Answer
from millgate.cli.call import Call
from millgate.cli.completion import complete_target
from millgate.cli.options import LOOKED, Named, command
from millgate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from millgate.lineage.refusals import QuarantineDetail, QuarantineRow

_DECLINED = 4
_DECIDED = {
    0: "done, or shown by --dry-run",
    1: "the warehouse cannot be read or written",
    2: "wrong usage, nothing of it waits, or nobody is there to ask",
    4: "you declined, or another run was there first; nothing was changed",
}


@click.group(cls=Named)
def quarantine() -> None:
    """Look at what was refused; replay, release or discard it."""


@command("list", LOOKED)
@click.argument("target", metavar="[T]", default="", shell_complete=complete_target)
@click.option("--check", "rule", metavar="NAME", help="Only what fails the check of that name.")
@click.option("--older-than", metavar="AGE", help="Only what was refused longer ago, such as 7d.")
@click.option("--newer-than", metavar="AGE", help="Only what was refused since, such as 6h.")
@click.option("--all", "closed", is_flag=True, help="Also what was decided or is superseded.")
def list_(
    call: Call,
    target: str,
    rule: str | None,
    older_than: str | None,
    newer_than: str | None,
    closed: bool,
) -> Answer:
    """List what is held, and which rows were rejected, with the checks they fail.

    T is SELECTION[@KEYS]; without it, all that waits.
    """
    from millgate.cli.finding import find_entries
    from millgate.cli.show_quarantine import list_lines
    from millgate.lineage.refusals import among
    from millgate.model.duration import parse_duration

    ages = [("--older-than", older_than), ("--newer-than", newer_than)]
    until, since = (
        call.now() - parse_duration(age, where=f"quarantine list {option}") if age else None
        for option, age in ages
    )
    entries = find_entries(call.open(), call.reading(), target, closed=closed)
    found = among(entries, rule=rule, since=since, until=until)
    return Answer(found, lambda width: list_lines(found, width, rule, among=entries))


@command("show", LOOKED)
@click.argument("target", metavar="T", shell_complete=complete_target)
@click.option(
    "--limit", default=10, type=click.IntRange(min=0), help="So many rows; 10 if not given."
)
def show(call: Call, target: str, limit: int) -> Answer:
    """Show why a partition or some of its rows were refused, the rows, and what it was made from.

    T is ASSET@KEY, or ASSET where it has no partitions.
    """
    from millgate.cli.show_quarantine import entry_lines
    from millgate.cli.warehouse_query import Result
    from millgate.lineage.why import inputs_read

    connection = call.reading()
    detail = _detail(call, connection, target)
    found = _rows(connection, detail.entry, limit)
    shown = Result(_with_words(found))
    names, types, rows = shown.names, shown.types, list(shown.texts())
    inputs = inputs_read(connection, detail.entry.materialization)
    data = {
        "entry": detail.entry,
        "results": detail.results,
        "rows": list(Result(found).values()),
        "inputs": inputs,
    }
    return Answer(
        data,
        lambda width: entry_lines(detail, names, types, rows, inputs, call.now(), width),
        paged=True,
    )


@command("release", _DECIDED)
@click.argument("target", metavar="T", shell_complete=complete_target)
@click.option("--reason", required=True, help="Why it may enter production; it is recorded.")
@click.option("--dry-run", is_flag=True, help="Show what would be released and stop.")
def release(call: Call, target: str, reason: str, dry_run: bool) -> Answer:
    """Let refused data into production, on your word.

    A held partition enters as it is; rejected rows enter together with the rows they were split
    from. T is ASSET@KEY, or ASSET where it has no partitions.
    """
    entry = _open_entry(call, target)
    if dry_run:
        return _would(entry, "released")
    done = call.open().release(
        entry.asset, entry.partition, reason=reason, seen=entry.materialization
    )
    return _done(done, entry)


@command("discard", _DECIDED)
@click.argument("target", metavar="T", shell_complete=complete_target)
@click.option("--reason", required=True, help="Why it is not wanted; it is recorded.")
@click.option("--dry-run", is_flag=True, help="Show what would be discarded and stop.")
@click.option("--yes", is_flag=True, help="Discard without asking.")
def discard(call: Call, target: str, reason: str, dry_run: bool, yes: bool) -> Answer:
    """Close a quarantine entry without letting its data in.

    T is ASSET@KEY, or ASSET where it has no partitions. A discarded partition is not made again
    until its inputs, code or gate change.
    """
    from millgate.cli.show_quarantine import entry_label

    entry = _open_entry(call, target)
    if dry_run:
        return _would(entry, "discarded")
    if not yes:
        call.show([f"{entry_label(entry)}: {_rows_text(entry)} will be discarded.\n"])
    if not _agreed(call, yes, f"millgate quarantine discard {target}", "Discard it?"):
        return Answer(None, lambda _: ["Declined: nothing was changed.\n"], _DECLINED)
    done = call.open().discard(
        entry.asset, entry.partition, reason=reason, seen=entry.materialization
    )
    return _done(done, entry)


@command("replay", _DECIDED)
@click.argument("target", metavar="[T]", default="", shell_complete=complete_target)
@click.option("--dry-run", is_flag=True, help="Show what would enter and stop.")
@click.option("--yes", is_flag=True, help="Replay without asking.")
def replay(call: Call, target: str, dry_run: bool, yes: bool) -> Answer:
    """Judge what waits by today's gates; what passes enters production.

    Nothing is computed. Rows that were split off are judged together with those they were split
    from. T is SELECTION[@KEYS]; without it, all that waits.
    """
    from millgate.cli.show_trial import replay_data, replay_lines, replayed_lines

    project = call.open()
    found = project.propose_replay(target)
    if dry_run or not found.entering:
        return Answer(
            replay_data(found, None), lambda width: replay_lines(found, width, only_looking=True)
        )
    call.show(replay_lines(found, call.terminal.width))
    where = f"millgate quarantine replay {target}"
    if not _agreed(call, yes, where, "Let it in?"):
        return Answer(None, lambda _: ["Declined: nothing was changed.\n"], _DECLINED)
    snapshot = project.replay(found)
    return Answer(
        replay_data(found, snapshot), lambda width: replayed_lines(found, snapshot, width)
    )


def _detail(call: Call, connection: duckdb.DuckDBPyConnection, target: str) -> QuarantineDetail:
    from millgate.cli.finding import find_partition
    from millgate.lineage.refusals import quarantine_show

    asset, key = find_partition(call.open(), connection, target)
    found = quarantine_show(connection, asset, key)
    if found is None:
        raise UsageError(
            f"nothing of {target} was ever in quarantine",
            where=target,
            fix="millgate quarantine list --all shows what was",
        )
    return found


def _open_entry(call: Call, target: str) -> QuarantineRow:
    """The entry that waits for a decision; UsageError where none does."""
    from millgate.cli.finding import find_partition
    from millgate.execute.decide import check_waits
    from millgate.lineage.refusals import newest_entry

    with call.open().reading() as connection:
        asset, key = find_partition(call.open(), connection, target)
        return check_waits(newest_entry(connection, asset, key), asset, key)


def _rows(
    connection: duckdb.DuckDBPyConnection, entry: QuarantineRow, limit: int
) -> duckdb.DuckDBPyRelation:
    """Some rows of an entry, those with reasons first."""
    from millgate.store.views import MATERIALIZATION

    name = entry.asset.replace('"', '""')
    return connection.sql(
        f'SELECT * EXCLUDE ({MATERIALIZATION.name}) FROM quarantine."{name}" '
        f"WHERE {MATERIALIZATION.name} = {entry.materialization} "
        f"ORDER BY len(quarantine_reasons) = 0 LIMIT {limit}"
    )


def _with_words(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The rows with their reasons in words in front."""
    return rows.project(
        "array_to_string(list_transform(quarantine_reasons, lambda r: "
        "concat_ws(' ', r.column_name, r.rule) || ': ' || coalesce(r.value, 'NULL')), '; ') "
        "AS reasons, * EXCLUDE (quarantine_reasons)"
    )


def _would(entry: QuarantineRow, verb: str) -> Answer:
    from millgate.cli.grid import hanging
    from millgate.cli.show_quarantine import entry_label

    told = f"{_rows_text(entry)} would be {verb}. Nothing was changed."
    return Answer(
        {"entry": entry, "done": None},
        lambda width: hanging(f"{entry_label(entry)}  ", told, width),
    )


def _rows_text(entry: QuarantineRow) -> str:
    from millgate.cli.grid import counted

    return counted(entry.rows, "row" if entry.scope == "partition" else "rejected row")


def _done(said: str, entry: QuarantineRow) -> Answer:
    from millgate.cli.grid import hanging
    from millgate.cli.show_plan import command_line, next_line

    return Answer(
        {"entry": entry, "done": said},
        lambda width: [
            *hanging("", said, width),
            *next_line(command_line("plan", f"{entry.asset}+"), width),
        ],
    )


@command("rollback", _DECIDED)
@click.argument("target", metavar="[T]", default="", shell_complete=complete_target)
@click.option("--to", "to", required=True, metavar="W", help="previous, TIME, snapshot:N, 118-45.")
@click.option("--reason", default="", help="Why; required unless --dry-run. It is recorded.")
@click.option(
    "--downstream", is_flag=True, help="What is made from it goes back to what was made then."
)
@click.option("--dry-run", is_flag=True, help="Show what would go back and stop.")
@click.option("--yes", is_flag=True, help="Go back without asking.")
def rollback(
    call: Call, target: str, to: str, reason: str, downstream: bool, dry_run: bool, yes: bool
) -> Answer:
    """Let earlier versions back into production, all in one commit.

    T is SELECTION[@KEYS]; without it everything goes back. W is previous (what was live before),
    a TIME such as 2025-03-04T18:00 or snapshot:N (what was live then), or a version such as 118-45.
    What went back is not made again until its code or inputs change.
    """
    from millgate.cli.show_rollback import done_lines, rollback_data, rollback_lines
    from millgate.execute.decide import check_reason
    from millgate.model.going_back import Destination

    if not dry_run:
        check_reason(reason, f"millgate rollback {target}".rstrip())
    project = call.open()
    found = project.propose_rollback(
        target, Destination.parse(to, call.now().tzinfo), downstream=downstream
    )
    data = rollback_data(found)
    if dry_run or not found.moves:
        return Answer(
            {**data, "snapshot": None},
            lambda width: rollback_lines(found, width, only_looking=True),
        )
    call.show(rollback_lines(found, call.terminal.width))
    if not _agreed(call, yes, f"millgate rollback {target}", "Go back?"):
        return Answer(None, lambda _: ["Declined: nothing was changed.\n"], _DECLINED)
    snapshot = project.roll_back(found, reason=reason)
    return Answer({**data, "snapshot": snapshot}, lambda width: done_lines(found, snapshot, width))


@command("retire", _DECIDED)
@click.argument("asset", metavar="T", shell_complete=complete_target)
@click.option("--reason", default="", help="Why; required unless --dry-run. It is recorded.")
@click.option("--dry-run", is_flag=True, help="Show what would leave production and stop.")
@click.option("--yes", is_flag=True, help="Retire it without asking.")
def retire(call: Call, asset: str, reason: str, dry_run: bool, yes: bool) -> Answer:
    """Take out of production what is no longer declared.

    T is ASSET or ASSET@KEY: an asset whose declaration was removed, or the live partitions of one
    that are no longer in its definition.
    Its versions and all that is remembered of it stay; what waits in quarantine is discarded.
    """
    from millgate.cli.show_retirement import retirement_data, retirement_lines
    from millgate.execute.decide import check_reason

    if not dry_run:
        check_reason(reason, f"millgate retire {asset}")
    project = call.open()
    found = project.propose_retirement(asset)
    if dry_run:
        return Answer(
            retirement_data(found, None),
            lambda width: retirement_lines(found, width, only_looking=True),
        )
    call.show(retirement_lines(found, call.terminal.width))
    if not _agreed(call, yes, f"millgate retire {asset}", "Retire it?"):
        return Answer(None, lambda _: ["Declined: nothing was changed.\n"], _DECLINED)
    snapshot = project.retire(found, reason=reason)
    return Answer(
        retirement_data(found, snapshot),
        lambda _: [f"{asset} has left production, in snapshot {snapshot}.\n"],
    )


@command("rename", _DECIDED)
@click.argument("old", metavar="OLD", shell_complete=complete_target)
@click.argument("new", metavar="NEW", shell_complete=complete_target)
@click.option("--dry-run", is_flag=True, help="Show what would move and stop.")
@click.option("--yes", is_flag=True, help="Rename without asking.")
def rename(call: Call, old: str, new: str, dry_run: bool, yes: bool) -> Answer:
    """Move the history of an asset that has another name in the code now.

    OLD is no longer declared, NEW is and was never made. Nothing is made again for its name.
    """
    from millgate.cli.show_rename import rename_data, rename_lines, renamed_lines

    project = call.open()
    found = project.propose_rename(old, new)
    if dry_run:
        return Answer(
            rename_data(found, None), lambda width: rename_lines(found, width, only_looking=True)
        )
    call.show(rename_lines(found, call.terminal.width))
    if not _agreed(call, yes, f"millgate rename {old} {new}", "Rename it?"):
        return Answer(None, lambda _: ["Declined: nothing was changed.\n"], _DECLINED)
    snapshot = project.rename(found)
    return Answer(rename_data(found, snapshot), lambda width: renamed_lines(found, snapshot, width))


def _agreed(call: Call, yes: bool, where: str, question: str) -> bool:
    """Whether it may be done: --yes was given, or the person who was asked agrees."""
    if not yes and not call.can_ask:
        raise UsageError(
            "nobody is there to ask",
            where=where.rstrip(),
            fix="add --yes, or look first with --dry-run",
        )
    return yes or call.terminal.ask(question)


_COMMANDS: Sequence[click.Command] = (list_, show, replay, release, discard)
for _command in _COMMANDS:
    quarantine.add_command(_command)
