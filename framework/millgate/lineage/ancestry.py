"""What is made from what: assets from assets, versions from versions."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from millgate.lineage.fetch import ids_table, offered, records, rows

if TYPE_CHECKING:
    import duckdb

Toward = Literal["upstream", "downstream"]


@dataclass(frozen=True)
class LineageAsset:
    """An asset and its distance from those asked for: negative upstream, positive downstream."""

    asset: str
    kind: str
    owner: str | None
    asset_group: str
    declared: bool
    depth: int


@dataclass(frozen=True)
class LineageEdge:
    """A row of `lineage.asset_edges`."""

    upstream: str
    downstream: str
    kind: str
    mapping: str


@dataclass(frozen=True)
class AssetLineage:
    """Assets with the edges between them."""

    assets: tuple[LineageAsset, ...]
    edges: tuple[LineageEdge, ...]


@dataclass(frozen=True)
class TracedVersion:
    """A version in a trace."""

    materialization: int
    asset: str
    partition: str
    kind: str
    run: int
    rows: int
    data_hash: str | None
    location: str
    path: str
    created_at: datetime
    live: bool


@dataclass(frozen=True)
class VersionEdge:
    """A row of `lineage.materialization_edges`."""

    upstream: int
    downstream: int
    kind: str


@dataclass(frozen=True)
class SourceFileRow:
    """A row of `lineage.source_files`."""

    materialization: int
    path: str
    bytes: int
    modified_at: datetime
    content_hash: str


@dataclass(frozen=True)
class Trace:
    """Versions with the edges between them and the source files they go back to."""

    versions: tuple[TracedVersion, ...]
    edges: tuple[VersionEdge, ...]
    files: tuple[SourceFileRow, ...]


def asset_lineage(
    connection: duckdb.DuckDBPyConnection, assets: Collection[str] | None = None
) -> AssetLineage:
    """The named assets with all that is upstream and downstream of them; everything unnamed.

    An asset that lies on both sides of those asked for has its distance upstream.
    """
    edges = records(
        connection, LineageEdge, "FROM lineage.asset_edges ORDER BY downstream, upstream, kind"
    )
    if assets is None:
        depths = dict.fromkeys(
            (n for (n,) in rows(connection, "SELECT asset FROM lineage.assets WHERE declared")), 0
        )
    else:
        down = _distances(assets, ((e.upstream, e.downstream) for e in edges))
        up = _distances(assets, ((e.downstream, e.upstream) for e in edges))
        depths = down | {asset: -depth for asset, depth in up.items()}
    described = records(
        connection,
        LineageAsset,
        "SELECT asset, kind, owner, asset_group, declared, 0 AS depth FROM lineage.assets "
        "ORDER BY asset",
    )
    known = [
        LineageAsset(a.asset, a.kind, a.owner, a.asset_group, a.declared, depths[a.asset])
        for a in described
        if a.asset in depths
    ]
    return AssetLineage(
        tuple(sorted(known, key=lambda a: (a.depth, a.asset))),
        tuple(e for e in edges if e.upstream in depths and e.downstream in depths),
    )


def trace(
    connection: duckdb.DuckDBPyConnection, materialization: int, toward: Toward = "upstream"
) -> Trace:
    """A version with every version that it was made from, or that was made from it.

    Empty if there is no such version; the version itself comes first.
    """
    here, there = ("downstream", "upstream") if toward == "upstream" else ("upstream", "downstream")
    found = rows(
        connection,
        "WITH RECURSIVE w(id) AS (SELECT ?::BIGINT UNION "
        f"SELECT e.{there} FROM lineage.materialization_edges e JOIN w ON e.{here} = w.id) "
        "SELECT id FROM w",
        [materialization],
    )
    with offered(connection, traced=ids_table([id_ for (id_,) in found])):
        versions = records(
            connection,
            TracedVersion,
            "SELECT m.materialization, m.asset, m.partition, m.kind, m.run, m.rows, m.data_hash, "
            "m.location, m.path, m.created_at, p.materialization IS NOT NULL AS live "
            "FROM lineage.materializations m JOIN traced t ON t.id = m.materialization "
            "LEFT JOIN lineage.production p ON p.materialization = m.materialization "
            "ORDER BY m.materialization <> ?, m.asset, m.partition, m.materialization",
            [materialization],
        )
        edges = records(
            connection,
            VersionEdge,
            "SELECT e.* FROM lineage.materialization_edges e "
            "WHERE e.upstream IN (SELECT id FROM traced) "
            "AND e.downstream IN (SELECT id FROM traced) ORDER BY e.downstream, e.upstream",
        )
        files = records(
            connection,
            SourceFileRow,
            "SELECT f.* FROM lineage.source_files f JOIN traced t ON t.id = f.materialization "
            "ORDER BY f.materialization, f.path",
        )
    return Trace(tuple(versions), tuple(edges), tuple(files))


def live_materialization(
    connection: duckdb.DuckDBPyConnection, asset: str, partition: str
) -> int | None:
    """The version that is live of a partition, None if nothing is."""
    found = rows(
        connection,
        "SELECT materialization FROM lineage.production WHERE asset = ? AND partition = ?",
        [asset, partition],
    )
    return found[0][0] if found else None


def _distances(start: Collection[str], pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The number of edges from `start` to each asset that can be reached."""
    beyond: dict[str, list[str]] = defaultdict(list)
    for here, there in pairs:
        beyond[here].append(there)
    distances = dict.fromkeys(start, 0)
    pending = deque(start)
    while pending:
        asset = pending.popleft()
        for other in beyond[asset]:
            if other not in distances:
                distances[other] = distances[asset] + 1
                pending.append(other)
    return distances
