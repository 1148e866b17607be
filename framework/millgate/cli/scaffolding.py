"""Laying out a new project: the files of `scaffold/`, written once and never over others."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from millgate.errors import StoreError, UsageError

_SUFFIX = ".txt"
"""Keeps tools from taking the scaffold's own modules and settings for Millgate's."""


def lay_out(folder: Path) -> list[str]:
    """Write a runnable project into `folder`; returns the paths written, relative to it.

    Raises UsageError, with nothing written, if one of them exists already.
    """
    name = project_name(folder.resolve().name)
    wanted = {path: text.replace("{name}", name) for path, text in scaffold().items()}
    in_the_way = sorted(path for path in wanted if (folder / path).exists())
    if folder.is_dir() and in_the_way:
        raise UsageError(
            f"{', '.join(in_the_way)} would be written over",
            where=str(folder),
            fix="choose an empty folder, or move these away",
        )
    try:
        for path, text in wanted.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"the project cannot be written: {error.strerror or error}",
            where=str(error.filename or folder),
            fix="choose a folder that you may write to",
        ) from error
    return sorted(wanted)


def scaffold() -> dict[str, str]:
    """The files of a new project: text by path."""
    top = files("millgate.cli").joinpath("scaffold")
    return {_target(path): file.read_text("utf-8") for path, file in _walk(top, PurePosixPath())}


def project_name(folder: str) -> str:
    """A name that pyproject.toml takes, made of a folder's.

    >>> project_name("My Shop (2025)"), project_name("...")
    ('my-shop-2025', 'project')
    """
    return re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-") or "project"


def _walk(folder: Traversable, at: PurePosixPath) -> list[tuple[PurePosixPath, Traversable]]:
    found: list[tuple[PurePosixPath, Traversable]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += [] if entry.name == "__pycache__" else _walk(entry, at / entry.name)
        else:
            found.append((at / entry.name, entry))
    return found


def _target(path: PurePosixPath) -> str:
    name = path.name.removesuffix(_SUFFIX)
    return str(path.with_name(f".{name[4:]}" if name.startswith("dot.") else name))
