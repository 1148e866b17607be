"""Which downstream partitions follow when others go back, and to which of their versions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol, TypeVar

from millgate.model.going_back import Move
from millgate.model.record import InputVersion

PartitionId = tuple[str, str]
Inputs = Mapping[int, tuple[InputVersion, ...]]


class Version(Protocol):
    """A version that may come back."""

    @property
    def materialization(self) -> int: ...


Candidate = TypeVar("Candidate", bound=Version)


def touched(
    live: Mapping[PartitionId, int], inputs: Inputs, back: Mapping[PartitionId, str | None]
) -> list[PartitionId]:
    """The live partitions that are made from other content than what goes back.

    `back` has the content that each partition goes back to, None for none.
    """
    return [
        id_
        for id_, version in live.items()
        if id_ not in back
        and any(back.get(of, content) != content for of, content in _read(inputs[version]).items())
    ]


def made_from(
    live: int,
    candidates: Iterable[Candidate],
    inputs: Inputs,
    back: Mapping[PartitionId, str | None],
) -> Candidate | None:
    """The newest version that was made from what goes back, and else from what the live one is.

    `candidates` are the versions of one partition, the newest first.
    """
    wanted = {of: back.get(of, content) for of, content in _read(inputs[live]).items()}
    return next((c for c in candidates if _read(inputs[c.materialization]) == wanted), None)


def _read(inputs: Iterable[InputVersion]) -> dict[PartitionId, str | None]:
    return {(i.asset, i.partition): i.data_hash for i in inputs if not i.pinned}


def in_order(moves: Iterable[Move], order: Collection[str]) -> tuple[Move, ...]:
    """Moves in topological order of their assets, by key."""
    place = {name: n for n, name in enumerate(order)}
    return tuple(sorted(moves, key=lambda m: (place[m.asset], m.partition)))
