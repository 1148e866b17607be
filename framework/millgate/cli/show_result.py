"""Rows of a query, as people read them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from millgate.cli.grid import Column, counted, grid, hanging, size

Row = Sequence[str | None]
_NUMERIC = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\)")
_NULL = Text("NULL", "dim")


def result_lines(
    names: Sequence[str], types: Sequence[str], rows: Sequence[Row], width: int | None
) -> Iterator[Text]:
    """A table; one line for each value where that is wider than `width`."""
    cells = [[_NULL if value is None else value for value in row] for row in rows]
    columns = [
        Column(name, "right" if _NUMERIC.fullmatch(type_) else "left")
        for name, type_ in zip(names, types, strict=True)
    ]
    if width is None or _natural_width(names, rows) <= width:
        yield from grid(columns, cells, None)
    else:
        yield from _one_by_one(names, cells, width)
    if width is not None:
        yield Text(counted(len(rows), "row"), "dim")


def csv_text(names: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """The rows as CSV with a header, NULL as nothing, a chunk of text at a time."""
    for chunk in ([names], rows):
        for row in chunk:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerow("" if v is None else v for v in row)
            yield text.getvalue()


def _natural_width(names: Sequence[str], rows: Sequence[Row]) -> int:
    widths = [size(name) for name in names]
    for row in rows:
        widths = [max(w, size(v or "NULL")) for w, v in zip(widths, row, strict=True)]
    return 1 + sum(widths) + 2 * (len(widths) - 1)


def _one_by_one(
    names: Sequence[str], rows: Sequence[Sequence[str | Text]], width: int
) -> Iterator[Text]:
    longest = max(size(name) for name in names)
    for number, row in enumerate(rows, 1):
        yield Text(f" row {number:,}", "dim")
        for name, value in zip(names, row, strict=True):
            head = Text(f"  {name}{' ' * (longest - size(name))}  ", "bold")
            yield from hanging(head, value, width)
