"""What a worker is told: one step with its inputs resolved to versions; and what it hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from millgate.model.asset import Asset, Input, Node
from millgate.model.partition import Partition
from millgate.model.record import Attempt, InputVersion, Judgement, Materialization
from millgate.model.schema import Schema
from millgate.model.step import Step

if TYPE_CHECKING:
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
    """Everything one step needs to be carried out, away from the coordinator."""

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
    waiting: Path | None = None
    """Rows that were split from the live version before and wait in quarantine."""

    @property
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


@dataclass(frozen=True)
class Worked:
    """What came back from a worker: a product or a judgement, or neither and the error."""

    order: Order
    attempts: tuple[Attempt, ...]
    product: Product | None = None
    judgement: Judgement | None = None
    message: str = ""
    detail: str = ""
