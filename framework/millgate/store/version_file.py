"""One stored file, looked at for what it is: its mode, its lineage, its rows, its content."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from millgate.errors import StoreError
from millgate.model.schema import Schema
from millgate.store import digest
from millgate.store.reading import scan_version
from millgate.store.storage import storage_at
from millgate.store.writing import read_metadata

READ_ONLY = 0o444


@dataclass(frozen=True)
class VersionFile:
    """What a file says of itself."""

    mode: int
    footer: dict[str, Any]
    rows: int
    schema: Schema


def look_at(path: Path) -> VersionFile:
    """The file, without reading its rows; FileNotFoundError, or StoreError if it is damaged."""
    mode = stat.S_IMODE(path.stat().st_mode)
    footer = read_metadata(path)
    try:
        return VersionFile(mode, footer, *storage_at(path).shape(path))
    except (OSError, pl.exceptions.PolarsError, duckdb.Error) as error:
        raise _damaged(path, error) from error


def data_hash(path: Path, schema: Schema) -> str:
    """The data hash of a file's rows; StoreError if they cannot be read."""
    try:
        measured = scan_version(path).select(digest.expressions(schema)).collect()
    except (OSError, pl.exceptions.PolarsError, duckdb.Error) as error:
        raise _damaged(path, error) from error
    return digest.digest(measured.row(0, named=True), schema)


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"the file cannot be read: {str(error).splitlines()[0]}",
        where=str(path),
        fix="restore it from a backup, or make the partition again",
    )
