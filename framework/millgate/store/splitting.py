"""A result of several partitions, split by partition while it is written."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from millgate.errors import BadResult
from millgate.model.dimension import KeyValue
from millgate.model.schema import Schema
from millgate.store.storage import Storage, storage_at
from millgate.store.streams import GROUP_BYTES, first_of, groups
from millgate.store.writing import appearing

_SHOWN = 3

_FILES_EACH = 4
"""Files that are open for each partition that is being written: DuckDB has more than one."""

_FILES_BESIDE = 512
"""Files that a process may have open beside them."""


@dataclass(frozen=True)
class Target:
    """The file for the rows of one partition, and the lineage that it carries."""

    path: Path
    metadata: Mapping[str, Any]


def split(
    result: Any,
    column: str,
    targets: Mapping[KeyValue, Target],
    check: Callable[[pl.Schema], None],
    where: str,
) -> list[pl.DataFrame] | None:
    """The rows of each target, in its order, where they are few; else None, and each is written.

    The values of `column` say which rows are whose; there may be none for one. `check` is shown
    the columns before. Raises BadResult, with some of the rows, where one is nobody's.
    """
    if isinstance(result, pl.DataFrame):
        check(result.schema)
        found = _parted(result, column, targets, where)
        return [found.get(value, result.clear()) for value in targets]
    storage = storage_at(next(iter(targets.values())).path)
    frames, like = storage.carried(result)
    first = first_of(frames)
    check(first.schema)
    with ExitStack() as files:
        shelves = _Shelves(targets, storage, first.clear(), like, files)
        for group in groups(first, frames):
            for value, rows in _parted(group, column, targets, where).items():
                shelves.put(value, rows)
            shelves.relieve()
        if storage.is_faithful and not shelves.is_written:
            return [shelves.gathered(value) for value in targets]
        for value in targets:
            shelves.write(value)
    return None


def _parted(
    frame: pl.DataFrame, column: str, targets: Mapping[KeyValue, Target], where: str
) -> dict[KeyValue, pl.DataFrame]:
    values = frame.get_column(column).unique(maintain_order=True).to_list()
    parts = frame.partition_by(column, maintain_order=True)
    parted = dict(zip(values, parts, strict=True))
    strays = [rows for value, rows in parted.items() if value not in targets]
    if strays:
        raise _strays(strays, column, list(targets), where)
    return parted


@dataclass
class _Shelves:
    """Rows in memory by partition, of which the most go to their file when they become many."""

    targets: Mapping[KeyValue, Target]
    storage: Storage
    empty: pl.DataFrame
    like: Schema | None
    files: ExitStack
    _rows: dict[KeyValue, list[pl.DataFrame]] = field(default_factory=dict)
    _bytes: dict[KeyValue, float] = field(default_factory=dict)
    _add: dict[KeyValue, Callable[[pl.DataFrame], None]] = field(default_factory=dict)

    @property
    def is_written(self) -> bool:
        """Whether any rows are in a file by now."""
        return bool(self._add)

    def put(self, value: KeyValue, rows: pl.DataFrame) -> None:
        self._rows.setdefault(value, []).append(rows)
        self._bytes[value] = self._bytes.get(value, 0) + rows.estimated_size()

    def relieve(self) -> None:
        """Write the largest partitions until the rest is no more than memory is meant for."""
        while sum(self._bytes.values()) > GROUP_BYTES:
            self.write(max(self._bytes, key=lambda value: self._bytes[value]))

    def gathered(self, value: KeyValue) -> pl.DataFrame:
        """The rows of a partition that are in memory, which then has them no more."""
        self._bytes.pop(value, None)
        rows = self._rows.pop(value, [])
        return pl.concat(rows) if rows else self.empty

    def write(self, value: KeyValue) -> None:
        """Write what is in memory of a partition; a file is there even for no rows."""
        rows = self.gathered(value)
        if value not in self._add:
            _allow_files(len(self._add) + 1)
            target = self.targets[value]
            part = self.files.enter_context(appearing(target.path))
            filling = self.storage.filling(part, rows, target.metadata, self.like)
            self._add[value] = self.files.enter_context(filling)
        self._add[value](rows)


def _allow_files(written: int) -> None:
    """Let the process open what so many partitions take at once, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = written * _FILES_EACH + _FILES_BESIDE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # a system may have a limit below the one it tells
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _strays(
    strays: list[pl.DataFrame], column: str, asked: list[KeyValue], where: str
) -> BadResult:
    keys = f"{asked[0]} to {asked[-1]}" if len(asked) > 1 else str(asked[0])
    rows = pl.concat(strays)
    more = "; ..." if rows.height > _SHOWN else ""
    shown = "; ".join(rows_text(rows, _SHOWN))
    return BadResult(
        f"rows are of no partition that was asked for ({keys}): {shown}{more}",
        where=where,
        fix=f"keep only rows whose {column} is one of the partitions asked for",
    )


def rows_text(frame: pl.DataFrame, most: int) -> Iterator[str]:
    """The first rows of a frame, each on one line.

    >>> list(rows_text(pl.DataFrame({"id": [1, 2], "name": ["a", None]}), 5))
    ['id=1, name=a', 'id=2, name=None']
    """
    for row in frame.head(most).iter_rows(named=True):
        yield ", ".join(f"{name}={' '.join(str(value).split())}" for name, value in row.items())
