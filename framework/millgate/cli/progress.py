"""A run while it goes on: a bar on a terminal, a line for each committed group elsewhere."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.text import Text

from millgate.cli.grid import plain
from millgate.cli.show_report import STYLES
from millgate.cli.stopping import heard, stopping_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from millgate.cli.terminal import Terminal
    from millgate.model.request import Done, Watcher
    from millgate.model.step import Step

_TOLD = 20
"""So many failed and held partitions are told of one by one while the run goes on."""


class _Telling:
    """Which of the failed and held partitions are told of at once: of a failed batch the first."""

    def __init__(self) -> None:
        self._told = 0
        self._batches: set[str] = set()

    def asks_for(self, done: Done) -> bool:
        if done.outcome not in ("failed", "held") or self._told == _TOLD:
            return False
        if done.batch in self._batches:
            return False
        if done.batch:
            self._batches.add(done.batch)
        self._told += 1
        return True


class Lines:
    """Plain lines: each committed group, and what failed or is held."""

    def __init__(self, total: int, write: Callable[[Text], None]) -> None:
        self._total = total
        self._write = write
        self._finished = 0
        self._telling = _Telling()
        self._group: dict[str, Counter[str]] = defaultdict(Counter)

    def waiting(self, holder: str) -> None:
        self._write(waiting_line(holder))

    def started(self, step: Step) -> None:
        pass

    def finished(self, done: Done) -> None:
        self._finished += 1
        self._group[done.step.asset][done.outcome] += 1
        if self._telling.asks_for(done):
            self._write(told(done))

    def committed(self, snapshot: int, partitions: int) -> None:  # noqa: ARG002
        if not self._group:
            return
        made = "; ".join(
            f"{asset}: {', '.join(f'{n:,} {outcome}' for outcome, n in counts.items())}"
            for asset, counts in self._group.items()
        )
        self._group.clear()
        self._write(
            Text(f" {self._finished:,} of {self._total:,}  snapshot {snapshot}  {made}".rstrip())
        )


class Bar:
    """A progress bar with what is running and what went wrong."""

    def __init__(self, progress: Progress, total: int, width: int | None) -> None:
        self._progress = progress
        self._bar = progress.add_task("", total=total, trouble="")
        self._width = width
        self._telling = _Telling()
        self._trouble: Counter[str] = Counter()

    def waiting(self, holder: str) -> None:
        self._progress.console.print(waiting_line(holder), soft_wrap=True)

    def started(self, step: Step) -> None:
        self._progress.update(self._bar, description=step.asset)

    def finished(self, done: Done) -> None:
        if done.outcome in ("failed", "held", "blocked", "refused"):
            self._trouble[done.outcome] += 1
        if self._telling.asks_for(done):
            line = told(done)
            if self._width is not None:
                # The report has all of it.
                line.truncate(self._width, overflow="ellipsis")
            self._progress.console.print(line, soft_wrap=True)
        trouble = ", ".join(f"{n:,} {outcome}" for outcome, n in self._trouble.items())
        self._progress.update(self._bar, advance=1, trouble=trouble)

    def committed(self, snapshot: int, partitions: int) -> None:
        pass


def waiting_line(holder: str) -> Text:
    """For whom a run waits."""
    return Text(" waiting for ", "cyan").append(holder, "default")


def told(done: Done) -> Text:
    """One failed or held partition, or a failed batch, in a line."""
    line = Text(f" {done.outcome:<7} ", STYLES[done.outcome])
    return line.append(f"{done.batch or done.step}  {plain(done.message)}".rstrip(), "default")


@contextmanager
def watching(terminal: Terminal, total: int, silent: bool) -> Iterator[Watcher]:
    """A watcher that shows `total` steps on stderr while the block runs."""
    if silent or not terminal.errors.is_terminal:

        def say(line: Text) -> None:
            if not silent:
                terminal.write_aside([line])

        with heard(lambda: say(stopping_line())):
            yield Lines(total, say)
        return
    with (
        bar_on(terminal.errors) as progress,
        heard(lambda: progress.console.print(stopping_line(), soft_wrap=True)),
    ):
        yield Bar(progress, total, terminal.error_width)


def bar_on(console: Console) -> Progress:
    """A progress bar on one line of a terminal, gone when it is finished."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Column as RichColumn

    return Progress(
        TextColumn(" {task.description}", table_column=RichColumn(no_wrap=True, ratio=1)),
        BarColumn(bar_width=None, table_column=RichColumn(ratio=2)),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[yellow]{task.fields[trouble]}"),
        console=console,
        transient=True,
        expand=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
