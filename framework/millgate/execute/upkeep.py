"""What a run does before it begins: take note of dead runs, and mend what a crash left behind."""

from __future__ import annotations

from dataclasses import replace

from millgate.execute.archiving import record
from millgate.execute.committing import committing
from millgate.execute.failure import describe
from millgate.execute.interrupt import is_interruption
from millgate.execute.mill import Mill
from millgate.lineage import queries, run_records
from millgate.model.record import Change, Run
from millgate.store.commit import Commit
from millgate.store.locks import OpenRun, RunInfo


def tidy(mill: Mill) -> None:
    """Leave nothing behind of runs that are gone: their staging, their links, their silence."""
    for info in mill.run_files.dead():
        _bury(mill, info)
    mill.warehouse.sweep_staging(mill.run_files.is_alive)
    snapshot = mill.warehouse.current()
    if snapshot is not None and mill.warehouse.links_behind:
        with mill.reading() as connection:
            live = queries.live_paths(connection)
        mill.warehouse.mend_links(live, snapshot)


def _bury(mill: Mill, info: RunInfo) -> None:
    """Record that a run died, unless its end is on record and only the file does not say so."""
    run = died(mill, info)
    with committing(mill) as commit:
        known = run_records.recorded_run(commit.connection, info.run) or run
        if known.status in ("running", "died"):
            gone = replace(known, status="died", message=run.message)
            _record(commit, gone, "note a dead run", mill)
    mill.run_files.forget(info.run)


def died(mill: Mill, info: RunInfo) -> Run:
    """The record of a run that died before it committed anything."""
    return Run(
        id=info.run,
        command=info.command,
        selection=info.selection,
        range_from=None,
        range_to=None,
        status="died",
        started_at=info.started_at,
        finished_at=None,
        actor=info.actor,
        host=info.host,
        code_version=None,
        millgate_version=mill.millgate_version,
        resumes=info.resumes,
        message=info.last_words or "the process ended without a word",
    )


def note_broken(mill: Mill, opened: OpenRun, run: Run, error: BaseException) -> None:
    """Record that a run broke off by an error. The next run does where even that fails."""
    asked = is_interruption(error)
    broken = replace(
        run,
        status="cancelled" if asked else "failed",
        finished_at=mill.clock(),
        exit_status=130 if asked else getattr(error, "exit_status", 1),
        message=None if asked else describe(error, mill.root, "").message,
    )
    try:
        with committing(mill) as commit:
            _record(commit, broken, "note a broken run", mill)
    except (Exception, KeyboardInterrupt):
        opened.abandon(broken.message or "interrupted")


def _record(commit: Commit, run: Run, why: str, mill: Mill) -> None:
    record(commit, mill, Change(run, why, mill.clock()))
    commit.publish()
