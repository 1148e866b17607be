"""Whether a partition is fresh: what its inputs hold now against what it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from millgate.model.record import InputVersion
from millgate.model.state import Live, Observed, State
from millgate.model.step import Cause, NeededInput, StepId
from millgate.plan.fingerprint import combined, input_text
from millgate.plan.needs import Read


@dataclass(slots=True)
class Shelf:
    """What downstream assets find of one asset or source while a plan is made."""

    asset: str
    content: Mapping[str, Live | Observed]
    """What is there now, by key."""
    absent: str
    """Kind of cause where a key is not there."""
    stopped: dict[str, Cause]
    """Keys that cannot be had, and which partition is to blame, unless they are planned."""
    planned: set[str] = field(default_factory=set)
    """Keys that this run makes."""
    changed: Set[str] = frozenset()
    """Keys with other content than is on record."""

    @property
    def touched(self) -> Set[str]:
        """Keys of which what reads them may follow a change."""
        return self.planned or self.changed


def source_shelf(name: str, state: State, changed: Set[str]) -> Shelf:
    """The shelf of a source: what was observed, which of some keys was `changed` since."""
    observed = state.observed.get(name, {})
    absent = "missing source file"
    missing = {k: Cause(absent, name, k, o.missing) for k, o in observed.items() if o.missing}
    content = {k: o for k, o in observed.items() if not o.missing} if missing else observed
    return Shelf(name, content, absent, missing, changed=changed)


def asset_shelf(name: str, state: State) -> Shelf:
    """The shelf of an asset: what is live, less what a newer version awaits a decision on."""
    held = {
        key: Cause("held upstream", name, key)
        for key, version in state.held.get(name, {}).items()
        if not version.discarded
    }
    return Shelf(name, state.live.get(name, {}), "missing upstream", held)


@dataclass(frozen=True, slots=True)
class Weighed:
    """The inputs of one partition as they are now.

    `fingerprint` is that of what is there, old versions of planned inputs included; `stop` says
    why an input cannot be had.
    """

    fingerprint: str
    waiting: tuple[StepId, ...]
    followed: StepId | None
    """The first waiting input whose change counts (a pinned one's does not)."""
    stop: Cause | None


class Scale:
    """Weighs the inputs of the partitions of one asset."""

    def __init__(self, reads: Sequence[Read], shelves: Mapping[str, Shelf]) -> None:
        self._reads = reads
        self._pairs = [(read, shelves[read.upstream]) for read in reads]

    def weigh(self, key: str) -> Weighed:
        texts: list[str] = []
        waiting: list[StepId] = []
        followed: StepId | None = None
        stop: Cause | None = None
        for read, shelf in self._pairs:
            content, planned, stopped = shelf.content, shelf.planned, shelf.stopped
            for needed in read.table[key]:
                there = content.get(needed)
                if planned and needed in planned:
                    waiting.append((read.upstream, needed))
                    if followed is None and not read.pinned:
                        followed = waiting[-1]
                elif stopped and needed in stopped:
                    stop = stop or stopped[needed]
                elif there is None:
                    stop = stop or Cause(shelf.absent, shelf.asset, needed)
                if there is not None and not read.pinned:
                    texts.append(input_text(read.parameter, read.upstream, needed, there.data_hash))
        return Weighed(combined(texts), tuple(waiting), followed, stop)

    def needs(self, key: str) -> tuple[NeededInput, ...]:
        """The keys that a partition reads under each parameter."""
        return tuple(
            NeededInput(read.parameter, read.upstream, read.table[key], read.pinned)
            for read in self._reads
        )

    def changed(self, key: str, recorded: Iterable[InputVersion], weighed: Weighed) -> Cause:
        """Which input is another now than what was recorded for a partition's version.

        An input that this run makes first is not compared; if no other one changed, it is what
        the step waits for.
        """
        before = {(v.asset, v.partition): v.data_hash for v in recorded if not v.pinned}
        waiting = set(weighed.waiting)
        now: dict[StepId, str] = {}
        for read, shelf in self._pairs:
            for needed in () if read.pinned else read.table[key]:
                there = shelf.content.get(needed)
                if there is not None and (read.upstream, needed) not in waiting:
                    now[read.upstream, needed] = there.data_hash
        for of, data_hash in now.items():
            if before.get(of, data_hash) != data_hash:
                return Cause("input changed", *of)
        added = next((of for of in now if of not in before), None)
        if added is not None:
            return Cause("input added", *added)
        removed = before.keys() - now.keys() - waiting
        if removed:
            return Cause("input removed", *min(removed))
        if weighed.followed is not None:
            return Cause("input planned", *weighed.followed)
        return Cause("input changed")
