"""The error of a step in one line."""

from __future__ import annotations

import re
from typing import Protocol

_OWN = "error: "
"""So begins an error of Millgate's own."""


class Failing(Protocol):
    """What is on record of a step's last attempt."""

    @property
    def attempts(self) -> int: ...
    @property
    def error_type(self) -> str | None: ...
    @property
    def error(self) -> str | None: ...
    @property
    def error_line(self) -> str | None: ...


def error_text(failed: Failing) -> str:
    """The error of a step in one line: what was raised, where, at which attempt."""
    lines = (failed.error or "").splitlines()
    raised = re.compile(rf"([\w.]+\.)?{re.escape(failed.error_type or '')}(:|$)")
    named = [line for line in lines if failed.error_type and raised.match(line)]
    what = [*lines[:1], *named][-1] if lines else failed.error_type or "no attempt is on record"
    if failed.error_type and what.startswith(_OWN):
        what = f"{failed.error_type}: {what.removeprefix(_OWN)}"
    at = f" ({failed.error_line})" if failed.error_line else ""
    tries = f", attempt {failed.attempts} of {failed.attempts}" if failed.attempts > 1 else ""
    return f"{what}{at}{tries}"
