"""Patterns of text checks and of columns: taken as a whole and with their flags, as Python does.

pandera puts `^` before a pattern and `$` behind it, which bind to the first and the last
alternative only, and drops the flags of a compiled one.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl

_LETTERS = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s", re.VERBOSE: "x"}
_VERBOSE = re.compile(r"\(\?[a-z]*x[a-z]*\)")
_HONOURED = re.UNICODE | re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE


def unsupported(pattern: str | re.Pattern[str]) -> str | None:
    """The flags of a compiled pattern that polars has no counterpart for, None if it has all."""
    flags = re.RegexFlag(pattern.flags) if isinstance(pattern, re.Pattern) else re.RegexFlag(0)
    left = flags & ~_HONOURED
    return (left.name or str(left)) if left else None


def honoured(check: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a built-in check so that pandera's own function does what they say.

    >>> honoured("str_matches", {"pattern": "a|b"})
    {'pattern': '^(?:a|b)'}
    >>> honoured("str_contains", {"pattern": re.compile("a", re.IGNORECASE)})
    {'pattern': '(?i:a)'}
    >>> honoured("str_matches", {"pattern": "[a-z]+"})
    {'pattern': '[a-z]+'}
    """
    given = arguments.get("pattern")
    if check not in ("str_matches", "str_contains") or given is None:
        return arguments
    flags = given.flags if isinstance(given, re.Pattern) else 0
    pattern = given.pattern if isinstance(given, re.Pattern) else given
    letters = "".join(letter for flag, letter in _LETTERS.items() if flags & flag)
    if not letters and (check == "str_contains" or "|" not in pattern):
        return arguments
    group = _group(pattern, letters)
    return {**arguments, "pattern": f"^{group}" if check == "str_matches" else group}


def whole(pattern: str) -> str:
    """A pattern that a name matches from its start to its end, as polars selects columns.

    >>> whole("a|b")
    '^(?:a|b)$'
    """
    return f"^{_group(pattern)}$"


def unreadable(pattern: str) -> str | None:
    """What polars says against a pattern, None if it can search for it.

    >>> unreadable("a|b")
    >>> unreadable("(?=a)")
    'look-around, including look-ahead and look-behind, is not supported'
    """
    try:
        pl.select(pl.lit("").str.contains(pattern))
    except pl.exceptions.PolarsError as error:
        said = re.search(r"^error: (.*)$", str(error), re.MULTILINE)
        return said[1] if said else str(error).splitlines()[0]
    return None


def _group(pattern: str, letters: str = "") -> str:
    end = "\n)" if "x" in letters or _VERBOSE.search(pattern) else ")"  # a comment may be open
    return f"(?{letters}:{pattern}{end}"
