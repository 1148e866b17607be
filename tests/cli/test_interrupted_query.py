"""Ctrl-C while DuckDB is at work is Ctrl-C, and no defect."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

import duckdb
import pytest

from millgate.cli.answer import Answer
from millgate.cli.call import Call
from millgate.cli.options import _answered
from millgate.execute.interrupt import is_interruption

ENDLESS = """
    SELECT count(*) FROM range(3000000) AS a(i), range(900000) AS b(j) WHERE hash(i + j) % 9 = 5
"""


def test_an_interrupted_query_interrupts_its_command() -> None:
    over = threading.Event()

    def query(connection: duckdb.DuckDBPyConnection) -> object:
        return connection.execute(ENDLESS)

    def ask() -> Answer:
        with duckdb.connect() as connection:
            return Answer(query(connection), lambda _: [])

    def asked(_signal: int, frame: FrameType | None) -> None:
        # Again and again: DuckDB hears of it only now and then.
        if frame and frame.f_code is query.__code__:
            raise KeyboardInterrupt

    def keep_asking() -> None:
        while not over.wait(0.01):
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, asked)
    asking = threading.Thread(target=keep_asking)
    try:
        asking.start()
        with pytest.raises(KeyboardInterrupt):
            _answered(Call("sql"), ask)
    finally:
        over.set()
        asking.join()
        signal.signal(signal.SIGINT, before)


def test_another_error_is_no_interruption() -> None:
    assert is_interruption(KeyboardInterrupt())
    assert not is_interruption(RuntimeError("no such thing"))
