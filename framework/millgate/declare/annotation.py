"""What an annotation asks for, read without importing or running anything.

Annotations arrive as objects or, under `from __future__ import annotations`, as text; names in
text may exist for type checkers only. Both are reduced to short qualified names: the top package
and the last name, such as `polars.LazyFrame`.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from inspect import Parameter, Signature, getclosurevars, signature, unwrap
from pathlib import Path
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, ForwardRef, Union, get_args, get_origin

ANYTHING = ""
"""The member of a missing annotation, and of `Any`."""
NONE = "None"
_ABSENT = object()


@dataclass(frozen=True)
class Spelled:
    """The members of an annotation's union as short qualified names, and whether None is one.

    `list[millgate.Partition]` is how a generic is spelled.
    """

    members: tuple[str, ...]
    optional: bool = False

    def __str__(self) -> str:
        return " | ".join((*self.members, NONE) if self.optional else self.members)


@dataclass(frozen=True)
class Scope:
    """The names that a function's annotations may use."""

    function: Callable[..., Any]
    _seen: dict[str, object] = field(default_factory=dict)

    def find(self, name: str) -> object:
        """The object, or as text what an import statement of its module binds to the name."""
        for names in self._namespaces:
            if name in names:
                return names[name]
        return self._imported.get(name, _ABSENT)

    @cached_property
    def _namespaces(self) -> tuple[Mapping[str, object], ...]:
        inner = unwrap(self.function)
        closed_over: Mapping[str, object] = {}
        if hasattr(inner, "__code__"):
            closed_over = getclosurevars(inner).nonlocals
        return closed_over, getattr(inner, "__globals__", {}), vars(builtins)

    @cached_property
    def _imported(self) -> dict[str, str]:
        """What the import statements of the module bind, those under TYPE_CHECKING included."""
        code = getattr(unwrap(self.function), "__code__", None)
        try:
            tree = ast.parse(Path(code.co_filename).read_bytes()) if code else None
        except (OSError, SyntaxError, ValueError):
            tree = None
        bound: dict[str, str] = {}
        for statement in ast.walk(tree) if tree else ():
            if isinstance(statement, ast.Import):
                for each in statement.names:
                    top = each.name.partition(".")[0]
                    bound[each.asname or top] = each.name if each.asname else top
            elif isinstance(statement, ast.ImportFrom):
                for each in statement.names:
                    bound[each.asname or each.name] = f"{statement.module or ''}.{each.name}"
        return bound


def signature_of(function: Callable[..., Any]) -> Signature:
    """The signature, where annotations that cannot be evaluated do no harm."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return signature(function, annotation_format=Format.FORWARDREF)
    return signature(function)


def spelled(annotation: object, scope: Scope) -> Spelled:
    """What `annotation` says."""
    if type(annotation) is type:
        return _spelled_class(annotation)
    members = list(dict.fromkeys(_members(annotation, scope)))
    return Spelled(tuple(m for m in members if m != NONE), NONE in members)


@lru_cache(maxsize=256)
def _spelled_class(annotation: type) -> Spelled:
    """What a class says, in whatever scope it is named."""
    (member,) = _members(annotation, Scope(annotation))
    return Spelled((), optional=True) if member == NONE else Spelled((member,))


def _members(annotation: object, scope: Scope) -> Iterator[str]:
    if annotation is Parameter.empty or annotation is Any:
        yield ANYTHING
    elif annotation is None or annotation is NoneType:
        yield NONE
    elif isinstance(annotation, ForwardRef):
        yield from _members(annotation.__forward_arg__, scope)
    elif isinstance(annotation, str):
        try:
            tree = ast.parse(annotation.strip(), mode="eval").body
        except SyntaxError:
            yield annotation
        else:
            yield from _written(tree, scope)
    elif isinstance(annotation, UnionType) or get_origin(annotation) is Union:
        for member in get_args(annotation):
            yield from _members(member, scope)
    elif get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0], scope)
    elif isinstance(annotation, GenericAlias) or get_origin(annotation) is not None:
        inner = (m for a in get_args(annotation) for m in _members(a, scope))
        yield f"{_short(get_origin(annotation))}[{', '.join(inner)}]"
    elif hasattr(annotation, "__value__"):
        yield from _members(annotation.__value__, scope)
    else:
        yield _short(annotation)


def _written(tree: ast.expr, scope: Scope) -> Iterator[str]:
    """The members of an annotation that is text."""
    if isinstance(tree, ast.Constant):
        yield from _members(tree.value, scope)
    elif isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        yield from _written(tree.left, scope)
        yield from _written(tree.right, scope)
    elif isinstance(tree, ast.Subscript):
        yield from _subscript(tree, scope)
    elif isinstance(tree, ast.Name | ast.Attribute):
        found = _resolved(tree, scope)
        if isinstance(found, str):
            yield ANYTHING if found == "typing.Any" else _shortened(found)
        else:
            yield from _members(found, scope)
    else:
        yield ast.unparse(tree)


def _subscript(tree: ast.Subscript, scope: Scope) -> Iterator[str]:
    arguments = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
    found = _resolved(tree.value, scope)
    head = _shortened(found) if isinstance(found, str) else _short(found)
    name = head.rpartition(".")[2]
    if name == "Annotated":
        yield from _written(arguments[0], scope)
        return
    inner = [member for argument in arguments for member in _written(argument, scope)]
    if name in ("Optional", "Union"):
        yield from inner
        if name == "Optional":
            yield NONE
    else:
        yield f"{head}[{', '.join(inner)}]"


def _resolved(tree: ast.expr, scope: Scope) -> object:
    """The object that a dotted name means, or its qualified name where there is no object."""
    if isinstance(tree, ast.Name):
        found = scope.find(tree.id)
        return tree.id if found is _ABSENT else found
    if isinstance(tree, ast.Attribute):
        owner = _resolved(tree.value, scope)
        if isinstance(owner, str):
            return f"{owner}.{tree.attr}"
        return getattr(owner, tree.attr, f"{_short(owner)}.{tree.attr}")
    return ast.unparse(tree)


def _short(found: object) -> str:
    name = getattr(found, "__qualname__", None) or getattr(found, "_name", None) or repr(found)
    module = getattr(found, "__module__", None) or ""
    return _shortened(str(name) if module == "builtins" else f"{module}.{name}")


def _shortened(qualified: str) -> str:
    top, _, rest = qualified.lstrip("_.").partition(".")
    return f"{top}.{rest.rpartition('.')[2]}" if rest else top
