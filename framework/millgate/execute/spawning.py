"""Starting processes that take over neither the main module nor a Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from multiprocessing import resource_tracker

from millgate.execute.shared_block import shared


@shared
@contextmanager
def main_left_out() -> Iterator[None]:
    """Keep spawned processes from importing the main module while the block runs.

    They need nothing of it, and a script without `if __name__ == "__main__"` would run once more
    in each of them. A main module that is run by its name is known not to be imported.
    """
    main = sys.modules["__main__"]
    before, main.__spec__ = main.__spec__, ModuleSpec("__main__", None)
    try:
        yield
    finally:
        main.__spec__ = before


@contextmanager
def sigint_blocked() -> Iterator[None]:
    """Have processes that this thread starts meanwhile begin deaf to Ctrl-C."""
    # Starting the tracker, which the first process would do, unblocks SIGINT again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
