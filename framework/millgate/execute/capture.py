"""What a step prints or logs, kept per attempt instead of mixed into the terminal."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

from millgate.execute.shared_block import shared

_sink: ContextVar[AttemptLog | None] = ContextVar("millgate_attempt_log", default=None)
_FORMAT = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")


class AttemptLog:
    """The output of one attempt; its file is made only when there is some.

    `secrets` are masked with the name of their variable before anything is written.
    """

    def __init__(self, path: Path, secrets: Mapping[str, str]) -> None:
        self.path = path
        self._secrets = {value: name for name, value in secrets.items() if value}
        self._file: TextIO | None = None

    def write(self, text: str) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8", errors="backslashreplace")
        self._file.write(self.mask(text))
        self._file.flush()

    def mask(self, text: str) -> str:
        """`text` with every secret value replaced by `***NAME***`."""
        for value, name in self._secrets.items():
            text = text.replace(value, f"***{name}***")
        return text

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class _Stream:
    """Stands in for stdout or stderr and sends each thread's text to its attempt's log."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        log = _sink.get()
        if log is None:
            return self._terminal.write(text)
        log.write(text)
        return len(text)

    def close(self) -> None:
        """Nothing: the terminal is not a step's to close."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log = _sink.get()
        if log is not None:
            log.write(self.format(record) + "\n")


@shared
@contextmanager
def captured_output() -> Iterator[None]:
    """Route what steps print and log to their attempts' logs while the block runs."""
    stdout, stderr = sys.stdout, sys.stderr
    handler = _Handler()
    handler.setFormatter(_FORMAT)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO))
    sys.stdout, sys.stderr = _Stream(stdout), _Stream(stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = stdout, stderr
        root.setLevel(level)
        root.removeHandler(handler)


@contextmanager
def into(log: AttemptLog) -> Iterator[None]:
    """Send what this thread prints and logs to `log` while the block runs."""
    token = _sink.set(log)
    try:
        yield
    finally:
        _sink.reset(token)
        log.close()
