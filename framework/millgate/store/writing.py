"""Whatever an asset returns, as one file that carries its lineage."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from millgate.errors import StoreError
from millgate.model.schema import Schema
from millgate.store.layout import log_beside
from millgate.store.storage import storage_at
from millgate.store.streams import Small, is_small

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}
_TOGETHER = 32
"""How many files are open at a time to be written together."""
_TOO_MANY = os.strerror(errno.EMFILE)
_TOLD = re.compile(r"\(os error (\d+)\)")
"""How polars says the number of an error of the operating system."""


def write(result: Any, path: Path, metadata: Mapping[str, Any], like: Schema | None = None) -> None:
    """Write a result to `path`, whose suffix says as what kind of file, with `metadata` in it.

    A column that is text in a frame takes the type that `like` gives it, if that is one which
    frames carry as text. What streams is streamed: LazyFrames, readers, relations and iterators of
    frames need not fit in memory. The file appears whole or not at all, and may replace one that
    `result` reads. Raises BadResult for what cannot be stored and StoreError where the disk
    refuses; what the user's own iterator or plan raises passes unchanged.
    """
    with appearing(path) as part:
        storage_at(path).write(result, part, metadata, like)


def write_frames(
    frames: Sequence[pl.DataFrame], paths: Sequence[Path], metadata: Sequence[Mapping[str, Any]]
) -> None:
    """Write each frame to its path as `write` does; the paths name files of one kind.

    That the frames can be stored was seen before.
    """
    for path in {path.parent: path for path in paths}.values():
        _make_folder(path)
    small = []
    for one in zip(frames, paths, metadata, strict=True):
        if is_small(one[0]):
            small.append(one)
        else:
            write(*one)
    for start in range(0, len(small), _TOGETHER):
        _write_together(small[start : start + _TOGETHER])


def part(
    rows: pl.LazyFrame, flag: str, kept: Path, left: Path, metadata: Mapping[str, Any], like: Schema
) -> None:
    """Write the rows whose `flag` is false to `kept` and the others to `left`, in their order.

    Neither has the column `flag`. Like `write`, and in one stream where the kind of file can.
    """
    with appearing(kept) as first, appearing(left) as second:
        storage_at(kept).part(rows, flag, first, second, metadata, like)


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Where to write what is to be at `path`: there once the block is over, or not at all.

    Raises StoreError where the disk refuses.
    """
    part = Path(f"{path}.part")
    _make_folder(path)
    try:
        yield part
        os.replace(part, path)
    except BaseException as error:
        for left in (part, log_beside(part)):
            with suppress(OSError):
                left.unlink()
        if _is_of_disk(error, part):
            raise _refusing(path, error) from error
        raise


def _make_folder(path: Path) -> None:
    """Make the folder for a file, where it is missing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refusing(path, error) from error


def _write_together(files: Sequence[Small]) -> None:
    """Make files that nobody looks for before this has returned."""
    paths = [path for _, path, _ in files]
    try:
        storage_at(paths[0]).write_together(files)
    except BaseException as error:
        for path in paths:
            with suppress(OSError):
                path.unlink()
        refused = next((path for path in paths if _is_of_disk(error, path)), None)
        if refused is not None:
            raise _refusing(refused, error) from error
        raise


def _is_of_disk(error: BaseException, part: Path) -> bool:
    """Whether an error is of the file being written, not of what is being read to write it."""
    told = _TOLD.search(str(error)) if isinstance(error, pl.exceptions.PolarsError) else None
    number = int(told[1]) if told else getattr(error, "errno", None)
    of_file = isinstance(error, OSError | duckdb.IOException | duckdb.FatalException)
    return number in _DISK or (of_file and str(part) in str(error))


def _refusing(path: Path, error: BaseException) -> StoreError:
    return StoreError(
        f"{path.name} cannot be written: {str(error).splitlines()[0]}",
        where=str(path.parent),
        fix="let a process have more open files (ulimit -n), or declare smaller batches"
        if _TOO_MANY in str(error)
        else "free space there, or check that it can be written to",
    )


def read_metadata(path: Path) -> dict[str, Any]:
    """What `write` was given as metadata, from the file alone."""
    try:
        return storage_at(path).metadata(path)
    except (OSError, LookupError, pl.exceptions.PolarsError, duckdb.Error, ValueError) as error:
        raise StoreError(
            "the file has no lineage",
            where=str(path),
            fix="it was not written by Millgate, or is damaged: millgate status shows what is live",
        ) from error
