"""Values and functions as text that is the same in every process, layout and comments left out."""

from __future__ import annotations

import ast
import contextlib
import dis
import functools
import linecache
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import polars as pl

_PLAIN = (str, bytes, int, float, complex, bool, type(None), range)
_TOLD = (
    *_PLAIN,
    *(tuple, list, dict, set, frozenset, re.Pattern, pl.Expr, functools.partial),
    *(FunctionType, classmethod, staticmethod, type),
)


def value_text(value: Any) -> str:
    """What `value` is, as text; for a function its source and what that refers to.

    >>> value_text({"b", "a"}), value_text([1, None])
    ("set['a', 'b']", 'list[1, None]')
    """
    return _Text().of(value)


class _Text:
    """One walk through a value; what was seen before is named, not walked again."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.kept: list[Any] = []

    def of(self, value: Any) -> str:
        if isinstance(value, _PLAIN):
            return repr(value)
        if isinstance(value, pl.Expr):
            return _without_addresses(str(value))
        if isinstance(value, re.Pattern):
            return f"re.compile({value.pattern!r}, {value.flags})"
        if id(value) in self.seen:
            return f"again {getattr(value, '__qualname__', type(value).__qualname__)}"
        self.seen.add(id(value))
        self.kept.append(value)
        return self._of_compound(value)

    def _of_compound(self, value: Any) -> str:
        if isinstance(value, Mapping):
            items = sorted((self.of(k), self.of(v)) for k, v in value.items())
            return "dict{" + ", ".join(f"{k}: {v}" for k, v in items) + "}"
        if isinstance(value, list | tuple):
            return f"{type(value).__name__}[{', '.join(map(self.of, value))}]"
        if isinstance(value, set | frozenset):
            return f"set[{', '.join(sorted(map(self.of, value)))}]"
        if isinstance(value, pl.Series):
            return f"Series {value.dtype} {self.of(value.to_list())}"
        if isinstance(value, pl.DataFrame):
            return f"DataFrame {self.of(value.to_dict())}"
        if isinstance(value, functools.partial):
            return (
                f"partial({self.of(value.func)}, {self.of(value.args)}, {self.of(value.keywords)})"
            )
        if isinstance(value, MethodType):
            return f"method {self.of(value.__func__)} of {self.of(value.__self__)}"
        if isinstance(value, FunctionType):
            return self._of_function(value)
        if isinstance(value, type):
            return self._of_class(value)
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        called = getattr(type(value), "__call__", None)  # noqa: B004  (its source is wanted)
        if isinstance(called, FunctionType):
            return f"{kind} {self.of(called)} {self.of(getattr(value, '__dict__', {}))}"
        return f"{kind} {_without_addresses(repr(value))}"

    def _of_class(self, value: type) -> str:
        name = f"class {value.__module__}.{value.__qualname__}"
        if is_installed(value.__module__):
            return name
        return f"{name} {self._members(vars(value), vars(value))}"

    def _of_function(self, function: FunctionType) -> str:
        adapted = _adapted_by_pandera(function)
        if adapted is not None:
            check, model = adapted
            return f"{self.of(check)} {self._attributes(check, model)}"
        if is_installed(function.__module__ or ""):
            return f"function {function.__module__}.{function.__qualname__}"
        told = [source_of(function)]
        told += [self.of(function.__defaults__), self.of(function.__kwdefaults__)]
        names = set(_names(function.__code__))
        for name, value in _referred(function, names):
            if isinstance(value, ModuleType):
                told.append(f"{name}={self._of_module(value, names)}")
            else:
                told.append(f"{name}={self.of(value)}")
        return f"function({'; '.join(told)})"

    def _of_module(self, module: ModuleType, names: set[str]) -> str:
        """A module by its name, one of the project also by what is read of it."""
        if is_installed(module.__name__):
            return f"module {module.__name__}"
        return f"module {module.__name__} {self._members(vars(module), names)}"

    def _members(self, owned: Mapping[str, Any], names: Iterable[str]) -> str:
        """The constants, functions and classes among the named members."""
        return ", ".join(
            f"{name}={self.of(getattr(owned[name], '__func__', owned[name]))}"
            for name in sorted(names)
            if name in owned and not name.startswith("__") and isinstance(owned[name], _TOLD)
        )

    def _attributes(self, check: Any, model: type) -> str:
        """What a check method reads of its model: constants and methods, not columns."""
        if not isinstance(check, FunctionType):
            return ""
        owned: dict[str, Any] = {}
        for parent in reversed(model.__mro__):
            if not is_installed(parent.__module__):
                owned.update(vars(parent))
        return self._members(owned, set(_names(check.__code__)))


def source_of(function: FunctionType) -> str:
    """The syntax tree of a function without docstring and layout; byte code if its file is gone."""
    tree = _tree_of(function.__code__)
    if tree is None:
        return _byte_code(function.__code__)
    body = tree.body
    if isinstance(body, list) and _is_docstring(body[0]):
        body = body[1:]
    shown = [ast.dump(tree.args)]
    shown += (ast.dump(part) for part in (body if isinstance(body, list) else [body]))
    return " ".join(shown)


def _tree_of(code: CodeType) -> ast.FunctionDef | ast.Lambda | None:
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename)
    if not lines:
        return None
    try:
        tree = _parsed(code.co_filename, "".join(lines))
    except SyntaxError:
        return None
    return next((c for c in ast.walk(tree) if _is_source_of(code, c)), None)  # type: ignore[return-value]


def _is_source_of(code: CodeType, candidate: ast.AST) -> bool:
    if isinstance(candidate, ast.Lambda):
        return code.co_name == "<lambda>" and _within(code, candidate)
    if not isinstance(candidate, ast.FunctionDef) or candidate.name != code.co_name:
        return False
    first = min([candidate.lineno, *(d.lineno for d in candidate.decorator_list)])
    return code.co_firstlineno == first


@functools.lru_cache(maxsize=64)
def _parsed(_filename: str, text: str) -> ast.Module:
    return ast.parse(text)


def _within(code: CodeType, candidate: ast.Lambda) -> bool:
    """Whether the code of a lambda stands where `candidate` has its body."""
    body = candidate.body
    wanted = (body.lineno, body.col_offset, body.end_lineno, body.end_col_offset)
    return any(
        (line, column, end_line, end_column) == wanted
        for line, end_line, column, end_column in code.co_positions()
    )


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _byte_code(code: CodeType) -> str:
    return "code " + " ".join(
        f"{i.opname} {_operand(i)}" for i in dis.get_instructions(code) if i.opname != "CACHE"
    )


def _operand(instruction: dis.Instruction) -> str:
    if isinstance(instruction.argval, CodeType):
        return _byte_code(instruction.argval)
    if isinstance(instruction.argval, frozenset):
        return value_text(instruction.argval)
    return instruction.argrepr


def _names(code: CodeType) -> Iterator[str]:
    """Every global and attribute that the code names, nested functions included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _referred(function: FunctionType, names: set[str]) -> list[tuple[str, Any]]:
    """The closure's values and those of the named globals, by name."""
    found = {n: function.__globals__[n] for n in names if n in function.__globals__}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # a cell may be empty yet
            found[name] = cell.cell_contents
    return sorted(found.items())


def _adapted_by_pandera(function: FunctionType) -> tuple[Any, type] | None:
    """The method and the model behind the function that pandera makes of a check method."""
    if not function.__qualname__.endswith("to_check.<locals>._adapter"):
        return None
    closed = [cell.cell_contents for cell in function.__closure__ or ()]
    named = dict(zip(function.__code__.co_freevars, closed, strict=True))
    return named["self"].check_fn, named["model_cls"]


def is_installed(module: str) -> bool:
    """Whether a module is of Python or a package, not of the project."""
    if module.partition(".")[0] in sys.stdlib_module_names:
        return True
    path = getattr(sys.modules.get(module), "__file__", None) or ""
    return "site-packages" in path or "dist-packages" in path


def _without_addresses(text: str) -> str:
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)
