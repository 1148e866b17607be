from __future__ import annotations

import argparse
import ast
import dataclasses
import dis
import inspect
import types
from types import CodeType, ModuleType

import pytest

from millgate.plan.syntax_text import global_names


def read_by(code: CodeType) -> set[str]:
    """The globals that Python's own disassembler shows, nested functions included."""
    told = dis.get_instructions(code)
    found = {i.argval for i in told if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return found.union(*(read_by(c) for c in code.co_consts if isinstance(c, CodeType)))


@pytest.mark.parametrize("module", [argparse, ast, dataclasses, inspect, types])
def test_globals_are_those_that_the_disassembler_shows(module: ModuleType) -> None:
    code = compile(inspect.getsource(module), module.__name__, "exec")
    assert len(read_by(code)) > 20
    assert global_names(code) == read_by(code)


def test_names_beyond_what_one_byte_counts() -> None:
    names = [f"name_{n}" for n in range(700)]
    code = compile(f"def f():\n return ({', '.join(names)})", "many", "exec")
    assert global_names(code) == {*names}
