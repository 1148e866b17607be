"""A block that several threads are in at once, and that changes the process only once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager


def shared(
    enter: Callable[[], AbstractContextManager[None]],
) -> Callable[[], AbstractContextManager[None]]:
    """A block that enters `enter()` with the first thread, and leaves it with the last one."""
    lock = threading.Lock()
    entered = ExitStack()
    inside: list[None] = []

    @contextmanager
    def block() -> Iterator[None]:
        with lock:
            if not inside:
                entered.enter_context(enter())
            inside.append(None)
        try:
            yield
        finally:
            with lock:
                inside.pop()
                if not inside:
                    entered.close()

    return block
