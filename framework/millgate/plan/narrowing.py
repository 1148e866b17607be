"""Which partitions a plan has to look at one by one: of the others it is known that they are fresh.

What is unchanged is not enumerated: keys are handled in sets, which assets share that are alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from millgate.model.asset import Asset
from millgate.model.partition import Partitions
from millgate.model.state import State
from millgate.plan.asked import Asked
from millgate.plan.demand import beside_of, reads_of
from millgate.plan.graph import Graph
from millgate.plan.needs import Needs, Read

Keys = Set[str]
Wanted = Mapping[str, Keys | None]
"""Keys by asset, None for all of it."""

Fetch = Callable[[Wanted], None]
"""Brings what is live of some keys into the state that a plan is made from."""


@dataclass
class Narrowing:
    """Tells the keys of each asset that may have to be made or judged from those that are fresh."""

    graph: Graph
    needs: Needs
    state: State
    asked: Asked
    _sets: dict[int, frozenset[str]] = field(default_factory=dict)
    _absent: dict[tuple[int, int], tuple[Keys, Keys]] = field(default_factory=dict)
    """Selected keys that are not live, for pairs of sets that assets share."""
    _outside: dict[tuple[Partitions, int], tuple[Keys, tuple[str, ...]]] = field(
        default_factory=dict
    )
    _reads: dict[str, list[Read]] = field(default_factory=dict)

    def reads(self, asset: Asset) -> list[Read]:
        """How an asset reads each of its upstreams."""
        if asset.name not in self._reads:
            self._reads[asset.name] = reads_of(self.graph, asset, self.needs)
        return self._reads[asset.name]

    def loose(self, asset: Asset, selected: Sequence[str], touched: Callable[[str], Keys]) -> Keys:
        """The selected keys to be looked at.

        They are absent, doubtful, held or rolled back, asked for, or read what is `touched` of an
        upstream: made before, or of another content than what is on record.
        """
        name, state, every = asset.name, self.state, self._set(selected)
        if name not in state.doubtful:
            return every
        found = set(self._not_live(every, state.live_keys(name)))
        for keys in (state.doubtful[name], state.held.get(name, ()), state.left.get(name, ())):
            found.update(every.intersection(keys))
        if name in self.asked.forced:
            found |= every.intersection(self.asked.forced[name])
        reads = self.reads(asset)
        for read in reads:
            if not read.pinned and (before := touched(read.upstream)):
                found |= _needing(read, before, every, found)
        # Of its own past what is made first is not known before it is looked at.
        return every if found and any(read.upstream == name for read in reads) else found

    def changed(self, source: str) -> Keys:
        """The keys of a source that do not hold now what was last on record of it."""
        observed, live = self.state.observed.get(source, {}), self.state.live.get(source, {})
        return {
            key
            for key in observed.keys() | live.keys()
            if key not in observed
            or key not in live
            or observed[key].missing
            or observed[key].data_hash != live[key].data_hash
        }

    def foreseen(self, keys: Mapping[str, Sequence[str]]) -> tuple[dict[str, Keys], Wanted]:
        """The keys of each asset that will be looked at as far as can be told before, and all that
        has to be known for that.

        An asset of which nothing is known beforehand is looked at as a whole; that all of it will
        be made is not foreseen.
        """
        found: dict[str, Keys] = {}
        touched: defaultdict[str, Keys] = defaultdict(frozenset)
        wanted: dict[str, set[str] | None] = {}
        for name in self.graph.order:
            node = self.graph[name]
            if not isinstance(node, Asset):
                touched[name] = self.changed(name)
            elif name in keys:
                found[name] = touched[name] = self.loose(node, keys[name], touched.__getitem__)
                reads = [*self.reads(node)]
                if name not in self.state.doubtful:
                    every = self._set(keys[name])
                    touched[name] = self._not_live(every, self.state.live_keys(name))
                    reads += beside_of(self.graph, node, self.needs)
                    wanted |= dict.fromkeys([name, *(read.upstream for read in reads)])
                elif found[name]:
                    _want(wanted, name, found[name])
                    for read in reads:
                        _want(wanted, read.upstream, _read(read, found[name]))
        return found, wanted

    def outside(self, name: str) -> tuple[str, ...]:
        """The live keys of an asset that its definition does not have, now or later."""
        partitions, live = self.graph[name].partitions, self.state.live_keys(name)
        alike = partitions, id(live)
        if alike not in self._outside:
            found = partitions.outside(live - self.needs.defined(partitions), self.needs.horizon)
            self._outside[alike] = live, found
        return self._outside[alike][1]

    def _set(self, keys: Sequence[str]) -> frozenset[str]:
        if id(keys) not in self._sets:
            self._sets[id(keys)] = frozenset(keys)
        return self._sets[id(keys)]

    def _not_live(self, every: frozenset[str], live: Keys) -> Keys:
        alike = id(every), id(live)
        if alike not in self._absent:
            self._absent[alike] = live, every - live
        return self._absent[alike][1]


def _want(wanted: dict[str, set[str] | None], name: str, keys: Keys) -> None:
    known = wanted.setdefault(name, set())
    if known is not None:
        known.update(keys)


def _needing(read: Read, touched: Keys, every: frozenset[str], found: Keys) -> Keys:
    """The keys that read one that is touched."""
    if read.same:
        return every & touched
    table = read.table
    return {key for key in every if key not in found and not touched.isdisjoint(table[key])}


def _read(read: Read, keys: Keys) -> Keys:
    return keys if read.same else {needed for key in keys for needed in read.table[key]}
