"""Header values: the decorator's own Python expressions, read and never evaluated as code."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import ModuleType
from typing import Any

from millgate.errors import DeclarationError, MillgateError, did_you_mean
from millgate.model.asset import Retry
from millgate.model.dimension import Dimension, Keys
from millgate.model.grain import Daily, Hourly, Monthly, Weekly
from millgate.model.mapping import Window
from millgate.model.partition import Partitions
from millgate.model.policy import Gate
from millgate.model.refresh import Refresh

Modules = Callable[[tuple[str, ...]], tuple[ModuleType | None, tuple[str, ...]]]
"""Gives for a dotted name the module of `assets/` it begins with (None: there is none), imported,
and the names that remain."""

_PUBLIC: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (Daily, Gate, Hourly, Keys, Monthly, Refresh, Retry, Weekly, Window)
}


def value_of(expression: ast.expr, where: str, modules: Modules) -> Any:
    """What a header value means: literals, calls of the public names, products, dotted names."""
    match expression:
        case ast.Constant(value=value) if value is not Ellipsis and not isinstance(value, bytes):
            return value
        case ast.List(elts=elements):
            return [value_of(each, where, modules) for each in elements]
        case ast.Tuple(elts=elements):
            return tuple(value_of(each, where, modules) for each in elements)
        case ast.Set(elts=elements):
            return {value_of(each, where, modules) for each in elements}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            pairs = zip(keys, values, strict=True)
            return {value_of(k, where, modules): value_of(v, where, modules) for k, v in pairs if k}
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _product(expression, [value_of(s, where, modules) for s in (left, right)], where)
        case ast.Call():
            return _call(expression, where, modules)
        case ast.Name() | ast.Attribute():
            return _named(expression, where, modules)
    raise DeclarationError(
        f"{ast.unparse(expression)} cannot stand in a header",
        where=where,
        fix="bind it to a name in a module of assets/ and write module.name",
    )


def _product(expression: ast.expr, factors: list[Any], where: str) -> Partitions:
    if not all(isinstance(factor, Dimension | Partitions) for factor in factors):
        raise DeclarationError(
            f"{ast.unparse(expression)} is no product of partitionings",
            where=where,
            fix='write such as Daily("2013-01-01") * Keys("EU", "US")',
        )
    with_place = _placed(lambda: factors[0] * factors[1], ast.unparse(expression), where)
    assert isinstance(with_place, Partitions)
    return with_place


def _call(call: ast.Call, where: str, modules: Modules) -> Any:
    if not isinstance(call.func, ast.Name) or call.func.id not in _PUBLIC:
        called = ast.unparse(call.func)
        raise DeclarationError(
            f"{called}(...) cannot be called in a header",
            where=where,
            fix=did_you_mean(
                called,
                _PUBLIC,
                f"{', '.join(_PUBLIC)} can; or call it in a module of assets/, bind it to a name "
                "and write module.name",
            ),
        )
    if any(isinstance(each, ast.Starred) for each in call.args) or any(
        keyword.arg is None for keyword in call.keywords
    ):
        raise DeclarationError(
            f"{ast.unparse(call)} cannot stand in a header",
            where=where,
            fix="write the arguments out, without * or **",
        )
    arguments = [value_of(each, where, modules) for each in call.args]
    keywords = {str(k.arg): value_of(k.value, where, modules) for k in call.keywords}
    public = _PUBLIC[call.func.id]
    return _placed(lambda: public(*arguments, **keywords), ast.unparse(call), where)


def _placed(make: Callable[[], Any], shown: str, where: str) -> Any:
    """What `make` returns; its errors say where in the file the fault is."""
    try:
        return make()
    except MillgateError as error:
        error.where = f"{where}, {error.where}"
        raise
    except (TypeError, ValueError, AttributeError) as error:
        raise DeclarationError(
            f"{shown} cannot be made: {error}", where=where, fix="correct its arguments"
        ) from error


def _named(expression: ast.expr, where: str, modules: Modules) -> Any:
    """The object of a module of `assets/` that a dotted name means."""
    dotted = ast.unparse(expression)
    parts = tuple(dotted.split("."))
    if len(parts) == 1 or not all(part.isidentifier() for part in parts):
        raise DeclarationError(
            f"{dotted} means nothing in a header",
            where=where,
            fix=did_you_mean(dotted, _PUBLIC, f'text stands in quotes, such as "{dotted}"'),
        )
    module, rest = modules(parts)
    if module is None:
        raise DeclarationError(
            f"there is no module {parts[0]} in assets/ for {dotted}",
            where=where,
            fix="write the path of the module below assets/ with dots, then the name in it",
        )
    found: Any = module
    for name in rest:
        if not hasattr(found, name):
            known = [n for n in vars(found) if not n.startswith("_")] if vars(found) else []
            raise DeclarationError(
                f"{module.__name__} has no {'.'.join(rest)}",
                where=where,
                fix=did_you_mean(name, known, f"look in {module.__name__}"),
            )
        found = getattr(found, name)
    if isinstance(found, ModuleType):
        raise DeclarationError(
            f"{dotted} is a module", where=where, fix="write the name in it after another dot"
        )
    return found
