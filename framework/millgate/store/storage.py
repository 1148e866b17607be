"""The kinds of file that a version can be: the one place that knows them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from millgate.errors import StoreError
from millgate.model.asset import Storing
from millgate.model.schema import Schema
from millgate.store.duckdb_file import DuckDBFile
from millgate.store.parquet_file import ParquetFile
from millgate.store.streams import Small


class Storage(Protocol):
    """A kind of file: how it is written and read, and how SQL reads a list of such files."""

    suffix: str
    function: str
    """The table function of DuckDB that reads a list of files."""
    options: tuple[str, ...]
    """What it is given beside the files and the options that all kinds have."""
    is_faithful: bool
    """Whether a polars frame reads back as it was; otherwise what is read back is what counts."""

    def write(
        self, result: Any, path: Path, metadata: Mapping[str, Any], like: Schema | None
    ) -> None:
        """Write a result whole. Columns that `like` gives a type which frames carry as text get
        that type. Raises BadResult for what cannot be stored, OSError where the disk refuses."""

    def write_together(self, files: Sequence[Small]) -> None:
        """Write frames that can be stored, small and few as they are, in less time than `write`
        takes for each. Raises as it does, and may leave any of the files."""

    def carried(self, result: Any) -> tuple[Iterator[pl.DataFrame], Schema | None]:
        """A result as frames, and the types of its columns where these cannot tell them all."""

    def filling(
        self, path: Path, first: pl.DataFrame, metadata: Mapping[str, Any], like: Schema | None
    ) -> AbstractContextManager[Callable[[pl.DataFrame], None]]:
        """A new file while the block runs, and how rows are added to it.

        `first` is what will be added first, or no rows of it. Raises as `write` does.
        """

    def part(
        self,
        rows: pl.LazyFrame,
        flag: str,
        kept: Path,
        left: Path,
        metadata: Mapping[str, Any],
        like: Schema,
    ) -> None:
        """Write the rows whose `flag` is false to one file and the others to another one, both
        without that column. Raises as `write` does."""

    def metadata(self, path: Path) -> dict[str, Any]:
        """What `write` was given; LookupError where the file has none."""

    def scan(self, path: Path) -> pl.LazyFrame:
        """The rows, in the order in which they were written."""

    def shape(self, path: Path) -> tuple[int, Schema]:
        """How many rows and which columns there are, without reading them all."""

    def schema_of(self, columns: Mapping[str, pl.DataType], like: Schema | None = None) -> Schema:
        """The columns of a polars schema as they are stored; BadResult where one cannot be."""


STORAGES: Mapping[Storing, Storage] = {"parquet": ParquetFile(), "duckdb": DuckDBFile()}

_BY_SUFFIX = {storage.suffix: storage for storage in STORAGES.values()}


def storage_at(path: Path | str) -> Storage:
    """The kind of a file, by its name.

    >>> storage_at("planes/118-45.duckdb").function
    'read_duckdb'
    """
    suffix = os.path.splitext(path)[1]
    if suffix not in _BY_SUFFIX:
        raise StoreError(
            f"{Path(path).name} is no file that this Millgate reads",
            where=str(path),
            fix="read it with the Millgate that wrote it, or a newer one",
        )
    return _BY_SUFFIX[suffix]


def is_stored(path: Path) -> bool:
    """Whether a file is of a kind that versions have."""
    return path.suffix in _BY_SUFFIX


def stored_below(folder: Path) -> list[Path]:
    """All files of such kinds below a folder, in order."""
    return sorted(p for suffix in _BY_SUFFIX for p in folder.rglob(f"*{suffix}"))
