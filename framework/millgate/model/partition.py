"""Partitionings (products of dimensions) and the partitions they define."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import product
from types import MappingProxyType

from millgate.errors import BadKey, DeclarationError
from millgate.model.dimension import Dimension, Horizon, KeyValue
from millgate.model.grain import TimeDimension

SEPARATOR = "/"
"""Between the dimensions of a product's key: `2013-01-01/EWR`."""

UNPARTITIONED = ""
"""The key of the only partition of an unpartitioned asset."""


@dataclass(frozen=True)
class Partition:
    """A slice of an asset.

    `key` is its text (`""` where the asset is unpartitioned), `values` maps each dimension to
    its key, and `partition["date"]` is the typed value that the partition column holds. `start`
    and `end` (half open, aware, UTC) are None without a time dimension.
    """

    asset: str
    key: str
    values: Mapping[str, str]
    columns: Mapping[str, KeyValue]
    start: datetime | None
    end: datetime | None

    def __hash__(self) -> int:
        return hash((self.asset, self.key))

    def __getitem__(self, dimension: str) -> KeyValue:
        return self.columns[dimension]

    def __str__(self) -> str:
        return label(self.asset, self.key)


def label(asset: str, key: str) -> str:
    """How a partition is shown: `flights@2013-01-01`, or `planes` where it is the whole asset."""
    return f"{asset}@{key}" if key else asset


@dataclass(frozen=True)
class Partitions:
    """How an asset is partitioned: a product of dimensions, empty for an unpartitioned one."""

    dimensions: tuple[Dimension, ...] = ()

    def __post_init__(self) -> None:
        names = [d.name for d in self.dimensions]
        if len(set(names)) < len(names):
            raise DeclarationError(
                f"two dimensions are called {next(n for n in names if names.count(n) > 1)}",
                where=" * ".join(type(d).__name__ for d in self.dimensions),
                fix="give one of them another name=",
            )
        if sum(isinstance(d, TimeDimension) for d in self.dimensions) > 1:
            raise DeclarationError(
                "a partitioning has at most one time dimension",
                where=" * ".join(names),
                fix="keep the finer one; the coarser follows from it",
            )
        if sum(d.batch is not None for d in self.dimensions) > 1:
            raise DeclarationError(
                "two dimensions have batch=",
                where=" * ".join(names),
                fix="keep one of them: a batch goes along one dimension",
            )

    def __mul__(self, other: Dimension | Partitions) -> Partitions:
        more = other.dimensions if isinstance(other, Partitions) else (other,)
        return Partitions(self.dimensions + more)

    def __iter__(self) -> Iterator[Dimension]:
        return iter(self.dimensions)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(d.name for d in self.dimensions)

    @cached_property
    def time(self) -> TimeDimension | None:
        """The time dimension, if there is one."""
        return next((d for d in self.dimensions if isinstance(d, TimeDimension)), None)

    @cached_property
    def batched(self) -> Dimension | None:
        """The dimension along which adjacent partitions are computed as one, if there is one."""
        return next((d for d in self.dimensions if d.batch is not None), None)

    def standing(self, key: str) -> tuple[str, ...]:
        """The parts of a key that all partitions of a batch share."""
        parts = zip(self.dimensions, split(key), strict=True)
        return tuple(part for dimension, part in parts if dimension.batch is None)

    def follows(self, before: str, key: str) -> bool:
        """Whether two keys can be next to each other in a batch, in this order."""
        pairs = zip(self.dimensions, split(before), split(key), strict=True)
        return all(
            d.follows(one, other) if d.batch is not None else one == other
            for d, one, other in pairs
        )

    def keys(self, horizon: Horizon) -> Sequence[str]:
        """Every key of the definition, in order; `[""]` where unpartitioned."""
        if not self.dimensions:
            return (UNPARTITIONED,)
        if len(self.dimensions) == 1:
            return self.dimensions[0].keys(horizon)
        return [join(parts) for parts in product(*(d.keys(horizon) for d in self.dimensions))]

    def outside(self, keys: Iterable[str], horizon: Horizon) -> tuple[str, ...]:
        """Those of some keys, in order, that the definition does not have, now or later.

        Where keys are read from what is not live at the moment, nobody can say that of one.
        """
        axes = [d.defines(horizon) for d in self.dimensions]
        return tuple(
            key
            for key in sorted(keys)
            if len(parts := split(key)) != len(axes)
            or not all(defines(part) for defines, part in zip(axes, parts, strict=True))
        )

    def canonical(self, text: str, horizon: Horizon) -> str:
        """The key that `text` writes; raises BadKey, naming the valid range, if there is none."""
        parts = split(text)
        if len(parts) != len(self.dimensions):
            shape = SEPARATOR.join(self.names) or "none: it is unpartitioned"
            raise BadKey(
                f"{text!r} has {len(parts)} parts where the key has {len(self.dimensions)}",
                where=f"partition key {text!r}",
                fix=f"the dimensions are {shape}",
            )
        return join(d.canonical(p, horizon) for d, p in zip(self.dimensions, parts, strict=True))

    def _example(self) -> str:
        shape = SEPARATOR.join(self.names)
        return f"{shape}, such as {join([_sample(d) for d in self])}" if shape else "no key at all"

    def partition(self, asset: str, key: str) -> Partition:
        """The partition of `asset` that a key of this shape names, also outside the definition."""
        parts = split(key)
        time = self.time
        try:
            values = dict(zip(self.names, parts, strict=True))
            columns = {d.name: d.value(p) for d, p in zip(self.dimensions, parts, strict=True)}
            start, end = time.window(time.ordinal(values[time.name])) if time else (None, None)
        except (ValueError, OverflowError):
            raise BadKey(
                f"{key!r} is not a key of {asset}",
                where=f"partition key {key!r}",
                fix=f"write {self._example()}",
            ) from None
        return Partition(
            asset, key, MappingProxyType(values), MappingProxyType(columns), start, end
        )


def _sample(dimension: Dimension) -> str:
    if isinstance(dimension, TimeDimension):
        return dimension.key(dimension.first)
    return next(iter(getattr(dimension, "listed", ())), dimension.name)


def join(parts: Iterator[str] | Sequence[str]) -> str:
    """The key of a product."""
    return SEPARATOR.join(parts)


def split(key: str) -> list[str]:
    """The dimensions' keys in a product's key; none for the unpartitioned key."""
    return key.split(SEPARATOR) if key else []
