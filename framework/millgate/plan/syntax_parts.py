"""One piece of parsed source read in one pass: its text, what it names, and what it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Chain = tuple[str, ...]
"""A name and the attributes read of it: `helpers.clean` is `("helpers", "clean")`."""

_SILENT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_ASIDE = frozenset({"returns", "type_params"})
_DEFINED = frozenset({"decorator_list", "name"})


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


def syntax_of(root: ast.AST) -> Syntax:
    """The syntax of a tree, whose text is the same in every version of Python.

    The name and decorators of a function itself are no part of its text: what they lead to is
    seen in its value. Neither are annotations of parameters and results; all of these are among
    the names all the same.
    """
    reading = _Reading()
    text = reading.tell([root])
    while reading.aside:
        parts, reading.aside = reading.aside, []
        reading.tell(parts)
    return Syntax(text, frozenset(reading.chains), tuple(sorted(reading.imports)))


class _Reading:
    """What was read of a tree; `aside` are parts that are named in it but no part of its text."""

    def __init__(self) -> None:
        self.aside: list[ast.AST] = []
        self.chains: set[Chain] = set()
        self.imports: set[Imported] = set()
        self._stack: list[str | ast.AST] = []

    def tell(self, parts: list[ast.AST]) -> str:
        """The text of some parts; reads them without recursion."""
        told: list[str] = []
        stack = self._stack
        root = parts[0]
        if isinstance(root, ast.FunctionDef | ast.AsyncFunctionDef):
            self._spread(root, defined=True)
        else:
            stack += parts
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                told.append(item)
            elif isinstance(item, ast.Name):
                self.chains.add((item.id,))
                told.append(f"Name( id= {item.id!r} )")
            elif isinstance(item, ast.Attribute):
                self._spread_chain(item)
            elif isinstance(item, ast.Constant):
                told.append(f"Constant( value= {item.value!r} )")
            elif isinstance(item, ast.arg):
                told.append(f"arg( arg= {item.arg!r} )")
                if item.annotation is not None:
                    self.aside.append(item.annotation)
            else:
                self._spread(item)
        return " ".join(told)

    def _spread_chain(self, item: ast.Attribute) -> None:
        attributes: list[str] = []
        inner: ast.expr = item
        while isinstance(inner, ast.Attribute):
            attributes.append(inner.attr)
            inner = inner.value
        attributes.reverse()
        if isinstance(inner, ast.Name):
            self.chains.add((inner.id, *attributes))
            value: str | ast.expr = f"Name( id= {inner.id!r} )"
        else:
            value = inner
        before = " ".join(["Attribute( value="] * len(attributes))
        after = " ".join([f"attr= {attribute!r} )" for attribute in attributes])
        self._stack += (after, value, before)

    def _spread(self, item: ast.AST, *, defined: bool = False) -> None:
        """Put the parts of `item` onto the stack, the last below."""
        kind: Any = type(item)
        parts: list[str | ast.AST] = [f"{kind.__name__}("]
        for name, is_told in _fields(kind):
            value = getattr(item, name, None)
            if value is None or value == []:
                continue
            if not is_told or (defined and name in _DEFINED):
                self.aside += [part for part in _listed(value) if isinstance(part, ast.AST)]
            elif isinstance(value, list):
                parts.append(f"{name}= [")
                parts += [_part(each) for each in value if not _is_text(each)]
                parts.append("]")
            else:
                parts += (f"{name}=", _part(value))
        parts.append(")")
        parts.reverse()
        self._stack += parts
        if isinstance(item, ast.Import | ast.ImportFrom):
            self.imports.update(_imported(item))


@lru_cache(maxsize=512)
def _fields(kind: Any) -> tuple[tuple[str, bool], ...]:
    """The fields of a kind of part that can name something, each with whether it is told."""
    return tuple((name, name not in _ASIDE) for name in kind._fields if name not in _SILENT)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _part(value: object) -> str | ast.AST:
    return value if isinstance(value, ast.AST) else repr(value)


def _is_text(statement: object) -> bool:
    """A docstring, or another string that stands alone."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _imported(item: ast.Import | ast.ImportFrom) -> Iterator[Imported]:
    for alias in item.names:
        if isinstance(item, ast.Import):
            bound = alias.asname or alias.name.partition(".")[0]
            yield Imported(0, alias.name, "", bound)
        else:
            bound = alias.asname or alias.name
            yield Imported(item.level, item.module or "", alias.name, bound)
