"""What is live must be partitioned as its asset is declared: its files lie by those keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from millgate.errors import BadKey, DeclarationError
from millgate.lineage import queries
from millgate.lineage.queries import Partitioned
from millgate.model.asset import Asset
from millgate.model.dimension import Dimension, Keys
from millgate.model.grain import Daily, Hourly, Monthly, TimeDimension, Weekly
from millgate.model.partition import Partitions, split
from millgate.model.record import Materialization
from millgate.store.layout import dimensions_of

if TYPE_CHECKING:
    import duckdb

    from millgate.lineage.queries import Partitioning

_GRAINS: Mapping[str, type[TimeDimension]] = {
    kind.grain: kind for kind in (Hourly, Daily, Weekly, Monthly)
}


@dataclass(frozen=True)
class Difference:
    """Two partitionings in words: what exists was `made` by one, the other is `declared`."""

    made: str
    declared: str


def check_partitionings(
    connection: duckdb.DuckDBPyConnection,
    assets: Mapping[str, Asset],
    swapped: Collection[str] = frozenset(),
) -> None:
    """Raise DeclarationError for an asset that was made under another partitioning.

    Those that are `swapped` are made anew by the run that asks.
    """
    for name, differs in differences(connection, assets).items():
        if name in swapped:
            continue
        raise DeclarationError(
            f"{name} is now partitioned {differs.declared}, "
            f"and what exists of it was made {differs.made}",
            where=assets[name].defined_in,
            fix=f"millgate plan {name} --repartition shows the change; or go back to that "
            "partitioning, or give the new one a new name; nothing is lost",
        )


def differences(
    connection: duckdb.DuckDBPyConnection, assets: Mapping[str, Asset]
) -> dict[str, Difference]:
    """The assets of which something exists that was made under another partitioning."""
    found: dict[str, Difference] = {}
    same: set[tuple[Partitioned, Partitions]] = set()
    for name, made in sorted(queries.partitionings(connection).items()):
        if name not in assets or (pair := (made, assets[name].partitions)) in same:
            continue
        differs = difference(*pair)
        if differs is None:
            same.add(pair)
        else:
            found[name] = differs
    return found


def difference(made: Partitioned, declared: Partitions) -> Difference | None:
    """What is another partitioning than the declared one; None where it is the same.

    No column says which offset windows had, but every version says when its own began.
    """
    now = _partitioning(declared)
    if made.by != now:
        return Difference(_told(made.by), _told(now))
    if made.start is None or made.end is None:
        return None
    try:
        partition = declared.partition("", made.key)
    except BadKey:
        return Difference(f"{_told(made.by)} with the key {made.key}", f"{_told(now)} without it")
    if partition.start is None or (partition.start, partition.end) == (made.start, made.end):
        return None
    return Difference(
        f"{_told(made.by)} with {made.key} from {made.start:%Y-%m-%d %H:%M} UTC",
        f"{_told(now)} with {made.key} from {partition.start:%Y-%m-%d %H:%M} UTC",
    )


def was_made_otherwise(version: Materialization, declared: Partitions) -> bool:
    """Whether a version lies by other dimensions, or is of another window, than is declared."""
    by = (dimensions_of(version.path), *_partitioning(declared)[1:])
    made = Partitioned(by, version.partition, version.window_start, version.window_end)
    return difference(made, declared) is not None


def partitions_of(
    asset: str,
    assets: Mapping[str, Asset],
    connection: duckdb.DuckDBPyConnection,
    keys: Sequence[str] | None = None,
    names: tuple[str, ...] | None = None,
) -> Partitions:
    """How an asset is partitioned; where it is no longer declared, by what is on record.

    `keys` are those that the partitioning must have, without them those that exist. `names` are
    the dimensions that versions lie by, where these were partitioned otherwise than since.
    """
    if asset in assets:
        return assets[asset].partitions
    recorded, grain, _ = queries.partitioning(connection, asset)
    if names is None:
        names = recorded
    elif names != recorded:
        grain = next((name for name in names if name in _GRAINS), None)
    existing = queries.existing_keys(connection, asset) if keys is None else keys
    columns = list(zip(*map(split, existing), strict=True))
    dimensions: list[Dimension] = []
    for name, keys in zip(names, columns, strict=True):
        kind = _GRAINS.get(grain or "")
        if kind is not None and (name == grain or grain not in names) and _are_of(kind, keys):
            dimensions.append(kind(keys[0], name=name))
            grain = None
        else:
            dimensions.append(Keys(*keys, name=name))
    return Partitions(tuple(dimensions))


def _are_of(kind: type[TimeDimension], keys: Sequence[str]) -> bool:
    try:
        dimension = kind(keys[0])
        return all(dimension.key(dimension.ordinal(key)) == key for key in keys)
    except (ValueError, OverflowError, DeclarationError):
        return False


def _partitioning(partitions: Partitions) -> Partitioning:
    time = partitions.time
    return (partitions.names, time.grain if time else None, time.tz if time else None)


def _told(partitioning: Partitioning) -> str:
    names, grain, zone = partitioning
    if not names:
        return "as a whole"
    time = f" (each {grain}, {zone})" if grain else ""
    return f"by {' and '.join(names)}{time}"
