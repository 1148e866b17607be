"""Whether the rows of the catalog fit each other: there are no keys in the file that hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from millgate.lineage.columns import read_schemas
from millgate.lineage.fetch import HOT, many, records, rows
from millgate.model.schema import Schema

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class LiveFile:
    """A live version as it should lie on the disk; `path` is relative to `versions`."""

    asset: str
    partition: str
    materialization: int
    path: str
    rows: int
    data_hash: str
    schema: Schema

    @property
    def made_as(self) -> str:
        """What its asset was called when it was made: its file says so, and lies there."""
        return self.path.partition("/")[0]


@dataclass(frozen=True)
class RefusedFile:
    """The rows of a quarantine entry as they should lie below `quarantine`."""

    asset: str
    partition: str
    materialization: int
    path: str
    rows: int
    scope: str
    status: str


@dataclass(frozen=True)
class Unsound:
    """Rows that lack what they speak of: how many, and one of them."""

    what: str
    where: str
    count: int
    example: str


_KNOWN = "(SELECT materialization FROM lineage.materializations)"
_JUDGED = "(SELECT judgement FROM lineage.judgements)"
_SHOWN = "asset || CASE partition WHEN '' THEN '' ELSE '@' || partition END"
_CHECKS = (
    (
        "versions whose inputs are not on record",
        "materialization_edges",
        "lineage.show_id(downstream)",
        f"upstream NOT IN {_KNOWN}",
    ),
    (
        "inputs of versions that are not on record",
        "materialization_edges",
        "lineage.show_id(downstream)",
        f"downstream NOT IN {_KNOWN}",
    ),
    (
        "judgements that looked at versions that are not on record",
        "judgement_edges",
        "lineage.show_id(judgement)",
        f"upstream NOT IN {_KNOWN} OR judgement NOT IN {_JUDGED}",
    ),
    (
        "live partitions whose version is not on record",
        "production",
        _SHOWN,
        f"materialization NOT IN {_KNOWN}",
    ),
    (
        "live partitions whose version was removed",
        "production",
        _SHOWN,
        "materialization IN (SELECT materialization FROM lineage.materializations "
        "WHERE removed_at IS NOT NULL)",
    ),
    (
        "live partitions that nothing let in, no judgement and no person",
        "production",
        _SHOWN,
        "materialization NOT IN (SELECT materialization FROM lineage.judgements "
        "WHERE verdict <> 'hold') AND materialization NOT IN "
        "(SELECT materialization FROM lineage.promotions WHERE kind = 'release' "
        "AND materialization IS NOT NULL) AND materialization NOT IN "
        "(SELECT materialization FROM lineage.materializations WHERE location = 'external')",
    ),
    (
        "partitions that are live more than once",
        "production",
        _SHOWN,
        "(asset, partition) IN (SELECT (asset, partition) FROM lineage.production "
        "GROUP BY ALL HAVING count(*) > 1)",
    ),
    (
        "entries into production of versions that are not on record",
        "promotions",
        _SHOWN,
        f"materialization NOT IN {_KNOWN}",
    ),
    (
        "check results of judgements that are not on record",
        "check_results",
        "rule",
        f"judgement NOT IN {_JUDGED}",
    ),
    (
        "quarantine entries of versions that are not on record",
        "quarantine",
        _SHOWN,
        f"materialization NOT IN {_KNOWN}",
    ),
)


def unsound_rows(connection: duckdb.DuckDBPyConnection) -> list[Unsound]:
    """What does not fit, a table and a kind at a time."""
    found = []
    for what, table, shown, condition in _CHECKS:
        # Of history only that its files are whole: what it speaks of may be lost with another file.
        schema = "hot" if table in HOT else "lineage"
        query = f"SELECT count(*), min({shown}) FROM {schema}.{table} WHERE {condition}"
        count, example = rows(connection, query)[0]
        if count:
            found.append(Unsound(what, f"lineage.{table}", count, example))
    return found


def live_files(connection: duckdb.DuckDBPyConnection) -> list[LiveFile]:
    """The files of everything that is live, in the order of assets and keys."""
    found = tuple(
        many(
            connection,
            "SELECT p.asset, p.partition, m.materialization, m.path, m.rows, "
            "coalesce(replace(m.data_hash::VARCHAR, '-', ''), '') AS data_hash, "
            "replace(m.schema_hash::VARCHAR, '-', '') AS schema_hash "
            "FROM lineage.production p "
            "JOIN hot.materializations m ON m.materialization = p.materialization "
            "WHERE m.location = 'versions' ORDER BY p.asset, p.partition",
        )
    )
    schemas = read_schemas(connection, {row[-1] for row in found})
    return [
        LiveFile(asset, key, id_, path, n, data_hash, schemas[schema_hash])
        for asset, key, id_, path, n, data_hash, schema_hash in found
    ]


def refused_files(connection: duckdb.DuckDBPyConnection) -> list[RefusedFile]:
    """The files of quarantine entries, open and closed, that vacuum has not removed."""
    return records(
        connection,
        RefusedFile,
        "SELECT asset, partition, materialization, path, rows, scope, status "
        "FROM lineage.quarantine WHERE path <> '' ORDER BY asset, partition, materialization",
    )
