"""Whose code something is: the project's own, Python's, or an installed package's."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

_INSTALLED = ("site-packages", "dist-packages")
_OURS = __name__.partition(".")[0]


class Ownership:
    """Tells the project's own code from everything else, by the folder it lies in."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._files: dict[str, bool] = {}

    def has_file(self, path: str) -> bool:
        """Whether a source file is the project's own; text that came from no file is too."""
        if (own := self._files.get(path)) is None:
            own = not path or path.startswith("<") or _lies_in(self._root, path)
            self._files[path] = own
        return own

    def has_module(self, name: str) -> bool:
        """Whether an imported module is the project's own."""
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top == _OURS:
            return False
        module = sys.modules.get(name)
        path = getattr(module, "__file__", None)
        if path is None:
            folders = list(getattr(module, "__path__", ()))
            return any(self.has_file(folder) for folder in folders) or name == "__main__"
        return self.has_file(path)

    def find(self, module: str) -> str | None:
        """The source file of a module of the project, which need not be imported."""
        parts = module.split(".")
        if not all(parts) or parts[0] in sys.stdlib_module_names or parts[0] == _OURS:
            return None
        spec = PathFinder.find_spec(parts[0], [str(self._root), *sys.path])
        if spec is None:
            return None
        origin = spec.origin
        for part in parts[1:]:
            folders = list(spec.submodule_search_locations or ())
            spec = PathFinder.find_spec(part, folders) if folders else None
            if spec is None:
                return None
            origin = spec.origin
        own = origin is not None and origin.endswith(".py") and self.has_file(origin)
        return origin if own else None


@lru_cache(maxsize=64)
def ownership(root: Path) -> Ownership:
    """Whose code something is in the project at `root`."""
    return Ownership(root)


def _lies_in(root: Path, path: str) -> bool:
    file = Path(path).resolve()
    return file.is_relative_to(root) and not any(part in file.parts for part in _INSTALLED)


def package_of(module: str) -> str:
    """The package that a module is of, with the version that is installed.

    Python's own modules and Millgate have no version here: an upgrade of either is not a change
    of the user's code.
    """
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top == _OURS:
        return top
    return f"{top} {_version(top)}"


@lru_cache(maxsize=1024)
def _version(top: str) -> str:
    try:
        return metadata.version(top)
    except metadata.PackageNotFoundError:
        names = _distributions().get(top, ())
    if names:
        return metadata.version(names[0])
    return str(getattr(sys.modules.get(top), "__version__", "unknown"))


@lru_cache(maxsize=1)
def _distributions() -> dict[str, list[str]]:
    return {top: sorted(set(names)) for top, names in metadata.packages_distributions().items()}


def module_file(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or ""
