"""Ctrl-C while DuckDB is at work is Ctrl-C, and no defect."""

from __future__ import annotations

import pytest

from millgate.cli.answer import Answer
from millgate.cli.call import Call
from millgate.cli.options import _answered
from millgate.execute.interrupt import is_interruption

AS_DUCKDB_RAISES_IT = RuntimeError("Query interrupted")


def test_an_interrupted_query_interrupts_its_command() -> None:
    def ask() -> Answer:
        raise AS_DUCKDB_RAISES_IT

    with pytest.raises(KeyboardInterrupt):
        _answered(Call("sql"), ask)


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (AS_DUCKDB_RAISES_IT, True),
        (KeyboardInterrupt(), True),
        (RuntimeError("no such thing"), False),
        (ValueError("Query interrupted"), False),
    ],
)
def test_what_is_an_interruption(error: BaseException, is_one: bool) -> None:
    assert is_interruption(error) is is_one
