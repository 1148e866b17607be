"""Snapshots: how one is drafted from the last, published by one rename, and pruned."""

from __future__ import annotations

import os
import weakref
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from millgate.errors import StoreError
from millgate.store.files import Files, translated
from millgate.store.layout import Layout
from millgate.store.locks import has_reader

KEPT = 10
"""How many superseded snapshots stay, whoever reads them or not."""

STORAGE_VERSION = "v1.0.0"
"""The storage format that DuckDB 1.x reads too."""


class Snapshots:
    """The snapshots of a warehouse. All but `current` and `copy` need the commit lock.

    A snapshot's descriptor, once opened, stays open while the snapshot exists: closing it would
    drop the POSIX locks of every DuckDB connection that this process has on the same file.
    """

    def __init__(self, layout: Layout, files: Files) -> None:
        self._layout = layout
        self._files = files
        self._descriptors: dict[int, int] = {}
        weakref.finalize(self, _close_all, self._descriptors)

    def current(self) -> int | None:
        """The number of the current snapshot, None before the first."""
        link = self._layout.database
        with translated("read", link):
            try:
                target = Path(os.readlink(link))
            except FileNotFoundError:
                return None
            except OSError as error:
                if link.is_symlink() or not link.exists():
                    raise
                raise _stranger(link) from error
        if len(target.parts) < 2 or not target.parts[-2].isdecimal():
            raise _stranger(link)
        number = int(target.parts[-2])
        if not self._layout.snapshot(number).is_file():
            raise StoreError(
                f"snapshot {number} is missing",
                where=str(link),
                fix=f"restore {self._layout.snapshot(number)} from a backup",
            )
        return number

    def copy(self, number: int, target: Path) -> None:
        """Copy a snapshot, whoever has it open."""
        self._files.copy(self._descriptor(number), target)

    def draft(self, number: int | None) -> Path:
        """A new draft: a copy of a snapshot, or (None) a path where a database can be made."""
        draft = self._layout.draft
        self._files.remove_folder(draft.parent)
        self._files.make_folder(draft.parent)
        if number is not None:
            self.copy(number, draft)
        return draft

    def discard_draft(self) -> None:
        """Leave nothing of a draft that will not be published."""
        self._files.remove_folder(self._layout.draft.parent)

    def place(self, number: int) -> None:
        """Make the closed draft snapshot `number`, which nobody can find yet."""
        draft, target = self._layout.draft, self._layout.snapshot(number)
        self._files.protect(draft)
        self._files.sync_file(draft)
        self._files.sync_folder(draft.parent)
        self._files.remove_folder(target.parent)
        self._files.rename(draft.parent, target.parent)
        self._files.sync_folder(self._layout.snapshots)

    def swap(self, number: int) -> None:
        """Make a placed snapshot the current one, in one instant."""
        self._files.point(self._layout.database, self._layout.snapshot(number))
        self._files.sync_folder(self._layout.warehouse)

    def read_elsewhere(self) -> list[int]:
        """The superseded snapshots that another process reads."""
        return [number for number in self.superseded() if self._is_read(number)]

    def discard(self, numbers: Collection[int]) -> None:
        """Remove superseded snapshots that nobody reads."""
        for number in numbers:
            self._files.remove_folder(self._layout.snapshot(number).parent)
        self._close_removed()

    def superseded(self) -> list[int]:
        """The numbers of the snapshots before the current one, in order."""
        current = self.current()
        return [number for number in self.numbers() if current is None or number < current]

    def numbers(self) -> list[int]:
        """The numbers of the snapshots that have a file, in order."""
        with translated("list", self._layout.snapshots):
            try:
                names = os.listdir(self._layout.snapshots)
            except FileNotFoundError:
                return []
        numbers = sorted(int(name) for name in names if name.isdecimal())
        return [number for number in numbers if self._layout.snapshot(number).is_file()]

    def prune(self) -> None:
        """Remove superseded snapshots that no other process reads, but for the last ten."""
        self.discard([n for n in self.superseded()[:-KEPT] if not self._is_read(n)])

    def _is_read(self, number: int) -> bool:
        path = self._layout.snapshot(number)
        if not path.exists():
            return False
        with translated("ask for readers of", path):
            return has_reader(self._descriptor(number))

    def _descriptor(self, number: int) -> int:
        path = self._layout.snapshot(number)
        known = self._descriptors.get(number)
        with translated("open", path):
            if known is not None and os.path.samestat(os.fstat(known), os.stat(path)):
                return known
            if known is not None:
                os.close(self._descriptors.pop(number))
            return self._descriptors.setdefault(number, os.open(path, os.O_RDONLY))

    def _close_removed(self) -> None:
        for number, descriptor in list(self._descriptors.items()):
            if os.fstat(descriptor).st_nlink == 0:
                os.close(self._descriptors.pop(number))


def _stranger(link: Path) -> StoreError:
    return StoreError(
        "warehouse.duckdb is no link to a snapshot of Millgate",
        where=str(link),
        fix="move it away; Millgate makes the link itself",
    )


def _close_all(descriptors: dict[int, int]) -> None:
    while descriptors:
        with suppress(OSError):
            os.close(descriptors.popitem()[1])
