"""Today's gates tried on what is there: what they would refuse and accept, recording nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from millgate.errors import UsageError
from millgate.execute.mill import Mill
from millgate.execute.proposal import keys_named
from millgate.execute.refused import check_there, judge_held, refused_rows, together
from millgate.execute.standing import Standing
from millgate.lineage import queries
from millgate.lineage.live_state import read_live
from millgate.lineage.refusals import QuarantineRow, quarantine_list
from millgate.model.record import Judgement
from millgate.model.schema import Schema
from millgate.store import reading

if TYPE_CHECKING:
    import duckdb

    from millgate.model.state import Live


@dataclass(frozen=True)
class Trial:
    """What today's gate says of one version that is live, or of one that is held.

    `live` tells which. `accepted` and `refused` count its rows in production and in quarantine
    that today's gate would treat otherwise: those that would enter and those that would not.
    """

    asset: str
    partition: str
    materialization: int
    live: bool
    judgement: Judgement
    accepted: int
    refused: int
    is_known: bool
    """Whether this very gate was the last to judge it."""

    @property
    def id(self) -> tuple[str, str]:
        return self.asset, self.partition

    @property
    def is_failing(self) -> bool:
        """Whether rows in production, or an empty partition there, would not get in."""
        return self.live and (self.judgement.verdict == "hold" or self.refused > 0)

    @property
    def is_newly_refused(self) -> bool:
        """The same, by a gate that has not judged it before."""
        return self.is_failing and not self.is_known

    @property
    def is_newly_accepted(self) -> bool:
        """Whether rows in quarantine, or an empty partition there, would get in."""
        return self.accepted > 0 or (not self.live and self.judgement.verdict != "hold")


def try_gates(mill: Mill, target: str) -> tuple[Trial, ...]:
    """Today's judgement of everything live or waiting in quarantine that a target names.

    In topological order of the assets, by key. Rows that were split off are judged together with
    those they were split from. Raises StoreError where a file is gone.
    """
    with mill.reading() as connection:
        found = [
            trial
            for name, keys in keys_named(mill, connection, target).items()
            for trial in _trials(mill, connection, name)
            if keys is None or trial.partition in keys
        ]
    if not found:
        raise UsageError(
            f"nothing of {target or 'any asset'} is in production or in quarantine",
            where=target or "the warehouse",
            fix=f"millgate materialize {target}".rstrip(),
        )
    return tuple(found)


def _trials(mill: Mill, connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[Trial]:
    live = read_live(connection, [name]).get(name, {})
    schemas = {v.partition: v.schema for v in queries.live_versions(connection, name)}
    waiting = {entry.partition: entry for entry in quarantine_list(connection, [name])}
    union = queries.live_schema(connection, name)
    standing = Standing(mill, connection)
    for key in sorted({*live, *waiting}):
        entry = waiting.get(key)
        if key in live:
            split = entry if entry and entry.scope == "rows" else None
            yield _of_live(standing, name, key, live[key], schemas[key], split)
        if entry and entry.scope == "partition":
            yield _of_held(standing, entry, union)


def _of_live(
    standing: Standing,
    name: str,
    key: str,
    live: Live,
    schema: Schema,
    split: QuarantineRow | None,
) -> Trial:
    mill = standing.mill
    gate = mill.gates[name]
    frame = reading.scan_version(check_there(mill.layout.versions / live.path, name, key))
    rejected = 0
    if split is not None:
        frame = together(frame, refused_rows(mill, split))
        rejected = split.rows
    around = standing.around(mill.assets[name], key, live.made_at)
    found = gate.evaluate(frame, columns=schema, live=None, around=around)
    judgement = found.judgement
    kept = judgement.rows - rejected
    if judgement.verdict == "hold":
        accepted, refused = 0, kept
    elif judgement.verdict == "promote":
        accepted, refused = rejected, 0
    else:
        fails = found.failing
        accepted, refused = rejected - int(fails.tail(rejected).sum()), int(fails.head(kept).sum())
    known = live.gate_fingerprint == gate.fingerprint
    return Trial(name, key, live.materialization, True, judgement, accepted, refused, known)


def _of_held(standing: Standing, entry: QuarantineRow, union: Schema | None) -> Trial:
    judgement = judge_held(standing, entry, union)[1].judgement
    refused = judgement.rejected_rows if judgement.verdict == "split" else 0
    accepted = 0 if judgement.verdict == "hold" else judgement.rows - refused
    return Trial(
        entry.asset,
        entry.partition,
        entry.materialization,
        False,
        judgement,
        accepted,
        judgement.rows - accepted,
        False,
    )
