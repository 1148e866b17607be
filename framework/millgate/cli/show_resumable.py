"""Runs that were left unfinished, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from millgate.cli.grid import hanging
from millgate.cli.moments import local
from millgate.errors import UsageError

if TYPE_CHECKING:
    from millgate.execute.resuming import Unfinished

_NAMED = 5


def finishing_lines(unfinished: Unfinished, now: datetime, width: int | None) -> list[Text]:
    """Which run is being finished."""
    return hanging(Text("Finishing ", "bold"), _told(unfinished, now), width)


def choices(found: Sequence[Unfinished], now: datetime) -> list[str]:
    """A line for each."""
    return [_told(one, now) for one in found]


def several(found: Sequence[Unfinished]) -> UsageError:
    """The error where nobody can be asked which one is meant."""
    named = [f"{one.run.id} ({one.run.command} {one.run.selection}".rstrip() + ")" for one in found]
    rest = f", and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return UsageError(
        f"{len(found)} runs were left unfinished",
        where="millgate resume",
        fix=f"name one: millgate resume {found[0].run.id}; there are "
        + ", ".join(named[:_NAMED])
        + rest,
    )


def _told(unfinished: Unfinished, now: datetime) -> str:
    run = unfinished.run
    what = f"{run.command} {run.selection}".rstrip()
    return (
        f"run {run.id}: {what}, {run.status}, started {local(run.started_at, now)} by {run.actor}"
    )
