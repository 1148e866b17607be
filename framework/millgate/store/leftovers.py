"""Files as they lie on the disk, for those who look for what nobody needs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class DiskFile:
    """A file with its path relative to the folder that was searched."""

    path: str
    bytes: int
    written_at: datetime


def disk_files(folder: Path) -> Iterator[DiskFile]:
    """All files below a folder, in no order; none where it is missing.

    One that is removed meanwhile is left out.
    """
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            try:
                told = path.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            written = datetime.fromtimestamp(told.st_mtime, UTC)
            yield DiskFile(str(path.relative_to(folder)), told.st_size, written)
