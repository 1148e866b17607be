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
_SELDOM = 3
"""One row in so many may break where its cells are wider than the columns."""


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

    Where that is wider than `width`, the last column wraps beneath itself. A few cells that are
    much wider than the others of their column break their own row only; where most rows would
    break, the last column goes to lines of its own, and where not even the others have room, a
    row is its cells one after another. None is no limit.

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
    if width is None or _width(widths) <= width:
        return [line for row in table for line in _aligned(row, columns, widths, None)]
    narrow = _narrowed(widths, columns, width)
    breaks = [
        any(cell.cell_len > w for cell, w in zip(row[:-1], narrow, strict=False)) for row in cells
    ]
    room = width - _width([*narrow[:-1], 0])
    if narrow != widths[:-1] + narrow[-1:] and sum(breaks) * _SELDOM > len(cells):
        narrow, room = widths, width - _width([*widths[:-1], 0])
    if _width([*narrow[:-1], 0]) - _GAP > width:
        return [line for row in cells for line in _flowing(row, columns, width)]
    return [line for row in table for line in _aligned(row, columns, narrow, (room, width))]


def _width(widths: Sequence[int]) -> int:
    """The width of a line whose columns are so wide."""
    return 1 + sum(widths) + _GAP * (len(widths) - 1)


def _narrowed(widths: Sequence[int], columns: Sequence[Column], width: int) -> list[int]:
    """The widths with the widest text columns cut until the last one has room to wrap."""
    narrow = [*widths[:-1], min(widths[-1], _NARROWEST)]
    texts = [i for i, column in enumerate(columns[:-1]) if column.align == "left"]
    while texts and (over := _width(narrow) - width) > 0:
        widest = max(texts, key=lambda i: narrow[i])
        second = max((narrow[i] for i in texts if narrow[i] < narrow[widest]), default=0)
        cut = min(over, narrow[widest] - max(second, _NARROWEST // 2))
        if cut <= 0:
            break
        narrow[widest] -= cut
    return narrow


def _aligned(
    row: Sequence[Text],
    columns: Sequence[Column],
    widths: Sequence[int],
    limits: tuple[int, int] | None,
) -> list[Text]:
    """A row in columns; `limits` are the room for the last one and the whole width."""
    *fixed, last = row
    lines = [Text(" ")]
    for cell, column, size in zip(fixed, columns, widths, strict=False):
        reached = lines[-1].cell_len
        lines[-1].append_text(_padded(cell, column, size)).append(" " * _GAP)
        if cell.cell_len > size:
            lines[-1].rstrip()
            lines.append(Text(" " * (reached + size + _GAP)))
    room, width = limits or (last.cell_len, 0)
    if last.cell_len <= room:
        lines[-1].append_text(_padded(last, columns[-1], widths[-1]) if fixed else last)
        more: list[Text] = []
    elif room >= _NARROWEST:
        lead = Text(" " * lines[-1].cell_len)
        first, *rest = wrapped(last, room)
        lines[-1].append_text(first)
        more = [lead + line for line in rest]
    else:
        more = [Text(" " * 4) + line for line in wrapped(last, width - 4)]
    for line in lines:
        line.rstrip()
    return [line for line in [*lines, *more] if line.plain] or [Text()]


def _flowing(row: Sequence[Text], columns: Sequence[Column], width: int) -> list[Text]:
    """A row as its cells one after another, numbers under their titles' names."""
    line = Text()
    for cell, column in zip(row, columns, strict=True):
        if cell.plain.strip() not in ("", "-"):
            line.append("  " if line.plain else "")
            if column.align == "right" and column.title:
                line.append(f"{column.title}\N{NO-BREAK SPACE}", "dim")
            line.append_text(cell)
    first, *rest = wrapped(line, width - 4)
    return [Text(" ") + first, *(Text(" " * 4) + more for more in rest)]


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
