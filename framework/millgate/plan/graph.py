"""The graph of what is declared: who is made from whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush

from millgate.errors import DuplicateAsset, GraphCycle, UnknownUpstream, did_you_mean
from millgate.model.asset import COMPARED, Asset, Input, Node, Source
from millgate.model.dimension import Keys
from millgate.model.record import Edge
from millgate.plan.mapping_words import mapping_text
from millgate.plan.readable import check_readable


@dataclass(frozen=True, eq=False)
class Graph:
    """Assets and sources, each after everything it is made from; equally early ones by name."""

    nodes: tuple[Node, ...]

    @classmethod
    def build(cls, nodes: Iterable[Node]) -> Graph:
        """The graph of `nodes`, whose upstreams exist, can be read as declared and form no circle.

        Raises DuplicateAsset, UnknownUpstream, GraphCycle or DeclarationError.
        """
        by_name: dict[str, Node] = {}
        for node in nodes:
            twin = by_name.setdefault(node.name, node)
            if twin is not node:
                raise DuplicateAsset(
                    f"two assets are called {node.name}",
                    where=f"{twin.defined_in or 'unknown'} and {node.defined_in or 'unknown'}",
                    fix="give one of them another name",
                )
        for node in by_name.values():
            _check_upstreams(node, by_name)
        return cls(tuple(by_name[name] for name in _ordered(by_name)))

    def __getitem__(self, name: str) -> Node:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __len__(self) -> int:
        return len(self.nodes)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Every name, upstreams first."""
        return tuple(node.name for node in self.nodes)

    @cached_property
    def rank(self) -> Mapping[str, int]:
        """Place of each name in `order`."""
        return {name: place for place, name in enumerate(self.order)}

    def upstream(self, *names: str, depth: int | None = None) -> frozenset[str]:
        """What the named ones are made from, up to `depth` steps away, they themselves excepted."""
        return _reach(names, self._upstreams, depth)

    def downstream(self, *names: str, depth: int | None = None) -> frozenset[str]:
        """What is made from the named ones, up to `depth` steps away, they themselves excepted."""
        return _reach(names, self._downstreams, depth)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Every upstream of every asset with its mapping, in order of the downstream."""
        found: dict[Edge, None] = {}
        for node in self.nodes:
            for given in node.inputs:
                text = mapping_text(given.mapping, node.partitions, self[given.upstream].partitions)
                found[Edge(given.upstream, node.name, "data", text)] = None
            for given in beside(node):
                text = mapping_text(given.mapping, node.partitions, self[given.upstream].partitions)
                found[Edge(given.upstream, node.name, "reference", text)] = None
            for asset, column in _key_columns(node):
                found[Edge(asset, node.name, "keys", f"the values of {column}")] = None
        return tuple(found)

    @cached_property
    def _by_name(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def _upstreams(self) -> Mapping[str, tuple[str, ...]]:
        return {node.name: _upstream_names(node) for node in self.nodes}

    @cached_property
    def _downstreams(self) -> Mapping[str, tuple[str, ...]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name, upstreams in self._upstreams.items():
            for upstream in upstreams:
                found[upstream].append(name)
        return {name: tuple(found[name]) for name in self._by_name}


def beside(node: Node) -> tuple[Input, ...]:
    """What the gate of a node looks at beside the partition that it judges."""
    return node.beside if isinstance(node, Asset) else ()


def _key_columns(node: Node) -> Iterator[tuple[str, str]]:
    """Asset and column of every dimension whose keys are read from production."""
    for dimension in node.partitions:
        if isinstance(dimension, Keys) and dimension.of is not None:
            asset, column = dimension.of.split(".")
            yield asset, column


def _upstream_names(node: Node) -> tuple[str, ...]:
    """Names of everything a node comes after, each once, its own excepted."""
    inputs = (*node.inputs, *beside(node))
    read = (given.upstream for given in inputs if given.upstream != node.name)
    return tuple(dict.fromkeys((*read, *(asset for asset, _ in _key_columns(node)))))


def _check_upstreams(node: Node, by_name: Mapping[str, Node]) -> None:
    for given in node.inputs:
        upstream = by_name.get(given.upstream)
        if upstream is None:
            raise UnknownUpstream(
                f"{node.name} reads {given.upstream!r}, and no asset or source has that name",
                where=node.defined_in or node.name,
                fix=_closest(node, given.upstream, by_name),
            )
        check_readable(node, given, upstream)
    for given in beside(node):
        _check_reference(node, given, by_name)
    for asset, column in _key_columns(node):
        upstream = by_name.get(asset)
        if upstream is None or isinstance(upstream, Source):
            assets = [name for name, n in by_name.items() if not isinstance(n, Source)]
            raise UnknownUpstream(
                f"the keys of {node.name} are the values of {asset}.{column}, "
                f"and no asset is called {asset}",
                where=node.defined_in or node.name,
                fix=_closest(node, asset, assets),
            )


def _check_reference(node: Node, given: Input, by_name: Mapping[str, Node]) -> None:
    upstream = by_name.get(given.upstream)
    if upstream is None:
        raise UnknownUpstream(
            f"{node.name} refers to {given.upstream!r}, and no asset or source has that name",
            where=f"{node.defined_in or node.name}, references of its gate",
            fix=_closest(node, given.upstream, by_name),
        )
    if given.parameter == COMPARED:
        check_readable(node, given, upstream)
    elif upstream is node:
        raise GraphCycle(
            f"the gate of {node.name} refers to {node.name} itself",
            where=node.defined_in or node.name,
            fix=_further_up(node, {node.name}),
        )


def _further_up(node: Node, circle: Collection[str]) -> str:
    """What to refer to instead of something that is made from the node."""
    above = [given.upstream for given in node.inputs if given.upstream not in circle]
    such = f"such as {above[0]}" if above else "or a source"
    return (
        "refer to a table further up, which both are made from: an asset that lists the values, "
        f"{such}"
    )


def _closest(node: Node, wanted: str, known: Iterable[str]) -> str:
    others = [name for name in known if name != node.name]
    return did_you_mean(wanted, others, "declare it, or correct the name")


def _ordered(by_name: Mapping[str, Node]) -> list[str]:
    """The names, upstreams first and otherwise by name; raises GraphCycle."""
    upstreams = {name: _upstream_names(node) for name, node in by_name.items()}
    waiting = {name: len(before) for name, before in upstreams.items()}
    downstreams: defaultdict[str, list[str]] = defaultdict(list)
    for name, before in upstreams.items():
        for upstream in before:
            downstreams[upstream].append(name)
    ready = [name for name, count in waiting.items() if not count]
    heapify(ready)
    found: list[str] = []
    while ready:
        found.append(heappop(ready))
        for name in downstreams[found[-1]]:
            waiting[name] -= 1
            if not waiting[name]:
                heappush(ready, name)
    if len(found) < len(by_name):
        raise _cycle({name: upstreams[name] for name in sorted(by_name.keys() - found)}, by_name)
    return found


def _cycle(stuck: Mapping[str, tuple[str, ...]], by_name: Mapping[str, Node]) -> GraphCycle:
    """The error for a circle among the names that could not be ordered.

    Every stuck name has a stuck upstream, so walking upstream must come back to where it was.
    """
    walked: dict[str, None] = {}
    here = next(iter(stuck))
    while here not in walked:
        walked[here] = None
        here = next(name for name in stuck[here] if name in stuck)
    path = list(walked)
    circle = path[path.index(here) :][::-1]
    first = circle.index(min(circle))
    circle = circle[first:] + circle[:first]
    links = zip(circle, [*circle[1:], circle[0]], strict=True)
    refers = next((pair for pair in links if not _is_read(by_name[pair[1]], pair[0])), None)
    if refers is not None:
        told = f"{refers[1]} refers to {refers[0]}, which is made from {refers[1]}"
        return GraphCycle(
            f"the gate of {told}: {' → '.join([*circle, circle[0]])}",
            where=", ".join(f"{by_name[n].defined_in or 'unknown'} ({n})" for n in circle),
            fix=_further_up(by_name[refers[1]], circle),
        )
    return GraphCycle(
        f"assets are made from each other in a circle: {' → '.join([*circle, circle[0]])}",
        where=", ".join(f"{by_name[n].defined_in or 'unknown'} ({n})" for n in circle),
        fix="take one of these upstreams away; an asset may read only its own earlier partitions, "
        "with Window(-1, -1)",
    )


def _is_read(node: Node, upstream: str) -> bool:
    """Whether a node is made from an upstream, and does not only refer to it."""
    read = {given.upstream for given in node.inputs} | {asset for asset, _ in _key_columns(node)}
    return upstream in read


def _reach(
    names: Iterable[str], neighbours: Mapping[str, tuple[str, ...]], depth: int | None
) -> frozenset[str]:
    start = frozenset(names)
    found: set[str] = set(start)
    edge = set(start)
    steps = 0
    while edge and (depth is None or steps < depth):
        edge = {near for name in edge for near in neighbours[name]} - found
        found |= edge
        steps += 1
    return frozenset(found - start)
