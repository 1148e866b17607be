"""What a person asks for, and what came of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, get_args

from millgate.model.record import Outcome
from millgate.model.step import Plan, Step

Command = Literal["plan", "materialize", "backfill"]

_OPTIONS = {
    "--partition": "partition",
    "--from": "first",
    "--to": "last",
    "--all": "everything",
    "--force": "force",
    "--retry-held": "retry_held",
    "--retry-rolled-back": "retry_rolled_back",
    "--enforce": "enforce",
    "--repartition": "repartition",
    "--atomic": "atomic",
}
"""The fields of a request that options say."""


@dataclass(frozen=True)
class Request:
    """One call of plan, materialize or backfill.

    `target` is `SELECTION[@KEYS]`; `partition` is a literal key, `first` and `last` the ends of
    a range, both included; at most one of the three ways to give keys may be used.
    """

    command: Command
    target: str = ""
    partition: str | None = None
    first: str | None = None
    last: str | None = None
    everything: bool = False
    """All keys of the definition: `--all` of a backfill."""
    force: bool = False
    retry_held: bool = False
    retry_rolled_back: bool = False
    enforce: bool = False
    """What is live and fails today's gate leaves production, or loses the rows that do."""
    repartition: bool = False
    """Assets with another partitioning than what is live of them are made anew as a whole."""
    atomic: bool = False
    """Production moves once, at the end, and only if nothing failed, was held or blocked."""
    moment: datetime | None = None
    """The moment by which windows must be complete to be keys; None is now."""
    resumes: int | None = None
    """The run that this one finishes."""

    @property
    def options(self) -> tuple[str, ...]:
        """The options as words of a command line."""
        return tuple(self._words())

    @property
    def text(self) -> str:
        """What stands after the command: target and options.

        >>> Request("materialize", "orders", first="2025-03", force=True).text
        'orders --from 2025-03 --force'
        """
        return f"{self.target} {shlex.join(self.options)}".strip()

    @classmethod
    def read(cls, command: str, text: str) -> Request | None:
        """The request whose `text` this is; None where the command makes nothing.

        >>> Request.read("backfill", "a or b --from '2025 03' --force").options
        ('--from', '2025 03', '--force')
        """
        name: Command | None = next((c for c in get_args(Command) if c == command), None)
        if name in (None, "plan"):
            return None
        target, *rest = re.split(r"(?:^| )(?=--)", text, maxsplit=1)
        return cls(name, target, **_given(shlex.split("".join(rest))))

    def _words(self) -> Iterator[str]:
        for option, name in _OPTIONS.items():
            value = getattr(self, name)
            if isinstance(value, str):
                yield from (option, value)
            elif value:
                yield option

    @property
    def with_upstreams(self) -> bool:
        """Whether upstreams that the target needs are planned too."""
        return self.command == "backfill"


def _given(options: Iterable[str]) -> dict[str, Any]:
    """The fields that the options of a command line say."""
    words = iter(options)
    names = (_OPTIONS[word] for word in words)
    return {name: next(words) if name in ("partition", "first", "last") else True for name in names}


@dataclass(frozen=True)
class Done:
    """What came of one step. `message` is one line; `detail` the error from the user's line on."""

    step: Step
    outcome: Outcome
    message: str = ""
    detail: str = ""
    failing: bool = False
    """A judgement of a live version that today's gate refuses."""
    rejected_rows: int = 0
    batch: str = ""
    """The batch that failed as a whole, as it is shown; empty where the step was alone."""


@dataclass(frozen=True)
class Report:
    """What came of a run."""

    run: int
    plan: Plan
    done: tuple[Done, ...]
    snapshot: int | None
    """The last snapshot that the run published, None if it published none."""
    interrupted: bool = False
    warnings: tuple[str, ...] = field(default=())

    def having(self, *outcomes: Outcome) -> tuple[Done, ...]:
        return tuple(d for d in self.done if d.outcome in outcomes)

    @property
    def exit_status(self) -> int:
        """0; 1 failed; 3 held, blocked or failing; 4 another run was there first; 130 interrupted.

        A failure outranks a hold.
        """
        if self.interrupted:
            return 130
        if self.having("failed"):
            return 1
        if self.having("refused"):
            return 4
        if self.having("held", "blocked") or any(d.failing for d in self.done):
            return 3
        return 0


class Watcher(Protocol):
    """Told of a run while it goes on, always from the thread that called run."""

    def waiting(self, holder: str) -> None:
        """Another run, `holder`, works on these partitions and is waited for."""

    def started(self, step: Step) -> None: ...

    def finished(self, done: Done) -> None:
        """A step is done. What was made enters production with the next commit."""

    def committed(self, snapshot: int, partitions: int) -> None: ...


class Silence:
    """A watcher that says nothing."""

    def waiting(self, holder: str) -> None: ...

    def started(self, step: Step) -> None: ...

    def finished(self, done: Done) -> None: ...

    def committed(self, snapshot: int, partitions: int) -> None: ...
