"""OS locks: one commit at a time, and runs that are known to live while they hold their file."""

from __future__ import annotations

import fcntl
import json
import os
import struct
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from millgate.store.files import translated
from millgate.store.layout import Layout

PartitionId = tuple[str, str]
"""Asset and key."""


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock on a file, waiting for other threads and processes to let go of it.

    Not for one thread twice: it would wait for itself.
    """
    with translated("lock", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with translated("lock", path):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def held(path: Path) -> bool:
    """Whether somebody holds the exclusive lock on a file."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def has_reader(descriptor: int) -> bool:
    """Whether another process has the file open in DuckDB, which takes POSIX locks.

    Only asks, because taking the lock needs a file that can be written to.
    """
    if sys.platform == "darwin":
        layout, order = "qqihh", (0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
        kind = 3
    else:
        layout, order = "hhqqi", (fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind = 0
    answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack(layout, *order))
    return bool(struct.unpack(layout, answer)[kind] != fcntl.F_UNLCK)


@dataclass(frozen=True)
class RunInfo:
    """What a run says of itself in its file; `claims` are the keys it means to change, by asset."""

    run: int
    command: str
    selection: str
    actor: str
    host: str
    pid: int
    started_at: datetime
    claims: Mapping[str, frozenset[str]] = field(default_factory=dict)
    resumes: int | None = None
    """The run that it finishes."""
    last_words: str = ""
    """What broke the run, if it could still say so."""


@dataclass(frozen=True)
class Overlap:
    """Partitions that a living run has claimed already."""

    holder: RunInfo
    partitions: tuple[PartitionId, ...]


class RunFiles:
    """The files in `runs/`: numbers of runs, and who lives.

    A file is created locked and stays until a later run starts, so that no number is given
    twice; it has one JSON object on each line. A file without an end whose lock is free belongs
    to a run that died.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def start(
        self,
        command: str,
        selection: str,
        actor: str,
        host: str,
        started_at: datetime,
        *,
        minimum: int = 1,
        resumes: int | None = None,
    ) -> OpenRun:
        """A new run with the next number, `minimum` or more."""
        with exclusive_lock(self._layout.runs / ".lock"):
            numbers = self._numbers()
            run = max([minimum, *(n + 1 for n in numbers)])
            info = RunInfo(
                run, command, selection, actor, host, os.getpid(), started_at, resumes=resumes
            )
            path = self._layout.run_file(run)
            with translated("start a run in", path):
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                _append(descriptor, _header(info))
            for number in numbers:
                if self._read(number).get("ended"):
                    self._layout.run_file(number).unlink(missing_ok=True)
        return OpenRun(self, info, descriptor, self._layout)

    def alive(self) -> tuple[RunInfo, ...]:
        """The runs that live now, the oldest first."""
        return tuple(info for info in self._infos() if self.is_alive(info.run))

    def dead(self) -> tuple[RunInfo, ...]:
        """The runs that ended without saying so, until they are forgotten."""
        free = [info for info in self._infos() if not self.is_alive(info.run)]
        still = {info.run for info in self._infos()}
        return tuple(info for info in free if info.run in still)

    def is_alive(self, run: int) -> bool:
        return held(self._layout.run_file(run))

    def wait(self, run: int) -> None:
        """Return once a run is over."""
        path = self._layout.run_file(run)
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def forget(self, run: int) -> None:
        """Take note that the death of a run is on record."""
        path = self._layout.run_file(run)
        with translated("write", path):
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
            except FileNotFoundError:
                # Another process took note of it, and a third has begun a run since.
                return
            try:
                _append(descriptor, {"ended": True})
            finally:
                os.close(descriptor)

    def _infos(self) -> list[RunInfo]:
        """What runs say that have not ended; one that is just being created says nothing yet."""
        found = ((number, self._read(number)) for number in self._numbers())
        return [
            _info(number, said)
            for number, said in found
            if "started_at" in said and not said.get("ended")
        ]

    def _numbers(self) -> list[int]:
        with translated("list", self._layout.runs):
            try:
                names = os.listdir(self._layout.runs)
            except FileNotFoundError:
                return []
        return sorted(int(name) for name in names if name.isdecimal())

    def _read(self, run: int) -> dict[str, Any]:
        """The lines of a run's file put together, without one that is not whole."""
        path = self._layout.run_file(run)
        said: dict[str, Any] = {}
        with translated("read", path):
            try:
                lines = path.read_text(encoding="utf-8").splitlines()
            except FileNotFoundError:
                return said
        for line in lines:
            with suppress(json.JSONDecodeError):
                said.update(json.loads(line))
        return said


class OpenRun:
    """A run that lives in this process until it is closed."""

    def __init__(self, files: RunFiles, info: RunInfo, descriptor: int, layout: Layout) -> None:
        self._files = files
        self._descriptor = descriptor
        self._layout = layout
        self.info = info

    @property
    def id(self) -> int:
        return self.info.run

    def others(self) -> tuple[RunInfo, ...]:
        """The other runs that live now, with their claims."""
        return tuple(info for info in self._files.alive() if info.run != self.id)

    def claim(self, partitions: Iterable[PartitionId]) -> tuple[Overlap, ...]:
        """Claim partitions for this run, all or none.

        Returns what other living runs have claimed of them; only where that is nothing are they
        claimed now.
        """
        wanted = frozenset(partitions)
        with exclusive_lock(self._layout.runs / ".lock"):
            overlaps = [Overlap(info, _common(wanted, info.claims)) for info in self.others()]
            taken = tuple(overlap for overlap in overlaps if overlap.partitions)
            if not taken:
                claims = {name: set(keys) for name, keys in self.info.claims.items()}
                for asset, key in wanted:
                    claims.setdefault(asset, set()).add(key)
                self.info = replace(
                    self.info, claims={name: frozenset(keys) for name, keys in claims.items()}
                )
                with translated("write", self._layout.run_file(self.id)):
                    said = {name: sorted(keys) for name, keys in sorted(claims.items())}
                    _append(self._descriptor, {"claims": said})
        return taken

    def drop_claims(self) -> None:
        """Let go of every claim, to wait for another run without keeping others waiting."""
        self.info = replace(self.info, claims={})
        with translated("write", self._layout.run_file(self.id)):
            _append(self._descriptor, {"claims": {}})

    def close(self) -> None:
        """End the run: let go of its lock and its claims."""
        self._leave({"ended": True})

    def abandon(self, last_words: str) -> None:
        """Let go of the lock and the claims of a run that broke: the next one records its death."""
        self._leave({"last_words": last_words})

    def _leave(self, said: Mapping[str, object]) -> None:
        """Say one last thing; on a full disk it stays unsaid, and the run counts as dead."""
        if self._descriptor < 0:
            return
        try:
            with suppress(OSError):
                _append(self._descriptor, said)
        finally:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> OpenRun:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _common(
    wanted: Collection[PartitionId], claims: Mapping[str, frozenset[str]]
) -> tuple[PartitionId, ...]:
    return tuple(sorted((a, key) for a, key in wanted if key in claims.get(a, frozenset())))


def _header(info: RunInfo) -> dict[str, object]:
    named = ("command", "selection", "actor", "host", "pid", "resumes")
    said = {name: getattr(info, name) for name in named}
    return {**said, "started_at": info.started_at.isoformat()}


def _info(run: int, said: Mapping[str, Any]) -> RunInfo:
    return RunInfo(
        run,
        said["command"],
        said["selection"],
        said["actor"],
        said["host"],
        said["pid"],
        datetime.fromisoformat(said["started_at"]),
        {asset: frozenset(keys) for asset, keys in said.get("claims", {}).items()},
        said.get("resumes"),
        said.get("last_words", ""),
    )


def _append(descriptor: int, said: Mapping[str, object]) -> None:
    """Write one line; it begins with a line break in case the one before was cut off."""
    rest = ("\n" + json.dumps(said) + "\n").encode()
    while rest:
        rest = rest[os.write(descriptor, rest) :]
