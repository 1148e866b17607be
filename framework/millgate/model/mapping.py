"""Mappings: which upstream keys a partition needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Protocol

from millgate.errors import BadKey, DeclarationError
from millgate.model.dimension import Dimension, Horizon, Keys
from millgate.model.grain import KeyRun, TimeDimension
from millgate.model.known_options import known_only
from millgate.model.partition import (
    SEPARATOR,
    UNPARTITIONED,
    Partition,
    Partitions,
    join,
    split,
)

if TYPE_CHECKING:
    from millgate.model.asset import Asset, Source


@known_only
@dataclass(frozen=True)
class Window:
    """A run of upstream keys, counted from the one that overlaps the partition.

    `Window(-6, 0)` is the seven keys that end with the overlapping one; None is an open end.
    For an unpartitioned asset it counts from the newest key: `Window(0, 0)` is the latest,
    `Window(None, None)` all. `of` names the upstream where the parameter is called otherwise.
    `pinned` records the input without following its changes.
    """

    first: int | None = 0
    last: int | None = 0
    of: str | Asset | Source | None = None
    pinned: bool = False

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None and self.first > self.last:
            raise DeclarationError(
                f"Window({self.first}, {self.last}) holds no key",
                where="a Window",
                fix="give the earlier end first, such as Window(-6, 0)",
            )


class KeyMapping(Protocol):
    """A user's own mapping: the upstream keys that a partition needs."""

    def keys(self, partition: Partition, upstream: Partitions, horizon: Horizon) -> Iterable[str]:
        """Keys of `upstream`, each as text."""
        ...


StaticKeys = Mapping[str, str | Sequence[str]]
AxisMapping = Window | StaticKeys
UpstreamMapping = Window | StaticKeys | Mapping[str, AxisMapping] | KeyMapping | None
"""None is the default: identity, overlap between grains, the whole of what is not shared."""


def needed_keys(
    mapping: UpstreamMapping,
    partition: Partition,
    downstream: Partitions,
    upstream: Partitions,
    horizon: Horizon,
) -> Sequence[str]:
    """The upstream keys that `partition` is made from, clipped to the upstream's definition.

    A key that the definition will have later is included: it is needed and not there yet. Raises
    DeclarationError if a user's own mapping fails or gives what cannot be a key.
    """
    if not isinstance(mapping, Window | Mapping | None):
        return _own_keys(mapping, partition, upstream, horizon)
    if not upstream.dimensions:
        return (UNPARTITIONED,)
    axes = [
        _axis(_for_dimension(mapping, d, upstream), d, partition, downstream, horizon)
        for d in upstream
    ]
    return axes[0] if len(axes) == 1 else [join(parts) for parts in product(*axes)]


def _own_keys(
    mapping: KeyMapping, partition: Partition, upstream: Partitions, horizon: Horizon
) -> Sequence[str]:
    """What a user's own mapping gives, each key once, without those outside the definition."""
    name = f"{type(mapping).__name__}.keys"
    try:
        given = list(mapping.keys(partition, upstream, horizon))
    except Exception as error:
        raise DeclarationError(
            f"{name} raised {type(error).__name__}: {error}",
            where=f"upstreams of {partition}",
            fix="mend the mapping; nothing was run",
        ) from error
    found: dict[str, None] = {}
    for key in given:
        parts = split(key) if isinstance(key, str) else None
        if parts is None or len(parts) != len(upstream.dimensions):
            raise _no_key(name, key, partition, upstream)
        try:
            if all(_is_defined(d, p, horizon) for d, p in zip(upstream, parts, strict=True)):
                found[key] = None
        except (ValueError, BadKey):
            raise _no_key(name, key, partition, upstream) from None
    return tuple(found)


def _is_defined(dimension: Dimension, key: str, horizon: Horizon) -> bool:
    """Whether a definition has a key now or later; raises if it is none of this kind."""
    if isinstance(dimension, TimeDimension):
        return dimension.ordinal(key) in dimension.defined
    return bool(_known(dimension, key, horizon))


def _no_key(name: str, key: object, partition: Partition, upstream: Partitions) -> DeclarationError:
    shape = SEPARATOR.join(upstream.names) or "'' (it is unpartitioned)"
    return DeclarationError(
        f"{name} gives {key!r}, which cannot be a key of the upstream",
        where=f"upstreams of {partition}",
        fix=f"give each key as text; its dimensions are {shape}",
    )


def _for_dimension(
    mapping: Window | Mapping[str, object] | None, dimension: Dimension, upstream: Partitions
) -> AxisMapping | None:
    """The part of a mapping that speaks of one upstream dimension."""
    if isinstance(mapping, Window):
        windowed = upstream.time or upstream.dimensions[0]
        return mapping if dimension is windowed else None
    if isinstance(mapping, Mapping):
        if all(isinstance(v, Window | Mapping) for v in mapping.values()):
            return mapping.get(dimension.name)  # type: ignore[return-value]
        return None if isinstance(dimension, TimeDimension) else mapping  # type: ignore[return-value]
    return None


def _axis(
    mapping: AxisMapping | None,
    dimension: Dimension,
    partition: Partition,
    downstream: Partitions,
    horizon: Horizon,
) -> Sequence[str]:
    if isinstance(dimension, TimeDimension):
        if isinstance(mapping, Mapping):
            raise DeclarationError(
                f"a dict of keys cannot map the time dimension {dimension.name}",
                where=f"upstreams of {partition.asset}",
                fix="use a Window, or a class of your own with keys()",
            )
        return KeyRun(dimension, _times(mapping, dimension, partition, downstream, horizon))
    return _listed(mapping, dimension, partition, horizon)


def _times(
    window: Window | None,
    dimension: TimeDimension,
    partition: Partition,
    downstream: Partitions,
    horizon: Horizon,
) -> range:
    defined = dimension.defined
    own = downstream.time
    if own is None or partition.start is None or partition.end is None:
        present = dimension.ordinals(horizon.now)
        base = range(present.stop - 1, present.stop)
        window = window or Window(None, None)
    elif own == dimension:
        ordinal = dimension.ordinal(partition.values[own.name])
        base = range(ordinal, ordinal + 1)
    else:
        base = dimension.overlapping(partition.start, partition.end)
    window = window or Window()
    newest = dimension.ordinals(horizon.now).stop - 1 if window.last is None else 0
    first = defined.start if window.first is None else base.start + window.first
    last = newest if window.last is None else base.stop - 1 + window.last
    return range(max(first, defined.start), min(last, defined.stop - 1) + 1)


def _listed(
    mapping: AxisMapping | None, dimension: Dimension, partition: Partition, horizon: Horizon
) -> Sequence[str]:
    known = dimension.keys(horizon)
    own = partition.values.get(dimension.name)
    if isinstance(mapping, Mapping):
        mapped = [mapping[value] for value in partition.values.values() if value in mapping]
        wanted = [k for keys in mapped for k in ([keys] if isinstance(keys, str) else keys)]
        return [_known(dimension, key, horizon) for key in dict.fromkeys(wanted)]
    if own is None:
        return known
    if own not in known:
        return ()
    if mapping is None:
        return (own,)
    at = known.index(own)
    first = 0 if mapping.first is None else max(at + mapping.first, 0)
    last = len(known) if mapping.last is None else at + mapping.last + 1
    return known[first : max(last, 0)]


def _known(dimension: Dimension, key: str, horizon: Horizon) -> str:
    """`key`, if the dimension lists it or reads its keys from production, where it may be later."""
    if isinstance(dimension, Keys) and dimension.of is not None:
        return key
    return dimension.canonical(key, horizon)
