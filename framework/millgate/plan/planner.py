"""The plan: each selected partition is fresh, made, judged again, held or blocked, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from millgate.model.asset import Asset
from millgate.model.dimension import Horizon
from millgate.model.garbage import no_collection
from millgate.model.state import Live, State
from millgate.model.step import Cause, Plan, Step
from millgate.plan.asked import Asked, without
from millgate.plan.batching import batches_of
from millgate.plan.deciding import MISSING, AssetPlanner, Draft, InputsOf
from millgate.plan.demand import beside_of, demanded, in_making_order
from millgate.plan.graph import Graph
from millgate.plan.keyrange import KeyRange, keys_of_each, zones_of
from millgate.plan.narrowing import Fetch, Keys, Narrowing
from millgate.plan.needs import Needs
from millgate.plan.refreshing import Clock
from millgate.plan.staleness import Scale, Shelf, asset_shelf, source_shelf


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
    references_of: InputsOf,
    fetch: Fetch | None = None,
    with_upstreams: bool = False,
    force: bool = False,
    retry_held: bool = False,
    retry_rolled_back: bool = False,
    enforce: bool = False,
    spared: Collection[tuple[str, str]] = frozenset(),
    selection_text: str = "",
) -> Plan:
    """What would be done to the selected partitions, and why; upstreams come first.

    `code` and `gates` give the fingerprint of each asset; `inputs_of` and `references_of` are
    called at most once, with the versions of which an input or a reference has changed. With
    `with_upstreams` the partitions that the selected ones are made from are planned too; `force`
    makes what was selected although it is fresh, `retry_held` what is held; neither makes a
    partition that is among the `spared`. `enforce` applies today's gate to what is live instead
    of only judging it. `fetch` is given where `state.live` has not everything: it is called with
    what the plan needs of it.
    Raises BadKey if the range selects nothing.
    """
    selected_keys = _selected_keys(graph, selected, key_range, horizon)
    needs = Needs(horizon)
    keys: Mapping[str, Sequence[str]] = selected_keys
    if with_upstreams:
        keys = demanded(graph, selected_keys, needs, state, horizon)
    forced = without(selected_keys, spared) if force else {}
    retried = without(keys, spared) if retry_held else {}
    returned = without(keys, spared) if retry_rolled_back else {}
    asked = Asked(forced, retried, returned, enforce)
    draft = Draft()
    scope = _Scope(Narrowing(graph, needs, state, asked), keys, fetch)
    with no_collection():
        _plan_assets(scope, code, gates, horizon, with_upstreams, draft)
    draft.name_changes(inputs_of, references_of)
    return _plan_of(draft, scope, selected_keys, key_range, code, enforce, selection_text)


@dataclass
class _Scope:
    """What is planned: the keys of each asset, and which of them have to be looked at."""

    narrowing: Narrowing
    keys: Mapping[str, Sequence[str]]
    fetch: Fetch | None
    foreseen: Mapping[str, Keys] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.fetch is not None:
            self.foreseen, wanted = self.narrowing.foreseen(self.keys)
            self.fetch(wanted)

    def loose(self, asset: Asset, shelves: Mapping[str, Shelf]) -> Sequence[str]:
        """The keys to look at, in order; what is live of them and of their inputs is there."""
        keys = self.keys[asset.name]
        found = self.narrowing.loose(asset, keys, lambda name: shelves[name].touched)
        if self.fetch is not None and not found <= self.foreseen[asset.name]:
            self.fetch(dict.fromkeys(self.narrowing.graph.order))
            self.fetch = None
        return keys if len(found) == len(keys) else [key for key in keys if key in found]


def _plan_assets(
    scope: _Scope,
    code: Mapping[str, str],
    gates: Mapping[str, str],
    horizon: Horizon,
    with_upstreams: bool,
    draft: Draft,
) -> None:
    """Fill the draft, upstreams first."""
    narrowing, shelves = scope.narrowing, dict[str, Shelf]()
    graph, needs, state = narrowing.graph, narrowing.needs, narrowing.state
    for name in graph.order:
        node = graph[name]
        if not isinstance(node, Asset):
            shelves[name] = source_shelf(name, state, narrowing.changed(name))
            continue
        shelves[name] = asset_shelf(name, state)
        if name not in scope.keys:
            continue
        loose = scope.loose(node, shelves)
        if unchanged := len(scope.keys[name]) - len(loose):
            draft.fresh[name] = unchanged
        if loose:
            AssetPlanner(
                name,
                Scale(narrowing.reads(node), shelves),
                shelves[name],
                state.live.get(name, {}),
                state.held.get(name, {}),
                state.left.get(name, {}),
                state.refused.get(name, {}),
                code[name],
                gates[name],
                narrowing.asked.of(name),
                Clock(node, horizon, with_upstreams),
                draft,
                _absent(len(state.leaving.get(name, {}))),
                Scale(beside_of(graph, node, needs), shelves) if node.beside else None,
            ).plan(in_making_order(node, loose))


def _plan_of(
    draft: Draft,
    scope: _Scope,
    selected: Mapping[str, Sequence[str]],
    key_range: KeyRange | None,
    code: Mapping[str, str],
    enforce: bool,
    selection_text: str,
) -> Plan:
    """The plan that a finished draft has become."""
    narrowing = scope.narrowing
    graph, state = narrowing.graph, narrowing.state
    first, last = (None, None) if key_range is None else key_range.bounds
    made = {step.asset for step in draft.steps}
    partitionings = {name: graph[name].partitions for name in made}
    return Plan(
        selection=selection_text,
        range_from=first,
        range_to=last,
        horizon=narrowing.needs.horizon,
        steps=tuple(draft.steps),
        fresh=dict(draft.fresh),
        held=dict(draft.held),
        failing=dict(draft.failing),
        missed=dict(draft.missed),
        rolled_back=dict(draft.rolled_back),
        outside={name: narrowing.outside(name) for name in selected if state.live_keys(name)},
        fingerprints={name: code[name] for name in graph.order if name in made},
        zones=zones_of(key_range, [graph[name].partitions for name in selected]),
        enforces=enforce,
        batches=batches_of(draft.steps, partitionings),
    )


def _absent(leaving: int) -> Cause:
    """Why what does not exist is made, where so many partitions leave by an old partitioning."""
    if not leaving:
        return MISSING
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
