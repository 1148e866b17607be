"""Ctrl-C as a request to stop: the first asks, the second leaves at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether the person has asked to stop."""

    requested = False


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
            raise KeyboardInterrupt
        interrupt.requested = True

    before = {s: signal.signal(s, request) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
