"""What is done to each partition of one asset, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from millgate.model.record import InputVersion
from millgate.model.state import Held, Left, Live
from millgate.model.step import Cause, NeededInput, Step, StepId
from millgate.plan.asked import AskedKeys
from millgate.plan.refreshing import Clock
from millgate.plan.staleness import Scale, Shelf, Weighed

InputsOf = Callable[[Collection[int]], Mapping[int, tuple[InputVersion, ...]]]
"""The recorded inputs of materializations, or what their gates looked at, by id."""

MISSING = Cause("missing")
_FORCED = Cause("forced")
_CODE = Cause("code changed")
_GATE = Cause("gate changed")
_RETRY = Cause("retry held")
_REFRESH = Cause("refresh due")
_RETRY_ROLLED_BACK = Cause("retry rolled back")
_REFERENCE = "reference changed"


@dataclass
class Draft:
    """A plan while it grows."""

    steps: list[Step] = field(default_factory=list)
    fresh: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    failing: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    rolled_back: Counter[str] = field(default_factory=Counter)
    unnamed: list[tuple[int, int, Weighed, Scale]] = field(default_factory=list)
    """Steps whose changed input is still to be named: place, version made before, inputs now; of
    a changed reference what the gate looks at."""

    def name_changes(self, inputs_of: InputsOf, references_of: InputsOf) -> None:
        """Give each such step what changed, all looked up at once."""
        for references, recorded_of in ((False, inputs_of), (True, references_of)):
            of = [u for u in self.unnamed if self._is_judged(u[0]) == references]
            recorded = recorded_of({version for _, version, _, _ in of}) if of else {}
            for place, version, weighed, scale in of:
                step = self.steps[place]
                cause = scale.changed(step.key, recorded.get(version, ()), weighed)
                kind = _REFERENCE if references else cause.kind
                self.steps[place] = replace(step, cause=replace(cause, kind=kind))

    def _is_judged(self, place: int) -> bool:
        return self.steps[place].cause.kind == _REFERENCE


@dataclass
class AssetPlanner:
    """Plans the partitions of one asset; everything upstream has been planned before."""

    name: str
    scale: Scale
    shelf: Shelf
    live: Mapping[str, Live]
    held: Mapping[str, Held]
    left: Mapping[str, frozenset[Left]]
    refused: Mapping[str, str]
    code: str
    gate: str
    asked: AskedKeys
    clock: Clock
    draft: Draft
    absent: Cause
    """Why what does not exist is made."""
    beside: Scale | None
    """Weighs what the gate looks at beside the partition; None where that is nothing."""

    def plan(self, keys: Sequence[str]) -> None:
        fresh, once = 0, self.clock.is_made_once
        for key in keys:
            weighed = self.scale.weigh(key)
            held = self.held.get(key)
            live = self.live.get(key)
            if self.left and self._stays_back(key, weighed):
                self._plan_rolled_back(key, live, weighed)
            elif held is not None:
                self._plan_held(key, held, weighed)
            elif live is None and self.clock.is_missed(key) and key not in self.asked.forced:
                self.draft.missed[self.name] += 1
            elif live is None:
                self._make(key, self.absent, weighed)
            elif key in self.asked.forced:
                self._make(key, _FORCED, weighed)
            elif not once and live.code_fingerprint != self.code:
                self._make(key, _CODE, weighed)
            elif self.clock.is_due(key, live):
                self._make(key, _REFRESH, weighed)
            elif not once and (live.input_fingerprint != weighed.fingerprint or weighed.followed):
                self._follow(key, live, weighed)
            elif not self._judge(key, live):
                fresh += 1
        if fresh:
            self.draft.fresh[self.name] += fresh

    def _stays_back(self, key: str, weighed: Weighed) -> bool:
        """Whether what would be made now is what a person rolled the partition back from."""
        wanted = Left(self.code, weighed.fingerprint)
        if wanted not in self.left.get(key, ()) or weighed.followed or key in self.asked.forced:
            return False
        live, held = self.live.get(key), self.held.get(key)
        if live is not None and self.clock.is_due(key, live):
            live = None
        return wanted not in [
            Left(o.code_fingerprint, o.input_fingerprint) for o in (live, held) if o is not None
        ]

    def _plan_rolled_back(self, key: str, live: Live | None, weighed: Weighed) -> None:
        if key in self.asked.returned:
            self._make(key, _RETRY_ROLLED_BACK, weighed)
            return
        self.draft.rolled_back[self.name] += 1
        if live is not None:
            self._judge(key, live)

    def _judge(self, key: str, live: Live) -> bool:
        """Plan what today's gate has to say to a version that stays; False where that is nothing.

        What it would take out of production, or split, is planned like what is made.
        """
        cause = _GATE if live.gate_fingerprint != self.gate else None
        cause = cause or self._moved(key, live)
        if cause is None and not (self.asked.enforces and live.failing):
            if live.failing:
                self.draft.failing[self.name] += 1
            return False
        cause = cause or Cause("failing", detail=self.refused.get(key, ""))
        needs, after, stop = self._looked_at(key)
        if stop is not None:
            self.draft.steps.append(Step(self.name, key, "blocked", stop))
        elif self.asked.enforces:
            self.shelf.planned.add(key)
            self.draft.steps.append(Step(self.name, key, "enforce", cause, needs, after))
        else:
            self.draft.steps.append(Step(self.name, key, "judge", cause, needs, after))
        if stop is None:
            self._name_later(key, live, cause)
        return True

    def _moved(self, key: str, judged: Live | Held) -> Cause | None:
        """Why what the gate refers to asks for a new judgement; None if it is as it was."""
        weighed = self.beside.weigh(key) if self.beside else None
        if weighed is None or self.beside is None:
            return None
        if judged.references != weighed.fingerprint:
            return Cause(_REFERENCE)
        return Cause("reference planned", *weighed.followed) if weighed.followed else None

    def _name_later(self, key: str, judged: Live | Held, cause: Cause) -> None:
        """Name what the gate of the last step looks at that changed, if that is its cause."""
        if cause.kind == _REFERENCE and self.beside is not None:
            place = len(self.draft.steps) - 1
            now = self.beside.weigh(key)
            self.draft.unnamed.append((place, judged.materialization, now, self.beside))

    def _looked_at(
        self, key: str
    ) -> tuple[tuple[NeededInput, ...], frozenset[StepId], Cause | None]:
        """What the gate needs beside the partition, the steps that make it, what is in the way."""
        if self.beside is None:
            return (), frozenset(), None
        weighed = self.beside.weigh(key)
        return self.beside.needs(key), frozenset(weighed.waiting), weighed.stop

    def _plan_held(self, key: str, held: Held, weighed: Weighed) -> None:
        if key in self.asked.forced:
            self._make(key, _FORCED, weighed)
        elif key in self.asked.retried:
            self._make(key, _RETRY, weighed)
        elif self.clock.is_made_once:
            self.draft.held[self.name] += not held.discarded
        elif held.code_fingerprint != self.code:
            self._make(key, _CODE, weighed)
        elif held.gate_fingerprint != self.gate:
            self._make(key, _GATE, weighed)
        elif held.input_fingerprint != weighed.fingerprint or weighed.followed:
            self._follow(key, held, weighed)
        elif moved := self._moved(key, held):
            if self._make(key, moved, weighed):
                self._name_later(key, held, moved)
        elif not held.discarded:
            self.draft.held[self.name] += 1

    def _follow(self, key: str, before: Live | Held, weighed: Weighed) -> None:
        """Make a partition whose inputs changed, or may change because they are made first."""
        if weighed.followed and before.input_fingerprint == weighed.fingerprint:
            self._make(key, Cause("input planned", *weighed.followed), weighed)
            return
        if self._make(key, Cause("input changed"), weighed):
            place = len(self.draft.steps) - 1
            self.draft.unnamed.append((place, before.materialization, weighed, self.scale))

    def _make(self, key: str, cause: Cause, weighed: Weighed) -> bool:
        """Plan a step; a blocked one, and False, where an input cannot be had."""
        beside, behind, missing = self._looked_at(key)
        stop = weighed.stop or missing
        if stop is not None:
            self.shelf.stopped[key] = stop
            self.draft.steps.append(Step(self.name, key, "blocked", stop))
            return False
        self.shelf.planned.add(key)
        needs, after = (*self.scale.needs(key), *beside), behind.union(weighed.waiting)
        self.draft.steps.append(Step(self.name, key, "make", cause, needs, after))
        return True
