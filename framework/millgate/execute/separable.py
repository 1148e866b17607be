"""Whether batches come to the same rows as their partitions one by one; recording nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from millgate.errors import MillgateError, StepFailed, UsageError
from millgate.execute.board import Board
from millgate.execute.compute import clear_scratch, compute
from millgate.execute.failure import describe
from millgate.execute.mill import Mill
from millgate.execute.order import Batch, Order
from millgate.execute.ordering import order_of
from millgate.execute.proposal import Proposal, propose
from millgate.execute.settle import Settled, settle
from millgate.execute.versions import Versions
from millgate.model.request import Request
from millgate.model.step import Step
from millgate.plan.keyrange import Target
from millgate.plan.selection import select
from millgate.store import digest
from millgate.store.splitting import rows_text
from millgate.store.storage import STORAGES

_FEW = 3
"""So many keys are tried where none are named."""
_SHOWN = 3
"""So many rows of each side are shown."""
_COUNT = "millgate@count"


@dataclass(frozen=True)
class Difference:
    """A partition that comes out otherwise in a batch: how many rows differ, and some of them."""

    asset: str
    partition: str
    rows: int
    alone: tuple[str, ...]
    """Rows that only the partition by itself has, as text."""
    together: tuple[str, ...]
    """Rows that only the batch has."""


@dataclass(frozen=True)
class Compared:
    """What was computed both ways, and where that differs."""

    partitions: tuple[tuple[str, str], ...]
    differences: tuple[Difference, ...]


def try_batches(mill: Mill, target: str) -> Compared:
    """The partitions that a target names, computed one by one and as batches, and compared.

    Of each asset that declares batches; without keys the last few that can be made. They are made
    from what is live now. Raises UsageError where there is nothing to compare, and StepFailed
    where an asset's own code fails.
    """
    wanted = Target.parse(target)
    names = [n for n in select(wanted.selection, mill.graph, target=target) if n in mill.assets]
    batched = [name for name in names if mill.assets[name].partitions.batched is not None]
    keys = target.partition("@")[2]
    found = [(name, *_batches(mill, name, keys)) for name in batched]
    if not any(batches for _, _, batches in found):
        raise _nothing(target, batched)
    partitions: list[tuple[str, str]] = []
    differences: list[Difference] = []
    for name, proposal, batches in found:
        versions = Versions(mill, proposal, 0, count(1))
        for steps in batches:
            partitions += [step.id for step in steps]
            differences += _differences(mill, name, versions, Board(proposal.plan), steps)
    return Compared(tuple(partitions), tuple(differences))


def _batches(mill: Mill, name: str, keys: str) -> tuple[Proposal, list[list[Step]]]:
    """The batches that an asset would be made in now."""
    text = f"{name}@{keys}" if keys else name
    proposal = propose(mill, Request("plan", text, force=True))
    steps = {step.id: step for step in proposal.plan.steps}
    batches = [[steps[each] for each in batch] for batch in proposal.plan.batches]
    return proposal, batches if keys else [batch[-_FEW:] for batch in batches[-1:]]


def _nothing(target: str, batched: Sequence[str]) -> UsageError:
    if not batched:
        return UsageError(
            f"nothing of {target or 'any asset'} is computed in batches",
            where=target or "the assets of this project",
            fix='declare them in the partitioning, such as Daily("2013-01-01", batch=31)',
        )
    return UsageError(
        f"no two adjacent partitions of {', '.join(batched)} can be made now",
        where=target or "the assets of this project",
        fix=f"make what they are made from first; millgate plan {batched[0]} --force says what "
        "is in the way",
    )


def _differences(
    mill: Mill, name: str, versions: Versions, board: Board, steps: Sequence[Step]
) -> Iterator[Difference]:
    with TemporaryDirectory(prefix="millgate-") as scratch:
        orders = [
            _order(mill, versions, board, step, Path(scratch, "alone"), number)
            for number, step in enumerate(steps)
        ]
        alone = [_computed(mill, Batch((order,)))[0] for order in orders]
        apart = [replace(o, staged=Path(scratch, "batch", o.staged.name)) for o in orders]
        together = _computed(mill, Batch(tuple(apart)))
        for order, one, other in zip(orders, alone, together, strict=True):
            if _hash(one) != _hash(other):
                yield _difference(name, order.partition.key, one, other)


def _order(
    mill: Mill, versions: Versions, board: Board, step: Step, folder: Path, number: int
) -> Order:
    inputs = versions.resolve(step, board)
    order = order_of(step, inputs, mill, versions, 0, number, number)
    suffix = STORAGES[order.asset.storage].suffix
    return replace(order, staged=folder / f"{number}{suffix}")


def _computed(mill: Mill, batch: Batch) -> list[Settled]:
    """The rows of each partition of a batch."""
    try:
        declared = mill.gates[batch.asset.name].declared
        return settle(compute(batch), batch, declared, [{}] * len(batch.orders))
    except MillgateError:
        raise
    except Exception as error:
        told = describe(error, mill.root, batch.asset.defined_in)
        raise StepFailed(
            f"{batch} failed: {told.kind}: {told.message}",
            where=told.at,
            fix="correct it there; nothing was recorded",
        ) from error
    finally:
        clear_scratch()


def _hash(settled: Settled) -> str:
    measured = settled.frame.lazy().select(digest.expressions(settled.schema)).collect()
    return digest.digest(measured.row(0, named=True), settled.schema)


def _difference(name: str, key: str, alone: Settled, together: Settled) -> Difference:
    """The rows that one side has more often than the other."""
    if alone.schema != together.schema:
        columns = [
            ", ".join(f"{c.name} {c.type}" for c in side.schema) for side in (alone, together)
        ]
        return Difference(name, key, 0, *(((f"columns: {each}"),) for each in columns))
    sides = zip((alone, together), (1, -1), strict=True)
    counted = pl.concat(
        side.frame.lazy().with_columns(pl.lit(sign).alias(_COUNT)) for side, sign in sides
    )
    columns = [column.name for column in alone.schema]
    net = counted.group_by(columns, maintain_order=True).agg(pl.col(_COUNT).sum())
    found = net.filter(pl.col(_COUNT) != 0).collect()
    return Difference(
        name,
        key,
        int(found[_COUNT].abs().sum()),
        *(
            tuple(rows_text(found.filter(pl.col(_COUNT).sign() == sign).drop(_COUNT), _SHOWN))
            for sign in (1, -1)
        ),
    )
