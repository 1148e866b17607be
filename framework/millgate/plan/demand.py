"""Which partitions a run is about: what was selected and, for a backfill, what that needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from millgate.model.asset import Asset, Source
from millgate.model.dimension import Horizon
from millgate.model.partition import split
from millgate.model.state import State
from millgate.plan.graph import Graph
from millgate.plan.needs import Needs, Read
from millgate.plan.readable import windowed


def reads_of(graph: Graph, asset: Asset, needs: Needs) -> list[Read]:
    """How an asset reads each of its upstreams."""
    return [needs.read(asset, given, graph[given.upstream]) for given in asset.inputs]


def beside_of(graph: Graph, asset: Asset, needs: Needs) -> list[Read]:
    """How the gate of an asset reads what it looks at beside the partition."""
    return [needs.read(asset, given, graph[given.upstream]) for given in asset.beside]


def demanded(
    graph: Graph,
    selected: Mapping[str, Sequence[str]],
    needs: Needs,
    state: State,
    horizon: Horizon,
) -> dict[str, Sequence[str]]:
    """The selected keys and all keys of upstreams that they are made from, by asset.

    Of itself an asset needs only the earlier partitions that do not exist yet.
    """
    wanted: dict[str, set[str]] = {name: set(keys) for name, keys in selected.items()}
    for name in reversed(graph.order):
        node = graph[name]
        if isinstance(node, Source) or name not in wanted:
            continue
        reads = [*reads_of(graph, node, needs), *beside_of(graph, node, needs)]
        for read in reads:
            if read.upstream == name:
                _add_earlier(read, wanted[name], state)
        wanted[name] &= needs.defined(node.partitions)
        for read in reads:
            if read.upstream != name and not isinstance(graph[read.upstream], Source):
                upstream_keys = wanted.setdefault(read.upstream, set())
                if read.same:
                    upstream_keys |= wanted[name]
                    continue
                for key in wanted[name]:
                    upstream_keys.update(read.table[key])
    return {name: _in_order(graph[name].partitions.keys(horizon), wanted[name]) for name in wanted}


def in_making_order(asset: Asset, keys: Sequence[str]) -> Sequence[str]:
    """`keys` so that an asset which reads its own earlier partitions finds them made."""
    if all(given.upstream != asset.name for given in (*asset.inputs, *asset.beside)):
        return keys
    along = windowed(asset.partitions)
    place = next(n for n, dimension in enumerate(asset.partitions) if dimension is along)
    return keys if place == 0 else sorted(keys, key=lambda key: split(key)[place])


def _add_earlier(read: Read, wanted: set[str], state: State) -> None:
    live = state.live_keys(read.upstream)
    held = state.held.get(read.upstream, {})
    waiting = list(wanted)
    while waiting:
        for key in read.table[waiting.pop()]:
            if key not in wanted and key not in live and key not in held:
                wanted.add(key)
                waiting.append(key)


def _in_order(keys: Iterable[str], wanted: set[str]) -> Sequence[str]:
    return tuple(key for key in keys if key in wanted)
