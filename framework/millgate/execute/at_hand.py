"""Small partitions that this process has just made, for the steps that read them next."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from millgate.store.streams import is_small

_LIMIT_BYTES = 32 << 20


class AtHand:
    """Rows by the file that they were written to; the oldest make room for others.

    They are kept as bytes in Arrow's format: a frame may hold on to a larger one that it was cut
    from, and whoever gets one may change it. Several threads may use it at once.
    """

    def __init__(self) -> None:
        self._kept: dict[Path, bytes] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def keep(self, file: Path, frame: pl.DataFrame) -> None:
        """Have the rows of a file that was just written at hand, if they are few."""
        rows = frame.write_ipc_stream(None).getvalue() if is_small(frame) else b""
        with self._lock:
            self._bytes += len(rows) - len(self._kept.pop(file, b""))
            if rows:
                self._kept[file] = rows
            while self._bytes > _LIMIT_BYTES:
                self._bytes -= len(self._kept.pop(next(iter(self._kept))))

    def all_of(self, files: Sequence[Path]) -> dict[Path, pl.DataFrame]:
        """The rows of each file; of none where one has to be read."""
        with self._lock:
            found = {file: self._kept[file] for file in files if file in self._kept}
        if len(found) < len(files):
            return {}
        return {file: pl.read_ipc_stream(rows) for file, rows in found.items()}
