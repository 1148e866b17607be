"""Ctrl-C as a request to stop: the first asks, the second leaves at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

WORKERS = "millgate-step"
"""How the names of the threads begin that carry out steps."""


class Interrupt:
    """Whether the person has asked to stop, and has insisted since."""

    requested = False
    insisted = False

    def behind(self, error: BaseException) -> BaseException:
        """The Ctrl-C that an error comes of, where the person has insisted; else the error.

        What runs in the callback of a library ends with an error of that library.
        """
        return KeyboardInterrupt() if self.insisted and isinstance(error, Exception) else error


@contextmanager
def stoppable() -> Iterator[Interrupt]:
    """Turn the first Ctrl-C (or SIGTERM) into a request while the block runs.

    A second one raises KeyboardInterrupt. Outside the main thread signals stay as they are.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return

    def request(_signal: int, _frame: FrameType | None) -> None:
        if interrupt.requested:
            interrupt.insisted = True
            raise KeyboardInterrupt
        interrupt.requested = True

    before = {s: signal.signal(s, request) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_interruption(error: BaseException) -> bool:
    """Whether Ctrl-C raised it; out of a query under way DuckDB raises an error of its own."""
    if type(error) is RuntimeError:
        return str(error) == "Query interrupted"
    return isinstance(error, KeyboardInterrupt)


def leave_steps_behind(status: int) -> None:
    """End this process with `status` if steps are running that no run waits for any more.

    Python would wait for their threads, however long a step sleeps. Otherwise does nothing.
    """
    if not any(thread.name.startswith(WORKERS) for thread in threading.enumerate()):
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
