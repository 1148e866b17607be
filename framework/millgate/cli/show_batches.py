"""Batches and their partitions one by one, compared, as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from rich.text import Text

from millgate.cli.grid import counted, hanging
from millgate.execute.separable import Compared, Difference
from millgate.model.partition import label


def batch_lines(found: Compared, width: int | None) -> Iterator[Text]:
    """The partitions that come out otherwise in a batch, each with rows that differ."""
    for difference in found.differences:
        yield from _difference(difference, width)
        yield Text()
    tried = counted(len(found.partitions), "partition")
    told = f"{tried}: the same one by one and as batches."
    if found.differences:
        told = f"{len(found.differences):,} of {tried} are not the same in a batch."
    yield from hanging("", f"{told} Nothing was recorded.", width)


def batch_data(found: Compared) -> dict[str, object]:
    """The comparison for a program."""
    return {
        "partitions": [{"asset": asset, "partition": key} for asset, key in found.partitions],
        "differences": [asdict(difference) for difference in found.differences],
    }


def _difference(difference: Difference, width: int | None) -> Iterator[Text]:
    name = label(difference.asset, difference.partition)
    differs = "differs" if difference.rows == 1 else "differ"
    said = f"{counted(difference.rows, 'row')} {differs}" if difference.rows else "columns differ"
    yield Text(f" {name}  ", "bold").append(said, "yellow")
    for title, rows in (("alone", difference.alone), ("in a batch", difference.together)):
        for row in rows:
            yield from hanging(Text(f"   {title:<10}  ", "dim"), row, width)
