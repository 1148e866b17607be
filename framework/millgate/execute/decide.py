"""A person's decisions about quarantine: release and discard, each with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import polars as pl

from millgate.errors import Conflict, UnknownAsset, UsageError, did_you_mean
from millgate.execute.archiving import record
from millgate.execute.committing import committing, promotion, rebuild_views
from millgate.execute.deriving import derive
from millgate.execute.mill import Mill
from millgate.execute.running import claim, open_run, started, sweep
from millgate.execute.standing import Standing
from millgate.gate.reasons import REASONS
from millgate.lineage import queries
from millgate.lineage.queries import OpenEntry
from millgate.lineage.refusals import QuarantineRow, newest_entry, quarantine_history
from millgate.model.partition import label
from millgate.model.record import (
    Change,
    Decision,
    Judged,
    Judgement,
    LiveVersion,
    Materialization,
    Run,
    materialization_id,
    show_id,
)
from millgate.store import reading
from millgate.store.commit import Commit
from millgate.store.links import Links
from millgate.store.locks import OpenRun


def release(mill: Mill, asset: str, key: str, reason: str, seen: int | None = None) -> str:
    """Let the newest refused data of a partition into production, on a person's word.

    A held partition goes in as it is; rejected rows go in together with the rows they were split
    from, if those are still live. Both make a new version, derived from the refused one, with
    the judgement that was overruled. `seen` is the refused version that the person looked at:
    Conflict if somebody decided about it since, or another one waits. Returns what was done.
    """
    return _decided(mill, asset, key, "quarantine release", reason, seen, _release)


def discard(mill: Mill, asset: str, key: str, reason: str, seen: int | None = None) -> str:
    """Close the newest quarantine entry of a partition; its data stays out.

    The files stay in `quarantine/`. A discarded partition is not made again until its inputs,
    code or gate change. `seen` is as for a release. Returns what was done.
    """
    return _decided(mill, asset, key, "quarantine discard", reason, seen, _discard)


def check_waits(entry: QuarantineRow | None, asset: str, key: str) -> QuarantineRow:
    """The newest entry of a partition if it is open; UsageError says what became of it."""
    if entry is not None and entry.status == "held":
        return entry
    what = f"nothing of {label(asset, key)} waits in quarantine"
    raise UsageError(
        what if entry is None else f"{what}: what did was {_became(entry)}",
        where=label(asset, key),
        fix="millgate quarantine list shows what does",
    )


def check_reason(reason: str, command: str) -> None:
    """Raise UsageError where a decision comes without a reason."""
    if not reason.strip():
        raise UsageError(
            "a decision needs a reason", where=command, fix='give one: --reason "checked with ops"'
        )


def decided_run(mill: Mill, opened: OpenRun, reason: str) -> Run:
    """The record of a run that is one decision, and is over with its commit."""
    return replace(
        started(mill, opened),
        status="succeeded",
        finished_at=mill.clock(),
        exit_status=0,
        message=reason,
    )


def _decided(
    mill: Mill,
    asset: str,
    key: str,
    command: str,
    reason: str,
    seen: int | None,
    verb: Callable[[Mill, Commit, OpenEntry, Run, str], str],
) -> str:
    check_reason(reason, command)
    if asset not in mill.assets:
        raise UnknownAsset(
            f'no asset "{asset}"',
            where=command,
            fix=did_you_mean(asset, mill.assets, "all names: millgate list"),
        )
    if seen is None:
        with mill.reading() as connection:
            newest = newest_entry(connection, asset, key)
        seen = check_waits(newest, asset, key).materialization
    with open_run(mill, command, label(asset, key)) as opened:
        claim(opened, [(asset, key)])
        try:
            with committing(mill) as commit:
                entry = queries.open_entry(commit.connection, asset, key)
                if entry is None or entry.materialization != seen:
                    raise _overtaken(commit, asset, key, seen)
                return verb(mill, commit, entry, decided_run(mill, opened, reason), reason)
        finally:
            sweep(mill, opened.id)


def _overtaken(commit: Commit, asset: str, key: str, seen: int) -> Conflict:
    """What became of a version that a person is about to decide on, by somebody faster."""
    history = quarantine_history(commit.connection, asset, key)
    became = next((_became(e) for e in history if e.materialization == seen), "taken away")
    return Conflict(
        f"{show_id(seen)} was {became} a moment ago",
        where=label(asset, key),
        fix=f"millgate why {label(asset, key)} tells how it stands; nothing was changed",
    )


def _became(entry: QuarantineRow) -> str:
    by = f"{entry.status} by {entry.actor}"
    return f"{by}: {entry.reason}" if entry.reason else by


def _discard(mill: Mill, commit: Commit, entry: OpenEntry, run: Run, reason: str) -> str:
    decision = Decision(entry.materialization, "discarded", mill.clock(), run.actor, reason)
    change = Change(run, run.command, mill.clock(), decisions=(decision,))
    _enter(mill, commit, entry, change, Links())
    return f"discarded {_described(entry)}"


def _release(mill: Mill, commit: Commit, entry: OpenEntry, run: Run, reason: str) -> str:
    live = _live(commit, entry)
    if entry.scope == "rows" and (live is None or live.materialization != entry.materialization):
        raise Conflict(
            f"the rows were split from {show_id(entry.materialization)}, which is not live now",
            where=label(entry.asset, entry.partition),
            fix=f"millgate quarantine replay {label(entry.asset, entry.partition)} judges what "
            "waits by today's gate",
        )
    refused = queries.materialization(commit.connection, entry.materialization)
    assert refused is not None
    frame = _released_rows(mill, entry, live)
    number = materialization_id(run.id, 1)
    made = derive(mill, commit, run, number, "released", refused, frame, entry.schema)
    judgement = _overruled(Standing(mill, commit.connection), made, refused.created_at)
    judged = Judged(made.id, made.id, judgement, mill.clock(), run.id)
    change = Change(
        run,
        run.command,
        mill.clock(),
        materializations=(made,),
        judged=(judged,),
        promotions=(promotion(made, "release", run, judged.id, reason),),
        decisions=(Decision(refused.id, "released", mill.clock(), run.actor, reason),),
    )
    partition = mill.assets[entry.asset].partition(entry.partition)
    _enter(mill, commit, entry, change, Links(add={partition: made.path}))
    return f"released {_described(entry)} as {show_id(made.id)}"


def _released_rows(mill: Mill, entry: OpenEntry, live: LiveVersion | None) -> pl.LazyFrame:
    """What production gets: the refused rows, after those they were split from."""
    rows = reading.scan_version(mill.layout.quarantine / entry.path).drop(REASONS)
    shaped = mill.gates[entry.asset].shape(rows)
    if entry.scope == "partition":
        return shaped
    assert live is not None
    kept = reading.scan_version(mill.layout.versions / live.path)
    return pl.concat([kept, shaped.select(kept.collect_schema().names())])


def _overruled(standing: Standing, made: Materialization, then: datetime) -> Judgement:
    """The judgement that a release overrules, on data that was made `then`."""
    mill = standing.mill
    around = standing.around(mill.assets[made.asset], made.partition, then)
    frame = reading.scan_version(mill.layout.versions / made.path)
    gate = mill.gates[made.asset]
    return gate.evaluate(frame, columns=made.schema, live=None, around=around).judgement


def _live(commit: Commit, entry: OpenEntry) -> LiveVersion | None:
    versions = queries.live_versions(commit.connection, entry.asset)
    return next((v for v in versions if v.partition == entry.partition), None)


def _enter(mill: Mill, commit: Commit, entry: OpenEntry, change: Change, links: Links) -> None:
    record(commit, mill, change)
    rebuild_views(commit.connection, mill, [entry.asset])
    commit.publish(links)


def _described(entry: OpenEntry) -> str:
    count = f"{entry.rows:,} row{'s' if entry.rows != 1 else ''}"
    what = count if entry.scope == "rows" else "the partition"
    return f"{what} of {label(entry.asset, entry.partition)} ({show_id(entry.materialization)})"
