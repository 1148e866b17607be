"""What goes back, as people read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from rich.text import Text

from millgate.cli.grid import Cell, Column, counted, grid, hanging
from millgate.cli.ranges import grain_of, summary
from millgate.cli.show_plan import command_line, next_line
from millgate.model.going_back import Move, Rollback
from millgate.model.record import show_id

_COLUMNS = (
    Column("action"),
    Column("asset"),
    Column("partitions"),
    Column("n", "right"),
    Column("version"),
)


def rollback_lines(
    rollback: Rollback, width: int | None, *, only_looking: bool = False
) -> Iterator[Text]:
    """What would go back as a table, and what becomes stale by it."""
    destination = f"to {rollback.destination.text}"
    yield from hanging(Text(f"{rollback.target or 'all assets'}  ", "bold"), destination, width)
    if not rollback.moves:
        yield from hanging("", "Nothing to roll back: production is like that already.", width)
        return
    groups: dict[tuple[str, str], list[Move]] = defaultdict(list)
    for move in rollback.moves:
        groups[_action(move), move.asset].append(move)
    yield Text()
    yield from grid(_COLUMNS, [_row(*group, moves) for group, moves in groups.items()], width)
    yield Text()
    if rollback.stale:
        names = ", ".join(dict.fromkeys(asset for asset, _ in rollback.stale))
        told = f"{counted(len(rollback.stale), 'partition')} downstream will be stale: {names}"
        yield from hanging("", told, width)
    gone = sum(move.returns is None for move in rollback.moves)
    leave = f", {gone:,} to leave production" if gone else ""
    unchanged = " Nothing was changed." if only_looking else ""
    told = f"{len(rollback.moves) - gone:,} to go back{leave}.{unchanged}"
    yield from hanging("", told, width)


def done_lines(rollback: Rollback, snapshot: int, width: int | None) -> Iterator[Text]:
    """What went back, and what to type next."""
    told = f"{counted(len(rollback.moves), 'partition')} went back, in snapshot {snapshot}."
    yield from hanging("", told, width)
    if rollback.stale:
        yield from next_line(command_line("plan", ""), width)


def rollback_data(rollback: Rollback) -> dict[str, object]:
    """What goes back for a program, one entry for each partition."""
    return {
        "selection": rollback.target,
        "destination": rollback.destination.text,
        "partitions": [
            {
                "asset": move.asset,
                "partition": move.partition,
                "previous": move.leaves,
                "materialization": move.returns,
                "downstream": move.downstream,
            }
            for move in rollback.moves
        ],
        "stale": [{"asset": asset, "partition": key} for asset, key in rollback.stale],
    }


def _action(move: Move) -> str:
    if move.returns is None:
        return "withdraw"
    return "follow" if move.downstream else "go back"


def _row(action: str, asset: str, moves: list[Move]) -> tuple[Cell, ...]:
    keys = [move.partition for move in moves]
    first = moves[0]
    leaves, returns = (
        "none" if version is None else show_id(version) for version in (first.leaves, first.returns)
    )
    more = f" and {len(moves) - 1:,} more" if len(moves) > 1 else ""
    style = "yellow" if action == "withdraw" else "green"
    return (
        Text(action, style),
        asset,
        summary(keys, grain_of(keys[0])) or "-",
        f"{len(moves):,}",
        f"{leaves} to {returns}{more}",
    )
