"""Which files a source has, and what is in them."""

from __future__ import annotations

import glob
import hashlib
import inspect
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from millgate.errors import DeclarationError, SourceChanged, StoreError, did_you_mean
from millgate.model.asset import Source
from millgate.model.partition import Partition
from millgate.model.record import SourceFile

_FIELD = re.compile(r"\{(\w*)(?::([^{}]*))?\}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def resolve(source: Source, partition: Partition | None, root: Path) -> list[Path]:
    """The files of a source, or of one of its partitions, whether they exist or not.

    A relative location is below `root`. `{date}` stands for the key of that dimension and
    `{date:%Y%m%d}` for its value so written; `*`, `?` and `[...]` match file names, in sorted
    order, and `**` folders. Where nothing matches, the pattern itself is the one file that is
    missing. Raises DeclarationError for a location that names no files.
    """
    location: Any = source.location
    if callable(location):
        location = _called(source, location, partition)
    if not isinstance(location, str | Path):
        raise _wrong(
            source,
            f"the location of {source.name} is a {type(location).__name__}",
            "give a path or pattern, or a function that returns one",
        )
    if "://" in str(location):
        raise _wrong(
            source,
            f"{location} is not a file",
            "a source is a file on this machine; fetch anything else in an asset",
        )
    # A key is not a pattern, even where it has a star.
    pattern = _filled(source, glob.escape(str(root)), str(location), partition, glob.escape)
    exact = Path(_filled(source, str(root), str(location), partition, str))
    if exact.is_dir():
        raise _wrong(
            source, f"{exact} is a folder", f'name its files, such as "{location}/*.parquet"'
        )
    if exact.exists() or not glob.has_magic(str(location)):
        return [exact]
    found = sorted(Path(p) for p in glob.glob(pattern, recursive=True))
    return [p for p in found if not p.is_dir()] or [exact]


def _called(source: Source, location: Callable[..., Any], partition: Partition | None) -> Any:
    takes = [
        p
        for p in inspect.signature(location).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    try:
        return location(partition or source.partition()) if takes else location()
    except Exception as error:
        raise _wrong(
            source,
            f"the location of {source.name} raised {type(error).__name__}: {error}",
            "correct the function, or what it looks for",
        ) from error


def _filled(
    source: Source,
    root: str,
    location: str,
    partition: Partition | None,
    escaped: Callable[[str], str],
) -> str:
    """The location below `root` with the partition's keys in the place of its fields."""

    def key(field: re.Match[str]) -> str:
        name, written = field[1], field[2]
        if partition is None or name not in partition.values:
            known = source.partitions.names
            raise _wrong(
                source,
                f"{location} has {field[0]}, which is no dimension of {source.name}",
                did_you_mean(name, known, f"its dimensions are: {', '.join(known) or 'none'}"),
            )
        text = format(partition[name], written) if written else partition.values[name]
        return escaped(text)

    return os.path.join(root, _FIELD.sub(key, location))


def _wrong(source: Source, what: str, fix: str) -> DeclarationError:
    return DeclarationError(what, where=source.defined_in or f"source {source.name}", fix=fix)


def fingerprint_file(path: Path, known: SourceFile | None = None) -> SourceFile:
    """A file as it is now: size, time and content hash.

    Where size and time are those of `known`, so is the content, and the file is not read. Raises
    SourceChanged if it is written to meanwhile and StoreError if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            before = _stat(file.fileno())
            if known is not None and before == (known.bytes, known.modified_at):
                content = known.content_hash
            else:
                content = hashlib.file_digest(
                    file, lambda: hashlib.blake2b(digest_size=16)
                ).hexdigest()
                if before != _stat(file.fileno()):
                    raise SourceChanged(
                        f"{path.name} was written to while it was read",
                        where=str(path),
                        fix="run again when the file is complete; write sources by rename",
                    )
    except OSError as error:
        raise StoreError(
            f"{path.name} cannot be read: {error.strerror or error}",
            where=str(path),
            fix="check that the file exists and that you may read it",
        ) from error
    return SourceFile(str(path), *before, content)


def _stat(descriptor: int) -> tuple[int, datetime]:
    found = os.fstat(descriptor)
    return found.st_size, _EPOCH + timedelta(microseconds=found.st_mtime_ns // 1000)
