"""Large results are made one after the other: what makes them uses every processor by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl

from millgate.execute.order import Batch

_LARGE_BYTES = 64 << 20
"""Of the files that a step reads: with less, one step does not keep all processors busy."""

_turn = threading.Lock()


@contextmanager
def in_turn(batch: Batch, result: Any) -> Iterator[None]:
    """Hold the place in which a large result is written and judged, if this is one.

    DuckDB and polars evaluate a relation or a LazyFrame on all processors: two of them side by
    side take twice the memory and hardly less time. A function's own code takes no turns.
    """
    if isinstance(result, duckdb.DuckDBPyRelation | pl.LazyFrame) and _is_large(batch):
        with _turn:
            yield
    else:
        yield


def _is_large(batch: Batch) -> bool:
    versions = (f for given in batch.inputs for version in given.versions for f in version.files)
    size = sum(file.bytes for seen in batch.sources.values() for file in seen.files)
    for version in versions:
        if size >= _LARGE_BYTES:
            break
        size += version.stat().st_size
    return size >= _LARGE_BYTES
