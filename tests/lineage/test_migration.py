"""An older catalog becomes what this version declares.

`python tests/lineage/test_migration.py` notes the digest of the SQL beside the catalog's version.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from millgate.errors import CatalogTooNew, StoreError
from millgate.lineage import catalog
from millgate.lineage.catalog import VERSION
from millgate.lineage.fetch import HOT
from millgate.lineage.migration import migrate

NOTED = Path(__file__).with_name("catalog_version.txt")
EVERYTHING = """
    SELECT 'table' AS kind, table_name AS name, sql AS text, comment FROM duckdb_tables()
        WHERE schema_name = 'lineage' AND database_name = current_database()
    UNION ALL SELECT 'view', view_name, sql, comment FROM duckdb_views()
        WHERE schema_name = 'lineage' AND database_name = current_database()
    UNION ALL SELECT 'macro', function_name, macro_definition, comment FROM duckdb_functions()
        WHERE schema_name = 'lineage' AND database_name = current_database()
    UNION ALL SELECT 'column', table_name || '.' || column_name || ' ' || column_index, data_type,
        comment FROM duckdb_columns()
        WHERE schema_name = 'lineage' AND database_name = current_database()
    ORDER BY ALL
"""
VERSION_1 = (
    "".join(
        f"DROP VIEW lineage.{table}; CREATE TABLE lineage.{table} AS FROM hot.{table};"
        for table in sorted(HOT)
    )
    + "DROP SCHEMA hot CASCADE; DROP TABLE lineage.history_files;"
)
"""Before version 2 all tables were in the schema lineage."""
AGED = (
    VERSION_1
    + """
    UPDATE lineage.catalog SET version = version - 1, written_by = '0.0.1';
    INSERT INTO lineage.snapshots VALUES (1, '2024-01-01', 7, 'materialize', 'ada', 1);
    INSERT INTO lineage.schemas VALUES (uuid(), 1, 'n', 'BIGINT');
    DROP VIEW lineage.health;
    CREATE OR REPLACE VIEW lineage.stale AS SELECT 1 AS one;
    CREATE VIEW lineage.retired_view AS SELECT 1 AS one;
    DROP MACRO lineage.show_id;
    CREATE OR REPLACE MACRO lineage.ago(span) AS 'never';
    CREATE MACRO lineage.retired_macro(x) AS TABLE SELECT x;
    DROP TABLE lineage.alerts;
    CREATE TABLE lineage.retired_table (n INTEGER);
    COMMENT ON TABLE lineage.runs IS 'old words';
    COMMENT ON COLUMN lineage.runs.run IS NULL;
    ALTER TABLE lineage.snapshots DROP command;
    ALTER TABLE lineage.snapshots DROP catalog_version;
    ALTER TABLE lineage.snapshots ADD retired_column VARCHAR;
    ALTER TABLE lineage.snapshots ALTER run TYPE INTEGER;
    ALTER TABLE lineage.runs DROP resumes;
    ALTER TABLE lineage.check_results DROP rule_fingerprint;
    ALTER TABLE lineage.materializations DROP needs_fingerprint;
    DROP TABLE lineage.judgement_edges;
"""
)
"""What makes a catalog one that an older Millgate might have left."""


def contents(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    return connection.execute(EVERYTHING).fetchall()


@pytest.fixture
def aged(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(tmp_path / "aged.duckdb")
    catalog.create(connection, tmp_path)
    connection.execute("CREATE VIEW production.orders AS SELECT 1 AS id")
    connection.execute(AGED)
    return connection


def test_it_becomes_what_a_new_one_is(aged: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "new.duckdb") as fresh:
        catalog.create(fresh, tmp_path)
        wanted = contents(fresh)
    assert contents(aged) != wanted
    project = catalog.check(aged).project
    migrated = migrate(aged)
    assert contents(aged) == wanted
    assert (migrated.version, migrated.min_reader) == (VERSION, catalog.MIN_READER)
    assert (migrated.project, migrated.root) == (project, tmp_path)
    assert catalog.check_writable(aged) == migrated
    assert aged.execute("FROM production.orders").fetchall() == [(1,)]


def test_rows_stay_and_new_columns_say_nothing(aged: duckdb.DuckDBPyConnection) -> None:
    migrate(aged)
    found = aged.execute(
        "SELECT snapshot, run, command, actor, catalog_version FROM lineage.snapshots"
    )
    assert found.fetchall() == [(1, 7, "", "ada", 0)]
    assert aged.execute("SELECT column_name FROM lineage.schemas").fetchall() == [("n",)]


def test_one_of_this_version_is_left_alone(aged: duckdb.DuckDBPyConnection) -> None:
    migrate(aged)
    aged.execute("CREATE VIEW lineage.of_my_own AS SELECT 1 AS one")
    migrate(aged)
    assert aged.execute("FROM lineage.of_my_own").fetchall() == [(1,)]


def test_what_fails_leaves_it_as_it_was(aged: duckdb.DuckDBPyConnection) -> None:
    aged.execute("ALTER TABLE lineage.snapshots ALTER run TYPE VARCHAR USING 'seven'")
    before = contents(aged)
    with pytest.raises(StoreError, match=f"from version {VERSION - 1} to {VERSION}") as caught:
        migrate(aged)
    assert "0.0.1" in caught.value.fix
    assert contents(aged) == before


def test_one_that_is_too_new_is_left_alone(aged: duckdb.DuckDBPyConnection) -> None:
    aged.execute("UPDATE lineage.catalog SET version = 99, min_reader = 99")
    with pytest.raises(CatalogTooNew):
        migrate(aged)


def digest() -> str:
    return sha256("".join(catalog.scripts()).encode()).hexdigest()[:16]


def test_changed_tables_have_a_new_version() -> None:
    assert NOTED.read_text(encoding="utf-8").split() == [str(VERSION), digest()], (
        "tables.sql or views.sql changed: warehouses out there are migrated only if "
        "catalog.VERSION is raised (once for each release); then "
        "python tests/lineage/test_migration.py"
    )


if __name__ == "__main__":
    NOTED.write_text(f"{VERSION} {digest()}\n", encoding="utf-8")
    sys.exit()
