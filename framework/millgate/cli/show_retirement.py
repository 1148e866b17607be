"""What leaves production when an asset is retired, as people read it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from millgate.cli.grid import counted, hanging
from millgate.cli.ranges import grain_of, summary
from millgate.execute.retire import Retirement


def retirement_lines(
    found: Retirement, width: int | None, *, only_looking: bool = False
) -> Iterator[Text]:
    """What would leave, and what would be discarded."""
    keys = list(found.live)
    named = f" ({summary(keys, grain_of(keys[0]))})" if any(keys) else ""
    told = f"{counted(len(keys), 'partition')} to leave production{named}"
    if found.waiting:
        told += f", {len(found.waiting):,} in quarantine to discard"
    unchanged = " Nothing was changed." if only_looking else ""
    yield from hanging(Text(f"{found.asset}  ", "bold"), f"{told}.{unchanged}", width)


def retirement_data(found: Retirement, snapshot: int | None) -> dict[str, object]:
    """What leaves for a program."""
    return {
        "asset": found.asset,
        "partitions": [{"partition": k, "previous": v} for k, v in found.live.items()],
        "discarded": [{"partition": k, "materialization": v} for k, v in found.waiting.items()],
        "snapshot": snapshot,
    }
