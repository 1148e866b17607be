"""Which upstream keys each key needs, worked out once for all assets that are alike."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace

from millgate.model.asset import Input, Node
from millgate.model.dimension import Horizon
from millgate.model.mapping import UpstreamMapping, Window, needed_keys
from millgate.model.partition import Partitions

KeyTable = Mapping[str, tuple[str, ...]]
"""Upstream keys by downstream key."""


class _Lazy(dict[str, tuple[str, ...]]):
    """A key table that is filled in where it is looked at."""

    def __init__(self, compute: Callable[[str], tuple[str, ...]]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, key: str) -> tuple[str, ...]:
        self[key] = found = self._compute(key)
        return found


@dataclass(frozen=True)
class Read:
    """One input of an asset with the upstream keys that each of its keys needs."""

    parameter: str
    upstream: str
    pinned: bool
    table: KeyTable
    same: bool
    """Whether each key needs the key of its own name."""


class Needs:
    """The needed keys of every input at one moment.

    Assets with equal partitionings and mappings share one table, so that a thousand daily
    assets cost no more than one.
    """

    def __init__(self, horizon: Horizon) -> None:
        self.horizon = horizon
        self._identity = _Lazy(lambda key: (key,))
        self._tables: dict[Hashable, KeyTable] = {}
        self._keys: dict[Partitions, frozenset[str]] = {}
        # Open windows repeat every key for every key: each text is kept once.
        self._once: dict[str, str] = {}

    def read(self, node: Node, given: Input, upstream: Node) -> Read:
        """How `node` reads `upstream`."""
        table = self._table(node, given.mapping, upstream)
        same = table is self._identity
        return Read(given.parameter, upstream.name, given.pinned, table, same)

    def defined(self, partitions: Partitions) -> frozenset[str]:
        """Every key that a definition has now."""
        if partitions not in self._keys:
            self._keys[partitions] = frozenset(partitions.keys(self.horizon))
        return self._keys[partitions]

    def _table(self, node: Node, mapping: UpstreamMapping, upstream: Node) -> KeyTable:
        if isinstance(mapping, Window):
            mapping = replace(mapping, of=None, pinned=False)
        # A mapping of the user's own may look at the asset's name, and a dict cannot be hashed.
        like: Hashable = (node.name, id(mapping))
        if mapping is None or isinstance(mapping, Window):
            like = mapping
            if mapping in (None, Window()) and node.partitions == upstream.partitions:
                return self._identity
        table = self._tables.get((like, node.partitions, upstream.partitions))
        if table is None:
            table = _Lazy(lambda key: self._needed(node, mapping, upstream, key))
            self._tables[like, node.partitions, upstream.partitions] = table
        return table

    def _needed(
        self, node: Node, mapping: UpstreamMapping, upstream: Node, key: str
    ) -> tuple[str, ...]:
        partition = node.partitions.partition(node.name, key)
        keys = needed_keys(mapping, partition, node.partitions, upstream.partitions, self.horizon)
        return tuple(self._once.setdefault(k, k) for k in keys)
