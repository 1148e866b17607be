"""When Python looks for objects that hold each other and nothing else holds."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """A span in which many objects are made that all stay, without a search for garbage.

    Each search looks at all that is there; among the parts of a large project or plan it would
    find nothing, and take longer than making them. What was made is taken for old afterwards.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()  # into the oldest generation, at which Python looks last
        if was_on:
            gc.enable()


@contextmanager
def set_aside() -> Iterator[None]:
    """A span in which what was there before is not looked at in a search for garbage."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
