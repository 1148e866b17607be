"""Importing the modules of a project's `assets/`, afresh each time and without leaving traces of
another project behind.

The folder becomes the top package by its own name, so that `from assets.flights import flights`
works whatever else is called so. All that importing it brought in is noted on the package, and
leaves again when a project is next opened in the same process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, invalidate_caches
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, TracebackType

from millgate.declare.place import is_users, shortened
from millgate.errors import DeclarationError, MillgateError, ProjectError

_NOTE = "__millgate__"
_RACY_SECONDS = 2


@dataclass
class _Note:
    """What is to leave again: the entry of `sys.path` and the names of modules."""

    root: str
    modules: set[str]


@dataclass(frozen=True)
class AssetModules:
    """The modules of one project's assets folder."""

    root: Path
    folder: Path

    def load(self, path: Path) -> ModuleType:
        """The module of a file below the folder; DeclarationError with the user's line if its
        code raises."""
        return self._imported(self._name(path.relative_to(self.folder).with_suffix("").parts))

    def named(self, parts: tuple[str, ...]) -> tuple[ModuleType | None, tuple[str, ...]]:
        """The module that a dotted name begins with, None if there is none, and what remains."""
        at = self.folder
        taken = 0
        for part in parts:
            if (at / part).is_dir() or (at / f"{part}.py").is_file():
                at /= part
                taken += 1
            else:
                break
        if not taken:
            return None, parts
        return self._imported(self._name(parts[:taken])), parts[taken:]

    def _name(self, parts: tuple[str, ...]) -> str:
        return ".".join((self.folder.name, *parts))

    def _imported(self, name: str) -> ModuleType:
        with self._translated(name):
            return import_module(name)

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except MillgateError as error:
            error.where = self._place_of(error, error.where)
            raise
        except (Exception, SystemExit) as error:
            raise DeclarationError(
                f"{type(error).__name__}: {str(error) or 'without a message'}",
                where=self._where(error) or name,
                fix=_fix(error, self.folder.name),
            ) from error

    def _place_of(self, error: MillgateError, where: str) -> str:
        """`where` with the user's line in front, unless it is a place already."""
        place = self._where(error)
        where = shortened(where, self.root)
        file = (place or "").partition(":")[0]
        return where if not place or file in where else f"{place}, {where}"

    def _where(self, error: BaseException) -> str | None:
        """The innermost line of the project's own code that an error passed through."""
        if isinstance(error, SyntaxError) and is_users(error.filename or "", self.root):
            return shortened(f"{error.filename}:{error.lineno or 1}", self.root)
        lines = [
            f"{file}:{line}"
            for file, line in _lines(error.__traceback__)
            if is_users(file, self.root)
        ]
        return shortened(lines[-1], self.root) if lines else None


def _lines(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    while traceback is not None:
        yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


def _fix(error: BaseException, package: str) -> str:
    if isinstance(error, SyntaxError):
        return "correct the Python there"
    if isinstance(error, ModuleNotFoundError) and error.name:
        if error.name.partition(".")[0] == package:
            return f"there is no such module in {package}/: correct the name"
        return f"install {error.name.partition('.')[0]} beside millgate, or correct the name"
    return "every module of the assets folder must import without an error"


@contextmanager
def opened(root: Path, folder: Path) -> Iterator[AssetModules]:
    """The modules of `folder`, importable under its name with `root` on the path."""
    name = folder.name
    leave()
    _check_name(name, folder)
    before = set(sys.modules)
    note = _Note(str(root), {name})
    sys.path[:] = [str(root), *(entry for entry in sys.path if entry != str(root))]
    invalidate_caches()
    wrote = sys.dont_write_bytecode
    sys.dont_write_bytecode = wrote or _changed_just_now(folder)
    modules = AssetModules(root, folder)
    try:
        _enter(name, folder, note, modules)
        yield modules
    finally:
        sys.dont_write_bytecode = wrote
        note.modules |= {
            added
            for added in set(sys.modules) - before
            if is_users(getattr(sys.modules[added], "__file__", None) or "", root)
        }


def _enter(name: str, folder: Path, note: _Note, modules: AssetModules) -> None:
    """Put the top package in place, running its `__init__.py` if it has one."""
    init = folder / "__init__.py"
    spec: ModuleSpec | None = ModuleSpec(name, None, is_package=True)
    if init.is_file():
        spec = spec_from_file_location(name, init, submodule_search_locations=[str(folder)])
    assert spec is not None
    spec.submodule_search_locations = [str(folder)]
    package = module_from_spec(spec)
    vars(package)[_NOTE] = note
    sys.modules[name] = package
    if init.is_file() and spec.loader is not None:
        with modules._translated(name):
            spec.loader.exec_module(package)


def leave() -> None:
    """Forget what the project that was opened before brought in."""
    notes = [n for m in list(sys.modules.values()) if isinstance(n := _noted(m), _Note)]
    for note in notes:
        for name in list(sys.modules):
            if any(name == gone or name.startswith(f"{gone}.") for gone in note.modules):
                del sys.modules[name]
        if note.root in sys.path:
            sys.path.remove(note.root)


def _noted(module: object) -> object:
    return getattr(module, "__dict__", {}).get(_NOTE)


def _check_name(name: str, folder: Path) -> None:
    """Raise if the folder's name means another package; forget it if it was imported plainly.

    A folder without `__init__.py`, here or in another project, is forgotten too.
    """
    taken = sys.modules.get(name)
    if name in sys.stdlib_module_names or (
        getattr(taken, "__file__", None) is not None
        and str(folder) not in list(getattr(taken, "__path__", []))
    ):
        raise ProjectError(
            f"{name} is the name of another Python package",
            where=str(folder),
            fix='call the folder otherwise, and say so in [tool.millgate]: assets = "..."',
        )
    for known in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
        del sys.modules[known]


def _changed_just_now(folder: Path) -> bool:
    """Whether a module is so new that a second edit could leave its size and second the same.

    Bytecode written from it could then stand for other code.
    """
    newest = max((file.stat().st_mtime for file in folder.rglob("*.py")), default=0.0)
    return newest > time.time() - _RACY_SECONDS
