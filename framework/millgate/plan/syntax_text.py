"""Python source as text in which comments, layout, docstrings and annotations do not count."""

from __future__ import annotations

import ast
import dis
import linecache
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Chain = tuple[str, ...]
"""A name and the attributes read of it: `helpers.clean` is `("helpers", "clean")`."""

_SKIPPED = frozenset({"ctx", "kind", "type_comment", "type_params", "type_ignores", "returns"})
_LOAD_GLOBAL, _LOAD_NAME = dis.opmap["LOAD_GLOBAL"], dis.opmap["LOAD_NAME"]
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True, order=True)
class Imported:
    """One name that a statement imports: `from .module import name as bound`, at level 1.

    `name` is empty for `import module`.
    """

    level: int
    module: str
    name: str
    bound: str


@dataclass(frozen=True)
class Syntax:
    """A piece of source: its text, what it names, and what it imports itself."""

    text: str
    chains: frozenset[Chain] = frozenset()
    imports: tuple[Imported, ...] = ()


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
        if text is None:
            with open(path, "rb") as file:
                tree = ast.parse(file.read())
        elif text:
            tree = ast.parse(text)
        else:
            return None
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    found = SourceFile(tree)
    for item in ast.walk(tree):
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([item.lineno, *(d.lineno for d in item.decorator_list)])
            found.functions[item.name, first].append(item)
        elif isinstance(item, ast.Lambda):
            found.functions["<lambda>", item.lineno].append(item)
    found.classes.update(_classes(tree, ""))
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


def _classes(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for item in ast.iter_child_nodes(tree):
        if isinstance(item, ast.ClassDef):
            yield prefix + item.name, item
            yield from _classes(item, f"{prefix}{item.name}.")
        elif isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _classes(item, f"{prefix}{item.name}.<locals>.")
        else:
            yield from _classes(item, prefix)


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
    items = list(ast.walk(tree))
    return Syntax(_dump(tree), frozenset(_chains(items)), tuple(sorted(set(_imports(items)))))


def _dump(root: ast.AST) -> str:
    """The tree as text that is the same in every version of Python; without recursion."""
    told: list[str] = []
    stack: list[object] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            told.append(item)
        elif isinstance(item, list):
            told.append("[")
            stack.append("]")
            stack.extend(_told(part) for part in reversed(item) if not _is_text(part))
        elif isinstance(item, ast.AST):
            told.append(f"{type(item).__name__}(")
            stack.append(")")
            for name, value in reversed(_fields(item, is_root=item is root)):
                stack.extend((_told(value), f"{name}="))
    return " ".join(told)


def _told(value: object) -> object:
    return value if isinstance(value, ast.AST | list) else repr(value)


def _fields(item: ast.AST, *, is_root: bool) -> list[tuple[str, object]]:
    """What counts of a part of the tree.

    The name and decorators of the function itself do not: what they lead to is seen in its value.
    """
    if isinstance(item, ast.Constant):
        return [("value", item.value)]
    skipped = _SKIPPED
    if isinstance(item, ast.arg):
        skipped = skipped | {"annotation"}
    if is_root and isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
        skipped = skipped | {"decorator_list", "name"}
    return [
        (name, value)
        for name, value in ast.iter_fields(item)
        if name not in skipped and value is not None and value != []
    ]


def _is_text(statement: object) -> bool:
    """A docstring, or another string that stands alone."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _chains(items: Iterable[ast.AST]) -> Iterator[Chain]:
    read_of = {id(item.value) for item in items if isinstance(item, ast.Attribute)}
    for item in items:
        attributes: list[str] = []
        inner: ast.AST = item
        while isinstance(inner, ast.Attribute):
            attributes.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and id(item) not in read_of:
            yield (inner.id, *reversed(attributes))


def _imports(items: Iterable[ast.AST]) -> Iterator[Imported]:
    for item in items:
        if isinstance(item, ast.Import):
            for alias in item.names:
                bound = alias.asname or alias.name.partition(".")[0]
                yield Imported(0, alias.name, "", bound)
        elif isinstance(item, ast.ImportFrom):
            for alias in item.names:
                bound = alias.asname or alias.name
                yield Imported(item.level, item.module or "", alias.name, bound)
