"""Where in the user's files something is declared, as `file:line`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import lru_cache
from inspect import unwrap
from pathlib import Path
from typing import Any

_MILLGATE = str(Path(__file__).resolve().parents[1]) + os.sep


def defined_at(function: Callable[..., Any]) -> str:
    """File and line of a function's definition, its decorators included."""
    code = getattr(unwrap(function), "__code__", None)
    return called_from() if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def called_from() -> str:
    """File and line of the innermost call that stands outside Millgate."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_MILLGATE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def file_of(place: str) -> str:
    """
    >>> file_of("/project/assets/flights.py:12")
    '/project/assets/flights.py'
    """
    return place.rpartition(":")[0]


def shortened(text: str, root: Path) -> str:
    """`text` with every path below `root` written relative to it.

    >>> shortened("/project/assets/flights.py:12", Path("/project"))
    'assets/flights.py:12'
    """
    return text.replace(f"{root}{os.sep}", "")


@lru_cache(maxsize=4096)
def is_users(filename: str, root: Path) -> bool:
    """Whether a file is the project's own: below its root, no installed package, not Millgate."""
    path = Path(filename)
    if not path.is_relative_to(root) or path.is_relative_to(_MILLGATE):
        return False
    return not ({"site-packages", "dist-packages"} & set(path.parts))
