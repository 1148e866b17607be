"""Ctrl-C is heard at once, though a run goes on until its running steps are done."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.text import Text

_ASKED = (signal.SIGINT, signal.SIGTERM)


def stopping_line() -> Text:
    """What is told when a person asks a run to stop."""
    told = "running steps have a moment to finish; Ctrl-C again leaves at once"
    return Text.assemble((" stopping  ", "yellow"), told)


@contextmanager
def heard(say: Callable[[], None]) -> Iterator[None]:
    """Call `say`, from another thread, when the process is first asked to stop.

    The handlers of signals stay as they are: they belong to the run.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    read, write = os.pipe()
    os.set_blocking(write, False)

    def listen() -> None:
        while (signals := os.read(read, 1)) and signals[0] not in _ASKED:
            pass
        if signals:
            say()

    listener = threading.Thread(target=listen, daemon=True)
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(write)
        listener.join()
        os.close(read)
