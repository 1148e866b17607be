"""What went wrong, in the three lines of every error: what, where, what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from millgate.errors import MillgateError, UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.text import Text


class Defect(MillgateError):
    """Millgate itself is wrong."""

    code = "defect"


def error_lines(error: MillgateError, width: int | None) -> list[Text]:
    """The three lines; each continues beneath itself where the terminal is narrow."""
    from rich.text import Text

    from millgate.cli.grid import hanging

    return [
        *hanging(Text("error: ", "bold red"), _one_line(error.what), width),
        *hanging(Text("  at   ", "dim"), _one_line(error.where), width),
        *hanging(Text("  fix  ", "dim"), _one_line(error.fix), width),
    ]


def from_click(error: click.ClickException) -> UsageError:
    """An error of the command line's arguments."""
    told = error.ctx if isinstance(error, click.UsageError) else None
    path = told.command_path if told else "millgate"
    fix = f"{path} --help"
    if isinstance(error, click.NoSuchOption):
        known = [o for p in told.command.params for o in p.opts] if told else []
        fix = did_you_mean(error.option_name, known, fix)
    # Of an unknown option, format_message lists close ones; they belong to the fix.
    known_only = isinstance(error, click.NoSuchOption)
    what = " ".join((error.message if known_only else error.format_message()).split()).rstrip(".")
    # Click writes a metavar as it stands in the usage line, and means a number by its range.
    what = (
        what.replace("'[", "'")
        .replace("]'", "'")
        .replace("a valid integer range", "a whole number")
    )
    return UsageError(what[:1].lower() + what[1:], where=path, fix=fix)


def from_defect(error: Exception) -> Defect:
    """An error that Millgate did not raise on purpose."""
    import traceback
    from pathlib import Path

    package = Path(__file__).parent.parent
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(package)
    ]
    at = "millgate"
    if frames:
        at += f"/{Path(frames[-1].filename).relative_to(package)}:{frames[-1].lineno}"
    return Defect(
        f"Millgate has a defect: {type(error).__name__}: {error}",
        where=at,
        fix="please report these lines and the command; MILLGATE_TRACEBACK=1 shows more",
    )


def _one_line(text: str) -> str:
    return re.sub(r"\s*[\r\n\t]\s*", " ", text.strip())
