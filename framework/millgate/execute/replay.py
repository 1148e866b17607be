"""Replaying quarantine: what waits there is judged by today's gate, and what passes enters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from millgate.errors import Conflict, UsageError
from millgate.execute.archiving import record
from millgate.execute.committing import committing, promotion, rebuild_views
from millgate.execute.decide import decided_run
from millgate.execute.deriving import derive, footer_of
from millgate.execute.mill import Mill
from millgate.execute.order import Refused
from millgate.execute.placing import entry_of, move_refused
from millgate.execute.refused import check_there, judge_held, refused_rows, together
from millgate.execute.running import claim, open_run, sweep
from millgate.execute.standing import Standing
from millgate.execute.trial import Trial, try_gates
from millgate.gate.evaluate import Evaluation
from millgate.lineage import queries
from millgate.lineage.refusals import QuarantineRow, quarantine_list
from millgate.model.partition import Partition, label
from millgate.model.record import (
    Change,
    Decision,
    Judged,
    Materialization,
    QuarantineEntry,
    Run,
    materialization_id,
)
from millgate.model.schema import Schema
from millgate.store import reading, writing
from millgate.store.commit import Commit
from millgate.store.links import Links
from millgate.store.storage import STORAGES

if TYPE_CHECKING:
    import duckdb

_REASON = "passed when it was judged again"


@dataclass(frozen=True)
class Replay:
    """What replaying would do: the trials of what waits, those that let something in first."""

    target: str
    entering: tuple[Trial, ...]
    staying: tuple[Trial, ...]


def propose_replay(mill: Mill, target: str) -> Replay:
    """What today's gates would let in of what waits in quarantine; changes nothing.

    UsageError where nothing of the target waits.
    """
    with mill.reading() as connection:
        waiting = {(e.asset, e.partition): e for e in quarantine_list(connection)}
    trials = [
        trial
        for trial in (try_gates(mill, target) if waiting else ())
        if (entry := waiting.get(trial.id)) and entry.materialization == trial.materialization
    ]
    if not trials:
        raise UsageError(
            f"nothing of {target or 'any asset'} waits in quarantine",
            where=f"quarantine replay {target}".rstrip(),
            fix="millgate quarantine list --all shows what did",
        )
    return Replay(
        target,
        tuple(trial for trial in trials if trial.is_newly_accepted),
        tuple(trial for trial in trials if not trial.is_newly_accepted),
    )


def replay(mill: Mill, proposed: Replay) -> int:
    """Let in what passes, in one commit; returns the snapshot that shows it.

    Each partition gets a new version, derived from the refused one; what still fails waits on.
    Raises Conflict, having done nothing, if another run works on one of the partitions or changed
    one since the replay was proposed.
    """
    with open_run(mill, "quarantine replay", proposed.target) as opened:
        claim(opened, [trial.id for trial in proposed.entering])
        run = decided_run(mill, opened, _REASON)
        try:
            with committing(mill) as commit:
                replayed = _enter(mill, commit, run, proposed)
                added = {one.partition: one.made.path for one in replayed}
                return commit.publish(Links(add=added))
        finally:
            sweep(mill, run.id)


def _enter(mill: Mill, commit: Commit, run: Run, proposed: Replay) -> list[_Replayed]:
    """Move and record everything that is replayed."""
    waiting = _waiting(commit.connection, proposed)
    replayed = [
        _replayed(mill, commit, run, 2 * ordinal + 1, entry)
        for ordinal, entry in enumerate(waiting)
    ]
    change = Change(
        run,
        run.command,
        mill.clock(),
        materializations=tuple(one.made for one in replayed),
        judged=tuple(one.judged for one in replayed),
        promotions=tuple(
            promotion(one.made, "replay", run, one.judged.id, _REASON) for one in replayed
        ),
        quarantined=tuple(one.rest for one in replayed if one.rest),
        decisions=tuple(
            Decision(e.materialization, "replayed", mill.clock(), run.actor, _REASON)
            for e in waiting
        ),
    )
    record(commit, mill, change)
    rebuild_views(commit.connection, mill, {one.made.asset for one in replayed})
    return replayed


@dataclass(frozen=True)
class _Replayed:
    """A new version at its place, with what is left in quarantine of it."""

    partition: Partition
    made: Materialization
    judged: Judged
    rest: QuarantineEntry | None


def _waiting(connection: duckdb.DuckDBPyConnection, proposed: Replay) -> list[QuarantineRow]:
    """The entries as they were proposed; Conflict if one is not open, or not of what is live."""
    names = {trial.asset for trial in proposed.entering}
    found = {(e.asset, e.partition): e for e in quarantine_list(connection, names)}
    live = {
        (name, version.partition): version.materialization
        for name in names
        for version in queries.live_versions(connection, name)
    }
    for trial in proposed.entering:
        entry = found.get(trial.id)
        unchanged = entry is not None and entry.materialization == trial.materialization
        if not unchanged or (trial.live and live.get(trial.id) != trial.materialization):
            raise _changed(*trial.id)
    return [found[trial.id] for trial in proposed.entering]


def _changed(asset: str, key: str) -> Conflict:
    return Conflict(
        f"{label(asset, key)} was changed a moment ago",
        where="quarantine replay",
        fix="look again: millgate quarantine list; nothing was changed",
    )


def _replayed(
    mill: Mill, commit: Commit, run: Run, ordinal: int, entry: QuarantineRow
) -> _Replayed:
    refused = queries.materialization(commit.connection, entry.materialization)
    assert refused is not None
    partition = mill.assets[entry.asset].partition(entry.partition)
    number = materialization_id(run.id, ordinal)
    union = queries.live_schema(commit.connection, entry.asset)
    accepted, rest, found = _parted(Standing(mill, commit.connection), entry, refused, union)
    if found.judgement.verdict == "hold":
        raise _changed(entry.asset, entry.partition)
    made = derive(mill, commit, run, number, "replayed", refused, accepted, refused.schema)
    judged = Judged(number + 1, number, found.judgement, mill.clock(), run.id)
    left = None if rest is None else _left(mill, commit, partition, made, judged, rest)
    return _Replayed(partition, made, judged, left)


def _parted(
    standing: Standing, entry: QuarantineRow, refused: Materialization, live: Schema | None
) -> tuple[pl.LazyFrame, pl.LazyFrame | None, Evaluation]:
    """The rows that may be in production, those that wait on, and the judgement that parts them."""
    if entry.scope == "partition":
        raw, found = judge_held(standing, entry, live)
        return found.accepted(raw).lazy(), _rest(raw, found), found
    mill = standing.mill
    gate = mill.gates[entry.asset]
    raw = refused_rows(mill, entry)
    kept = reading.scan_version(
        check_there(mill.layout.versions / refused.path, entry.asset, entry.partition)
    )
    whole = together(kept, raw)
    around = standing.around(mill.assets[entry.asset], entry.partition, refused.created_at)
    found = gate.evaluate(whole, columns=refused.schema, live=None, around=around)
    passes = ~found.failing
    before = refused.rows
    stays = kept.filter(passes.head(before))
    enters = gate.shape(raw.filter(passes.tail(len(passes) - before)))
    return (
        pl.concat([stays, enters.select(kept.collect_schema().names())]),
        _rest(whole, found),
        found,
    )


def _rest(frame: pl.LazyFrame, found: Evaluation) -> pl.LazyFrame | None:
    return found.rejected(frame).lazy() if found.judgement.verdict == "split" else None


def _left(
    mill: Mill,
    commit: Commit,
    partition: Partition,
    made: Materialization,
    judged: Judged,
    rest: pl.LazyFrame,
) -> QuarantineEntry:
    """The rows that still fail, moved to quarantine under the new version."""
    storage = STORAGES[mill.assets[made.asset].storage]
    staged = mill.layout.staged(made.run, judged.id, storage.suffix)
    writing.write(rest, staged, footer_of(made), made.schema)
    rows, schema = storage.shape(staged)
    left = Refused(staged, schema, rows, staged.stat().st_size)
    entry = entry_of(mill.layout, partition, made, made.location, judged, left)
    move_refused(commit, entry, made, judged, left)
    return entry
