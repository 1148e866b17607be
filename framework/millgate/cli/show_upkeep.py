"""What upkeep found and did, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from millgate.cli.grid import Column, counted, grid, hanging
from millgate.cli.show_plan import next_line
from millgate.execute.doctor import REPAIR, Problem
from millgate.execute.vacuum import Pile, Vacuumed

_PILES = (
    Column(""),
    Column("what"),
    Column("asset"),
    Column("files", "right"),
    Column("size", "right"),
    Column("why"),
)


_PROBLEMS = (Column(""), Column("what"), Column("where"), Column("fix"))


def vacuum_lines(done: Vacuumed, width: int | None, *, dry_run: bool) -> Iterator[Text]:
    """What was freed, per asset, and what was kept and why; then in one sentence."""
    if done.freed or done.kept:
        freed = [("remove" if dry_run else "removed", pile) for pile in done.freed]
        kept = [("keep" if dry_run else "kept", pile) for pile in done.kept]
        rows = [_row(verb, pile) for verb, pile in freed + kept]
        yield from grid(_PILES, rows, width)
        yield Text()
    yield from hanging("", _sentence(done, dry_run), width)


def doctor_lines(
    problems: Sequence[Problem], mended: Sequence[Problem], gone: str, width: int | None
) -> Iterator[Text]:
    """Each problem in one line: what, where, fix; then their number."""
    rows = [(Text("mended", "green"), p.what, p.where, "-") for p in mended]
    rows += [(Text(p.kind, "red"), p.what, p.where, p.fix) for p in problems]
    if rows:
        yield from grid(_PROBLEMS, rows, width)
        yield Text()
    yield from hanging("", _verdict(problems, mended), width)
    if gone:
        yield from hanging("", f"Rebuilt from files. Gone: {gone}.", width)
    if any(REPAIR in p.fix for p in problems):
        yield from next_line(REPAIR, width)


def _verdict(problems: Sequence[Problem], mended: Sequence[Problem]) -> str:
    told = f"{counted(len(mended), 'problem')} mended. " if mended else ""
    if problems:
        return f"{told}{counted(len(problems), 'problem')} found."
    return told + ("Nothing else is wrong." if mended else "Every promise is kept.")


def _row(verb: str, pile: Pile) -> Sequence[str | Text]:
    style = "yellow" if verb.startswith("remove") else "dim"
    return (
        Text(verb, style),
        pile.what,
        pile.asset or "-",
        f"{pile.files:,}",
        _size(pile.bytes),
        pile.why,
    )


def _sentence(done: Vacuumed, dry_run: bool) -> str:
    if not done.freed:
        return "There is nothing to remove."
    files = sum(pile.files for pile in done.freed)
    told = f"{counted(files, 'file')}, {_size(sum(p.bytes for p in done.freed))}"
    if dry_run:
        return f"{told} would be removed. Nothing was changed."
    snapshot = f", snapshot {done.snapshot}" if done.snapshot is not None else ""
    return f"{told} removed{snapshot}"


def _size(count: int) -> str:
    """
    >>> _size(2_000), _size(3_000_000)
    ('2.0 KiB', '2.9 MiB')
    """
    return f"{count / 2**10:,.1f} KiB" if count < 2**20 else f"{count / 2**20:,.1f} MiB"
