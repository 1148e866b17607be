"""Repair: what `examine` finds and can be mended without making anything again."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import timedelta

from millgate.errors import StoreError
from millgate.execute.archiving import record, show
from millgate.execute.committing import committing, rebuild_views
from millgate.execute.doctor import Problem, broken_history, examine, serves, whole_snapshots
from millgate.execute.mill import Mill
from millgate.execute.opening import reading
from millgate.execute.rebuild import GONE, rebuild
from millgate.execute.running import open_run, started
from millgate.execute.upkeep import tidy
from millgate.execute.vacuum import vacuum
from millgate.lineage import archive, queries, soundness
from millgate.model.record import Change


@dataclass(frozen=True)
class Repaired:
    """What was found, and what is still wrong."""

    found: tuple[Problem, ...]
    left: tuple[Problem, ...]
    gone: str = ""
    """History that is lost, where the catalog was rebuilt from files."""

    @property
    def mended(self) -> tuple[Problem, ...]:
        still = {(p.kind, p.where) for p in self.left}
        return tuple(p for p in self.found if (p.kind, p.where) not in still)


def repair(mill: Mill, *, deep: bool = False) -> Repaired:
    """Mend links, modes, views, the symlink, silent runs and orphans; say what is still wrong."""
    found = examine(mill, deep=deep)
    kinds = {problem.kind for problem in found}
    if "snapshot" in kinds:
        _point_to_newest(mill)
        kinds |= {problem.kind for problem in examine(mill)}
    if "lost" in kinds:
        rebuild(mill)
        kinds |= {problem.kind for problem in examine(mill)}
    if kinds - {"lost", "snapshot"}:
        _mend(mill, kinds)
    left = tuple(examine(mill, deep=deep)) if found else ()
    return Repaired(tuple(found), left, GONE if "lost" in kinds else "")


def _point_to_newest(mill: Mill) -> None:
    whole = next(whole_snapshots(mill), None)
    if whole is not None:
        mill.warehouse.point_to(whole)


def _mend(mill: Mill, kinds: AbstractSet[str]) -> None:
    if kinds & {"file", "link", "mode", "wal"}:
        _mend_files(mill)
    tidy(mill)
    if kinds & {"view", "wal", "history"}:
        _commit_views(mill)
    # Where the catalog is another one now, what it does not name may be all that is left of it.
    if "orphan" in kinds and not kinds & {"lost", "snapshot"}:
        # Longer than anything is old: only what no table names goes.
        vacuum(mill, timedelta.max)


def _mend_files(mill: Mill) -> None:
    """Give live versions back their names and modes, and let `production/` serve them."""
    snapshot = mill.warehouse.current()
    if snapshot is None:
        return
    with reading(mill.warehouse, snapshot) as connection:
        live = soundness.live_files(connection)
    lost = [
        (one.asset, one.path)
        for one in live
        if not (mill.layout.versions / one.path).exists()
        and serves(mill.layout.serving_link(one.asset, one.path), one)
    ]
    mill.warehouse.take_back(lost)
    there = [(o.asset, o.path) for o in live if (mill.layout.versions / o.path).exists()]
    mill.warehouse.protect([path for _, path in there], snapshot)
    if not mill.warehouse.mend_links(there, snapshot):
        raise StoreError(
            "a run made a commit while its links were being mended",
            where=str(mill.layout.production),
            fix="millgate doctor --repair again, when no run is at work",
        )


def _commit_views(mill: Mill) -> None:
    """Publish a snapshot whose views are made anew, and beside which nothing stands."""
    with open_run(mill, "doctor --repair", "") as opened, committing(mill) as commit:
        lost = [file for file, _ in broken_history(mill, commit.connection)]
        archive.forget(commit.connection, [file.path for file in lost])
        show(commit.connection, mill.layout, {file.table_name for file in lost})
        rebuild_views(commit.connection, mill, queries.partitionings(commit.connection))
        run = replace(
            started(mill, opened), status="succeeded", finished_at=mill.clock(), exit_status=0
        )
        change = Change(run, run.command, mill.clock())
        record(commit, mill, change)
        commit.publish()
