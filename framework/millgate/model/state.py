"""What the planner knows of the warehouse: what is live, what is held, what sources hold."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime

from millgate.model.record import Location, Verdict


@dataclass(frozen=True, slots=True)
class Live:
    """The live version of a partition, with the judgement in force on it."""

    made_at: datetime
    materialization: int
    code_fingerprint: str
    input_fingerprint: str
    data_hash: str
    gate_fingerprint: str | None
    verdict: Verdict | None
    location: Location
    path: str
    failing: bool = False
    """A gate adopted after it was let in refuses it."""
    references: str = ""
    """Fingerprint of what the gate referred to when it judged it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A partition whose newest version was refused as a whole and awaits a decision.

    `discarded` means that a person decided: it stays out until its inputs, code or gate change.
    """

    materialization: int
    code_fingerprint: str
    input_fingerprint: str
    gate_fingerprint: str
    discarded: bool = False
    references: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """A version that a person rolled a partition back from, and that is newer than what is live.

    It is not made again while what would be made now has these fingerprints.
    """

    code_fingerprint: str
    input_fingerprint: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What a source holds now for a key.

    `missing` says why there is nothing (`data/x.csv does not exist`), else it is empty.
    """

    data_hash: str
    missing: str = ""


@dataclass(frozen=True)
class State:
    """Live, held, observed and rolled-back partitions, by asset and key."""

    live: Mapping[str, Mapping[str, Live]] = field(default_factory=dict)
    held: Mapping[str, Mapping[str, Held]] = field(default_factory=dict)
    observed: Mapping[str, Mapping[str, Observed]] = field(default_factory=dict)
    left: Mapping[str, Mapping[str, frozenset[Left]]] = field(default_factory=dict)
    refused: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By which rules the gate refuses what is live, where that is to be enforced."""
    keys: Mapping[str, Set[str]] = field(default_factory=dict)
    """Every live key of the assets of which `live` may have some only."""
    doubtful: Mapping[str, Set[str]] = field(default_factory=dict)
    """The live keys of an asset that may not be what its code, its inputs as they are live and its
    gate would give now. All of it may not, where it has no entry."""
    leaving: Mapping[str, Mapping[str, Live]] = field(default_factory=dict)
    """What is live by a partitioning that is to be swapped for another one; nothing reads it."""

    def live_keys(self, name: str) -> Set[str]:
        """What is live of an asset or source."""
        return self.keys[name] if name in self.keys else self.live.get(name, {}).keys()
