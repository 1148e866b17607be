"""The plan: each selected partition is fresh, made, judged again, held or blocked, and why."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from millgate.model.asset import Asset
from millgate.model.dimension import Horizon
from millgate.model.record import InputVersion
from millgate.model.state import Held, Left, Live, State
from millgate.model.step import Cause, NeededInput, Plan, Step
from millgate.plan.demand import beside_of, demanded, in_making_order, reads_of
from millgate.plan.graph import Graph
from millgate.plan.keyrange import KeyRange, keys_of_each
from millgate.plan.needs import Needs
from millgate.plan.refreshing import Clock
from millgate.plan.staleness import Scale, Shelf, StepId, Weighed, asset_shelf, source_shelf

InputsOf = Callable[[Collection[int]], Mapping[int, tuple[InputVersion, ...]]]
"""The recorded inputs of materializations, by id."""

_MISSING = Cause("missing")
_FORCED = Cause("forced")
_CODE = Cause("code changed")
_GATE = Cause("gate changed")
_RETRY = Cause("retry held")
_REFRESH = Cause("refresh due")
_RETRY_ROLLED_BACK = Cause("retry rolled back")


def make_plan(
    graph: Graph,
    selected: Sequence[str],
    key_range: KeyRange | None,
    state: State,
    horizon: Horizon,
    *,
    code: Mapping[str, str],
    gates: Mapping[str, str],
    inputs_of: InputsOf,
    with_upstreams: bool = False,
    force: bool = False,
    retry_held: bool = False,
    retry_rolled_back: bool = False,
    enforce: bool = False,
    spared: Collection[tuple[str, str]] = frozenset(),
    selection_text: str = "",
) -> Plan:
    """What would be done to the selected partitions, and why; upstreams come first.

    `code` and `gates` give the fingerprint of each asset; `inputs_of` is called at most once,
    with the versions of which an input has changed. With `with_upstreams` the partitions that
    the selected ones are made from are planned too; `force` makes what was selected although it
    is fresh, `retry_held` what is held; neither makes a partition that is among the `spared`.
    `enforce` applies today's gate to what is live instead of only judging it.
    Raises BadKey if the range selects nothing.
    """
    selected_keys = _selected_keys(graph, selected, key_range, horizon)
    needs = Needs(horizon)
    keys: Mapping[str, Sequence[str]] = selected_keys
    if with_upstreams:
        keys = demanded(graph, selected_keys, needs, state, horizon)
    forced = _without(selected_keys, spared) if force else {}
    retried = _without(keys, spared) if retry_held else {}
    returned = _without(keys, spared) if retry_rolled_back else {}
    asked = _Asked(forced, retried, returned, enforce)
    draft = _Draft()
    with _no_collection():
        _plan_assets(graph, keys, needs, state, code, gates, asked, horizon, with_upstreams, draft)
    draft.name_changes(inputs_of)
    first, last = (None, None) if key_range is None else key_range.bounds
    made = {step.asset for step in draft.steps}
    return Plan(
        selection=selection_text,
        range_from=first,
        range_to=last,
        horizon=horizon,
        steps=tuple(draft.steps),
        fresh=dict(draft.fresh),
        held=dict(draft.held),
        failing=dict(draft.failing),
        missed=dict(draft.missed),
        rolled_back=dict(draft.rolled_back),
        outside={
            name: parts.outside(state.live[name].keys() - needs.defined(parts), horizon)
            for name, parts in ((n, graph[n].partitions) for n in selected_keys if n in state.live)
        },
        fingerprints={name: code[name] for name in graph.order if name in made},
        zones=_zones(graph, selected_keys, key_range),
        enforces=enforce,
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Millions of steps hold no cycles; looking for some would take longer than planning them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _plan_assets(
    graph: Graph,
    keys: Mapping[str, Sequence[str]],
    needs: Needs,
    state: State,
    code: Mapping[str, str],
    gates: Mapping[str, str],
    asked: _Asked,
    horizon: Horizon,
    with_upstreams: bool,
    draft: _Draft,
) -> None:
    """Fill the draft, upstreams first."""
    shelves: dict[str, Shelf] = {}
    for name in graph.order:
        node = graph[name]
        if not isinstance(node, Asset):
            shelves[name] = source_shelf(name, state)
            continue
        shelves[name] = asset_shelf(name, state)
        if name in keys:
            _AssetPlanner(
                name,
                Scale(reads_of(graph, node, needs), shelves),
                shelves[name],
                state.live.get(name, {}),
                state.held.get(name, {}),
                state.left.get(name, {}),
                state.refused.get(name, {}),
                code[name],
                gates[name],
                asked.of(name),
                Clock(node, horizon, with_upstreams),
                draft,
                _absent(len(state.leaving.get(name, {}))),
                Scale(beside_of(graph, node, needs), shelves) if node.beside else None,
            ).plan(in_making_order(node, keys[name]))


def _absent(leaving: int) -> Cause:
    """Why what does not exist is made, where so many partitions leave by an old partitioning."""
    if not leaving:
        return _MISSING
    leave = "1 partition leaves" if leaving == 1 else f"{leaving:,} partitions leave"
    return Cause("partitioning changed", detail=leave)


def still_stale(step: Step, live: Live | None, wanted_code: str, wanted_inputs: str) -> bool:
    """Whether a step still has something to do now that its inputs are made.

    Only a step that was planned because an input would be made first can have become fresh.
    """
    if step.cause.kind != "input planned" or live is None:
        return True
    return (live.code_fingerprint, live.input_fingerprint) != (wanted_code, wanted_inputs)


def _selected_keys(
    graph: Graph, selected: Sequence[str], key_range: KeyRange | None, horizon: Horizon
) -> dict[str, Sequence[str]]:
    assets = [name for name in selected if isinstance(graph[name], Asset)]
    return keys_of_each(key_range, {name: graph[name].partitions for name in assets}, horizon)


def _without(
    keys: Mapping[str, Sequence[str]], spared: Collection[tuple[str, str]]
) -> Mapping[str, Sequence[str]]:
    if not spared:
        return keys
    return {name: [k for k in given if (name, k) not in spared] for name, given in keys.items()}


def _zones(
    graph: Graph, selected: Mapping[str, Sequence[str]], key_range: KeyRange | None
) -> tuple[str, ...]:
    """The time zones in which a range of time was read."""
    if key_range is None or not key_range.has_time:
        return ()
    times = (graph[name].partitions.time for name in selected)
    return tuple(sorted({time.tz for time in times if time is not None}))


@dataclass(frozen=True)
class _AskedKeys:
    """Keys of one asset that a person asked to make: fresh, held and rolled-back ones."""

    forced: frozenset[str]
    retried: frozenset[str]
    returned: frozenset[str]
    enforces: bool
    """Whether today's gate is applied to what is live."""


@dataclass(frozen=True)
class _Asked:
    """What a person asked to make although it is fresh, held or rolled back, by asset."""

    forced: Mapping[str, Sequence[str]]
    retried: Mapping[str, Sequence[str]]
    returned: Mapping[str, Sequence[str]]
    enforces: bool

    def of(self, name: str) -> _AskedKeys:
        ways = (self.forced, self.retried, self.returned)
        forced, retried, returned = (frozenset(way.get(name, ())) for way in ways)
        return _AskedKeys(forced, retried, returned, self.enforces)


@dataclass
class _Draft:
    """A plan while it grows."""

    steps: list[Step] = field(default_factory=list)
    fresh: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    failing: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    rolled_back: Counter[str] = field(default_factory=Counter)
    unnamed: list[tuple[int, int, Weighed, Scale]] = field(default_factory=list)
    """Steps whose changed input is still to be named: place, version made before, inputs now."""

    def name_changes(self, inputs_of: InputsOf) -> None:
        """Give each such step the input that changed, all looked up at once."""
        if not self.unnamed:
            return
        recorded = inputs_of({version for _, version, _, _ in self.unnamed})
        for place, version, weighed, scale in self.unnamed:
            step = self.steps[place]
            cause = scale.changed(step.key, recorded.get(version, ()), weighed)
            self.steps[place] = replace(step, cause=cause)


@dataclass
class _AssetPlanner:
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
    asked: _AskedKeys
    clock: Clock
    draft: _Draft
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
            self.draft.fresh[self.name] = fresh

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
        return True

    def _moved(self, key: str, judged: Live | Held) -> Cause | None:
        """Why what the gate refers to asks for a new judgement; None if it is as it was."""
        weighed = self.beside.weigh(key) if self.beside else None
        if weighed is None or self.beside is None:
            return None
        if judged.references != weighed.fingerprint:
            needed = {(n.upstream, k) for n in self.beside.needs(key) for k in n.keys}
            of = next(iter(needed)) if len(needed) == 1 else (None, None)
            return Cause("reference changed", *of)
        return Cause("reference planned", *weighed.followed) if weighed.followed else None

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
            self._make(key, moved, weighed)
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
