"""Whether declarations alone say which keys a partition needs, now and later, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from millgate.model.asset import Asset, Input, Node
from millgate.model.dimension import Keys
from millgate.model.grain import TimeDimension
from millgate.model.mapping import UpstreamMapping, Window
from millgate.plan.fingerprint import combined
from millgate.plan.graph import Graph


def needs_fingerprint(asset: Asset, graph: Graph) -> str:
    """Equal only where the same parameters need the same keys of the same upstreams.

    Empty where that is not said by declarations alone, but by the moment, by what is live or by a
    mapping of the user's own; and where an upstream is followed and pinned at once, because one
    edge stands for both.
    """
    pinned = {given.upstream for given in asset.inputs if given.pinned}
    if pinned & {given.upstream for given in asset.inputs if not given.pinned}:
        return ""
    told = []
    for given in asset.inputs:
        rule = _rule(asset, given, graph[given.upstream])
        if rule is None:
            return ""
        told.append(f"needs 1\0{given.parameter}\0{given.upstream}\0{given.pinned}\0{rule}")
    return combined(told)


def _rule(node: Node, given: Input, upstream: Node) -> str | None:
    """How the keys that a partition needs follow from its own; None where it takes more to know."""
    mapping = given.mapping
    if isinstance(mapping, Window):
        mapping = replace(mapping, of=None, pinned=False)
    if mapping in (None, Window()) and node.partitions == upstream.partitions:
        return "the same"
    if not isinstance(mapping, Window | Mapping | None):
        return None
    if not upstream.partitions.dimensions:
        return "the whole"
    if any(isinstance(d, Keys) and d.of is not None for d in upstream.partitions):
        return None
    time = upstream.partitions.time
    if time is not None and not (node.partitions.time and _is_closed(mapping, time)):
        return None
    return f"{node.partitions!r} {upstream.partitions!r} {mapping!r}"


def _is_closed(mapping: UpstreamMapping, time: TimeDimension) -> bool:
    """Whether no key of a time dimension is needed because it is the newest one."""
    along = mapping.get(time.name) if isinstance(mapping, Mapping) else mapping
    return not isinstance(along, Window) or along.last is not None
