"""Syncing a file system as a whole: for many files in a fraction of what each by itself takes."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

_KEEPS_THE_PROMISE = frozenset({"ext4", "xfs"})
"""Kinds of file system of which `syncfs` leaves on the disk what `fsync` of each file would.

One thing differs: that something could not be written before, on its own, is told to one caller of
`syncfs` only, which may be another process.
"""

_TELLS_ERRORS = (5, 8)
"""The Linux from which on `syncfs` says that something could not be written."""

_LITTLE = 64 << 20
"""Bytes: with more waiting to be written, whoever wrote it, waiting for all takes too long."""

_MOUNTED = re.compile(r"\S+ \S+ (\d+:\d+) .* - (\S+) ")
_WAITING = re.compile(r"^(?:Dirty|Writeback): +(\d+) kB$", re.MULTILINE)


def quickly_synced(folders: Iterable[Path]) -> list[Path]:
    """One of `folders` for each file system that they are on; none if one is better not synced
    as a whole, because that may take long or promise less."""
    if sys.platform != "linux" or _version(os.uname().release) < _TELLS_ERRORS:
        return []
    try:
        on = {os.stat(folder).st_dev: folder for folder in folders}
        kinds = mounted(Path("/proc/self/mountinfo").read_text(encoding="utf-8"))
        little = waiting(Path("/proc/meminfo").read_text(encoding="utf-8")) <= _LITTLE
    except (OSError, UnicodeDecodeError):
        return []
    keep = (kinds.get(f"{os.major(each)}:{os.minor(each)}") in _KEEPS_THE_PROMISE for each in on)
    return list(on.values()) if little and all(keep) else []


def sync_file_system(folder: Path) -> None:
    """Return once all that was written to the file system of a folder is on its disk."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)


def mounted(mountinfo: str) -> dict[str, str]:
    """The kind of file system by device, from the text of `/proc/self/mountinfo`.

    >>> mounted("26 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw")
    {'254:0': 'ext4'}
    """
    return dict(_MOUNTED.findall(mountinfo))


def waiting(meminfo: str) -> int:
    """The bytes that wait to be written, from the text of `/proc/meminfo`.

    >>> waiting("MemFree:  99 kB\\nDirty:    64 kB\\nWriteback:    4 kB\\nWritebackTmp:  9 kB\\n")
    69632
    """
    return sum(int(kilobytes) for kilobytes in _WAITING.findall(meminfo)) << 10


def _version(release: str) -> tuple[int, ...]:
    """
    >>> _version("6.1.0-18-amd64")
    (6, 1)
    """
    return tuple(int(part) for part in re.findall(r"\d+", release)[:2])
