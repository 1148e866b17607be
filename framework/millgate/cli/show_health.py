"""How the warehouse is, as people read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rich.text import Text

from millgate.cli.grid import Cell, Column, counted, grid, hanging
from millgate.cli.moments import ago, local, rough
from millgate.cli.ranges import grain_of, summary
from millgate.cli.show_plan import command_line, next_line
from millgate.lineage.last_error import error_text
from millgate.lineage.questions import AssetHealth, RunSummary, Status
from millgate.model.partition import label
from millgate.plan.lateness import Late
from millgate.store.locks import RunInfo

_STYLES = {
    "held": "yellow",
    "failed": "bold red",
    "failing": "yellow",
    "blocked": "yellow",
    "stale": "cyan",
    "rolled_back": "cyan",
    "outside": "yellow",
}
_NUMBERS = ("stale", "rolled_back", "outside", "failing", "held", "failed", "blocked")
_RARE = ("rolled_back", "outside", "failing")
"""Numbers that are shown only where there is one."""
_LISTED = 10


@dataclass(frozen=True)
class Waiting:
    """Partitions of one asset that wait for a person for one reason."""

    state: str
    asset: str
    partitions: tuple[str, ...]
    message: str

    @property
    def of(self) -> str:
        """All of them, as they are shown."""
        return label(self.asset, summary(self.partitions, grain_of(self.partitions[0])))

    @property
    def first(self) -> str:
        return label(self.asset, self.partitions[0])


def status_lines(
    project: str,
    status: Status,
    alive: Sequence[RunInfo],
    late: Sequence[Late],
    now: datetime,
    width: int | None,
) -> Iterator[Text]:
    """A line on the snapshot, a table of assets, what waits for a person, what to type next."""
    at = f"{local(status.committed_at, now)} ({ago(status.committed_at, now)})"
    last = status.last_run
    body = f"snapshot {status.snapshot}, {at}  run {last.run} by {last.actor}: {ended(last, alive)}"
    yield from hanging(Text(f"{project}  ", "bold"), body, width)
    if status.assets:
        yield Text()
        told = {one.asset: f"late {rough((now - one.since).total_seconds())}" for one in late}
        yield from _assets(status.assets, told, width)
    waiting = waiting_of(status)
    rows = [*_alive(alive, now), *_rows(waiting)]
    if rows:
        yield Text()
        yield from grid((Column(""), Column(""), Column("")), rows, width)
    command = _next(status, waiting)
    if command:
        yield from next_line(command, width)


def late_among(late: Sequence[Late], assets: frozenset[str] | None) -> list[Late]:
    """Those of the late assets that are asked for; None for all."""
    return [one for one in late if assets is None or one.asset in assets]


def among(status: Status, assets: frozenset[str] | None) -> Status:
    """The status of some assets; None for all."""
    if assets is None:
        return status
    return replace(
        status,
        assets=tuple(a for a in status.assets if a.asset in assets),
        held=tuple(h for h in status.held if h.asset in assets),
        failing=tuple(f for f in status.failing if f.asset in assets),
        failed=tuple(f for f in status.failed if f.asset in assets),
    )


def waiting_of(status: Status) -> list[Waiting]:
    """What waits for a person, the gravest first."""
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for failed in status.failed:
        found["failed", failed.asset, error_text(failed)].append(failed.partition)
    for held in status.held:
        found["held", held.asset, sentence(held.messages)].append(held.partition)
    for failing in status.failing:
        found["failing", failing.asset, sentence(failing.messages)].append(failing.partition)
    return [
        Waiting(state, asset, tuple(keys), message)
        for (state, asset, message), keys in found.items()
    ]


def sentence(messages: Sequence[str]) -> str:
    """The gravest of a judgement's messages, and how many more there are.

    >>> sentence(["distance > 0: 3 of 842 rows fail", "origin in ['EWR']: 1 of 842 rows fails"])
    'distance > 0: 3 of 842 rows fail (and 1 more check)'
    """
    if len(messages) < 2:
        return "".join(messages)
    return f"{messages[0]} (and {counted(len(messages) - 1, 'more check')})"


def ended(run: RunSummary, alive: Sequence[RunInfo]) -> str:
    """How a run ended, if it did: one that never said so and is not alive has died."""
    if run.exit_status is not None:
        return f"exit {run.exit_status}"
    return "running" if any(info.run == run.run for info in alive) else "died"


def _assets(
    assets: Sequence[AssetHealth], late: Mapping[str, str], width: int | None
) -> list[Text]:
    numbers = [n for n in _NUMBERS if n not in _RARE or any(getattr(a, n) for a in assets)]
    columns = [
        Column("asset"),
        Column("live", "right"),
        Column("newest"),
        *(Column(number.replace("_", " "), "right") for number in numbers),
        Column(""),
    ]
    rows: list[Sequence[Cell]] = [
        (
            asset.asset,
            f"{asset.live:,}",
            asset.newest or "-",
            *(_number(asset, number) for number in numbers),
            Text(late.get(asset.asset, ""), "yellow") if asset.declared else "no longer declared",
        )
        for asset in assets
    ]
    return grid(columns, rows, width)


def _number(asset: AssetHealth, number: str) -> Text:
    count: int = getattr(asset, number)
    return Text(f"{count:,}", _STYLES.get(number, "")) if count else Text("-", "dim")


def _alive(alive: Sequence[RunInfo], now: datetime) -> Iterator[Sequence[Cell]]:
    for info in alive:
        since = ago(info.started_at, now)
        told = f"{info.command} {info.selection}".strip()
        yield Text("running", "cyan"), f"run {info.run} by {info.actor}", f"{told}, began {since}"


def _rows(waiting: Sequence[Waiting]) -> Iterator[Sequence[Cell]]:
    for one in waiting[:_LISTED]:
        yield Text(one.state, _STYLES[one.state]), one.of, one.message
    if len(waiting) > _LISTED:
        yield "", f"and {len(waiting) - _LISTED:,} more", ""


def _next(status: Status, waiting: Sequence[Waiting]) -> str:
    if waiting:
        return command_line("why", waiting[0].first)
    undone = any(asset.stale or asset.blocked for asset in status.assets)
    return command_line("plan", "") if undone else ""
