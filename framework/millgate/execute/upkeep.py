"""What a run does before it begins: take note of dead runs, and mend what a crash left behind."""

from __future__ import annotations

from dataclasses import replace

from millgate.execute.committing import committing
from millgate.execute.mill import Mill
from millgate.lineage import queries, recorder
from millgate.model.record import Change, Run
from millgate.store.locks import RunInfo


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
    run = Run(
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
        message=info.last_words or "the process ended without a word",
    )
    with committing(mill) as commit:
        known = queries.recorded_run(commit.connection, info.run) or run
        if known.status in ("running", "died"):
            died = replace(known, status="died", message=run.message)
            change = Change(died, "note a dead run", mill.clock())
            recorder.record(commit.connection, change, commit.snapshot)
            commit.publish()
    mill.run_files.forget(info.run)
