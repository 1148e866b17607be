"""The warehouse: reading its current snapshot, and beginning the commit of the next one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from millgate.errors import StoreError
from millgate.store.commit import Commit, broken
from millgate.store.files import Files, translated
from millgate.store.layout import Layout, log_beside
from millgate.store.links import AssetPath, ProductionLinks
from millgate.store.locks import exclusive_lock
from millgate.store.snapshots import Snapshots

if TYPE_CHECKING:
    import duckdb

_TRIES = 5


class Warehouse:
    """A project's warehouse. `warnings` collects what a reader should be told, each once."""

    def __init__(self, layout: Layout, files: Files) -> None:
        self.layout = layout
        self.warnings: list[str] = []
        self._files = files
        self._snapshots = Snapshots(layout, files)
        self._links = ProductionLinks(layout, files)
        self._prepared: Future[duckdb.DuckDBPyConnection] | None = None

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
            if log_beside(path).exists():
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
        if not log_beside(path).exists():
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
            raise broken(
                f"snapshot {number} cannot be read", self.layout.database, error
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        warning = f"snapshot {number}: {why}; read from a private copy, without those changes"
        if why and warning not in self.warnings:
            self.warnings.append(warning)
        return connection

    def prepare(self, make: Callable[[duckdb.DuckDBPyConnection], object]) -> None:
        """Let `make` write what the first commit of all starts from, where none was made yet.

        That is done in memory and beside what else goes on. What goes wrong with it is left to
        the commit, which then starts from nothing.
        """
        if self._prepared is None and self.current() is None:
            thread = ThreadPoolExecutor(1, thread_name_prefix="millgate-catalog")
            self._prepared = thread.submit(_in_memory, make)
            thread.shutdown(wait=False)

    def _take_prepared(self) -> duckdb.DuckDBPyConnection | None:
        import duckdb

        prepared, self._prepared = self._prepared, None
        with suppress(duckdb.Error, StoreError):
            return prepared.result() if prepared else None
        return None

    @contextmanager
    def committing(self) -> Iterator[Commit]:
        """A commit under the commit lock, discarded unless it is published before it is left."""
        import duckdb

        with exclusive_lock(self.layout.commit_lock):
            current = self.current()
            commit = Commit(self.layout, self._files, self._snapshots, self._links, current)
            try:
                commit.open(self._take_prepared())
                yield commit
            except (duckdb.OperationalError, duckdb.FatalException) as error:
                what = f"snapshot {commit.snapshot} cannot be written"
                raise broken(what, self.layout.draft, error) from error
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


def _in_memory(
    make: Callable[[duckdb.DuckDBPyConnection], object],
) -> duckdb.DuckDBPyConnection:
    import duckdb

    # For hundreds of small statements, plans and threads take longer than what they are for.
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("PRAGMA disable_optimizer")
    make(connection)
    connection.execute("PRAGMA enable_optimizer")
    connection.execute("RESET threads")
    return connection
