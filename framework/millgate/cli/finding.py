"""Which partition or asset a person means, from what is on record; imports `assets/` only to say
what is wrong with a key that nothing is on record of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from millgate.cli.drawing import declared_lineage
from millgate.errors import BadKey, UnknownAsset, UsageError, did_you_mean
from millgate.lineage.ancestry import AssetLineage, asset_lineage, live_materialization
from millgate.lineage.queries import distinct_values
from millgate.lineage.refusals import QuarantineRow, quarantine_list
from millgate.model.dimension import NAME, Horizon, Keys
from millgate.model.grain import TimeDimension
from millgate.model.partition import UNPARTITIONED, join, label
from millgate.model.record import read_id

if TYPE_CHECKING:
    import duckdb

    from millgate.cli.call import Call
    from millgate.project import Project

_VERSION = re.compile(r"\d+-\d+")
_SHOWN = 8
_EXAMPLE = 7
"""So many windows make an example of a range."""


def find_partition(
    project: Project, connection: duckdb.DuckDBPyConnection, target: str
) -> tuple[str, str]:
    """Asset and key of the one partition that `target` names.

    Raises UnknownAsset, BadKey, or UsageError where a key is needed and not given.
    """
    asset, _, key = target.partition("@")
    known = _recorded(connection)
    if asset not in known:
        known = dict.fromkeys(project.graph.order, "")
    if asset not in known:
        raise unknown_asset(asset, target, known)
    if not key and known[asset]:
        raise UsageError(
            f"{asset} has partitions, and none is named",
            where=target,
            fix=f"name one, such as {label(asset, _recorded_keys(connection, asset)[-1])}",
        )
    if key and not _has_record(connection, asset, key):
        key = _declared_key(project, connection, asset, key, target)
    return asset, key or UNPARTITIONED


def example_range(project: Project, selection: str) -> str:
    """A few keys of the first partitioned asset that a selection names, as on the command line.

    Empty where nothing is partitioned by keys that are declared.
    """
    horizon = Horizon(project.clock(), {})
    for name in project.select(selection):
        parts = []
        for dimension in project.graph[name].partitions:
            keys = dimension.keys(horizon)[-_EXAMPLE:]
            timed = isinstance(dimension, TimeDimension) and len(keys) > 1
            parts.append(f"{keys[0]}..{keys[-1]}" if timed else keys[0] if keys else "")
        if parts and all(parts):
            return join(parts)
    return ""


def _declared_key(
    project: Project, connection: duckdb.DuckDBPyConnection, asset: str, key: str, target: str
) -> str:
    """The key as the definition has it; BadKey names the asset and the keys that it has."""
    recorded = _recorded_keys(connection, asset)
    fix = did_you_mean(key, recorded, f"keys on record: {_few(recorded)}")
    if asset in project.graph.order:
        partitions = project.graph[asset].partitions
        columns = [d.of for d in partitions if isinstance(d, Keys) and d.of]
        found = {column: distinct_values(connection, column) for column in columns}
        listed = {column: values for column, values in found.items() if values}
        try:
            return partitions.canonical(key, Horizon(project.clock(), listed))
        except BadKey as error:
            if not partitions.dimensions:
                fix = f"leave it out: {asset}"
            elif len(listed) == len(columns):
                fix = error.fix
    raise BadKey(f"{asset} has no partition {key!r}", where=target, fix=fix)


def find_assets(
    project: Project, connection: duckdb.DuckDBPyConnection, selection: str
) -> frozenset[str] | None:
    """The assets that a selection names, None for all; a plain name is looked up on record."""
    if not selection:
        return None
    if "@" in selection:
        raise UsageError(
            "this command takes assets, not keys",
            where=selection,
            fix=f"millgate why {selection} tells of one partition",
        )
    if NAME.fullmatch(selection) and selection in _recorded(connection):
        return frozenset({selection})
    return frozenset(project.select(selection))


def find_entries(
    project: Project, connection: duckdb.DuckDBPyConnection, target: str, *, closed: bool
) -> list[QuarantineRow]:
    """The quarantine entries that a target names, open ones or all; of everything without one."""
    if "@" not in target:
        wanted = find_assets(project, connection, target)
        return quarantine_list(connection, wanted, closed=closed)
    named = project.keys_named(connection, target)
    entries = quarantine_list(connection, [*named], closed=closed)
    return [e for e in entries if (keys := named[e.asset]) is None or e.partition in keys]


def unknown_asset(name: str, target: str, known: Iterable[str]) -> UnknownAsset:
    """The error for a name that no asset has."""
    return UnknownAsset(
        f'no asset "{name}"',
        where=f"selection {target}, character 1",
        fix=did_you_mean(name, known, "all names: millgate list"),
    )


def _recorded(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Every asset on record with an example of a key, empty where it is unpartitioned."""
    found = connection.execute(
        "SELECT a.asset, coalesce(max(p.partition), any_value(a.last_key), a.dimensions[1], '') "
        "FROM lineage.assets a LEFT JOIN lineage.production p ON p.asset = a.asset "
        "GROUP BY a.asset, a.dimensions ORDER BY a.asset"
    )
    return dict(found.fetchall())


def _recorded_keys(connection: duckdb.DuckDBPyConnection, asset: str) -> list[str]:
    """The keys of an asset on record, else how one begins; never empty."""
    found = connection.execute(
        "SELECT DISTINCT partition FROM lineage.materializations WHERE asset = $1 UNION "
        "SELECT DISTINCT partition FROM lineage.steps WHERE asset = $1 ORDER BY partition",
        [asset],
    )
    return [key for (key,) in found.fetchall()] or [_recorded(connection).get(asset) or "KEY"]


def _few(keys: Sequence[str]) -> str:
    more = f", … ({len(keys):,} keys)" if len(keys) > _SHOWN else ""
    return ", ".join(keys[:_SHOWN]) + more


def _has_record(connection: duckdb.DuckDBPyConnection, asset: str, key: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM lineage.steps WHERE asset = $1 AND partition = $2 "
        "UNION ALL SELECT 1 FROM lineage.materializations WHERE asset = $1 AND partition = $2 "
        "LIMIT 1",
        [asset, key],
    )
    return found.fetchone() is not None


def find_version(call: Call, target: str) -> int | None:
    """The version that `118-45`, or the live one of a partition, means; None for assets."""
    if _VERSION.fullmatch(target):
        version = read_id(target)
        found = call.reading().execute(
            "SELECT 1 FROM lineage.materializations WHERE materialization = ?", [version]
        )
        if found.fetchone() is None:
            raise UsageError(
                f"no version {target}",
                where=target,
                fix="millgate why ASSET@KEY lists the versions of a partition",
            )
        return version
    if "@" not in target:
        return None
    connection = call.reading()
    asset, key = find_partition(call.open(), connection, target)
    live = live_materialization(connection, asset, key)
    if live is None:
        raise UsageError(
            f"nothing of {target} is live, so there is nothing to trace",
            where=target,
            fix=f"millgate why {target}",
        )
    return live


def find_lineage(call: Call, selection: str) -> tuple[AssetLineage, list[str]]:
    """The lineage that a selection of assets shows, and the asset in its focus, if one is named.

    Taken from the record; what is not on record yet, or more than a name, from `assets/`.
    """
    project = call.open()
    named = NAME.fullmatch(selection) is not None
    if project.warehouse.current() is not None and (named or not selection):
        connection = call.reading()
        if not selection or selection in _recorded(connection):
            wanted = [selection] if selection else None
            return asset_lineage(connection, wanted), [selection] if selection else []
    graph = project.graph
    if named and selection not in graph.order:
        raise unknown_asset(selection, selection, graph.order)
    names = frozenset(project.select(f"+{selection}+" if named else selection))
    return declared_lineage(graph, names), [selection] if named else []
