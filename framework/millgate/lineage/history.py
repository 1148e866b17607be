"""What was in production at other times: what went back, and what can."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from millgate.lineage.columns import read_schemas
from millgate.lineage.fetch import ids_table, many, offered, rows
from millgate.lineage.rows import utc
from millgate.model.record import LiveVersion
from millgate.model.state import Left

if TYPE_CHECKING:
    import duckdb

PartitionId = tuple[str, str]


@dataclass(frozen=True)
class Entered:
    """A version that was in production once.

    `path` is where it lies below `versions`, `judgement` the one that let it in; `removed` says
    that its file was taken away on purpose.
    """

    materialization: int
    asset: str
    partition: str
    path: str
    data_hash: str
    judgement: int | None
    removed: bool


def left_versions(
    connection: duckdb.DuckDBPyConnection, assets: Collection[str]
) -> dict[str, dict[str, frozenset[Left]]]:
    """What partitions were rolled back from and are not to be made again, by asset and key."""
    found: dict[str, dict[str, set[Left]]] = defaultdict(lambda: defaultdict(set))
    if not rows(connection, "SELECT 1 FROM hot.promotions WHERE kind = 'rollback' LIMIT 1"):
        return {}
    for asset, key, code, inputs in rows(
        connection,
        "SELECT b.asset, b.partition, m.code_fingerprint, m.input_fingerprint "
        "FROM lineage.rolled_back b "
        "JOIN hot.materializations m ON m.materialization = b.left_materialization "
        "WHERE list_contains(?::VARCHAR[], b.asset)",
        [list(assets)],
    ):
        found[asset][key].add(Left(code, inputs))
    return {a: {k: frozenset(left) for k, left in keys.items()} for a, keys in found.items()}


def snapshot_at(connection: duckdb.DuckDBPyConnection, moment: datetime) -> int | None:
    """The snapshot that was the current one at a moment; None before the first."""
    query = "SELECT max(snapshot) FROM lineage.snapshots WHERE committed_at <= ?"
    found: int | None = rows(connection, query, [utc(moment)])[0][0]
    return found


def committed_at(connection: duckdb.DuckDBPyConnection, snapshot: int) -> datetime | None:
    """When a snapshot was made; None if it is not on record."""
    query = "SELECT committed_at FROM lineage.snapshots WHERE snapshot = ?"
    found = rows(connection, query, [snapshot])
    return found[0][0] if found else None


def first_snapshot(connection: duckdb.DuckDBPyConnection) -> tuple[int, datetime]:
    """The first snapshot and when it was made."""
    query = "SELECT snapshot, committed_at FROM lineage.snapshots ORDER BY snapshot LIMIT 1"
    number, moment = rows(connection, query)[0]
    return number, moment


def live_then(
    connection: duckdb.DuckDBPyConnection, assets: Collection[str], snapshot: int | None = None
) -> dict[PartitionId, int | None]:
    """What was live in a snapshot, the current one if none is given, by partition.

    A partition that had left production by then has None; one that never entered has no entry.
    """
    return {
        (asset, key): version
        for asset, key, version in rows(
            connection,
            "SELECT asset, partition, materialization FROM lineage.promotions "
            "WHERE list_contains($1::VARCHAR[], asset) "
            "AND snapshot <= coalesce($2::BIGINT, snapshot) "
            "QUALIFY promotion = max(promotion) OVER (PARTITION BY asset, partition) "
            "ORDER BY asset, partition",
            [list(assets), snapshot],
        )
    }


def live_before(
    connection: duckdb.DuckDBPyConnection, assets: Collection[str]
) -> dict[PartitionId, int | None]:
    """What was live before what each partition has now; None where nothing was."""
    return {
        (asset, key): version
        for asset, key, version in rows(
            connection,
            "SELECT asset, partition, previous FROM lineage.promotions "
            "WHERE list_contains(?::VARCHAR[], asset) "
            "QUALIFY promotion = max(promotion) OVER (PARTITION BY asset, partition) "
            "ORDER BY asset, partition",
            [list(assets)],
        )
    }


def entered(connection: duckdb.DuckDBPyConnection, ids: Collection[int]) -> dict[int, Entered]:
    """Those of the versions that were in production once."""
    with offered(connection, wanted=ids_table(ids)):
        return _entered(connection, "JOIN wanted w ON w.id = m.materialization", [])


def entered_of(
    connection: duckdb.DuckDBPyConnection, asset: str, keys: Collection[str]
) -> dict[int, Entered]:
    """The versions of some partitions of an asset that were in production once."""
    where = "WHERE m.asset = $1 AND list_contains($2::VARCHAR[], m.partition)"
    return _entered(connection, where, [asset, list(keys)])


def assets_made(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Every asset of which something was live once, declared or not; no sources."""
    found = rows(
        connection,
        "SELECT DISTINCT asset FROM lineage.promotions WHERE kind <> 'observe' ORDER BY asset",
    )
    return [asset for (asset,) in found]


def existing_assets(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The assets and sources of which something is live or waits in quarantine, sorted."""
    found = rows(
        connection,
        "SELECT asset FROM lineage.production UNION "
        "SELECT asset FROM lineage.quarantine WHERE status = 'held' ORDER BY asset",
    )
    return [name for (name,) in found]


def is_asset(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a name is that of an asset on record, and not of a source."""
    query = "SELECT 1 FROM lineage.assets WHERE asset = ? AND kind = 'asset'"
    return bool(rows(connection, query, [name]))


def versions(connection: duckdb.DuckDBPyConnection, ids: Collection[int]) -> dict[int, LiveVersion]:
    """Versions as views read them, by id."""
    with offered(connection, wanted=ids_table(ids)):
        found = rows(
            connection,
            "SELECT m.partition, m.materialization, m.path, m.schema_hash, m.rows "
            "FROM lineage.materializations m JOIN wanted w ON w.id = m.materialization",
        )
    schemas = read_schemas(connection, {row[3] for row in found})
    return {
        id_: LiveVersion(key, id_, path, schemas[hash_], n) for key, id_, path, hash_, n in found
    }


def closed_rows(
    connection: duckdb.DuckDBPyConnection, ids: Collection[int]
) -> list[tuple[int, str]]:
    """Of versions that come back, those whose rejected rows were superseded, with their file.

    None of a partition of which something else waits for a decision.
    """
    with offered(connection, back=ids_table(ids)):
        return list(
            many(
                connection,
                "SELECT q.materialization, q.path FROM lineage.quarantine q "
                "JOIN back b ON b.id = q.materialization "
                "WHERE q.scope = 'rows' AND q.status = 'superseded' AND NOT EXISTS ("
                "FROM lineage.quarantine h WHERE h.asset = q.asset AND h.partition = q.partition "
                "AND h.status = 'held' AND h.scope = 'partition') ORDER BY q.materialization",
            )
        )


def _entered(
    connection: duckdb.DuckDBPyConnection, which: str, parameters: Sequence[object]
) -> dict[int, Entered]:
    found = rows(
        connection,
        "SELECT m.materialization, m.asset, m.partition, m.path, m.data_hash, "
        "arg_min(p.judgement, p.promotion) AS judgement, m.removed_at IS NOT NULL AS removed "
        "FROM lineage.materializations m "
        "JOIN lineage.promotions p ON p.materialization = m.materialization "
        f"{which} GROUP BY ALL ORDER BY m.materialization",
        parameters,
    )
    return {row[0]: Entered(*row) for row in found}
