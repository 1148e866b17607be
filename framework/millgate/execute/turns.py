"""Large results are made one after the other: what makes them uses every processor by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl

from millgate.execute.order import Batch
from millgate.model.asset import Source

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
    size = sum(file.bytes for seen in batch.sources.values() for file in seen.files)
    for given in batch.inputs:
        if not isinstance(given.upstream, Source):
            files = (file for version in given.versions for file in version.files)
            size += sum(file.stat().st_size for file in files)
    return size >= _LARGE_BYTES
