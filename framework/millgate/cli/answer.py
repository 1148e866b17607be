"""What a command hands back: data for programs, lines for people, an exit status."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

Lines = Iterable["Text | str"]


@dataclass(frozen=True)
class Answer:
    """The answer of a command.

    `lines` is given the width to lay out for, None where nothing limits it. A `str` among the
    lines is written as it is, without a line end. `data` must be what a JSON document can hold.
    """

    data: object
    lines: Callable[[int | None], Lines]
    exit_status: int = 0
    warnings: tuple[str, ...] = ()
    paged: bool = False
    """Whether a pager helps where the answer is longer than the screen."""
