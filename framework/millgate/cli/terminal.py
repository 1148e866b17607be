"""The terminal, or what stands in its place: where answers go, and where a person is asked."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TextIO

import click
from rich.console import Console
from rich.text import Text

from millgate.cli.answer import Lines

ColorChoice = Literal["auto", "always", "never"]
_Colors = Literal["standard"] | None


def colors(choice: ColorChoice, environment: Mapping[str, str], is_terminal: bool) -> _Colors:
    """Whether to use the terminal's colours; what the flag says outranks NO_COLOR.

    >>> colors("auto", {"NO_COLOR": "1"}, True), colors("always", {"NO_COLOR": "1"}, False)
    (None, 'standard')
    """
    if choice != "auto":
        return "standard" if choice == "always" else None
    quiet = environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
    return "standard" if is_terminal and not quiet else None


class Terminal:
    """Standard output for answers, standard error for progress, questions and warnings."""

    def __init__(self, color: ColorChoice) -> None:
        self._out = _console(sys.stdout, color)
        self.errors = _console(sys.stderr, color)
        """The console of standard error."""

    @property
    def width(self) -> int | None:
        """Columns of the terminal that stdout is; None where it is piped."""
        return _width(sys.stdout)

    @property
    def error_width(self) -> int | None:
        return _width(sys.stderr)

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def write(self, lines: Lines, *, paged: bool = False) -> None:
        """Write an answer to stdout, through a pager if it is longer than the screen."""
        if paged and self.width is not None:
            lines = list(lines)
            if len(lines) > shutil.get_terminal_size().lines - 1:
                click.echo_via_pager(
                    _ansi(lines, self._out), color=self._out.color_system is not None
                )
                return
        _write(lines, self._out)

    def write_aside(self, lines: Lines) -> None:
        """Write lines to stderr."""
        _write(lines, self.errors)

    def ask(self, question: str) -> bool:
        """Whether the person says yes; no is the default, also where the input ends."""
        while True:
            sys.stderr.write(f"{question} [y/N]: ")
            sys.stderr.flush()
            given = sys.stdin.readline()
            if not given.endswith("\n"):
                sys.stderr.write("\n")
            match given.strip().lower():
                case "y" | "yes":
                    return True
                case "" | "n" | "no":
                    return False
            sys.stderr.write("Answer y or n.\n")

    def choose(self, question: str, choices: Sequence[str]) -> int | None:
        """The place of the choice whose number the person gives; None where they give none."""
        for number, choice in enumerate(choices, 1):
            sys.stderr.write(f" {number}  {choice}\n")
        while True:
            sys.stderr.write(f"{question} [1-{len(choices)}, nothing for none]: ")
            sys.stderr.flush()
            given = sys.stdin.readline()
            if not given.endswith("\n"):
                sys.stderr.write("\n")
            if not given.strip():
                return None
            if given.strip() in map(str, range(1, len(choices) + 1)):
                return int(given) - 1
            sys.stderr.write("Answer with one of the numbers.\n")


def _console(stream: TextIO, choice: ColorChoice) -> Console:
    system = colors(choice, os.environ, stream.isatty())
    return Console(
        file=stream,
        force_terminal=system is not None or stream.isatty(),
        color_system=system,
        no_color=False,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


def _width(stream: TextIO) -> int | None:
    return shutil.get_terminal_size().columns if stream.isatty() else None


def _write(lines: Lines, console: Console) -> None:
    for line in lines:
        if isinstance(line, str):
            console.file.write(line)
        elif console.color_system is None:
            console.file.write(line.plain + "\n")
        else:
            console.print(line, soft_wrap=True)
    console.file.flush()


def _ansi(lines: Iterable[Text | str], console: Console) -> str:
    with console.capture() as captured:
        for line in lines:
            console.print(line, soft_wrap=True, end="" if isinstance(line, str) else "\n")
    return captured.get()
