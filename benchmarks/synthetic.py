"""A project with a long history that nobody had to run: its rows are written by SQL.

They go into the tables of the product, within one of its commits: so its own rules decide what
moves to files of history, and its own code builds the views.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from measuring import Cost, measured

from millgate.execute.archiving import record
from millgate.execute.committing import committing, rebuild_views
from millgate.lineage import run_records
from millgate.model.record import Change
from millgate.project import Project

OLD_ASSETS = 10
NUMBERS = """
import polars as pl

from millgate import Daily, Partition, asset


@asset(partitions=Daily("2024-01-01", end="2024-04-09"))
def numbers(partition: Partition) -> pl.DataFrame:
    return pl.DataFrame({{"n": range(10)}})


def older(number: int):
    @asset(name=f"old_{{number}}", partitions=Daily("1800-01-01", end="2023-12-31"))
    def made(partition: Partition) -> pl.DataFrame:
        return pl.DataFrame({{"n": range(10)}})

    return made


old = [older(number) for number in range({assets})]
"""

VERSIONS = """
CREATE TEMP TABLE made AS
SELECT number, 2000001 + number AS materialization, 'old_' || number % {assets} AS asset,
    strftime(DATE '1800-01-01' + (number % {live} // {assets})::INTEGER, '%Y-%m-%d') AS partition,
    number >= {count} - {live} AS is_live, TIMESTAMP '2024-05-01' AS created_at,
    (SELECT min(schema_hash) FROM lineage.schemas) AS schema_hash
FROM range({count}) AS r(number);

INSERT INTO hot.materializations BY NAME
SELECT materialization, asset, partition, 2 AS run, 'made' AS kind, uuid() AS data_hash,
    uuid() AS code_fingerprint, uuid() AS input_fingerprint, schema_hash, 10 AS rows,
    500 AS bytes, 'versions' AS location, created_at,
    asset || '/date=' || partition || '/2-' || number + 1 || '.parquet' AS path FROM made;

INSERT INTO hot.judgements BY NAME
SELECT materialization AS judgement, materialization, uuid() AS gate_fingerprint,
    'promote' AS verdict, 10 AS rows, 0 AS rejected_rows, created_at AS judged_at, 2 AS run,
    true AS in_force FROM made;

INSERT INTO hot.promotions BY NAME
SELECT {snapshot} * 1000000::BIGINT + number AS promotion, asset, partition, 'promote' AS kind,
    materialization, created_at AS promoted_at, {snapshot} AS snapshot, 2 AS run,
    'bench' AS actor, materialization AS judgement FROM made;

INSERT INTO lineage.production BY NAME
SELECT asset, partition, materialization, created_at AS since, materialization AS judgement,
    {snapshot} * 1000000::BIGINT + number AS promotion FROM made WHERE is_live;
"""

EDGES = """
INSERT INTO hot.materialization_edges BY NAME
SELECT 2000001 + number - {layer} - k AS upstream, 2000001 + number AS downstream, 'data' AS kind
FROM range({layer} + {reads} - 1, {count}) AS r(number), range({reads}) AS e(k);
"""


def millgate(folder: Path, *arguments: str) -> Cost:
    """What a command of Millgate cost in a project."""
    return measured([str(Path(sys.executable).with_name("millgate")), *arguments], folder)


def build(folder: Path, history: int, live: int, limit: str, *, reads: int = 0) -> None:
    """A project with the asset `numbers`, live, and `history` versions of ten others on record.

    The newest `live` of these are live, each of a partition of its own; the others were replaced.
    Each of them was made from `reads` others.
    """
    (folder / "assets").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f'[tool.millgate]\ncatalog_limit = "{limit}"\n')
    (folder / "assets" / "numbers.py").write_text(NUMBERS.format(assets=OLD_ASSETS))
    millgate(folder, "materialize", "numbers")
    project = Project.open(folder)
    with committing(project.mill) as commit:
        first = run_records.recorded_run(commit.connection, 1)
        assert first is not None
        _enter(commit.connection, history, min(live, history), commit.snapshot, reads)
        _place(commit.connection, project.mill.layout.versions)
        rebuild_views(commit.connection, project.mill, [f"old_{n}" for n in range(OLD_ASSETS)])
        record(commit, project.mill, Change(first, "history", datetime.now(UTC)))
        commit.publish()


def _enter(
    connection: duckdb.DuckDBPyConnection, count: int, live: int, snapshot: int, reads: int
) -> None:
    connection.execute(
        VERSIONS.format(assets=OLD_ASSETS, count=count, live=live, snapshot=snapshot)
    )
    if reads:
        connection.execute(EDGES.format(count=count, layer=count // 100, reads=reads))
    connection.execute("DROP TABLE made")


def _place(connection: duckdb.DuckDBPyConnection, versions: Path) -> None:
    """A file for each live version of the old assets: all of them are one."""
    some = next(versions.glob("numbers/*/*.parquet"))
    for (path,) in connection.execute(
        "SELECT path FROM hot.materializations m JOIN lineage.production p "
        "ON p.materialization = m.materialization WHERE m.asset <> 'numbers'"
    ).fetchall():
        (versions / path).parent.mkdir(parents=True, exist_ok=True)
        (versions / path).hardlink_to(some)


def ask(folder: Path, query: str) -> tuple[int, ...]:
    """The only row that a query finds in the warehouse of a project."""
    path = str((folder / "warehouse" / "warehouse.duckdb").resolve())
    with duckdb.connect(path, read_only=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row
