"""The comment lines that begin a `.sql` file: its description and its `key: expression` lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from millgate.errors import DeclarationError, did_you_mean

KEYS = (
    "partitions",
    "upstream",
    "gate",
    "refresh",
    "retries",
    "owner",
    "tags",
    "version",
    "storage",
)
_ENTRY = re.compile(r"([A-Za-z_]+)\s*:\s*(.*)")
_KNOWN = f"header keys are {', '.join(KEYS)}"


@dataclass(frozen=True)
class Entry:
    """The expression of one header line, and the line on which it begins."""

    expression: ast.expr
    line: int


@dataclass(frozen=True)
class Header:
    """What the comment lines of a `.sql` file say."""

    description: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)


def read_header(text: str, file: str) -> Header:
    """The header of a `.sql` file; DeclarationError if a line of it cannot be read.

    >>> header = read_header('-- Orders of a day.\\n-- owner: "sales"\\nFROM orders', "x.sql")
    >>> header.description, list(header.entries)
    ('Orders of a day.', ['owner'])
    """
    lines = _comments(text)
    entries: dict[str, Entry] = {}
    prose: list[str] = []
    blocks, number = 0, 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line is None:
            blocks += bool(prose) and blocks == 0
            continue
        key, value, used = _entry(lines[number - 1 :], f"{file}:{number}")
        if key is None:
            prose += [line] if not blocks else []
            continue
        if key in entries:
            raise DeclarationError(
                f"{key} is said twice", where=f"{file}:{number}", fix="keep one of the two lines"
            )
        assert value is not None
        entries[key] = Entry(value, number)
        number += used - 1
    return Header(_paragraphs(prose), entries)


def _comments(text: str) -> list[str | None]:
    """The comment lines at the beginning without their dashes; None for a blank line."""
    found: list[str | None] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("--"):
            break
        found.append(stripped.lstrip("-").strip() if stripped else None)
    return found


def _paragraphs(prose: Sequence[str]) -> str:
    return "\n".join(prose).strip()


def _entry(lines: Sequence[str | None], where: str) -> tuple[str | None, ast.expr | None, int]:
    """The key and expression that begin at the first line and how many lines they take.

    The key is None where the line is prose.
    """
    match = _ENTRY.fullmatch(lines[0] or "")
    if match is None:
        return None, None, 1
    key, value = match[1], match[2]
    expression, used = _expression(value, lines[1:])
    if key in KEYS:
        if expression is None:
            raise DeclarationError(
                f"the value of {key} cannot be read: {value or 'it is empty'}",
                where=where,
                fix=f"write a Python expression, text in quotes; or begin the prose otherwise than "
                f"with {key}:",
            )
        return key, expression, used
    if _is_mistaken(key, expression):
        what = f"unknown header key {key!r}"
        fix = did_you_mean(key.lower(), KEYS, _KNOWN)
        if key.lower() in KEYS:
            what, fix = f"the header key {key!r} is not in lower case", f"write {key.lower()}:"
        if key == "name":
            fix = "a SQL asset is called as its file"
        raise DeclarationError(what, where=where, fix=fix)
    return None, None, 1


def _expression(value: str, following: Sequence[str | None]) -> tuple[ast.expr | None, int]:
    """The expression that begins with `value`, which may go on in the lines that follow."""
    text, used = value, 1
    for line in (*following, None):
        try:
            return ast.parse(text.strip(), mode="eval").body, used
        except (SyntaxError, ValueError):
            if line is None:
                break
            text += f"\n{line}"
            used += 1
    return None, 1


def _is_mistaken(key: str, expression: ast.expr | None) -> bool:
    """Whether a line with an unknown key was meant as a header line rather than as prose."""
    if isinstance(expression, ast.Constant | ast.Call | ast.List | ast.Tuple | ast.Dict | ast.Set):
        return key.islower() or key.lower() in KEYS
    return key.islower() and bool(get_close_matches(key, KEYS, n=1, cutoff=0.8))
