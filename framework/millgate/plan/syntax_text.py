"""Python source as text in which comments, layout, docstrings and annotations do not count."""

from __future__ import annotations

import ast
import dis
import linecache
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import CodeType

from millgate.plan.syntax_parts import Syntax, syntax_of

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_PLAIN = (ast.Expr, ast.Assign, ast.Return, ast.Import, ast.ImportFrom)
"""Statements that hold no others; most are."""
_LOAD_GLOBAL, _LOAD_NAME = dis.opmap["LOAD_GLOBAL"], dis.opmap["LOAD_NAME"]
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass
class SourceFile:
    """The parsed source of one file, by what stands where."""

    whole: ast.Module
    functions: dict[tuple[str, int], list[Function]] = field(
        default_factory=lambda: defaultdict(list)
    )
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    bindings: dict[str, list[ast.stmt]] = field(default_factory=lambda: defaultdict(list))
    """Statements of the module that bind a name, other than function and class definitions."""
    told: dict[str, Syntax] = field(default_factory=dict)
    """The syntax of bindings that was asked for before."""


def source_file(path: str) -> SourceFile | None:
    """The parsed file, None if it is gone or cannot be parsed."""
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        linecache.checkcache(path)
        return _parsed(path, None, "".join(linecache.getlines(path)))
    return _parsed(path, (stat.st_mtime_ns, stat.st_size, stat.st_ino), None)


def syntax_of_function(code: CodeType) -> Syntax:
    """The source of a function; its byte code, as text, where its source cannot be had."""
    file = source_file(code.co_filename)
    tree = None if file is None else _find(file, code)
    return Syntax(byte_code(code)) if tree is None else _syntax(tree)


def syntax_of_class(file: SourceFile, qualname: str) -> Syntax | None:
    tree = file.classes.get(qualname)
    return None if tree is None else _syntax(tree)


def syntax_of_binding(file: SourceFile, name: str) -> Syntax | None:
    """The statements by which a module binds a name."""
    statements = file.bindings.get(name)
    if statements and name not in file.told:
        file.told[name] = _syntax(ast.Module(body=list(statements), type_ignores=[]))
    return file.told.get(name)


def syntax_of_module(file: SourceFile) -> Syntax:
    return _syntax(file.whole)


def global_names(code: CodeType) -> frozenset[str]:
    """Every global that the code reads, nested functions included."""
    names = {code.co_names[place] for place in _places_of_globals(code.co_code)}
    nested = (global_names(c) for c in code.co_consts if isinstance(c, CodeType))
    return frozenset(names.union(*nested))


def _places_of_globals(instructions: bytes) -> Iterator[int]:
    """The places, among the names of a code, of those that it reads as globals.

    What dis.get_instructions tells, in a tenth of its time.
    """
    extended = 0
    for operation, given in zip(instructions[::2], instructions[1::2], strict=True):
        argument = extended | given
        extended = argument << 8 if operation == dis.EXTENDED_ARG else 0
        if operation == _LOAD_GLOBAL:
            yield argument >> 1
        elif operation == _LOAD_NAME:
            yield argument


def byte_code(code: CodeType) -> str:
    """The instructions of a function, without places and addresses."""
    told = []
    for instruction in dis.get_instructions(code):
        value = instruction.argval
        nested = byte_code(value) if isinstance(value, CodeType) else instruction.argrepr
        if isinstance(value, frozenset):
            nested = repr(sorted(map(repr, value)))
        told.append(f"{instruction.opname} {without_addresses(nested)}")
    return "code " + " ".join(told)


def with_variables(text: str, called: Mapping[str, str]) -> str:
    """The text of source whose parameters and variables have other names.

    Text, attributes and keywords stay: they may name columns.
    """
    for name, other in called.items():
        variable = rf"(\bName\( id= |\barg\( arg= )'{re.escape(name)}'"
        text = re.sub(variable, rf"\1'{other}'", text)
    return text


def without_addresses(text: str) -> str:
    return _ADDRESS.sub("", text)


@lru_cache(maxsize=4096)
def _parsed(path: str, version: tuple[int, ...] | None, text: str | None) -> SourceFile | None:
    """`version` is part of the key only: a changed file is parsed again."""
    del version
    try:
        source = Path(path).read_bytes() if text is None else text.encode("utf-8", "surrogatepass")
        if text == "":
            return None
        tree = ast.parse(source if text is None else text)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    found = SourceFile(tree)
    for qualname, item in _definitions(tree):
        if isinstance(item, ast.ClassDef):
            found.classes[qualname] = item
        else:
            first = min([item.lineno, *(d.lineno for d in item.decorator_list)])
            found.functions[item.name, first].append(item)
    if b"lambda" in source:
        for part in ast.walk(tree):
            if isinstance(part, ast.Lambda):
                found.functions["<lambda>", part.lineno].append(part)
    for statement in _statements(tree):
        for name in _bound(statement):
            found.bindings[name].append(statement)
    return found


def _find(file: SourceFile, code: CodeType) -> Function | None:
    candidates = file.functions.get((code.co_name, code.co_firstlineno), [])
    if code.co_name != "<lambda>":
        return candidates[0] if len(candidates) == 1 else None
    return next((c for c in candidates if isinstance(c, ast.Lambda) and _holds(c, code)), None)


def _holds(candidate: ast.Lambda, code: CodeType) -> bool:
    """Whether the code of a lambda stands where the candidate has its body."""
    body = candidate.body
    wanted = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
    return wanted in code.co_positions()


def _definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Functions and classes at any depth, by qualified name; only statements hold such."""
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        for item in getattr(tree, name, ()):
            inner = prefix
            if isinstance(item, ast.ClassDef):
                yield prefix + item.name, item
                inner = f"{prefix}{item.name}."
            elif isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + item.name, item
                inner = f"{prefix}{item.name}.<locals>."
            if not isinstance(item, _PLAIN):
                yield from _definitions(item, inner)


def _statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Statements of a module, those within `if`, `try`, `with` and loops included."""
    for item in ast.iter_child_nodes(tree):
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(item, ast.stmt):
            yield item
        if isinstance(item, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _statements(item)


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
        return
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign | ast.For):
        targets = [statement.target]
    elif isinstance(statement, ast.With):
        targets = [i.optional_vars for i in statement.items if i.optional_vars is not None]
    for target in targets:
        for item in ast.walk(target):
            if isinstance(item, ast.Name):
                yield item.id


@lru_cache(maxsize=65536)
def _syntax(tree: ast.AST) -> Syntax:
    """The syntax of a tree; of what many functions call it is worked out once."""
    return syntax_of(tree)
