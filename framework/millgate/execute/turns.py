"""Steps side by side share the processors and the memory of their process.

What evaluates a query or a plan uses every processor by itself: two of them side by side take
twice the memory and hardly less time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from millgate.execute.order import Batch
from millgate.model.asset import Source

_LARGE_BYTES = 64 << 20
"""Of the files that a step reads: with less, one step does not keep all processors busy."""

_LARGE_FILE = 4 << 20
"""Bytes of a file that takes memory worth sparing to judge."""

_turn = threading.Lock()
_judging = threading.Lock()
_counting = threading.Lock()
_at_work = 0


@contextmanager
def at_work() -> Iterator[None]:
    """Count this thread among those that work on a step."""
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def share_of(processors: int) -> int:
    """How many of them each step at work in this process may use: at least one."""
    return max(1, processors // max(1, _at_work))


@contextmanager
def in_turn(batch: Batch, result: Any) -> Iterator[None]:
    """Hold the place in which a large result is written and judged, if this is one.

    A function's own code takes no turns. Who waits for one is not at work.
    """
    if not (isinstance(result, duckdb.DuckDBPyRelation | pl.LazyFrame) and _is_large(batch)):
        yield
        return
    _count(-1)
    try:
        _turn.acquire()
    finally:
        _count(1)
    try:
        yield
    finally:
        _turn.release()


def judging(files: Iterable[Path | None]) -> AbstractContextManager[object]:
    """Hold the place in which large files are judged, if some are: polars judges on all
    processors."""
    large = any(file is not None and _size(file) >= _LARGE_FILE for file in files)
    return _judging if large else nullcontext()


def _size(file: Path) -> int:
    """The bytes of a file; none where it is gone, which shows when it is read."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _count(more: int) -> None:
    global _at_work
    with _counting:
        _at_work += more


def _is_large(batch: Batch) -> bool:
    size = sum(file.bytes for seen in batch.sources.values() for file in seen.files)
    for given in batch.inputs:
        if not isinstance(given.upstream, Source):
            files = (file for version in given.versions for file in version.files)
            size += sum(file.stat().st_size for file in files)
    return size >= _LARGE_BYTES
