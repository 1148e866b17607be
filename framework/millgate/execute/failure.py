"""A user's own error, told from their line on."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

import millgate.errors
from millgate.errors import MillgateError

_PACKAGE = Path(millgate.errors.__file__).parent


@dataclass(frozen=True)
class Failure:
    """An error of a step: one line, the place, and the full text from the user's line on."""

    kind: str
    message: str
    at: str
    detail: str


def describe(error: BaseException, root: Path, defined_in: str) -> Failure:
    """How an error is shown and recorded.

    Frames before the first one in the project's folder belong to Millgate or a library and say
    nothing to the user.
    """
    message = " ".join(_said(error).split()) or type(error).__name__
    if isinstance(error, MillgateError):
        return Failure(type(error).__name__, error.what, error.where, f"error: {error}")
    frames = traceback.extract_tb(error.__traceback__)
    own = [i for i, frame in enumerate(frames) if _is_own(frame.filename, root)]
    shown = frames[own[0] :] if own else []
    at = defined_in
    if own:
        last = frames[own[-1]]
        at = f"{Path(last.filename).relative_to(root)}:{last.lineno}"
    lines = traceback.format_list(shown) + traceback.format_exception_only(error)
    detail = "".join(lines).rstrip().replace(f"{root}/", "")
    return Failure(type(error).__name__, message, at, _storable(detail))


def _said(error: BaseException) -> str:
    """What an error says, also where saying it is one more error."""
    try:
        return _storable(str(error))
    except Exception as another:
        return f"its text cannot be had: {type(another).__name__}"


def _storable(text: str) -> str:
    """`text` without what UTF-8 cannot hold."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_own(filename: str, root: Path) -> bool:
    path = Path(filename)
    outside = path.is_relative_to(_PACKAGE) or "site-packages" in path.parts
    return path.is_relative_to(root) and not outside
