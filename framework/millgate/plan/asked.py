"""What a person asked to make although it is fresh, held or rolled back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class AskedKeys:
    """Keys of one asset that a person asked to make: fresh, held and rolled-back ones."""

    forced: frozenset[str]
    retried: frozenset[str]
    returned: frozenset[str]
    enforces: bool
    """Whether today's gate is applied to what is live."""


@dataclass(frozen=True)
class Asked:
    """What a person asked to make although it is fresh, held or rolled back, by asset."""

    forced: Mapping[str, Sequence[str]]
    retried: Mapping[str, Sequence[str]]
    returned: Mapping[str, Sequence[str]]
    enforces: bool

    def of(self, name: str) -> AskedKeys:
        ways = (self.forced, self.retried, self.returned)
        forced, retried, returned = (frozenset(way.get(name, ())) for way in ways)
        return AskedKeys(forced, retried, returned, self.enforces)


def without(
    keys: Mapping[str, Sequence[str]], spared: Collection[tuple[str, str]]
) -> Mapping[str, Sequence[str]]:
    """The keys of each asset but for those that are `spared`."""
    if not spared:
        return keys
    return {name: [k for k in given if (name, k) not in spared] for name, given in keys.items()}
