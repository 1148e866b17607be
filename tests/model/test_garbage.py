"""Searches for garbage: off where all that is made stays, and blind to what was there before."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from millgate.model.garbage import no_collection, set_aside


class Loop:
    """An object that holds itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_searched_and_what_was_made_is_old_afterwards() -> None:
    gc.collect()
    with no_collection():
        assert not gc.isenabled()
        made = [[] for _ in range(50_000)]
    assert gc.isenabled()
    assert gc.get_count()[0] < 1000
    assert len(gc.get_objects(generation=2)) > len(made)
    assert gc.get_freeze_count() == 0


def test_who_had_no_searches_before_has_none_after() -> None:
    gc.disable()
    with no_collection():
        pass
    assert not gc.isenabled()


def test_what_is_set_aside_is_not_looked_at_until_the_span_ends() -> None:
    before = weakref.ref(Loop())
    gc.disable()
    with set_aside():
        within = weakref.ref(Loop())
        with no_collection():
            pass
        gc.collect()
        assert before() is not None
        assert within() is None
    gc.collect()
    assert before() is None
