"""All that a project declares: the assets and sources of the modules and queries in `assets/`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from millgate.declare.importing import AssetModules, opened
from millgate.declare.keywords import checked_name
from millgate.declare.place import file_of, is_users, shortened
from millgate.declare.upstreams import settle
from millgate.errors import DeclarationError, DuplicateAsset, ProjectError
from millgate.model.asset import Asset, Declared, Node, Source


@dataclass(frozen=True)
class _Binding:
    """Where an object was found: the file and the variable, "" in a list."""

    file: Path
    variable: str


@dataclass
class _Found:
    """An asset or a source with every place it is bound at."""

    node: Node
    bindings: list[_Binding] = field(default_factory=list)

    @property
    def home(self) -> _Binding:
        """Where it belongs: bound in the file that defines it, else where it was met first."""
        if len(self.bindings) == 1:
            return self.bindings[0]
        file = Path(file_of(self.node.defined_in))
        return next((b for b in self.bindings if b.file == file), self.bindings[0])


def discover(root: Path, folder: Path) -> tuple[Node, ...]:
    """Every asset and source that the modules and `.sql` files below `folder` declare.

    Objects are found at module level, also in lists, tuples, sets and dicts; files and folders
    that begin with `_` or `.` are left out (but may be imported). The order follows the files.
    """
    root, folder = Path(os.path.abspath(root)), Path(os.path.abspath(folder))
    if not folder.is_dir():
        raise ProjectError(
            f"there is no folder {folder.name}/",
            where=str(folder),
            fix="make it and put assets in it, or name another in [tool.millgate]: assets = ...",
        )
    files = sorted(_files(folder), key=lambda file: file.relative_to(folder).as_posix())
    order = {file: number for number, file in enumerate(files)}
    with opened(root, folder) as modules:
        found = _scanned(files, modules)
        names = {key: _name(each, root) for key, each in found.items()}

        def name_of(target: Declared) -> str:
            return names.get(id(target)) or _own_name(target, root)

        nodes: list[tuple[int, Node]] = [
            (order[each.home.file], _completed(each, names[key], root, folder, name_of))
            for key, each in found.items()
        ]
        for file in files:
            if file.suffix == ".sql":
                from millgate.declare.sql_file import read_sql_asset

                shown, group = file.relative_to(root).as_posix(), _group(file, folder)
                asset = read_sql_asset(file, shown, group, modules.named, name_of)
                nodes.append((order[file], asset))
    declared = tuple(node for _, node in sorted(nodes, key=lambda pair: pair[0]))
    _check_unique(declared)
    return declared


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(("_", "."))]
        for name in files:
            if name.endswith((".py", ".sql")) and not name.startswith(("_", ".")):
                yield Path(place, name)


def _scanned(files: list[Path], modules: AssetModules) -> dict[int, _Found]:
    """Every object that a module binds, by its identity, in the order it was met."""
    found: dict[int, _Found] = {}
    for file in files:
        if file.suffix == ".py":
            _check_importable(file, modules)
            for variable, node in _declared(modules.load(file)):
                each = found.setdefault(id(node), _Found(node))
                each.bindings.append(_Binding(file, variable))
    return found


def _check_importable(file: Path, modules: AssetModules) -> None:
    parts = file.relative_to(modules.folder).with_suffix("").parts
    for part in parts:
        if not part.isidentifier():
            raise DeclarationError(
                f"{part!r} cannot be imported: it is no Python name",
                where=file.relative_to(modules.root).as_posix(),
                fix="rename it with letters, digits and underscores, or begin its name with _ or .",
            )


def _declared(module: ModuleType) -> Iterator[tuple[str, Node]]:
    """The assets and sources at module level with their variables, also inside containers."""
    stack = [(n, v) for n, v in reversed(vars(module).items()) if not n.startswith("__")]
    seen: set[int] = set()
    while stack:
        name, value = stack.pop()
        if isinstance(value, Asset | Source):
            yield name, value
        elif isinstance(value, list | tuple | dict | set | frozenset) and id(value) not in seen:
            seen.add(id(value))
            if isinstance(value, dict):
                inner = [(k if isinstance(k, str) else "", v) for k, v in value.items()]
            else:
                inner = [("", v) for v in value]
            stack.extend(reversed(inner))


def _name(found: _Found, root: Path) -> str:
    """The name of what was found: its own, or the variable that a source is bound to."""
    if found.node.name:
        return found.node.name
    where = shortened(found.node.defined_in, root)
    named = [b for b in found.bindings if b.variable]
    if not named:
        raise _nameless(where)
    at_home = [b for b in named if b.file == found.home.file]
    return checked_name((at_home or named)[0].variable, where)


def _own_name(target: Declared, root: Path) -> str:
    if not target.name:
        raise _nameless(shortened(target.defined_in, root))
    return target.name


def _nameless(where: str) -> DeclarationError:
    return DeclarationError(
        "a source has no name",
        where=where,
        fix='bind it to a variable of a module in assets/, or give it name="..."',
    )


def _completed(
    found: _Found, name: str, root: Path, folder: Path, name_of: Callable[[Declared], str]
) -> Node:
    """The object with what only its place says: name, group, file, and the names it refers to."""
    node, home = found.node, found.home.file
    place = node.defined_in if is_users(file_of(node.defined_in), root) else f"{home}:1"
    defined_in, group = shortened(place, root), _group(home, folder)
    if isinstance(node, Source):
        return replace(node, name=name, group=group, defined_in=defined_in)
    settled = replace(node, group=group, defined_in=defined_in)
    inputs = settle(settled, name_of)
    return settled if inputs == settled.inputs else replace(settled, inputs=inputs)


@lru_cache(maxsize=4096)
def _group(file: Path, folder: Path) -> str:
    """The folder that a file lies in, below `assets/`; "" at the top."""
    return "/".join(file.relative_to(folder).parts[:-1])


def _check_unique(nodes: Iterable[Node]) -> None:
    first: dict[str, Node] = {}
    for node in nodes:
        twin = first.setdefault(node.name, node)
        if twin is not node:
            raise DuplicateAsset(
                f"two assets are called {node.name}",
                where=f"{twin.defined_in} and {node.defined_in}",
                fix='rename one of them, or give it name="..."',
            )
