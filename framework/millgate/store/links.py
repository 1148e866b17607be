"""The hard links under `production/`: the live versions under names that any tool can glob."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from millgate.errors import StoreError
from millgate.model.partition import Partition
from millgate.store.files import Files, cannot_link
from millgate.store.layout import Layout
from millgate.store.storage import is_stored

AssetPath = tuple[str, str]
"""An asset, and the path of one of its versions below `versions`."""

_MARK = ".behind-"


@dataclass(frozen=True)
class Links:
    """What a commit changes in `production/`.

    `add` gives the path below `versions` that each partition serves now, `remove` the partitions
    that left production.
    """

    add: Mapping[Partition, str] = field(default_factory=dict)
    remove: Collection[Partition] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)


@dataclass(frozen=True)
class Link:
    """The name under which a version is served; `is_first` says that nothing is there yet."""

    name: Path
    version: Path
    is_first: bool


def is_served(path: Path) -> bool:
    """Whether a file below `production` is a link of Millgate's, one that is being made, or a log
    that somebody's DuckDB left beside one."""
    name = path.name.removeprefix(".").removesuffix(".new").removesuffix(".wal")
    return Path(name).stem == "data" and is_stored(Path(name))


def served_in(folder: Path) -> list[Path]:
    """The links of a partition: one, or two where its kind of file is being changed."""
    names = [name for name in os.listdir(folder) if name.startswith("data.")]
    return [path for name in names if is_stored(path := folder / name)]


class ProductionLinks:
    """Links that follow the catalog. All but `behind` needs the commit lock.

    Each commit that changes links leaves a mark while it does, so that one that died is seen.
    """

    def __init__(self, layout: Layout, files: Files) -> None:
        self._layout = layout
        self._files = files

    @property
    def behind(self) -> bool:
        """Whether a commit died before it had changed all of its links."""
        return next(self._marks(), None) is not None

    def begin(self, snapshot: int) -> None:
        """Leave the mark of the commit that makes `snapshot`."""
        mark = self._layout.production / f"{_MARK}{snapshot}"
        self._files.make_folder(mark.parent)
        self._files.write_text(mark, "links of a commit that has not finished\n")
        self._files.sync_folder(mark.parent)

    def end(self, snapshot: int) -> None:
        """Take the mark away."""
        self._files.unlink(self._layout.production / f"{_MARK}{snapshot}")

    def remove(self, partitions: Collection[Partition]) -> None:
        """Stop serving partitions, for good once this returns."""
        for folder in map(self._layout.production_folder, partitions):
            if folder.is_dir():
                for link in served_in(folder):
                    self._files.unlink(link)
                self._files.sync_folder(folder)

    def make_room(self, live: Iterable[AssetPath]) -> list[Link]:
        """The links of what is about to be live, with folders for them; serves nothing yet."""
        return [self._link(asset, path) for asset, path in live]

    def serve(self, links: Iterable[Link]) -> None:
        """Make links, each in the place of what its partition served before, in one instant.

        Where that was another kind of file, both are served for an instant.
        """
        for link in links:
            if not self._serve(link):
                for other in served_in(link.name.parent):
                    if other != link.name:
                        self._files.unlink(other)

    def mend(self, live: Collection[AssetPath]) -> None:
        """Make the links exactly those of what is `live`, whatever a crash left behind."""
        wanted = {link.name: link for link in self.make_room(live)}
        for folder, _, names in os.walk(self._layout.production):
            for name in names:
                path = Path(folder, name)
                if is_served(path) and path not in wanted:
                    self._files.unlink(path)
        for link in wanted.values():
            self._serve(link)
        for mark in list(self._marks()):
            self._files.unlink(mark)

    def _link(self, asset: str, path: str) -> Link:
        name = self._layout.serving_link(asset, path)
        return Link(name, self._layout.versions / path, self._files.make_folder(name.parent))

    def _serve(self, link: Link) -> bool:
        """Make a link; whether nothing was ever served beside it."""
        name, version = link.name, link.version
        if link.is_first and self._linked(version, name):
            return True
        if name.exists() and name.samefile(version):
            return False
        new = name.with_name(f".{name.name}.new")
        self._files.unlink(new)
        if not self._linked(version, new):
            self._files.copy(version, new)
        self._files.rename(new, name)
        return False

    def _linked(self, version: Path, name: Path) -> bool:
        """Whether the version could be given this name, which no file has."""
        try:
            self._files.link(version, name)
        except StoreError as error:
            if not cannot_link(error):
                raise
            return False
        return True

    def _marks(self) -> Iterator[Path]:
        return self._layout.production.glob(f"{_MARK}*")
