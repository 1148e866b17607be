"""The warehouse: reading its current snapshot, and committing the next one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from millgate.errors import StoreError
from millgate.store.draft import compact, create, write_rows
from millgate.store.duckdb_file import log_beside
from millgate.store.files import Files, translated
from millgate.store.layout import Layout
from millgate.store.links import AssetPath, Links, ProductionLinks
from millgate.store.locks import exclusive_lock
from millgate.store.snapshots import Snapshots

if TYPE_CHECKING:
    import duckdb

__all__ = ["Commit", "Links", "Warehouse"]

_TRIES = 5


class Warehouse:
    """A project's warehouse. `warnings` collects what a reader should be told, each once."""

    def __init__(self, layout: Layout, files: Files) -> None:
        self.layout = layout
        self.warnings: list[str] = []
        self._files = files
        self._snapshots = Snapshots(layout, files)
        self._links = ProductionLinks(layout, files)

    def current(self) -> int | None:
        """The number of the current snapshot, None before the first commit."""
        return self._snapshots.current()

    def numbers(self) -> list[int]:
        """The numbers of the snapshots that are there, in order."""
        return self._snapshots.numbers()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A read-only connection to the current snapshot, which it keeps while others commit.

        Where somebody has written to that snapshot, or is about to, the connection is to a
        private copy, and `warnings` says so.
        """
        import duckdb

        for _ in range(_TRIES):
            number = self.current()
            if number is None:
                raise self._nothing()
            path = self.layout.snapshot(number)
            if path.with_name(f"{path.name}.wal").exists():
                return self._connect_to_copy(number, "somebody wrote to it outside Millgate")
            try:
                return duckdb.connect(str(path), read_only=True)
            except duckdb.Error:
                if self.current() == number:
                    return self._connect_to_copy(
                        number, "it is open elsewhere for writing, or with other settings"
                    )
        raise StoreError(
            "the current snapshot was replaced each time it was opened",
            where=str(self.layout.database),
            fix="try again",
        )

    def connect_to(self, number: int) -> duckdb.DuckDBPyConnection:
        """A read-only connection to a snapshot, to a private copy where that is in use."""
        import duckdb

        path = self.layout.snapshot(number)
        if not path.with_name(f"{path.name}.wal").exists():
            with suppress(duckdb.Error):
                return duckdb.connect(str(path), read_only=True)
        return self._connect_to_copy(number, "it is in use elsewhere")

    def connect_to_changed(
        self, change: Callable[[duckdb.DuckDBPyConnection], object], number: int | None = None
    ) -> duckdb.DuckDBPyConnection:
        """A read-only connection to a private copy of a snapshot that was changed before.

        Of the current snapshot, unless a number is given.
        """
        number = self.current() if number is None else number
        if number is None:
            raise self._nothing()
        return self._connect_to_copy(number, change=change)

    def copy(self, target: Path) -> int:
        """Copy the current snapshot to a new file, and return its number."""
        number = self.current()
        if number is None:
            raise self._nothing()
        self._snapshots.copy(number, target)
        return number

    def _nothing(self) -> StoreError:
        return StoreError(
            "nothing has been materialized yet",
            where=str(self.layout.database),
            fix="millgate materialize",
        )

    def _connect_to_copy(
        self,
        number: int,
        why: str = "",
        change: Callable[[duckdb.DuckDBPyConnection], object] | None = None,
    ) -> duckdb.DuckDBPyConnection:
        import duckdb

        with translated("make a private copy in", Path(tempfile.gettempdir())):
            folder = Path(tempfile.mkdtemp(prefix="millgate-"))
        copy = folder / "warehouse.duckdb"
        try:
            self._snapshots.copy(number, copy)
            spill: dict[str, str | bool | int | float | list[str]]
            spill = {"temp_directory": f"{folder}.spill"}
            if change is not None:
                with duckdb.connect(str(copy), config=spill) as writing:
                    change(writing)
            connection = duckdb.connect(str(copy), read_only=True, config=spill)
        except duckdb.Error as error:
            raise _broken(
                f"snapshot {number} cannot be read", self.layout.database, error
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        warning = f"snapshot {number}: {why}; read from a private copy, without those changes"
        if why and warning not in self.warnings:
            self.warnings.append(warning)
        return connection

    @contextmanager
    def committing(self) -> Iterator[Commit]:
        """A commit under the commit lock, discarded unless it is published before it is left."""
        import duckdb

        with exclusive_lock(self.layout.commit_lock):
            current = self.current()
            commit = Commit(self.layout, self._files, self._snapshots, self._links, current)
            try:
                commit.open()
                yield commit
            except (duckdb.OperationalError, duckdb.FatalException) as error:
                what = f"snapshot {commit.snapshot} cannot be written"
                raise _broken(what, self.layout.draft, error) from error
            finally:
                commit.abandon()

    @property
    def links_behind(self) -> bool:
        """Whether a crash left links under `production/` that do not follow the catalog."""
        return self._links.behind

    def mend_links(self, live: Collection[AssetPath], snapshot: int) -> bool:
        """Make the links those of `live`, the versions that are live in `snapshot`.

        Returns False, changing nothing, if another commit came in between.
        """
        with exclusive_lock(self.layout.commit_lock):
            if self.current() != snapshot:
                return False
            self._links.mend(live)
        return True

    def take_back(self, lost: Collection[AssetPath]) -> None:
        """Give versions whose files are gone the files that `production/` serves for them."""
        with exclusive_lock(self.layout.commit_lock):
            for asset, path in lost:
                link = self.layout.serving_link(asset, path)
                self._files.bring(link, self.layout.versions / path)

    def protect(self, paths: Collection[str], snapshot: int) -> None:
        """Let nobody write to versions, nor to a snapshot; logs beside versions go."""
        versions = [self.layout.versions / path for path in paths]
        self._files.each(self._files.protect, [*versions, self.layout.snapshot(snapshot)])
        self._files.each(self._files.unlink, [log_beside(version) for version in versions])

    def forget_link(self) -> None:
        """Take away the link to a snapshot that is lost."""
        with exclusive_lock(self.layout.commit_lock):
            if self.layout.database.is_symlink():
                self._files.unlink(self.layout.database)

    def point_to(self, number: int) -> None:
        """Make an existing snapshot the current one."""
        with exclusive_lock(self.layout.commit_lock):
            self._snapshots.swap(number)

    def sweep_staging(self, is_alive: Callable[[int], bool]) -> None:
        """Remove what runs have staged that are not alive any more."""
        with translated("list", self.layout.staged_runs):
            try:
                names = os.listdir(self.layout.staged_runs)
            except FileNotFoundError:
                return
        for run in sorted(int(name) for name in names if name.isdecimal()):
            if not is_alive(run):
                self._files.remove_folder(self.layout.staging(run))


class Commit:
    """A commit under way: a writable draft of the next snapshot, and the files it will name.

    `fresh` says that there was no snapshot before. Made by `Warehouse.committing` only.
    """

    def __init__(
        self,
        layout: Layout,
        files: Files,
        snapshots: Snapshots,
        links: ProductionLinks,
        current: int | None,
    ) -> None:
        self._layout = layout
        self._files = files
        self._snapshots = snapshots
        self._links = links
        self._current = current
        self._brought: list[Path] = []
        self._folders = set(_up_to(layout.warehouse, layout.warehouse.parent))
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._settled = False

    @property
    def fresh(self) -> bool:
        return self._current is None

    @property
    def snapshot(self) -> int:
        """The number that the snapshot will have."""
        return (self._current or 0) + 1

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The draft, to be written to. Whatever is not committed when it is published fails it."""
        assert self._connection is not None
        return self._connection

    def open(self) -> None:
        """Make the draft."""
        import duckdb

        draft = self._snapshots.draft(self._current)
        if self.fresh:
            create(draft)
        self._connection = duckdb.connect(str(draft))

    def move(self, staged: Path, path: str, location: Literal["versions", "quarantine"]) -> None:
        """Bring a staged file to `path` below the folder that `location` names, for good."""
        target = self._target(path, location)
        self._files.bring(staged, target)
        self._brought.append(target)

    def write_report(self, path: str, text: str) -> None:
        """Write a text file at `path` below the quarantine folder."""
        target = self._target(path, "quarantine")
        self._files.make_folder(target.parent)
        self._brought.append(target)
        self._files.write_text(target, text)
        self._files.protect(target)

    @property
    def draft_bytes(self) -> int:
        """How large the draft is, what is not written to its file yet included."""
        draft = self._layout.draft
        files = (draft, draft.with_name(f"{draft.name}.wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def write_history(self, table: str, query: str) -> tuple[str, int, int]:
        """Write the rows of a query to a new file; its path below `history`, its rows and bytes."""
        draft = self._layout.draft.with_name("history.parquet")
        rows = write_rows(self.connection, query, draft)
        ordinal = 1 + sum(file.parent.name == table for file in self._brought)
        path = self._layout.history_path(table, self.snapshot, ordinal)
        target = self._layout.history / path
        self._files.protect(draft)
        self._files.make_folder(target.parent)
        self._files.rename(draft, target)
        self._brought.append(target)
        self._folders.update(_up_to(target.parent, self._layout.warehouse.parent))
        return path, rows, target.stat().st_size

    def compact(self) -> None:
        """Leave no room in the draft for what was deleted."""
        import duckdb

        draft = self._layout.draft
        small = draft.with_name("compact.duckdb")
        self._close()
        compact(draft, small)
        self._files.rename(small, draft)
        self._connection = duckdb.connect(str(draft))

    def publish(self, links: Links | None = None) -> int:
        """Make the draft the current snapshot, and return its number."""
        links = links or Links()
        self._close()
        self._files.each(self._files.sync_file, self._brought)
        deepest_first = sorted(self._folders, key=lambda f: (-len(f.parts), str(f)))
        self._files.each(self._files.sync_folder, deepest_first)
        self._snapshots.place(self.snapshot)
        if links:
            self._links.begin(self.snapshot)
            self._links.remove(links.remove)
        self._settled = True
        try:
            self._snapshots.swap(self.snapshot)
            if links:
                self._links.serve(links.add)
                self._links.end(self.snapshot)
            self._snapshots.prune()
        except StoreError as error:
            if self._snapshots.current() != self.snapshot:
                self._settled = False
                raise
            raise StoreError(
                f"snapshot {self.snapshot} is published, but then: {error.what}",
                where=error.where,
                fix=f"{error.fix}; the next run mends what is left",
            ) from error
        return self.snapshot

    def superseded(self) -> dict[int, bool]:
        """The earlier snapshots that are still there, and whether another process reads them."""
        read = set(self._snapshots.read_elsewhere())
        return {number: number in read for number in self._snapshots.superseded()}

    def remove(self, files: Collection[Path], snapshots: Collection[int]) -> None:
        """Remove what the current snapshot does not name, snapshots that do before the files."""
        self._snapshots.discard(snapshots)
        for file in files:
            self._files.unlink(file)

    def abandon(self) -> None:
        """Leave nothing of a commit that was not published. Otherwise does nothing."""
        import duckdb

        if self._connection is not None:
            with suppress(duckdb.Error):
                self._connection.close()
        if self._settled:
            return
        for file in reversed(self._brought):
            with suppress(StoreError):
                self._files.unlink(file)
        with suppress(StoreError):
            self._snapshots.discard_draft()

    def _target(self, path: str, location: Literal["versions", "quarantine"]) -> Path:
        top = self._layout.versions if location == "versions" else self._layout.quarantine
        target = top / path
        edge = self._layout.warehouse if location == "versions" else top
        self._folders.update(_up_to(target.parent, edge.parent))
        return target

    def _close(self) -> None:
        """Close the draft so that its one file holds everything."""
        import duckdb

        draft = self._layout.draft
        try:
            self.connection.execute("CHECKPOINT")
            self.connection.close()
        except duckdb.Error as error:
            raise _broken(f"snapshot {self.snapshot} cannot be written", draft, error) from error
        if draft.with_name(f"{draft.name}.wal").exists():
            raise StoreError(
                f"snapshot {self.snapshot} cannot be written: its log is not empty",
                where=str(draft),
                fix="run again; the last snapshot is unharmed",
            )


def _up_to(folder: Path, top: Path) -> Iterator[Path]:
    """`folder` and those above it, `top` included: every entry on the path of a file in it."""
    yield folder
    while folder != top:
        folder = folder.parent
        yield folder


def _broken(what: str, where: Path, error: Exception) -> StoreError:
    reason = str(error).strip().splitlines()[0]
    return StoreError(
        f"{what}: {reason}",
        where=str(where),
        fix="check free space and permissions there and run again; the last snapshot is unharmed",
    )
