"""One call of a command: its options, the project it opens, how its answer leaves."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

from millgate.cli.trouble import error_lines
from millgate.errors import MillgateError
from millgate.model.garbage import no_collection

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from millgate.cli.answer import Answer, Lines
    from millgate.cli.terminal import ColorChoice, Terminal
    from millgate.execute.past import Past
    from millgate.project import Project


@dataclass
class Call:
    """A command that is being carried out."""

    command: str
    folder: Path | None = None
    """Where to look for the project; None is the working directory."""
    json: bool = False
    color: ColorChoice = "auto"
    _opened: list[Project] = field(default_factory=list)
    _held: ExitStack = field(default_factory=ExitStack)
    _connection: duckdb.DuckDBPyConnection | None = None

    @cached_property
    def terminal(self) -> Terminal:
        from millgate.cli.terminal import Terminal

        return Terminal(self.color)

    @property
    def can_ask(self) -> bool:
        """Whether a question would reach a person."""
        return not self.json and self.terminal.can_ask

    def open(self) -> Project:
        """The project, without importing its assets."""
        with no_collection():
            from millgate.project import Project

        if not self._opened:
            self._opened.append(Project.open(self.folder))
        return self._opened[0]

    def reading(self) -> duckdb.DuckDBPyConnection:
        """A read-only connection to the current snapshot, open until the answer is written."""
        if self._connection is None:
            self._connection = self._held.enter_context(self.open().reading())
        return self._connection

    def reading_past(self, moment: str) -> Past:
        """Production as it was at a time or in a snapshot, open until the answer is written."""
        from millgate.model.going_back import Destination

        destination = Destination.parse(moment, self.now().tzinfo)
        return self._held.enter_context(self.open().reading_past(destination))

    def __enter__(self) -> Call:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the snapshot, whose reading may tell more of what went wrong."""
        self._held.__exit__(kind, error, trace)

    def now(self) -> datetime:
        """The present in the local time zone."""
        return self.open().clock().astimezone()

    def show(self, lines: Lines) -> None:
        """Write something that comes before the answer; a program gets only the answer."""
        if not self.json:
            self.terminal.write(lines)

    def answer(self, answer: Answer) -> int:
        """Write the answer; returns the exit status."""
        warnings = (*self._warnings(), *answer.warnings)
        if self.json:
            self._document(answer.exit_status, answer.data, warnings)
        else:
            self.terminal.write(answer.lines(self.terminal.width), paged=answer.paged)
            self._warn(warnings)
        return answer.exit_status

    def fail(self, error: MillgateError) -> int:
        """Write the error; returns the exit status."""
        if self.json:
            self._document(error.exit_status, None, self._warnings(), error)
        else:
            self._warn(self._warnings())
            self.terminal.write_aside(error_lines(error, self.terminal.error_width))
        return error.exit_status

    def _warnings(self) -> tuple[str, ...]:
        return tuple(w for project in self._opened for w in project.warnings)

    def _warn(self, warnings: tuple[str, ...]) -> None:
        from rich.text import Text

        from millgate.cli.grid import hanging

        for warning in dict.fromkeys(warnings):
            head = Text("warning: ", "yellow")
            self.terminal.write_aside(hanging(head, warning, self.terminal.error_width))

    def _document(
        self,
        exit_status: int,
        data: object,
        warnings: tuple[str, ...],
        error: MillgateError | None = None,
    ) -> None:
        from millgate.cli.document import document

        sys.stdout.write(document(self.command, exit_status, data, warnings, error) + "\n")
        sys.stdout.flush()


def wants_traceback() -> bool:
    """Whether whoever mends Millgate asked to see where it broke."""
    return bool(os.environ.get("MILLGATE_TRACEBACK"))
