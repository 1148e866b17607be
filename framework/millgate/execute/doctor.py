"""Doctor: every promise of the warehouse verified, without changing anything."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from millgate.errors import CatalogTooNew, StoreError
from millgate.execute.mill import Mill
from millgate.execute.opening import reading
from millgate.execute.vacuum import orphans, staged_by_the_dead
from millgate.lineage import archive, queries, soundness
from millgate.lineage.archive import HistoryFile
from millgate.lineage.soundness import LiveFile
from millgate.model.partition import label
from millgate.model.record import show_id
from millgate.store import version_file, views
from millgate.store.history_file import wrong_with
from millgate.store.layout import log_beside
from millgate.store.links import is_served
from millgate.store.storage import stored_below
from millgate.store.version_file import READ_ONLY

if TYPE_CHECKING:
    import duckdb

Kind = Literal[
    "snapshot", "lost", "history", "catalog", "file", "mode", "link", "quarantine", "orphan", "wal",
    "run", "view",
]  # fmt: skip
REPAIR = "millgate doctor --repair"


@dataclass(frozen=True)
class Problem:
    """A promise that is not kept: what it is, where it was seen, what to do."""

    kind: Kind
    what: str
    where: str
    fix: str


def examine(mill: Mill, *, deep: bool = False) -> list[Problem]:
    """Everything that is wrong with a warehouse; `deep` reads the rows of all that is live.

    Changes nothing and needs no declarations. CatalogTooNew where a newer Millgate wrote it.
    """
    try:
        number = mill.warehouse.current()
    except StoreError as error:
        return [_snapshot(mill, error.what, error.where)]
    if number is None:
        return _without_snapshot(mill)
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(reading(mill.warehouse))
        except CatalogTooNew:
            raise
        except StoreError as error:
            return [_snapshot(mill, error.what, str(mill.layout.snapshot(number)))]
        return [*_of_catalog(mill, connection, number, deep), *_of_runs(mill)]


def whole_snapshots(mill: Mill) -> Iterator[int]:
    """The snapshots that open and are catalogs of Millgate, the newest first."""
    import duckdb

    for number in reversed(mill.warehouse.numbers()):
        try:
            with reading(mill.warehouse, number) as connection:
                queries.live_paths(connection)
        except (StoreError, duckdb.Error):
            continue
        yield number


def _snapshot(mill: Mill, what: str, where: str) -> Problem:
    whole = next(whole_snapshots(mill), None)
    if whole is None:
        return _lost(what, where)
    fix = f"{REPAIR} makes snapshot {whole} the current one"
    return Problem("snapshot", what, where, fix)


def _lost(what: str, where: str) -> Problem:
    fix = f"restore a snapshot from a backup, or {REPAIR} rebuilds from files what is live and held"
    return Problem("lost", what, where, fix)


def _without_snapshot(mill: Mill) -> list[Problem]:
    link = str(mill.layout.database)
    if mill.warehouse.numbers():
        return [_snapshot(mill, "the link to the current snapshot is gone", link)]
    if stored_below(mill.layout.versions):
        return [_lost("there are versions, and every snapshot is gone", link)]
    return _of_runs(mill)


def _of_catalog(
    mill: Mill, connection: duckdb.DuckDBPyConnection, number: int, deep: bool
) -> list[Problem]:
    live = soundness.live_files(connection)
    files = [problem for one in live for problem in _live_file(mill, one, deep)]
    broken = list(_history(mill, connection))
    if broken:
        # What speaks of all rows cannot be asked.
        found = [*_of_snapshot(mill, number), *broken, *files, *_links(mill, live)]
        return [*found, *_views(mill, connection)]
    return [
        *_of_snapshot(mill, number),
        *_rows(connection),
        *files,
        *_links(mill, live),
        *_quarantine(mill, connection),
        *_views(mill, connection),
        *_orphans(mill, connection),
    ]


def broken_history(
    mill: Mill, connection: duckdb.DuckDBPyConnection
) -> Iterator[tuple[HistoryFile, str]]:
    """The files of history that are not what the catalog says, and what they are."""
    for file in archive.history_files(connection):
        wrong = wrong_with(mill.layout.history / file.path, file.row_count)
        if wrong:
            yield file, wrong


def _history(mill: Mill, connection: duckdb.DuckDBPyConnection) -> Iterator[Problem]:
    for file, wrong in broken_history(mill, connection):
        what = f"{file.row_count:,} rows of lineage.{file.table_name}: their file {wrong}"
        fix = f"restore it from a backup; {REPAIR} goes on without these rows"
        yield Problem("history", what, str(mill.layout.history / file.path), fix)


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterator[Problem]:
    fix = "make what they speak of again, or restore a snapshot from a backup"
    for found in soundness.unsound_rows(connection):
        what = f"{found.count:,} {found.what}, such as {found.example}"
        yield Problem("catalog", what, found.where, fix)


def _of_snapshot(mill: Mill, number: int) -> Iterator[Problem]:
    path = mill.layout.snapshot(number)
    if stat.S_IMODE(path.stat().st_mode) != READ_ONLY:
        yield Problem("mode", f"snapshot {number} can be written to", str(path), REPAIR)
    if path.with_name(f"{path.name}.wal").exists():
        yield Problem(
            "wal",
            f"somebody wrote to snapshot {number} outside Millgate",
            str(path.with_name(f"{path.name}.wal")),
            f"{REPAIR} makes a snapshot without it",
        )


def _live_file(mill: Mill, live: LiveFile, deep: bool) -> Iterator[Problem]:
    path = mill.layout.versions / live.path
    again = f"millgate materialize {label(live.asset, live.partition)} --force"
    log = log_beside(path)
    if log.exists():
        # DuckDB would read it into the version.
        what = f"somebody wrote to {_named(live)} outside Millgate"
        yield Problem("wal", what, str(log), f"{REPAIR} removes that log")
        return
    try:
        found = version_file.look_at(path)
        wrong = list(_differences(live, found))
        same = not deep or version_file.data_hash(path, live.schema) == live.data_hash
    except FileNotFoundError:
        link = mill.layout.serving_link(live.asset, live.path)
        fix = f"{REPAIR} takes it from production/" if serves(link, live) else again
        yield Problem("file", f"{_named(live)} is live and its file is gone", str(path), fix)
        return
    except StoreError as error:
        yield Problem("file", f"{_named(live)}: {error.what}", str(path), again)
        return
    if found.mode != READ_ONLY:
        yield Problem("mode", f"{_named(live)} can be written to", str(path), REPAIR)
    if not same:
        wrong.append("its rows are not those that were judged")
    for what in wrong:
        yield Problem("file", f"{_named(live)}: {what}", str(path), again)


def _differences(live: LiveFile, found: version_file.VersionFile) -> Iterator[str]:
    said = tuple(found.footer.get(name) for name in ("asset", "partition", "materialization"))
    if said != (live.made_as, live.partition, live.materialization):
        shown = show_id(said[2]) if isinstance(said[2], int) else said[2]
        yield f"its footer says it is {shown} of {label(str(said[0]), str(said[1]))}"
    if found.rows != live.rows:
        yield f"it has {found.rows:,} rows, and {live.rows:,} were promoted"
    if found.schema != live.schema:
        yield "its columns are not those on record"


def serves(link: Path, live: LiveFile) -> bool:
    """Whether a link under `production/` is the file of a live version."""
    try:
        return not list(_differences(live, version_file.look_at(link)))
    except (OSError, StoreError):
        return False


def _named(live: LiveFile) -> str:
    return f"{label(live.asset, live.partition)} ({show_id(live.materialization)})"


def _links(mill: Mill, live: list[LiveFile]) -> Iterator[Problem]:
    wanted = {mill.layout.serving_link(one.asset, one.path): one for one in live}
    for link, one in wanted.items():
        version = mill.layout.versions / one.path
        if not link.exists():
            yield Problem("link", f"{_named(one)} is live and not served", str(link), REPAIR)
        elif version.exists() and not _same(link, version):
            yield Problem("link", f"another file is served for {_named(one)}", str(link), REPAIR)
    for folder, _, names in os.walk(mill.layout.production):
        for name in names:
            path = Path(folder, name)
            if path not in wanted and is_served(path):
                yield Problem("link", "a file is served that is not live", str(path), REPAIR)
    if mill.warehouse.links_behind:
        where = str(mill.layout.production)
        yield Problem("link", "a commit died before its links were made", where, REPAIR)


def _same(link: Path, version: Path) -> bool:
    """Whether they are one file, or a copy where no link is possible."""
    one, other = link.stat(), version.stat()
    return os.path.samestat(one, other) or (
        one.st_dev != other.st_dev and one.st_size == other.st_size
    )


def _quarantine(mill: Mill, connection: duckdb.DuckDBPyConnection) -> Iterator[Problem]:
    for entry in soundness.refused_files(connection):
        path = mill.layout.quarantine / entry.path
        named = f"{label(entry.asset, entry.partition)} ({show_id(entry.materialization)})"
        try:
            rows = version_file.look_at(path).rows
            if rows == entry.rows:
                continue
            told = f"are {rows:,} and not {entry.rows:,}"
        except FileNotFoundError:
            told = "are gone"
        except StoreError as error:
            told = f"cannot be read: {error.what}"
        fix = "nothing needs them: vacuum forgets them after the retention"
        if entry.status == "held":
            again = "--retry-held" if entry.scope == "partition" else "--force"
            fix = f"millgate materialize {label(entry.asset, entry.partition)} {again}"
        yield Problem("quarantine", f"the refused rows of {named} {told}", str(path), fix)


def _views(mill: Mill, connection: duckdb.DuckDBPyConnection) -> Iterator[Problem]:
    shown = queries.view_texts(connection)
    assets = {*queries.partitionings(connection), *(name for _, name in shown)}
    for asset in sorted(assets):
        for schema, folder, versions in (
            ("production", mill.layout.versions, queries.live_versions(connection, asset)),
            ("quarantine", mill.layout.quarantine, queries.quarantine_files(connection, asset)),
        ):
            wanted = [views.exact_path(str(folder / version.path)) for version in versions]
            listed = views.listed_files(shown.get((schema, asset), ""))
            if sorted(listed) != sorted(wanted):
                name = f"{schema}.{views.quoted(asset)}"
                what = f"a view reads {len(listed):,} files, not the {len(wanted):,} that it should"
                if len(listed) == len(wanted):
                    what = f"a view reads other files than the {len(wanted):,} that it should"
                yield Problem("view", what, name, REPAIR)


def _orphans(mill: Mill, connection: duckdb.DuckDBPyConnection) -> Iterator[Problem]:
    for path, kept in orphans(mill, connection):
        if not kept:
            yield Problem("orphan", "no table names this file", str(path), "millgate vacuum")


def _of_runs(mill: Mill) -> list[Problem]:
    dead = [
        Problem(
            "run",
            f"run {info.run} ({info.command}, by {info.actor}) died and is not on record",
            str(mill.layout.run_file(info.run)),
            f"{REPAIR}, or any run",
        )
        for info in mill.run_files.dead()
    ]
    staged = len(staged_by_the_dead(mill))
    where = str(mill.layout.staged_runs)
    left = Problem("run", f"{staged:,} staged files of runs that are gone", where, REPAIR)
    return [*dead, *([left] if staged else [])]
