from __future__ import annotations

import argparse
import ast
import contextlib
import inspect
import typing
from types import ModuleType

import pytest

from millgate.plan.syntax_parts import Imported, syntax_of

FUNCTION = '''
@helpers.traced(level)
def clean(frame: pl.LazyFrame, *, rate=rates.daily) -> "pl.LazyFrame":
    """Rows that count."""
    from .units import metre as m
    "said once more"
    return build(frame).select(lambda x: x.a.b * rate)[m]
'''


def chains_in(tree: ast.AST) -> set[tuple[str, ...]]:
    """Every name with the attributes read of it, found part by part."""
    inner = {id(part.value) for part in ast.walk(tree) if isinstance(part, ast.Attribute)}
    found: set[tuple[str, ...]] = set()
    for part in ast.walk(tree):
        if isinstance(part, ast.Name | ast.Attribute) and id(part) not in inner:
            text = ast.unparse(part)
            if text.replace(".", "").isidentifier():
                found.add(tuple(text.split(".")))
    return found


@pytest.mark.parametrize("module", [argparse, ast, contextlib, inspect, typing])
def test_all_that_is_named_is_found(module: ModuleType) -> None:
    tree = ast.parse(inspect.getsource(module))
    for part in (tree, *tree.body):
        assert syntax_of(part).chains == chains_in(part)


def test_a_function_is_told_without_what_does_not_count() -> None:
    syntax = syntax_of(ast.parse(FUNCTION).body[0])
    for absent in ("clean", "helpers", "LazyFrame", "Rows that count", "said once more"):
        assert absent not in syntax.text
    for present in ("'frame'", "'daily'", "'metre'", "'select'", "arg( arg= 'x' )"):
        assert present in syntax.text
    assert syntax.imports == (Imported(1, "units", "metre", "m"),)
    assert {("helpers", "traced"), ("level",), ("pl", "LazyFrame")} <= syntax.chains


def test_attributes_are_told_from_the_inside_out() -> None:
    value = "Name( id= 'a' )"
    for name in ("b", "c"):
        value = f"Attribute( value= {value} attr= {name!r} )"
    assert syntax_of(ast.parse("a.b.c", mode="eval").body).text == value
    called = syntax_of(ast.parse("f().b", mode="eval").body).text
    assert called == "Attribute( value= Call( func= Name( id= 'f' ) ) attr= 'b' )"


def test_depth_is_no_limit() -> None:
    tree: ast.expr = ast.Name("a")
    for _ in range(3000):
        tree = ast.Subscript(tree, ast.Constant(0))
    assert syntax_of(tree).text.count("Subscript(") == 3000
