from __future__ import annotations

from pathlib import Path
from uuid import UUID

import duckdb
import pytest

from lineage.chronicle import Chronicle
from millgate.errors import CatalogTooNew, StoreError
from millgate.lineage import catalog

RESERVED = (
    {"check", "column", "order", "group", "at", "from", "to", "end", "limit", "window"}
    | {"references", "table", "describe", "offset"}
)  # fmt: skip


def objects(chronicle: Chronicle, query: str) -> list[tuple]:
    return chronicle.connection.execute(query).fetchall()


def test_a_new_catalog_says_what_it_is(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "new.duckdb") as connection:
        made = catalog.create(connection, Path("/projects/flights"), UUID(int=7))
        assert made == catalog.check(connection) == catalog.check_writable(connection)
        assert (made.version, made.min_reader) == (catalog.VERSION, catalog.MIN_READER)
        assert (made.project, made.root) == (UUID(int=7), Path("/projects/flights"))
        assert made.duckdb_version == f"v{duckdb.__version__}"


def test_two_projects_have_two_identities(tmp_path: Path) -> None:
    found = set()
    for name in ("a", "b"):
        with duckdb.connect(tmp_path / name) as connection:
            found.add(catalog.create(connection, tmp_path).project)
    assert len(found) == 2


def test_nothing_is_made_where_making_it_fails(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "taken.duckdb") as connection:
        connection.execute("CREATE SCHEMA quarantine")
        with pytest.raises(StoreError, match="could not be made"):
            catalog.create(connection, tmp_path)
        connection.execute("BEGIN TRANSACTION")
        left = connection.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'lineage'"
        )
        assert left.fetchone() == (0,)


@pytest.mark.parametrize(
    ("version", "min_reader", "readable", "writable"),
    [(catalog.VERSION, 1, True, True), (98, 1, True, False), (98, 98, False, False)],
)
def test_an_older_millgate(
    chronicle: Chronicle, version: int, min_reader: int, readable: bool, writable: bool
) -> None:
    chronicle.connection.execute(
        "UPDATE lineage.catalog SET version = ?, min_reader = ?, written_by = '9.9'",
        [version, min_reader],
    )
    for question, allowed in ((catalog.check, readable), (catalog.check_writable, writable)):
        if allowed:
            assert question(chronicle.connection).version == version
        else:
            with pytest.raises(CatalogTooNew) as caught:
                question(chronicle.connection)
            assert "9.9" in caught.value.where
            assert "millgate>=9.9" in caught.value.fix


def test_another_database_is_not_a_warehouse() -> None:
    with duckdb.connect() as connection, pytest.raises(StoreError, match="not the catalog"):
        catalog.check(connection)


def test_a_project_that_moved(chronicle: Chronicle) -> None:
    catalog.set_root(chronicle.connection, Path("/elsewhere"))
    assert catalog.check(chronicle.connection).root == Path("/elsewhere")


def test_every_table_view_column_and_macro_is_explained(chronicle: Chronicle) -> None:
    unexplained = objects(
        chronicle,
        "SELECT table_name, '' FROM duckdb_tables() WHERE schema_name = 'lineage' "
        "AND comment IS NULL UNION ALL "
        "SELECT view_name, '' FROM duckdb_views() WHERE schema_name = 'lineage' "
        "AND comment IS NULL UNION ALL "
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'lineage' "
        "AND comment IS NULL UNION ALL "
        "SELECT function_name, '' FROM duckdb_functions() WHERE schema_name = 'lineage' "
        "AND comment IS NULL",
    )
    assert unexplained == []
    assert len(objects(chronicle, "FROM duckdb_tables() WHERE schema_name = 'lineage'")) == 11


def test_names_that_need_no_quotes_and_types_that_old_clients_read(chronicle: Chronicle) -> None:
    columns = objects(
        chronicle,
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE schema_name = 'lineage'",
    )
    assert not {name for _, name, _ in columns} & RESERVED
    assert {type_ for _, _, type_ in columns} == {
        "BIGINT",
        "BOOLEAN",
        "DOUBLE",
        "INTEGER",
        "TIMESTAMP",
        "UUID",
        "VARCHAR",
        "VARCHAR[]",
    }
    times = {name for _, name, type_ in columns if type_ == "TIMESTAMP"}
    assert all(n.endswith(("_at", "_start", "_end", "_from", "_until", "since")) for n in times)
    assert {name for _, name, _ in columns if name.endswith("_at")} <= times


def test_macro_parameters_share_no_name_with_a_column(chronicle: Chronicle) -> None:
    parameters = objects(
        chronicle,
        "SELECT DISTINCT unnest(parameters) FROM duckdb_functions() WHERE schema_name = 'lineage'",
    )
    columns = objects(
        chronicle,
        "SELECT DISTINCT column_name FROM duckdb_columns() WHERE schema_name = 'lineage'",
    )
    assert len(parameters) >= 6
    assert not set(parameters) & set(columns)


def test_the_file_is_written_for_old_clients(chronicle: Chronicle) -> None:
    tags = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'draft'"
    assert objects(chronicle, tags) == [("v1.0.0+",)]


def test_no_indexes_make_the_file_larger(chronicle: Chronicle) -> None:
    assert objects(chronicle, "FROM duckdb_indexes()") == []
    kinds = objects(chronicle, "SELECT DISTINCT constraint_type FROM duckdb_constraints()")
    assert kinds == [("NOT NULL",)]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_ago_counts_in_utc(chronicle: Chronicle, zone: str) -> None:
    chronicle.connection.execute(f"SET TimeZone = '{zone}'")
    off = objects(
        chronicle,
        "SELECT abs(epoch(lineage.ago(INTERVAL 1 HOUR)) + 3600 - epoch(now())) < 60",
    )
    assert off == [(True,)]


def test_an_id_is_shown_as_the_command_line_shows_it(chronicle: Chronicle) -> None:
    assert objects(chronicle, "SELECT lineage.show_id(118000045)") == [("118-45",)]
