from __future__ import annotations

import signal
import threading

import pytest

from millgate.cli.stopping import heard


@pytest.fixture
def asked():
    """Requests to stop that the run itself was given."""
    found: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: found.append(number))
    yield found
    signal.signal(signal.SIGINT, before)


def test_the_first_request_is_told_of_and_still_reaches_the_run(asked):
    told = threading.Event()
    with heard(told.set):
        signal.raise_signal(signal.SIGINT)
        assert told.wait(10)
        signal.raise_signal(signal.SIGINT)
    assert asked == [signal.SIGINT, signal.SIGINT]


def test_nothing_is_told_where_nobody_asks(asked):
    told: list[bool] = []
    with heard(lambda: told.append(True)):
        pass
    signal.raise_signal(signal.SIGINT)
    assert (told, len(asked)) == ([], 1)


def test_another_thread_than_the_main_one_hears_nothing():
    def listen() -> None:
        with heard(lambda: None):
            done.set()

    done = threading.Event()
    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert done.is_set()
