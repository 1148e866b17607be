"""The catalog of a synthetic project, in which a run made each day of all its assets.

    python benchmarks/live_days.py fill FOLDER ASSETS DAYS
    python benchmarks/live_days.py remake FOLDER ASSETS DAYS

`remake` puts on record that the first day of the first asset was made again, with other content.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from synthetic_code import FIRST, Size, name_of

from millgate.execute.archiving import record
from millgate.execute.committing import committing, promotion
from millgate.execute.declarations import declarations
from millgate.execute.mill import Mill
from millgate.lineage.columns import refresh_columns, write_schemas
from millgate.lineage.fetch import offered
from millgate.lineage.live_state import read_live
from millgate.lineage.queries import materialization
from millgate.lineage.rows import utc
from millgate.model.dimension import Horizon
from millgate.model.record import Change, Judged, Judgement, LiveVersion, Run, materialization_id
from millgate.model.schema import Column, Schema
from millgate.plan.demand import reads_of
from millgate.plan.fingerprint import input_fingerprint
from millgate.plan.needs import Needs
from millgate.project import Project
from millgate.store import views

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_AT_ONCE = 50
_SCHEMA = Schema((Column("id", "BIGINT"), Column("amount", "DOUBLE")))
_COLUMNS = (
    "id",
    "asset",
    "partition",
    "run",
    "code",
    "gate",
    "inputs",
    "needs",
    "data",
    "upstreams",
)
_QUERIES = {
    "hot.materializations": "SELECT id AS materialization, asset, partition, "
    "partition::DATE::TIMESTAMP AS window_start, "
    "partition::DATE::TIMESTAMP + INTERVAL 1 DAY AS window_end, run, id AS step, 'made' AS kind, "
    "code::UUID AS code_fingerprint, inputs::UUID AS input_fingerprint, "
    "needs::UUID AS needs_fingerprint, data::UUID AS data_hash, "
    "$schema::UUID AS schema_hash, 10 AS rows, 500 AS bytes, 'versions' AS location, "
    "asset || '/date=' || partition || '/' || run || '-1.parquet' AS path, "
    "$now::TIMESTAMP AS created_at FROM made",
    "hot.materialization_edges": "SELECT unnest(upstreams) AS upstream, id AS downstream, "
    "'data' AS kind FROM made",
    "hot.judgements": "SELECT id AS judgement, id AS materialization, "
    "gate::UUID AS gate_fingerprint, 'promote' AS verdict, 10 AS rows, 0 AS rejected_rows, "
    "$now::TIMESTAMP AS judged_at, run, true AS in_force FROM made",
    "hot.promotions": "SELECT $first::BIGINT + id AS promotion, asset, partition, "
    "'promote' AS kind, id AS materialization, $now::TIMESTAMP AS promoted_at, "
    "$snapshot::BIGINT AS snapshot, run, 'scale' AS actor, id AS judgement FROM made",
    "lineage.production": "SELECT asset, partition, id AS materialization, "
    "$first::BIGINT + id AS promotion, $now::TIMESTAMP AS since, id AS judgement FROM made",
}
"""What each table says of a version, from the rows `made`."""


def fill(folder: Path, size: Size) -> None:
    """Put on record that every day of every asset was made; all assets share their files."""
    mill = Project.open(folder, clock=lambda: NOW).mill
    _write_files(mill, size)
    with committing(mill) as commit:
        run = _run(mill, size.days, "history")
        record(commit, mill, Change(run, "history", NOW, declarations=declarations(mill)))
        write_schemas(commit.connection, [_SCHEMA])
        first = commit.snapshot * 1_000_000 + 1
        for rows in _rows(mill, size):
            _enter(commit.connection, rows, commit.snapshot, first)
        refresh_columns(commit.connection, {name: {_SCHEMA} for name in mill.assets})
        _show(commit.connection, mill, size)
        commit.publish()


def remake(folder: Path, asset: str, key: str) -> None:
    """Put on record that a partition was made once more, with other content."""
    mill = Project.open(folder, clock=lambda: NOW).mill
    with committing(mill) as commit:
        live = read_live(commit.connection, [asset])[asset][key]
        found = materialization(commit.connection, live.materialization)
        assert found is not None
        run = _run(mill, 900_000, "materialize")
        id_ = materialization_id(run.id, 1)
        made = replace(found, id=id_, run=run.id, data_hash="f" * 32)
        judgement = Judgement(mill.gates[asset].fingerprint, "promote", 10, 0, ())
        change = Change(
            run,
            "materialize",
            NOW,
            materializations=(made,),
            judged=(Judged(id_, id_, judgement, NOW, run.id),),
            promotions=(promotion(made, "promote", run, id_),),
        )
        record(commit, mill, change)
        commit.publish()


def _write_files(mill: Mill, size: Size) -> None:
    """One file a day, which is that of every asset: views look for each file that they name."""
    shared, frame = mill.layout.warehouse / "shared", pl.DataFrame({"id": [1], "amount": [0.5]})
    for run in range(1, size.days + 1):
        file = shared / f"date={FIRST + timedelta(days=run - 1)}" / f"{run}-1.parquet"
        file.parent.mkdir(parents=True)
        frame.write_parquet(file)
    mill.layout.versions.mkdir()
    for name in mill.assets:
        (mill.layout.versions / name).symlink_to(shared)


def _rows(mill: Mill, size: Size) -> Iterator[pl.DataFrame]:
    """The versions of some days at a time, with the versions that each was made from."""
    needs, names = Needs(Horizon(NOW)), mill.graph.order
    reads = {name: reads_of(mill.graph, mill.assets[name], needs) for name in names}
    hashes: dict[tuple[str, str], str] = {}
    ids: dict[tuple[str, str], int] = {}
    for start in range(1, size.days + 1, _AT_ONCE):
        columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        for run in range(start, min(start + _AT_ONCE, size.days + 1)):
            key = (FIRST + timedelta(days=run - 1)).isoformat()
            for ordinal, name in enumerate(names, 1):
                read = [
                    (r.parameter, r.upstream, k, hashes[r.upstream, k])
                    for r in reads[name]
                    for k in r.table[key]
                ]
                ids[name, key] = materialization_id(run, ordinal)
                hashes[name, key] = blake2b(f"{name} {key}".encode(), digest_size=16).hexdigest()
                row = (
                    ids[name, key],
                    name,
                    key,
                    run,
                    mill.code[name],
                    mill.gates[name].fingerprint,
                    input_fingerprint(read),
                    mill.needs[name],
                    hashes[name, key],
                    list({ids[upstream, k] for _, upstream, k, _ in read}),
                )
                for column, value in zip(_COLUMNS, row, strict=True):
                    columns[column].append(value)
        yield pl.DataFrame(columns)


def _enter(
    connection: duckdb.DuckDBPyConnection, made: pl.DataFrame, snapshot: int, first: int
) -> None:
    """Write versions, and all that was recorded with them, into the tables of the catalog."""
    written = {"now": utc(NOW), "schema": _SCHEMA.hash, "snapshot": snapshot, "first": first}
    with offered(connection, made=made):
        for table, query in _QUERIES.items():
            names = [name for name in written if f"${name}" in query]
            connection.execute(
                f"INSERT INTO {table} BY NAME {query}", {name: written[name] for name in names}
            )


def _show(connection: duckdb.DuckDBPyConnection, mill: Mill, size: Size) -> None:
    """Make the views, as a commit does that knows what is live without asking."""
    keys = [(FIRST + timedelta(days=n)).isoformat() for n in range(size.days)]
    for name, asset in mill.assets.items():
        live = [
            LiveVersion(key, run, f"{name}/date={key}/{run}-1.parquet", _SCHEMA)
            for run, key in enumerate(keys, 1)
        ]
        for statement in views.production_view(
            name, asset.partitions, live, mill.layout.versions, _SCHEMA, root=mill.root
        ):
            connection.execute(statement)


def _run(mill: Mill, number: int, command: str) -> Run:
    return Run(
        id=number,
        command=command,
        selection="",
        range_from=None,
        range_to=None,
        status="succeeded",
        started_at=NOW,
        finished_at=NOW,
        actor="scale",
        host="here",
        code_version=None,
        millgate_version=mill.millgate_version,
        exit_status=0,
    )


if __name__ == "__main__":
    verb, place, assets, days = sys.argv[1:]
    if verb == "fill":
        fill(Path(place), Size(int(assets), int(days)))
    else:
        remake(Path(place), name_of(0), FIRST.isoformat())
