"""Text in columns: what every table of the command line is laid out by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

Cell = str | Text

_GAP = 2
_NARROWEST = 20
"""Below this width a last column is easier to read on lines of its own."""


@dataclass(frozen=True)
class Column:
    """A column of a grid; `title` may be empty."""

    title: str
    align: Literal["left", "right"] = "left"
    style: str = ""


def grid(
    columns: Sequence[Column], rows: Iterable[Sequence[Cell]], width: int | None
) -> list[Text]:
    """The rows under their titles, each column as wide as its widest cell.

    Where that is wider than `width`, the last column wraps beneath itself, and goes to lines of
    its own where even that has no room. None is no limit.

    >>> for line in grid([Column("asset"), Column("n", "right")], [("flights", "12")], 80):
    ...     print(line.plain)
     asset     n
     flights  12
    """
    cells = [
        [_text(cell, column) for cell, column in zip(row, columns, strict=True)] for row in rows
    ]
    titles = [Text(column.title, "bold") for column in columns]
    table = [titles, *cells] if any(column.title for column in columns) else cells
    widths = [max((row[i].cell_len for row in table), default=0) for i in range(len(columns))]
    before = 1 + sum(w + _GAP for w in widths[:-1])
    room = None if width is None else width - before
    return [line for row in table for line in _row(row, columns, widths, room, width)]


def _row(
    row: Sequence[Text],
    columns: Sequence[Column],
    widths: Sequence[int],
    room: int | None,
    width: int | None,
) -> list[Text]:
    *fixed, last = row
    line = Text(" ")
    for cell, column, size in zip(fixed, columns, widths, strict=False):
        line.append_text(_padded(cell, column, size)).append(" " * _GAP)
    if room is None or last.cell_len <= room:
        line.append_text(_padded(last, columns[-1], widths[-1]) if fixed else last)
        line.rstrip()
        return [line]
    if room >= _NARROWEST or width is None:
        first, *rest = wrapped(last, room)
        return [line + first, *(Text(" " * line.cell_len) + more for more in rest)]
    line.rstrip()
    return [line, *(Text(" " * 4) + more for more in wrapped(last, width - 4))]


def hanging(head: Cell, body: Cell, width: int | None) -> list[Text]:
    """`head` and `body` on a line; what does not fit goes on beneath the beginning of `body`.

    >>> [line.plain for line in hanging(" (1) ", "seven rows became six", 20)]
    [' (1) seven rows', '     became six']
    """
    lead, text = _text(head, Column("")), _text(body, Column(""))
    if width is None or lead.cell_len + text.cell_len <= width or width - lead.cell_len < 8:
        whole = lead + text
        whole.rstrip()
        return [whole]
    first, *rest = wrapped(text, width - lead.cell_len)
    return [lead + first, *(Text(" " * lead.cell_len) + more for more in rest)]


def wrapped(text: Text, width: int) -> list[Text]:
    """`text` in lines of at most `width` cells, broken between words where possible."""
    lines = list(text.wrap(_console(), max(width, 1)))
    for line in lines:
        line.rstrip()
    return lines or [Text()]


def plain(text: str) -> str:
    """`text` on one line, with what a terminal would obey written as an escape.

    >>> print(plain("two\\nlines and a \\x1b[31mcolour"))
    two\\nlines and a \\x1b[31mcolour
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def counted(number: int, what: str) -> str:
    """
    >>> counted(1, "row"), counted(1_200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def size(text: str) -> int:
    """The number of terminal cells that `text` takes."""
    return cell_len(text)


def _text(cell: Cell, column: Column) -> Text:
    return cell if isinstance(cell, Text) else Text(plain(cell), column.style)


def _padded(cell: Text, column: Column, size: int) -> Text:
    blank = Text(" " * (size - cell.cell_len))
    return blank + cell if column.align == "right" else cell + blank


@cache
def _console() -> Console:
    return Console(file=None, width=80)
