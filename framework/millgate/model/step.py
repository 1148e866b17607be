"""A plan as data: what would be done to which partition, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from millgate.model.dimension import Horizon
from millgate.model.partition import label

Action = Literal["make", "judge", "enforce", "blocked"]

StepId = tuple[str, str]
"""Asset and key."""

Batched = tuple[tuple[StepId, ...], ...]
"""Steps of one asset each, in the order of their keys."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a step is planned.

    `kind` is one of `missing`, `forced`, `code changed`, `input changed`, `input added`,
    `input removed`, `input planned` (an upstream is made first; the step is skipped if that
    changes nothing), `partitioning changed`, `gate changed`, `failing` (today's gate refuses what
    is live, which is to be enforced), `reference changed` (what the gate refers to, or compares
    with), `reference planned` (that is made first; the step is skipped if that changes nothing),
    `refresh due`, `retry held`, `retry rolled back`; for a blocked step `held upstream`,
    `missing upstream`, `missing source file`. `asset` and `partition` name the input it speaks of
    (in a chain of blocked steps the first one, which is
    to blame), `detail` says more (`940 rows became 612`).
    """

    kind: str
    asset: str | None = None
    partition: str | None = None
    detail: str = ""

    @property
    def of(self) -> str:
        """The input as it is shown, empty if there is none."""
        return "" if self.asset is None else label(self.asset, self.partition or "")


@dataclass(frozen=True, slots=True)
class NeededInput:
    """The keys of one upstream that a step reads under a parameter, in order."""

    parameter: str
    upstream: str
    keys: tuple[str, ...]
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One asset over one partition."""

    asset: str
    key: str
    action: Action
    cause: Cause
    needs: tuple[NeededInput, ...] = ()
    after: frozenset[StepId] = frozenset()
    """The planned steps whose output this one reads."""

    @property
    def id(self) -> StepId:
        return self.asset, self.key

    def __str__(self) -> str:
        return label(self.asset, self.key)


@dataclass(frozen=True)
class Plan:
    """Steps in an order that respects dependencies; what is fresh is only counted."""

    selection: str
    range_from: str | None
    range_to: str | None
    horizon: Horizon
    steps: tuple[Step, ...]
    fresh: Mapping[str, int] = field(default_factory=dict)
    """Number of fresh partitions of each selected asset."""
    held: Mapping[str, int] = field(default_factory=dict)
    """Number of partitions of each selected asset that wait in quarantine for a decision."""
    failing: Mapping[str, int] = field(default_factory=dict)
    """Number of fresh partitions of each selected asset that today's gate refuses."""
    missed: Mapping[str, int] = field(default_factory=dict)
    """Number of absent partitions of each selected asset that only a backfill makes."""
    rolled_back: Mapping[str, int] = field(default_factory=dict)
    """Number of partitions of each selected asset that stay as a person rolled them back."""
    outside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Live keys of each selected asset that are no longer in its definition, if there are any."""
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """Code fingerprint of each asset that has a step."""
    zones: tuple[str, ...] = ()
    """Time zones in which the key range was read."""
    enforces: bool = False
    """Whether today's gate is applied to what is live, and not only judges it."""
    snapshot: int | None = None
    """The snapshot it was made from, None before the first."""
    batches: Batched = ()
    """Steps that are computed as one, each batch of two or more; the others are alone."""

    def only(self, steps: tuple[Step, ...]) -> Plan:
        """The plan with some of its steps."""
        kept = {step.id for step in steps} if self.batches else set()
        batches = (tuple(i for i in batch if i in kept) for batch in self.batches)
        return replace(self, steps=steps, batches=tuple(b for b in batches if len(b) > 1))

    def count(self, action: Action) -> int:
        return self._counts[action]

    @property
    def _counts(self) -> Counter[str]:
        return Counter(step.action for step in self.steps)
