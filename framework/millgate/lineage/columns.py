"""The columns of assets: schemas on record, what is live taken together, `lineage.columns`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

import polars as pl

from millgate.lineage.fetch import insert, offered, rows, texts
from millgate.lineage.rows import schema_rows
from millgate.model.schema import Column, Schema, widened

if TYPE_CHECKING:
    import duckdb


UNKNOWN = Schema(())
"""Stands for columns that have to be looked up: what enters production has at least one."""


def united(schemas: Iterable[Schema], clash: Literal["first", "text"]) -> Schema | None:
    """The columns of all, each with a type that holds every value; None of no schema.

    Where no type does, the column keeps the type seen first, or becomes text.

    >>> a, b = Schema((Column("n", "INTEGER"),)), Schema((Column("n", "BIGINT"),))
    >>> united([a, b, Schema((Column("n", "DATE"),))], "first").types
    {'n': 'BIGINT'}
    """
    types: dict[str, str] | None = None
    for schema in schemas:
        types = {} if types is None else types
        for column in schema:
            old = types.get(column.name, column.type)
            types[column.name] = widened(old, column.type) or (
                old if clash == "first" else "VARCHAR"
            )
    return None if types is None else Schema(tuple(Column(n, t) for n, t in types.items()))


def read_schemas(
    connection: duckdb.DuckDBPyConnection, hashes: Collection[str]
) -> dict[str, Schema]:
    """Schemas by hash. A hash without columns is the schema of a source."""
    if not hashes:
        return {}
    found: dict[str, list[Column]] = {hash_: [] for hash_ in hashes}
    wanted = texts(wanted=sorted(found))
    with offered(connection, wanted_schemas=wanted):
        for hash_, name, type_ in rows(
            connection,
            "SELECT schema_hash, column_name, type FROM lineage.schemas "
            "WHERE schema_hash IN (SELECT wanted::UUID FROM wanted_schemas) "
            "ORDER BY schema_hash, position",
        ):
            found[hash_].append(Column(name, type_))
    return {hash_: Schema(tuple(columns)) for hash_, columns in found.items()}


def live_schemas(
    connection: duckdb.DuckDBPyConnection, assets: Collection[str]
) -> dict[str, list[Schema]]:
    """The distinct schemas of what is live of each asset, the one made first before the others."""
    found = rows(
        connection,
        "SELECT p.asset, m.schema_hash FROM lineage.production p "
        "JOIN hot.materializations m ON m.materialization = p.materialization "
        "WHERE p.asset IN (SELECT unnest(?::VARCHAR[])) "
        "GROUP BY p.asset, m.schema_hash ORDER BY min(m.materialization)",
        [list(assets)],
    )
    schemas = read_schemas(connection, {hash_ for _, hash_ in found})
    by_asset: dict[str, list[Schema]] = defaultdict(list)
    for asset, hash_ in found:
        by_asset[asset].append(schemas[hash_])
    return by_asset


def recorded_columns(
    connection: duckdb.DuckDBPyConnection, assets: Collection[str]
) -> dict[str, Schema]:
    """What `lineage.columns` says of each asset."""
    found = rows(
        connection,
        "SELECT asset, column_name, type FROM lineage.columns "
        "WHERE asset IN (SELECT unnest(?::VARCHAR[])) ORDER BY asset, position",
        [list(assets)],
    )
    columns: dict[str, list[Column]] = defaultdict(list)
    for asset, name, type_ in found:
        columns[asset].append(Column(name, type_))
    return {asset: Schema(tuple(listed)) for asset, listed in columns.items()}


def write_schemas(connection: duckdb.DuckDBPyConnection, schemas: Iterable[Schema]) -> None:
    """Enter the schemas that are not on record."""
    new = schema_rows(schemas)
    if new.height:
        insert(
            connection,
            "schemas",
            new,
            "SELECT * FROM added "
            "WHERE schema_hash::UUID NOT IN (SELECT schema_hash FROM lineage.schemas)",
        )


def refresh_columns(
    connection: duckdb.DuckDBPyConnection, entered: Mapping[str, Collection[Schema]]
) -> None:
    """Make `lineage.columns` tell of what is live, where `entered` may have changed that.

    `entered` has the schemas that entered production by asset: UNKNOWN for a version that was on
    record before, none for an asset from which something was only withdrawn.
    """
    recorded = recorded_columns(connection, entered)
    # If all that entered has just the recorded columns, then so has the whole.
    changed = {a for a, new in entered.items() if {recorded.get(a)} != set(new)}
    if not changed:
        return
    live = live_schemas(connection, changed)
    # Newest first, as production.<asset> shows them.
    now = {asset: united(reversed(schemas), "text") for asset, schemas in live.items()}
    listed = [
        (asset, position, column)
        for asset, schema in now.items()
        if schema is not None and schema != recorded.get(asset)
        for position, column in enumerate(schema, 1)
    ]
    if not listed:
        return
    table = texts(
        asset=[asset for asset, _, _ in listed],
        column_name=[column.name for _, _, column in listed],
        type=[column.type for _, _, column in listed],
    ).with_columns(position=pl.Series([place for _, place, _ in listed], dtype=pl.Int32))
    connection.execute(
        "DELETE FROM lineage.columns WHERE asset IN (SELECT unnest(?::VARCHAR[]))",
        [sorted({asset for asset, _, _ in listed})],
    )
    insert(connection, "columns", table)
