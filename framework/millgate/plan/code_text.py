"""Values and functions of user code as text: all that decides what an asset computes.

The text of a function has its source and, transitively, what the source refers to in the project:
helper functions, classes, constants, closures. It is the same in every process.
"""

from __future__ import annotations

import enum
import functools
import re
import sys
import types
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from millgate.model.asset import Asset, Source
from millgate.model.policy import Gate
from millgate.plan.object_parts import PLAIN, content_of, is_panderas, members_of, state_of
from millgate.plan.ownership import module_file, ownership, package_of
from millgate.plan.sql_words import sql_words
from millgate.plan.syntax_parts import Chain, Imported, Syntax
from millgate.plan.syntax_text import (
    global_names,
    source_file,
    syntax_of_binding,
    syntax_of_class,
    syntax_of_function,
    syntax_of_module,
    with_variables,
    without_addresses,
)

_MISSING = object()


class CodeText:
    """One walk through user code; what was met before is numbered, not walked again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._owned = ownership(root)
        self._met: dict[object, int] = {}
        self._kept: list[object] = []

    def of(self, value: Any) -> str:
        """A value as text; for a function or class of the project what it is made of."""
        if isinstance(value, enum.Enum):
            return f"{self._of_class(type(value))}.{value.name}"
        if isinstance(value, PLAIN):
            return f"{type(value).__name__} {value!r}"
        if isinstance(value, re.Pattern):
            return f"pattern {value.pattern!r} {value.flags}"
        if isinstance(value, types.ModuleType):
            return self._of_module(value)
        if isinstance(value, type):
            return self._of_class(value)
        # A tuple may be shared by the compiler or not, so its identity says nothing.
        if not isinstance(value, tuple | frozenset) and self._again(id(value), value):
            return f"again {self._met[id(value)]}"
        return self._of_collection(value) or self._of_callable(value) or self._of_object(value)

    def of_own_function(self, function: Any) -> str:
        """The function of an asset, walked wherever it is defined."""
        if isinstance(function, types.FunctionType):
            self._again(id(function), function)
            return self._of_function(function)
        return self.of(function)

    def _again(self, mark: object, value: object) -> bool:
        """Whether something was met before; keeps it alive, for its id to stay its own."""
        if mark in self._met:
            return True
        self._met[mark] = len(self._met)
        self._kept.append(value)
        return False

    def _of_collection(self, value: Any) -> str | None:
        if isinstance(value, Mapping):
            items = ", ".join(f"{self.of(k)}: {self.of(v)}" for k, v in value.items())
            return f"{self._of_class(type(value))} {{{items}}}"
        if isinstance(value, list | tuple):
            return f"{self._of_class(type(value))} [{', '.join(map(self.of, value))}]"
        if isinstance(value, set | frozenset):
            told = sorted(self._apart().of(item) for item in value)
            return f"{self._of_class(type(value))} [{', '.join(told)}]"
        return None

    def _apart(self) -> CodeText:
        """A walk that goes on from here and leaves no trace: a set has no order of its own."""
        walk = CodeText(self._root)
        walk._met.update(self._met)
        return walk

    def _of_callable(self, value: Any) -> str | None:
        if isinstance(value, types.FunctionType):
            if self._owned.has_file(value.__code__.co_filename):
                return self._of_function(value)
            return self._of_installed(value)
        if isinstance(value, types.MethodType):
            return f"method {self.of(value.__func__)} of {self.of(value.__self__)}"
        if isinstance(value, functools.partial):
            return f"partial {self.of([value.func, value.args, value.keywords])}"
        if isinstance(value, staticmethod | classmethod):
            return f"{type(value).__name__} {self.of(value.__func__)}"
        if isinstance(value, property):
            return f"property {self.of([value.fget, value.fset])}"
        if isinstance(value, types.BuiltinFunctionType | types.MethodWrapperType):
            bound = value.__self__
            of = "" if isinstance(bound, types.ModuleType) else f" of {self.of(bound)}"
            package = package_of(getattr(value, "__module__", None) or "builtins")
            return f"{package}: {value.__qualname__}{of}"
        wrapped = getattr(value, "__wrapped__", None)
        if callable(wrapped):
            return f"{type(value).__name__} around {self.of(wrapped)}"
        return None

    def _of_installed(self, function: types.FunctionType) -> str:
        """A package's function by name, with the project's functions that it is wrapped around."""
        enclosed = [getattr(function, "__wrapped__", None)]
        enclosed += [content_of(cell) for cell in function.__closure__ or ()]
        own = [
            self.of(value)
            for value in enclosed
            if isinstance(value, types.FunctionType)
            and self._owned.has_file(value.__code__.co_filename)
        ]
        around = f" around {', '.join(own)}" if own else ""
        return f"{package_of(function.__module__ or '')}: {function.__qualname__}{around}"

    def _of_object(self, value: Any) -> str:
        if isinstance(value, Asset):
            return f"asset {asset_text(value, self)}"
        if isinstance(value, Source):
            return f"source {value.name}"
        if isinstance(value, Gate) or is_panderas(type(value)):
            return f"{type(value).__name__}, the gate's"
        kind = type(value)
        if kind.__module__.startswith("polars.") and hasattr(value, "to_dict"):
            return f"frame {self.of(value.to_dict(as_series=False))}"
        if is_dataclass(value) and not self._owned.has_module(kind.__module__):
            shown = {f.name: getattr(value, f.name) for f in fields(value)}
            return f"{kind.__qualname__} {self.of(shown)}"
        if self._owned.has_module(kind.__module__):
            return f"object of {self._of_class(kind)} {self.of(state_of(value))}"
        return (
            f"{package_of(kind.__module__)}: {kind.__qualname__} {without_addresses(repr(value))}"
        )

    def _of_function(self, function: types.FunctionType) -> str:
        code = function.__code__
        syntax = syntax_of_function(code)
        told = [syntax.text, self.of(function.__defaults__), self.of(function.__kwdefaults__)]
        closure = zip(code.co_freevars, function.__closure__ or (), strict=True)
        for name, cell in sorted(closure, key=lambda pair: pair[0]):
            told += self._referred(name, content_of(cell), syntax.chains)
        names = global_names(code) & function.__globals__.keys()
        told += self._of_globals(names, function.__globals__, code.co_filename, syntax.chains)
        told += self._of_imports(syntax, function.__globals__.get("__package__") or "")
        return f"function ({'; '.join(told)})"

    def _of_globals(
        self, names: Iterable[str], space: Mapping[str, Any], path: str, chains: frozenset[Chain]
    ) -> Iterable[str]:
        for name in sorted(names):
            value = space[name]
            binding = self._of_binding(name, value, space, path)
            yield from self._referred(name, value, chains) if binding is None else (binding,)

    def _referred(self, name: str, value: Any, chains: frozenset[Chain]) -> Iterable[str]:
        """A named value; of a module of the project only what is read of it."""
        module = value if isinstance(value, types.ModuleType) else None
        if module is None or not self._owned.has_module(module.__name__):
            yield f"{name} = {self.of(value)}"
            return
        for chain in sorted(c for c in chains if c[0] == name):
            yield f"{'.'.join(chain)} = {self._of_chain(module, chain[1:])}"

    def _of_chain(self, module: types.ModuleType, attributes: Chain) -> str:
        """What a chain of attributes leads to; a module that is used as such is told whole."""
        for attribute in attributes:
            space = vars(module)
            value = space.get(attribute, _MISSING)
            if value is _MISSING:
                return f"no {attribute}"
            if isinstance(value, types.ModuleType) and self._owned.has_module(value.__name__):
                module = value
                continue
            binding = self._of_binding(attribute, value, space, module_file(module))
            return self.of(value) if binding is None else binding
        return self._of_module(module)

    def _of_binding(self, name: str, value: Any, space: Mapping[str, Any], path: str) -> str | None:
        """For an object that does not tell its content, the source that makes it; None if the
        object tells it or its source cannot be found."""
        if not path or not self._is_opaque(value) or not self._owned.has_file(path):
            return None
        file = source_file(path)
        syntax = None if file is None else syntax_of_binding(file, name)
        if syntax is None:
            return None
        if self._again((path, name), value):
            return f"again {name}"
        imported = next((i for i in syntax.imports if i.bound == name), None)
        if imported is not None:
            return self._of_imported(imported, value, space)
        others = {chain[0] for chain in syntax.chains} & space.keys() - {name}
        told = [syntax.text, *self._of_globals(others, space, path, syntax.chains)]
        kind = type(value)
        return f"{name} = {package_of(kind.__module__)}: {kind.__qualname__} ({'; '.join(told)})"

    def _of_imported(self, imported: Imported, value: Any, space: Mapping[str, Any]) -> str | None:
        module = _absolute(imported.level, imported.module, space.get("__package__") or "")
        defining = sys.modules.get(module)
        if defining is None or not self._owned.has_module(module):
            return f"{imported.name} of {package_of(module)}"
        return self._of_binding(imported.name, value, vars(defining), module_file(defining))

    def _is_opaque(self, value: Any) -> bool:
        """Whether a value is an object of a package, of which only its source can be compared."""
        if isinstance(value, (*PLAIN, enum.Enum, re.Pattern, type, types.ModuleType)):
            return False
        if isinstance(value, Mapping | list | tuple | set | frozenset | Asset | Source | Gate):
            return False
        kind = type(value)
        known = callable(value) and (kind.__module__ == "builtins" or hasattr(value, "__wrapped__"))
        return not (known or isinstance(value, functools.partial) or is_dataclass(value)) and not (
            self._owned.has_module(kind.__module__) or is_panderas(kind)
        )

    def _of_module(self, module: types.ModuleType) -> str:
        if not self._owned.has_module(module.__name__):
            return f"module {module.__name__} of {package_of(module.__name__)}"
        return self._of_file(module_file(module), module.__name__)

    def _of_file(self, path: str, name: str) -> str:
        """The whole of a module that is not looked into, and of those it imports."""
        if self._again(path or name, name):
            return f"again {name}"
        file = source_file(path)
        if file is None:
            return f"module {name}"
        syntax = syntax_of_module(file)
        package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
        return f"module {name} ({'; '.join([syntax.text, *self._of_imports(syntax, package)])})"

    def _of_imports(self, syntax: Syntax, package: str) -> Iterable[str]:
        """What a piece of source imports by itself: modules are read, not run."""
        for imported in syntax.imports:
            name = _absolute(imported.level, imported.module, package)
            for wanted in (f"{name}.{imported.name}" if imported.name else "", name):
                path = self._owned.find(wanted) if wanted else None
                if path is not None:
                    yield self._of_file(path, wanted)
                    break
            else:
                yield f"import {package_of(name)}"

    def _of_class(self, kind: type) -> str:
        name = f"class {kind.__module__}.{kind.__qualname__}"
        if is_panderas(kind):
            return f"{name}, the gate's"
        if not self._owned.has_module(kind.__module__):
            return f"{name} of {package_of(kind.__module__)}"
        if self._again(id(kind), kind):
            return f"again {name}"
        module = sys.modules.get(kind.__module__)
        file = source_file(module_file(module)) if module else None
        syntax = None if file is None else syntax_of_class(file, kind.__qualname__)
        if module is None or syntax is None:
            bases = [self._of_class(base) for base in kind.__bases__]
            return f"{name} {self.of(bases)} {self.of(members_of(kind))}"
        names = {chain[0] for chain in syntax.chains} & vars(module).keys() - {kind.__name__}
        told = [syntax.text]
        told += self._of_globals(names, vars(module), module_file(module), syntax.chains)
        told += self._of_imports(syntax, getattr(module, "__package__", None) or "")
        told += self._of_enclosed(kind)
        return f"{name} ({'; '.join(told)})"

    def _of_enclosed(self, kind: type) -> Iterable[str]:
        """What the methods of a class that is made within a function close over."""
        for name, method in sorted(vars(kind).items()):
            if isinstance(method, types.FunctionType) and method.__closure__:
                for free, cell in zip(method.__code__.co_freevars, method.__closure__, strict=True):
                    if free != "__class__":
                        yield f"{name}.{free} = {self.of(content_of(cell))}"


def asset_text(
    asset: Asset, walk: CodeText, called: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What an asset computes with: its query or function, and how its parameters are filled.

    `called` has other names for parameters and tables: the text is then that of an asset which
    differs in these names alone.
    """
    forms = sorted(
        (called.get(given.parameter, given.parameter), given.form.value, given.optional)
        for given in asset.inputs
    )
    settings = sorted((name, env.variable) for name, env in asset.settings.items())
    if asset.query:
        code = sql_words(asset.query.sql, called)
    else:
        code = with_variables(walk.of_own_function(asset.function), called)
    return f"{code} {forms!r} {settings!r} {asset.returns_sql}"


def _absolute(level: int, module: str, package: str) -> str:
    """The full name of a module imported from within `package`."""
    if not level:
        return module
    parts = package.split(".")
    above = ".".join(parts[: len(parts) - level + 1])
    return f"{above}.{module}" if module else above
