"""What the rest of Millgate asks of the catalog, as records of the model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from millgate.errors import DeclarationError, did_you_mean
from millgate.lineage.columns import live_schemas, read_schemas, recorded_columns, united
from millgate.lineage.fetch import digits, ids_table, keys_table, many, named_rows, offered, rows
from millgate.model.record import (
    InputVersion,
    LiveVersion,
    Materialization,
    SourceFile,
)
from millgate.model.schema import Schema

if TYPE_CHECKING:
    import duckdb

PartitionId = tuple[str, str]
Partitioning = tuple[tuple[str, ...], str | None, str | None]
"""Dimensions, grain and time zone of an asset; the last two are None where it has no time."""


@dataclass(frozen=True)
class Partitioned:
    """How something was partitioned: a key that exists of it, and where its window was."""

    by: Partitioning
    key: str
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True)
class Overtaken:
    """A partition that is not as a run found it, and the run that changed it."""

    asset: str
    partition: str
    run: int


@dataclass(frozen=True)
class OpenEntry:
    """An open quarantine entry; `path` and `schema` are those of the quarantined file."""

    materialization: int
    asset: str
    partition: str
    scope: str
    rows: int
    bytes: int
    path: str
    quarantined_at: datetime
    judgement: int
    schema: Schema


def asset_names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The names of all declared assets and sources, sorted."""
    found = rows(connection, "SELECT asset FROM lineage.assets WHERE declared ORDER BY asset")
    return [name for (name,) in found]


def inputs_of(
    connection: duckdb.DuckDBPyConnection, ids: Collection[int]
) -> dict[int, tuple[InputVersion, ...]]:
    """The versions that each of the materializations was made from."""
    found: dict[int, list[InputVersion]] = {id_: [] for id_ in ids}
    with offered(connection, wanted=ids_table(ids)):
        for downstream, *values in many(
            connection,
            "SELECT e.downstream, u.materialization, u.asset, u.partition, "
            f"{digits('u.data_hash')}, e.kind = 'pinned' AS pinned "
            "FROM hot.materialization_edges e JOIN wanted w ON w.id = e.downstream "
            "JOIN hot.materializations u ON u.materialization = e.upstream "
            "WHERE e.kind IN ('data', 'pinned') ORDER BY e.downstream, u.asset, u.partition",
        ):
            found[downstream].append(InputVersion(*values))
    return {id_: tuple(inputs) for id_, inputs in found.items()}


def references_of(
    connection: duckdb.DuckDBPyConnection, ids: Collection[int]
) -> dict[int, tuple[InputVersion, ...]]:
    """The versions that the gate looked at when it last judged each of the materializations."""
    found: dict[int, list[InputVersion]] = {id_: [] for id_ in ids}
    with offered(connection, wanted=ids_table(ids)):
        for judged, *values in many(
            connection,
            "SELECT j.materialization AS judged, u.materialization, u.asset, u.partition, "
            f"{digits('u.data_hash')} "
            "FROM hot.judgements j JOIN wanted w ON w.id = j.materialization AND j.in_force "
            "JOIN hot.judgement_edges e ON e.judgement = j.judgement "
            "JOIN hot.materializations u ON u.materialization = e.upstream "
            "ORDER BY j.materialization, u.asset, u.partition",
        ):
            found[judged].append(InputVersion(*values))
    return {id_: tuple(inputs) for id_, inputs in found.items()}


def conflicts(
    connection: duckdb.DuckDBPyConnection, expected: Mapping[PartitionId, int | None]
) -> list[Overtaken]:
    """The partitions of which something else is live than expected (None: nothing is)."""
    if not expected:
        return []
    keys = keys_table(expected)
    live = pl.Series("expected", list(expected.values()), pl.Int64)
    planned = keys.with_columns(live)
    with offered(connection, planned=planned):
        found = rows(
            connection,
            "WITH overtaken AS (SELECT x.asset, x.partition FROM planned x "
            "LEFT JOIN lineage.production p ON p.asset = x.asset AND p.partition = x.partition "
            "WHERE p.materialization IS DISTINCT FROM x.expected) "
            "SELECT o.asset, o.partition, max_by(r.run, r.promotion) FROM overtaken o "
            "JOIN hot.promotions r ON r.asset = o.asset AND r.partition = o.partition "
            "GROUP BY o.asset, o.partition ORDER BY o.asset, o.partition",
        )
    return [Overtaken(*row) for row in found]


def partitionings(connection: duckdb.DuckDBPyConnection) -> dict[str, Partitioned]:
    """How each asset of which something is live or waits in quarantine was partitioned then."""
    found = rows(
        connection,
        "WITH newest AS (SELECT asset, max(materialization) AS materialization FROM ("
        "SELECT asset, materialization FROM lineage.production UNION ALL "
        "SELECT asset, materialization FROM hot.quarantine WHERE status = 'held') "
        "GROUP BY asset) "
        "SELECT a.asset, a.dimensions, a.grain, a.time_zone, m.partition, m.window_start, "
        "m.window_end FROM lineage.assets a JOIN newest n ON n.asset = a.asset "
        "JOIN hot.materializations m ON m.materialization = n.materialization "
        "WHERE a.kind = 'asset'",
    )
    return {
        asset: Partitioned((tuple(names), grain, zone), *example)
        for asset, names, grain, zone, *example in found
    }


def partitioning(connection: duckdb.DuckDBPyConnection, asset: str) -> Partitioning:
    """How an asset was partitioned when it was last declared."""
    query = "SELECT dimensions, grain, time_zone FROM lineage.assets WHERE asset = ?"
    found = rows(connection, query, [asset])
    return (tuple(found[0][0]), *found[0][1:]) if found else ((), None, None)


def live_versions(connection: duckdb.DuckDBPyConnection, asset: str) -> list[LiveVersion]:
    """The live versions of an asset, in key order."""
    return all_live_versions(connection, [asset])[asset]


def all_live_versions(
    connection: duckdb.DuckDBPyConnection, assets: Collection[str]
) -> dict[str, list[LiveVersion]]:
    """The live versions of each of some assets, in key order."""
    return _versions(
        connection,
        f"SELECT p.asset, p.partition, p.materialization, m.path, {digits('m.schema_hash')}, "
        "m.rows FROM lineage.production p "
        "JOIN hot.materializations m ON m.materialization = p.materialization "
        "WHERE p.asset IN ({assets}) AND m.asset IN ({assets}) ORDER BY p.asset, p.partition",
        assets,
    )


def existing_keys(connection: duckdb.DuckDBPyConnection, asset: str) -> list[str]:
    """The keys of which something is live or waits in quarantine, sorted."""
    found = rows(
        connection,
        "SELECT partition FROM lineage.production WHERE asset = $1 UNION "
        "SELECT partition FROM hot.quarantine WHERE asset = $1 AND status = 'held' "
        "ORDER BY partition",
        [asset],
    )
    return [key for (key,) in found]


def live_paths(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Where the live versions of all assets lie, declared or not: asset and path."""
    found = rows(
        connection,
        "SELECT p.asset, m.path FROM lineage.production p "
        "JOIN hot.materializations m ON m.materialization = p.materialization "
        "WHERE m.location = 'versions'",
    )
    return [(asset, path) for asset, path in found]


def quarantine_files(connection: duckdb.DuckDBPyConnection, asset: str) -> list[LiveVersion]:
    """The files that `quarantine.<asset>` shows: the open entries of an asset, in key order."""
    return all_quarantine_files(connection, [asset])[asset]


def all_quarantine_files(
    connection: duckdb.DuckDBPyConnection, assets: Collection[str]
) -> dict[str, list[LiveVersion]]:
    """The files of the open entries of each of some assets, in key order."""
    return _versions(
        connection,
        f"SELECT asset, partition, materialization, path, {digits('schema_hash')}, rows "
        "FROM hot.quarantine WHERE asset IN ({assets}) AND status = 'held' "
        "ORDER BY asset, partition",
        assets,
    )


def live_schema(connection: duckdb.DuckDBPyConnection, asset: str) -> Schema | None:
    """The columns of what is live of an asset, None where nothing is.

    Each has the type that holds the values of every partition; where no type does, that of the
    version made first.
    """
    return all_live_schemas(connection, [asset]).get(asset)


def all_live_schemas(
    connection: duckdb.DuckDBPyConnection, assets: Collection[str]
) -> dict[str, Schema | None]:
    """The columns of what is live of each of some assets of which something is."""
    found = live_schemas(connection, assets)
    return {asset: united(schemas, "first") for asset, schemas in found.items()}


def last_promoter(connection: duckdb.DuckDBPyConnection, asset: str) -> int:
    """The run that last changed what is live of an asset."""
    query = "SELECT max_by(run, promotion) FROM hot.promotions WHERE asset = ?"
    return int(rows(connection, query, [asset])[0][0])


def last_schema(connection: duckdb.DuckDBPyConnection, asset: str) -> Schema | None:
    """The columns of an asset when something of it was last live; None if nothing ever was."""
    return recorded_columns(connection, [asset]).get(asset)


def open_entry(
    connection: duckdb.DuckDBPyConnection, asset: str, partition: str
) -> OpenEntry | None:
    """The open quarantine entry of a partition: there is at most one."""
    found = named_rows(
        connection,
        "SELECT materialization, asset, partition, scope, rows, bytes, path, quarantined_at, "
        "judgement, schema_hash FROM hot.quarantine "
        "WHERE asset = ? AND partition = ? AND status = 'held'",
        [asset, partition],
    )
    if not found:
        return None
    return OpenEntry(**_with_schema(connection, found[0]))


def materialization(connection: duckdb.DuckDBPyConnection, id_: int) -> Materialization | None:
    """A version as it is on record, with its inputs and files; None if it is not."""
    found = named_rows(
        connection,
        "SELECT materialization AS id, asset, partition, window_start, window_end, run, step, "
        f"kind, derived_from, {digits('code_fingerprint')} AS code_fingerprint, "
        f"{digits('input_fingerprint')} AS input_fingerprint, "
        f"{digits('data_hash')} AS data_hash, "
        "schema_hash, rows, bytes, location, path, created_at "
        "FROM lineage.materializations WHERE materialization = ?",
        [id_],
    )
    if not found:
        return None
    files = rows(
        connection,
        "SELECT path, bytes, modified_at, content_hash FROM lineage.source_files "
        "WHERE materialization = ? ORDER BY path",
        [id_],
    )
    return Materialization(
        **_with_schema(connection, found[0]),
        inputs=inputs_of(connection, [id_])[id_],
        files=tuple(SourceFile(*file) for file in files),
    )


def served_views(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """The schema and name of each view that serves rows: `production` and `quarantine`."""
    return [
        (schema, name)
        for schema, name in rows(
            connection,
            "SELECT schema_name, view_name FROM duckdb_views() "
            "WHERE schema_name IN ('production', 'quarantine') ORDER BY schema_name, view_name",
        )
    ]


def view_texts(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    """The SQL of each of these views, by schema and name."""
    found = rows(
        connection,
        "SELECT schema_name, view_name, sql FROM duckdb_views() "
        "WHERE schema_name IN ('production', 'quarantine')",
    )
    return {(schema, name): text for schema, name, text in found}


def source_files(connection: duckdb.DuckDBPyConnection) -> dict[str, SourceFile]:
    """The files of every source as they were last observed, by path."""
    found = rows(
        connection,
        "SELECT f.path, f.bytes, f.modified_at, f.content_hash FROM hot.source_files f "
        "JOIN lineage.production p ON p.materialization = f.materialization "
        "ORDER BY f.materialization",
    )
    return {row[0]: SourceFile(*row) for row in found}


def distinct_values(connection: duckdb.DuckDBPyConnection, column: str) -> list[str] | None:
    """The live values of `asset.column` as text, sorted; None where nothing is live.

    Raises DeclarationError if the asset has no such column.
    """
    asset, _, name = column.partition(".")
    if not rows(connection, "SELECT 1 FROM lineage.production WHERE asset = ? LIMIT 1", [asset]):
        return None
    view = f"production.{_quoted(asset)}"
    known = [row[0] for row in rows(connection, f"DESCRIBE {view}")]
    if name.casefold() not in {k.casefold() for k in known}:
        raise DeclarationError(
            f"{asset} has no column {name!r}",
            where=f"Keys(of={column!r})",
            fix=did_you_mean(name, known, f"columns are: {', '.join(known)}"),
        )
    found = rows(
        connection,
        f"SELECT DISTINCT {_quoted(name)}::VARCHAR AS value FROM {view} "
        "WHERE value IS NOT NULL ORDER BY value",
    )
    return [value for (value,) in found]


def _versions(
    connection: duckdb.DuckDBPyConnection, query: str, assets: Collection[str]
) -> dict[str, list[LiveVersion]]:
    """What a query on `{assets}` finds, by asset; constants, so that it skips all other rows."""
    by_asset: dict[str, list[LiveVersion]] = {asset: [] for asset in assets}
    if not by_asset:
        return by_asset
    listed = ", ".join(f"${number}" for number in range(1, len(by_asset) + 1))
    found = list(many(connection, query.replace("{assets}", listed), list(by_asset)))
    schemas = read_schemas(connection, {row[4] for row in found})
    for asset, key, id_, path, hash_, count in found:
        by_asset[asset].append(LiveVersion(key, id_, path, schemas[hash_], count))
    return by_asset


def _with_schema(connection: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> dict[str, Any]:
    """A row with its schema in the place of the hash."""
    hash_ = row["schema_hash"]
    kept = {name: value for name, value in row.items() if name != "schema_hash"}
    return {**kept, "schema": read_schemas(connection, [hash_])[hash_]}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
