"""What moves when an asset is renamed, as people read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from millgate.cli.grid import counted, hanging
from millgate.cli.ranges import grain_of, summary
from millgate.cli.show_plan import command_line, next_line

if TYPE_CHECKING:
    from millgate.execute.rename import Rename


def rename_lines(found: Rename, width: int | None, *, only_looking: bool = False) -> Iterator[Text]:
    """What would move to the new name."""
    keys = list(found.live)
    named = f" ({summary(keys, grain_of(keys[0]))})" if any(keys) else ""
    told = f"{counted(found.versions, 'version')} to move, {len(keys):,} of them live{named}"
    if found.waiting:
        told += f", {len(found.waiting):,} in quarantine"
    unchanged = " Nothing was changed." if only_looking else ""
    yield from hanging(Text(f"{found.old} -> {found.new}  ", "bold"), f"{told}.{unchanged}", width)


def renamed_lines(found: Rename, snapshot: int, width: int | None) -> Iterator[Text]:
    """What was done, and where to look next."""
    yield from hanging("", f"{found.old} is called {found.new} from snapshot {snapshot} on.", width)
    yield from next_line(command_line("plan", f"{found.new}+"), width)


def rename_data(found: Rename, snapshot: int | None) -> dict[str, object]:
    """What moves, for a program."""
    return {
        "old_name": found.old,
        "new_name": found.new,
        "versions": found.versions,
        "live": [{"partition": k, "materialization": v} for k, v in found.live.items()],
        "waiting": [{"partition": k, "materialization": v} for k, v in found.waiting.items()],
        "snapshot": snapshot,
    }


def rename_hints(renamed: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """What to do about assets that seem to be called otherwise in the code now."""
    return tuple(
        f"{old} is live and no longer declared, and {new} has just its code: to keep what is "
        f"there, {command_line('rename', '', [old, new])}"
        for old, new in renamed
    )
