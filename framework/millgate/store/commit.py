"""A commit under way, from its draft to the snapshot that it publishes."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from millgate.errors import StoreError
from millgate.store.draft import begin, compact, go_on, write_rows
from millgate.store.files import Files
from millgate.store.layout import Layout, log_beside
from millgate.store.links import Link, Links, ProductionLinks
from millgate.store.snapshots import Snapshots

if TYPE_CHECKING:
    import duckdb


class Commit:
    """A commit under way: a writable draft of the next snapshot, and the files it will name.

    `fresh` says that there was no snapshot before, `is_empty` that the draft has nothing yet. Made
    by `Warehouse.committing` only.
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
        self._tops = {"versions": layout.versions, "quarantine": layout.quarantine}
        self._unsynced: list[Path] = []
        self._folders: dict[Path, set[Path]] = {}
        """Those whose entries are not synced yet, by the highest of them above each."""
        self._note_folders(layout.warehouse, layout.warehouse.parent)
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._settled = False
        self.is_empty = False

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

    def open(self, prepared: duckdb.DuckDBPyConnection | None) -> None:
        """Make the draft: where there was no snapshot from what is `prepared` in memory, if any."""
        import duckdb

        draft = self._snapshots.draft(self._current)
        if self.fresh:
            self.is_empty = prepared is None
            self._connection = prepared or duckdb.connect()
            begin(self._connection, draft)
        else:
            self._go_on()

    def use_processors(self, *, one: bool) -> None:
        """Let statements on the draft run on one processor, or on all that there are.

        With many, sharing out a statement takes longer than carrying it out where it is small.
        """
        self.connection.execute("SET threads = 1" if one else "RESET threads")

    def move(self, staged: Path, path: str, location: Literal["versions", "quarantine"]) -> None:
        """Bring a staged file to `path` below the folder that `location` names, for good."""
        target = self._target(path, location)
        self._files.bring(staged, target)
        self._note(target)

    def write_report(self, path: str, text: str) -> None:
        """Write a text file at `path` below the quarantine folder."""
        target = self._target(path, "quarantine")
        self._files.make_folder(target.parent)
        self._note(target)
        self._files.write_text(target, text)
        self._files.protect(target)

    def written_bytes(self) -> int:
        """How large the draft is, once all that is in it is written to its file."""
        self.connection.execute("CHECKPOINT")
        return self._layout.draft.stat().st_size

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
        self._note(target)
        self._note_folders(target.parent, self._layout.warehouse.parent)
        return path, rows, target.stat().st_size

    def compact(self) -> None:
        """Leave no room in the draft for what was deleted."""
        draft = self._layout.draft
        small = draft.with_name("compact.duckdb")
        self._close()
        compact(draft, small)
        self._files.rename(small, draft)
        self._go_on()

    def sync(self) -> None:
        """Return once what was brought until now is on the disk, and every entry on its path.

        Another thread may write to the draft in the meantime.
        """
        files, self._unsynced = self._unsynced, []
        folders, self._folders = self._folders, {}
        self._files.sync_all(files, set().union(*folders.values()))

    def make_room(self, links: Links) -> list[Link]:
        """Make folders for the links that it will be published with, where there are none yet.

        Another thread may write to the draft in the meantime, or close it.
        """
        return self._links.make_room((p.asset, path) for p, path in links.add.items())

    def publish(self, links: Links | None = None, room: Future[list[Link]] | None = None) -> int:
        """Make the draft the current snapshot, and return its number.

        `room` is what `make_room` made, or is still making, for the links.
        """
        links = links or Links()
        self._close()
        self.sync()
        prepared = room.result() if room is not None else self.make_room(links)
        self._snapshots.place(self.snapshot)
        if links:
            self._links.begin(self.snapshot)
            self._links.remove(links.remove)
        self._settled = True
        try:
            self._snapshots.swap(self.snapshot)
            if links:
                self._links.serve(prepared)
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
        target, layout = self._tops[location] / path, self._layout
        edge = layout.warehouse if location == "versions" else layout.quarantine
        self._note_folders(target.parent, edge.parent)
        return target

    def _note(self, file: Path) -> None:
        """Take a file among those that go if the commit is abandoned, and are synced if not."""
        self._brought.append(file)
        self._unsynced.append(file)

    def _note_folders(self, folder: Path, top: Path) -> None:
        """Take `folder` and those above it, up to `top`, among those whose entries are synced."""
        noted = self._folders.setdefault(top, set())
        while folder not in noted:
            noted.add(folder)
            if folder == top:
                return
            folder = folder.parent

    def _go_on(self) -> None:
        """Connect to the draft that is there."""
        import duckdb

        self._connection = duckdb.connect()
        go_on(self._connection, self._layout.draft)

    def _close(self) -> None:
        """Close the draft so that its one file holds everything."""
        import duckdb

        draft = self._layout.draft
        try:
            self.connection.execute("CHECKPOINT")
            self.connection.close()
        except duckdb.Error as error:
            raise broken(f"snapshot {self.snapshot} cannot be written", draft, error) from error
        if log_beside(draft).exists():
            raise StoreError(
                f"snapshot {self.snapshot} cannot be written: its log is not empty",
                where=str(draft),
                fix="run again; the last snapshot is unharmed",
            )


def broken(what: str, where: Path, error: Exception) -> StoreError:
    """The error of a database that DuckDB could not write or read."""
    reason = str(error).strip().splitlines()[0]
    return StoreError(
        f"{what}: {reason}",
        where=str(where),
        fix="check free space and permissions there and run again; the last snapshot is unharmed",
    )
