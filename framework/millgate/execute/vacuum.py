"""Vacuum: what outlived its use goes, in one commit that stops naming it before its files go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from millgate.execute.archiving import record
from millgate.execute.committing import committing
from millgate.execute.mill import Mill
from millgate.execute.running import open_run, started
from millgate.execute.upkeep import tidy
from millgate.lineage import removal
from millgate.lineage.removal import Named, Outlived
from millgate.model.record import Change, Removal, Run, materialization_id, read_id
from millgate.store.commit import Commit
from millgate.store.layout import REPORT
from millgate.store.leftovers import DiskFile, disk_files

if TYPE_CHECKING:
    import duckdb

ORPHANS_STAY = timedelta(days=1)
"""A file that nothing names may be somebody's copy under way: it is given this long."""


@dataclass(frozen=True)
class Pile:
    """Files of one asset (or of none) that are removed, or kept, for one reason."""

    what: str
    asset: str
    files: int
    bytes: int
    why: str


@dataclass(frozen=True)
class Vacuumed:
    """What was removed, or would be, and what was kept although it is not live."""

    freed: tuple[Pile, ...]
    kept: tuple[Pile, ...]
    snapshot: int | None
    """The snapshot that stopped naming the removed files; None where none had to."""


@dataclass
class _Found:
    """What is to go and what stays, while it is being found out."""

    versions: list[Outlived] = field(default_factory=list)
    entries: list[Outlived] = field(default_factory=list)
    logs: set[int] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)
    snapshots: list[int] = field(default_factory=list)
    freed: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    kept: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def removal(self) -> Removal:
        versions, entries = (
            tuple(o.materialization for o in found) for found in (self.versions, self.entries)
        )
        return Removal(versions, entries, tuple(sorted(self.logs)))


@dataclass(frozen=True)
class _Bounds:
    """What may go: left alone before `until`, and named by none of the snapshots being read."""

    until: datetime
    why_younger: str
    until_running: datetime | None
    read: Mapping[int, Named]
    earlier: Mapping[int, Named]


def vacuum(mill: Mill, keep: timedelta, *, dry_run: bool = False) -> Vacuumed:
    """Remove what is older than `keep` and what nobody needs; say what went and what stays why.

    It goes under the commit lock, so that no file of a commit under way is taken for an orphan,
    and after the swap, so that a crash leaves files without names and never names without files.
    """
    if mill.warehouse.current() is None:
        return Vacuumed((), (), None)
    if dry_run:
        with committing(mill) as commit:
            found = _find(mill, commit, keep, own=None)
        return Vacuumed(_piles(found.freed), _piles(found.kept), None)
    tidy_first = staged_by_the_dead(mill)
    tidy(mill)
    with open_run(mill, "vacuum", "") as opened, committing(mill) as commit:
        found = _find(mill, commit, keep, own=opened.id)
        _count(found.freed, "staging", "", "their run is gone", tidy_first)
        snapshot = None
        if found.removal:
            run = replace(
                started(mill, opened),
                status="succeeded",
                finished_at=mill.clock(),
                exit_status=0,
            )
            _record(commit, run, found.removal, mill)
            snapshot = commit.publish()
        commit.remove(found.files, found.snapshots)
        return Vacuumed(_piles(found.freed), _piles(found.kept), snapshot)


def _record(commit: Commit, run: Run, gone: Removal, mill: Mill) -> None:
    change = Change(run, "vacuum", mill.clock(), removal=gone)
    record(commit, mill, change)


def _find(mill: Mill, commit: Commit, keep: timedelta, own: int | None) -> _Found:
    found = _Found()
    bounds = _bounds(mill, commit, keep, own)
    layout = mill.layout
    found.versions = _outlived(
        removal.superseded_versions(commit.connection), "superseded", bounds, found
    )
    found.entries = _outlived(
        removal.closed_entries(commit.connection), "quarantine", bounds, found
    )
    found.files += [layout.versions / o.path for o in found.versions]
    for entry in found.entries:
        rows = layout.quarantine / entry.path
        found.files += [rows, rows.with_name(REPORT)]
    _count_orphans(mill, commit, bounds, found)
    named = [removal.named_files(commit.connection), *bounds.read.values()]
    for file in unnamed_history(mill, [*named, *bounds.earlier.values()]):
        _count(found.freed, "history", "", "no snapshot names them", [file.bytes])
        found.files.append(mill.layout.history / file.path)
    _logs(mill, bounds, found)
    gone = {str(path) for path in found.files}
    found.snapshots = [n for n, named in bounds.earlier.items() if _dangles(mill, named, gone)]
    if own is None:
        _count(found.freed, "staging", "", "their run is gone", staged_by_the_dead(mill))
    return found


def _bounds(mill: Mill, commit: Commit, keep: timedelta, own: int | None) -> _Bounds:
    now = mill.clock()
    living = [run.started_at for run in mill.run_files.alive() if run.run != own]
    read: dict[int, Named] = {}
    earlier: dict[int, Named] = {}
    for number, is_read in commit.superseded().items():
        connection = mill.warehouse.connect_to(number)
        try:
            (read if is_read else earlier)[number] = removal.served_files(connection)
        finally:
            connection.close()
    try:
        until = now - keep
    except OverflowError:
        until = datetime.min.replace(tzinfo=now.tzinfo)
    return _Bounds(until, "younger than the retention", min(living, default=None), read, earlier)


def _outlived(
    candidates: Iterable[Outlived], what: str, bounds: _Bounds, found: _Found
) -> list[Outlived]:
    """Those of the candidates that may go; both they and the others are counted."""
    going = []
    for one in candidates:
        why = _kept_because(one, bounds)
        _count(
            found.kept if why else found.freed,
            what,
            one.asset,
            why or "older than the retention",
            [one.bytes],
        )
        if not why:
            going.append(one)
    return going


def _kept_because(one: Outlived, bounds: _Bounds) -> str:
    if one.since > bounds.until:
        return bounds.why_younger
    if bounds.until_running is not None and one.since >= bounds.until_running:
        return "a living run may read it"
    return _read_by(one.path, bounds)


def _read_by(path: str, bounds: _Bounds) -> str:
    for number, named in bounds.read.items():
        if path in named.versions or path in named.quarantine:
            return f"somebody reads snapshot {number}"
    return ""


def _count_orphans(mill: Mill, commit: Commit, bounds: _Bounds, found: _Found) -> None:
    for path, young in orphans(mill, commit.connection):
        top = next(t for t in (mill.layout.versions, mill.layout.quarantine) if t in path.parents)
        below = str(path.relative_to(top))
        why = young or _read_by(below, bounds)
        _count(
            found.kept if why else found.freed,
            "orphans",
            below.partition("/")[0],
            why or "no table names them",
            [path.stat().st_size],
        )
        if not why:
            found.files.append(path)


def orphans(mill: Mill, connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[Path, str]]:
    """Files that no table names, and why they are left alone all the same, if they are.

    A crash leaves such files, or a vacuum that did not end.
    """
    named = removal.named_files(connection)
    reports = {str(Path(path).with_name(REPORT)) for path in named.quarantine}
    now = mill.clock()
    for top, names in (
        (mill.layout.versions, named.versions),
        (mill.layout.quarantine, named.quarantine | reports),
    ):
        for file in disk_files(top):
            if "/" in file.path and file.path not in names:
                yield top / file.path, _orphan_kept(mill, file, now)


def unnamed_history(mill: Mill, named: Iterable[Named]) -> Iterator[DiskFile]:
    """Files of history that none of the snapshots name: a crash left them, or a newer one came."""
    known = frozenset().union(*(one.history for one in named))
    for file in disk_files(mill.layout.history):
        if file.path not in known and file.written_at <= mill.clock() - ORPHANS_STAY:
            yield file


def _orphan_kept(mill: Mill, file: DiskFile, now: datetime) -> str:
    if file.written_at > now - ORPHANS_STAY:
        return "younger than a day"
    path = Path(file.path)
    for name in (path.stem, path.parent.name):
        try:
            run = read_id(name) // materialization_id(1, 0)
        except ValueError:
            continue
        return "its run lives" if mill.run_files.is_alive(run) else ""
    return ""


def _logs(mill: Mill, bounds: _Bounds, found: _Found) -> None:
    """The logs of runs that wrote nothing since the retention began."""
    by_run: dict[int, list[DiskFile]] = defaultdict(list)
    for file in disk_files(mill.layout.logs):
        run, _, _ = file.path.partition("/")
        if run.isdecimal():
            by_run[int(run)].append(file)
    for number, files in by_run.items():
        younger = max(file.written_at for file in files) > bounds.until
        alive = mill.run_files.is_alive(number)
        why = bounds.why_younger if younger else "their run lives" if alive else ""
        sizes = [file.bytes for file in files]
        _count(
            found.kept if why else found.freed, "logs", "", why or "older than the retention", sizes
        )
        if not why:
            found.logs.add(number)
            found.files += [mill.layout.logs / file.path for file in files]


def staged_by_the_dead(mill: Mill) -> list[int]:
    """The sizes of what dead runs have staged."""
    alive: dict[str, bool] = {}
    sizes = []
    for file in disk_files(mill.layout.staged_runs):
        run, _, _ = file.path.partition("/")
        if run.isdecimal() and not alive.setdefault(run, mill.run_files.is_alive(int(run))):
            sizes.append(file.bytes)
    return sizes


def _dangles(mill: Mill, named: Named, gone: Collection[str]) -> bool:
    """Whether a snapshot that nobody reads would name files that are gone."""
    return any(str(mill.layout.versions / path) in gone for path in named.versions) or any(
        str(mill.layout.quarantine / path) in gone for path in named.quarantine
    )


def _count(
    piles: dict[tuple[str, str, str], list[int]],
    what: str,
    asset: str,
    why: str,
    sizes: Collection[int],
) -> None:
    if sizes:
        piles[what, asset, why] += sizes


def _piles(counted: Mapping[tuple[str, str, str], list[int]]) -> tuple[Pile, ...]:
    return tuple(
        Pile(what, asset, len(sizes), sum(sizes), why)
        for (what, asset, why), sizes in counted.items()
    )
