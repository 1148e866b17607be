"""What a worker is told: steps with their inputs resolved to versions; and what it hands back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from millgate.model.asset import Asset, Input, Node
from millgate.model.partition import Partition
from millgate.model.record import Attempt, InputVersion, Judgement, Materialization
from millgate.model.schema import Schema
from millgate.model.step import Step

if TYPE_CHECKING:
    from millgate.execute.at_hand import AtHand
    from millgate.execute.sources import Observation


@dataclass(frozen=True)
class Version:
    """A version that steps may read, committed or still staged by this run."""

    materialization: int
    partition: Partition
    files: tuple[Path, ...]
    schema: Schema
    data_hash: str
    made_at: datetime | None = None
    """When it was made, where it is to be judged again."""
    rows: int = 0

    def as_input(self, pinned: bool) -> InputVersion:
        return InputVersion(
            self.materialization, self.partition.asset, self.partition.key, self.data_hash, pinned
        )


@dataclass(frozen=True)
class ResolvedInput:
    """An input with the versions it is read from, in key order."""

    declared: Input
    upstream: Node
    versions: tuple[Version, ...]
    schema: Schema | None
    """The widened schema of the upstream's live versions; None where none is known."""


@dataclass(frozen=True)
class Order:
    """Everything one partition needs to be worked on, away from the coordinator."""

    step: Step
    step_id: int
    asset: Asset
    partition: Partition
    run: int
    materialization: int
    inputs: tuple[ResolvedInput, ...]
    sources: Mapping[str, Observation]
    """What the source files looked like when they were fingerprinted, to be checked afterwards."""
    code_fingerprint: str
    input_fingerprint: str
    live_schema: Schema | None
    live: Version | None
    """The version to judge again, for a step that only judges or enforces what the gate says."""
    staged: Path
    """Where the accepted rows go; the refused rows and the raw stream go beside it."""
    recorded: tuple[InputVersion, ...] = ()
    """What the live version was made from, for a step that enforces."""
    beside: tuple[ResolvedInput, ...] = ()
    """What the gate looks at beside the partition."""
    beside_fingerprint: str = ""
    needs_fingerprint: str = ""
    """Of how the inputs are declared, for a step that computes."""
    waiting: Path | None = None
    """Rows that were split from the live version before and wait in quarantine."""

    @cached_property
    def read(self) -> tuple[InputVersion, ...]:
        """The versions read, each once."""
        found = {given.materialization: given for given in self.recorded}
        found |= {
            version.materialization: version.as_input(given.declared.pinned)
            for given in self.inputs
            for version in given.versions
        }
        for given in self.beside:
            for version in given.versions:
                looked_at = replace(version.as_input(pinned=False), role="reference")
                found.setdefault(version.materialization, looked_at)
        return tuple(found.values())


@dataclass(frozen=True)
class Batch:
    """Orders for adjacent partitions of an asset, carried out in one try; mostly it is one."""

    orders: tuple[Order, ...]
    at_hand: AtHand | None = None
    """What the process that carries it out need not read again."""

    @property
    def asset(self) -> Asset:
        return self.orders[0].asset

    @property
    def run(self) -> int:
        return self.orders[0].run

    @property
    def partitions(self) -> list[Partition]:
        return [order.partition for order in self.orders]

    @cached_property
    def inputs(self) -> tuple[ResolvedInput, ...]:
        """What the computation receives: each version that any of the partitions reads, once."""
        first, *others = self.orders
        if not others:
            return first.inputs
        read: dict[str, dict[int, Version]] = {}
        for order in self.orders:
            for given in order.inputs:
                versions = read.setdefault(given.declared.parameter, {})
                versions.update((v.materialization, v) for v in given.versions)
        return tuple(
            replace(given, versions=_in_key_order(read[given.declared.parameter].values()))
            for given in first.inputs
        )

    @property
    def sources(self) -> Mapping[str, Observation]:
        """What the source files looked like, of all of the partitions."""
        return {name: seen for order in self.orders for name, seen in order.sources.items()}

    def __str__(self) -> str:
        first, last = self.orders[0].step, self.orders[-1].step
        return str(first) if first is last else f"{first}..{last.key}"


def _in_key_order(versions: Iterable[Version]) -> tuple[Version, ...]:
    return tuple(sorted(versions, key=lambda v: tuple(v.partition.columns.values())))


@dataclass(frozen=True)
class Product:
    """A computed and judged partition in staging.

    `accepted` is None where the verdict is hold, `refused` where no row was refused.
    """

    materialization: Materialization
    judgement: Judgement
    accepted: Path | None
    refused: Refused | None
    compute_s: float
    gate_s: float
    write_s: float

    @property
    def withdraws(self) -> bool:
        """Whether the partition leaves production: the gate refuses what is live of it."""
        return self.materialization.kind == "enforced" and self.accepted is None


@dataclass(frozen=True)
class Refused:
    """Rows on their way to quarantine: a staged file with their reasons."""

    path: Path
    schema: Schema
    rows: int
    bytes: int


Result = Product | Judgement
"""What an order comes to: a version, or a judgement of the one that is live."""


@dataclass(frozen=True)
class Worked:
    """What came back from a worker: what it did for each order, or nothing and the error."""

    attempts: tuple[Attempt, ...]
    results: tuple[Result, ...] = ()
    message: str = ""
    detail: str = ""
