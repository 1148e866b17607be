"""Which partition or asset a person means, from what is on record; imports `assets/` only to say
what is wrong with a key that nothing is on record of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from millgate.errors import UnknownAsset, UsageError, did_you_mean
from millgate.model.dimension import NAME, Horizon
from millgate.model.partition import UNPARTITIONED

if TYPE_CHECKING:
    import duckdb

    from millgate.project import Project


def find_partition(
    project: Project, connection: duckdb.DuckDBPyConnection, target: str
) -> tuple[str, str]:
    """Asset and key of the one partition that `target` names.

    Raises UnknownAsset, BadKey, or UsageError where a key is needed and not given.
    """
    asset, _, key = target.partition("@")
    known = _recorded(connection)
    if asset not in known:
        known = {name: "" for name in project.graph.order}
    if asset not in known:
        raise unknown_asset(asset, target, known)
    if not key and known[asset]:
        raise UsageError(
            f"{asset} has partitions, and none is named",
            where=target,
            fix=f"name one, such as {asset}@{known[asset]}",
        )
    if key and not _has_record(connection, asset, key):
        horizon = Horizon(project.clock(), {})
        key = project.graph[asset].partitions.canonical(key, horizon)
    return asset, key or UNPARTITIONED


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


def unknown_asset(name: str, target: str, known: object) -> UnknownAsset:
    """The error for a name that no asset has."""
    names = list(known) if isinstance(known, dict) else []
    return UnknownAsset(
        f'no asset "{name}"',
        where=f"selection {target}, character 1",
        fix=did_you_mean(name, names, "all names: millgate list"),
    )


def _recorded(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Every asset on record with an example of a key, empty where it is unpartitioned."""
    found = connection.execute(
        "SELECT a.asset, coalesce(max(p.partition), any_value(a.last_key), a.dimensions[1], '') "
        "FROM lineage.assets a LEFT JOIN lineage.production p ON p.asset = a.asset "
        "GROUP BY a.asset, a.dimensions ORDER BY a.asset"
    )
    return dict(found.fetchall())


def _has_record(connection: duckdb.DuckDBPyConnection, asset: str, key: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM lineage.steps WHERE asset = $1 AND partition = $2 "
        "UNION ALL SELECT 1 FROM lineage.materializations WHERE asset = $1 AND partition = $2 "
        "LIMIT 1",
        [asset, key],
    )
    return found.fetchone() is not None
