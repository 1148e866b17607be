"""An older catalog becomes what this Millgate declares, whatever it was before."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING

from millgate.errors import StoreError
from millgate.lineage.catalog import MIN_READER, VERSION, CatalogFormat, check, scripts
from millgate.lineage.fetch import commit, roll_back, rows

if TYPE_CHECKING:
    import duckdb

Shape = tuple[tuple[str, str, bool], ...]
"""The name and type of each column of a table, and whether it may be NULL."""


@dataclass(frozen=True)
class Table:
    """A table: where it is, the statement that makes it, its columns, the defaults of some."""

    place: str
    statement: str
    shape: Shape
    defaults: dict[str, str]


def migrate(connection: duckdb.DuckDBPyConnection) -> CatalogFormat:
    """Make a catalog of an older version one of this version, in one transaction.

    Tables and columns that are missing are added, columns that are not declared any more go; rows
    stay. Where a column may not be NULL, rows that had none of it get its DEFAULT, else what is
    nothing in its type: empty text, 0, false, an empty list. Views, macros and comments become
    those of this version. Does nothing to a catalog of this version.
    """
    import duckdb

    found = check(connection)
    if found.version >= VERSION:
        return found
    try:
        connection.execute("BEGIN TRANSACTION")
        _make_as_declared(connection)
        commit(connection)
        migrated = check(connection)
    except duckdb.Error as error:
        roll_back(connection)
        raise _not_migrated(found, str(error)) from error
    if migrated.version != VERSION:
        raise _not_migrated(found, "the transaction was rolled back")
    return migrated


def _make_as_declared(connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    tables, everyday = scripts()
    with duckdb.connect() as fresh:
        fresh.execute(tables)
        fresh.execute(everyday)
        wanted = _tables(fresh)
    _drop_views_and_macros(connection)
    connection.execute("CREATE SCHEMA IF NOT EXISTS hot")
    there = _tables(connection)
    for name in there.keys() - wanted.keys():
        connection.execute(f"DROP TABLE {there[name].place}")
    for name, table in wanted.items():
        if name not in there:
            connection.execute(table.statement)
        elif (there[name].place, there[name].shape) != (table.place, table.shape):
            _reshape(connection, there[name], table)
    for statement in connection.extract_statements(tables):
        if not re.search(r"^CREATE (SCHEMA|TABLE) ", statement.query, re.MULTILINE):
            connection.execute(statement)
    connection.execute(everyday)
    connection.execute(
        "UPDATE lineage.catalog SET version = ?, min_reader = ?, written_by = ?",
        [VERSION, MIN_READER, version("millgate")],
    )


def _reshape(connection: duckdb.DuckDBPyConnection, before: Table, after: Table) -> None:
    """Make a table anew with the rows that it has: so its columns stand in their order."""
    had = {column for column, _, _ in before.shape}
    values = ", ".join(
        f"{value(column, type_, optional, had, after.defaults)} AS {_quoted(column)}"
        for column, type_, optional in after.shape
    )
    connection.execute(f"CREATE TEMP TABLE kept AS FROM {before.place}")
    connection.execute(f"DROP TABLE {before.place}")
    connection.execute(after.statement)
    connection.execute(f"INSERT INTO {after.place} BY NAME SELECT {values} FROM kept")
    connection.execute("DROP TABLE kept")


def value(
    column: str,
    type_: str,
    optional: bool,
    had: Collection[str],
    defaults: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """What rows that had some columns get in one, as SQL."""
    default = defaults.get(column, "NULL" if optional else _nothing(type_))
    if column not in had:
        return f"({default})::{type_}"
    own = f"{_quoted(column)}::{type_}"
    return own if optional else f"coalesce({own}, ({default})::{type_})"


def _nothing(type_: str) -> str:
    """The value of a type that says the least.

    >>> _nothing("VARCHAR[]"), _nothing("BIGINT"), _nothing("BOOLEAN")
    ('[]', '0', 'false')
    """
    if type_.endswith("[]"):
        return "[]"
    known = {
        "VARCHAR": "''",
        "BOOLEAN": "false",
        "UUID": "'00000000-0000-0000-0000-000000000000'",
        "TIMESTAMP": "'epoch'",
    }
    return known.get(type_, "0")


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, Table]:
    here = "schema_name IN ('lineage', 'hot') AND database_name = current_database()"
    columns = rows(
        connection,
        "SELECT table_name, column_name, data_type, is_nullable, column_default "
        "FROM duckdb_columns() JOIN duckdb_tables() "
        f"USING (database_name, schema_name, table_name) WHERE {here} "
        "ORDER BY table_name, column_index",
    )
    return {
        name: Table(
            f"{schema}.{_quoted(name)}",
            statement,
            tuple((c, type_, optional) for t, c, type_, optional, _ in columns if t == name),
            {c: default for t, c, _, _, default in columns if t == name and default is not None},
        )
        for schema, name, statement in rows(
            connection, f"SELECT schema_name, table_name, sql FROM duckdb_tables() WHERE {here}"
        )
    }


def _drop_views_and_macros(connection: duckdb.DuckDBPyConnection) -> None:
    here = "schema_name = 'lineage' AND database_name = current_database()"
    for (name,) in rows(connection, f"SELECT view_name FROM duckdb_views() WHERE {here}"):
        connection.execute(f"DROP VIEW lineage.{_quoted(name)}")
    for name, kind in rows(
        connection,
        f"SELECT DISTINCT function_name, function_type FROM duckdb_functions() WHERE {here}",
    ):
        what = "MACRO TABLE" if kind == "table_macro" else "MACRO"
        connection.execute(f"DROP {what} lineage.{_quoted(name)}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _not_migrated(found: CatalogFormat, why: str) -> StoreError:
    return StoreError(
        f"the catalog could not be brought from version {found.version} to {VERSION}: "
        f"{why.splitlines()[0]}",
        where="the draft of the snapshot; the last snapshot is unharmed",
        fix="see that there is space on the disk and run again; "
        f"else use Millgate {found.written_by}, which wrote it",
    )
