"""Moving what no plan or commit needs from the hot tables to files of history, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from millgate.lineage import archive, catalog, recorder, run_records
from millgate.lineage.archive import HistoryFile
from millgate.lineage.migration import migrate, value
from millgate.model.record import Change
from millgate.store import views
from millgate.store.commit import Commit
from millgate.store.history_file import column_names
from millgate.store.layout import Layout

if TYPE_CHECKING:
    import duckdb

    from millgate.execute.mill import Mill


def record(commit: Commit, mill: Mill, change: Change) -> None:
    """Enter a change into a draft, with the rows of history that it speaks of called back first.

    What nothing needs to be fast goes to history where the snapshot would pass the project's limit.
    """
    if archive.history_files(commit.connection):
        commit.use_processors(one=False)
        _call_back(commit, mill.layout, change)
    recorder.record(commit.connection, change, commit.snapshot)
    if commit.written_bytes() > mill.catalog_limit:
        commit.use_processors(one=False)
        _move(commit, mill)


def bring_up_to_date(connection: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Migrate a catalog, and let its views read the history that it has."""
    if catalog.check(connection).version < catalog.VERSION:
        migrate(connection)
        show_all(connection, layout)


def show_all(connection: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Make every `lineage.<table>` read the history that it has, by the project's folder."""
    show(connection, layout, {file.table_name for file in archive.history_files(connection)})


def show(connection: duckdb.DuckDBPyConnection, layout: Layout, tables: Iterable[str]) -> None:
    """Make `lineage.<table>` read the hot rows and the files of history, for some tables."""
    files = archive.history_files(connection)
    for table in sorted(tables):
        own = [file for file in files if file.table_name == table]
        archive.show(connection, table, history_arms(connection, layout, own))


def bring_home(connection: duckdb.DuckDBPyConnection) -> None:
    """Take all rows of history into the hot tables of a catalog that will have no files."""
    for table in {file.table_name for file in archive.history_files(connection)}:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE whole AS FROM lineage.{table}")
        connection.execute(f"DELETE FROM hot.{table}")
        connection.execute(f"INSERT INTO hot.{table} BY NAME FROM whole")
        archive.show(connection, table, [])
    connection.execute("DELETE FROM lineage.history_files")


def take_in_found(commit: Commit, layout: Layout) -> None:
    """Enter what files of history tell that a catalog made from files alone does not know.

    Of two files that tell of one thing the newer one is right. What is numbered by snapshots that
    are lost stays out: entries into production, decisions about quarantine, the snapshots.
    """
    for table, condition in archive.FOUND_AGAIN.items():
        found = (layout.history / table).glob("*.parquet")
        for path in sorted(found, reverse=True):
            had = column_names(path)
            file = HistoryFile(table, str(path.relative_to(layout.history)), 0, 0, 0, had)
            (arm,) = history_arms(commit.connection, layout, [file])
            commit.connection.execute(
                f"INSERT INTO hot.{table} BY NAME SELECT * FROM ({arm}) AS h WHERE {condition}"
            )


def history_arms(
    connection: duckdb.DuckDBPyConnection, layout: Layout, files: Iterable[HistoryFile]
) -> list[str]:
    """The SELECTs that read files of one table: one for each list of columns that it had."""
    by_columns: dict[tuple[str, ...], list[HistoryFile]] = defaultdict(list)
    for file in files:
        by_columns[file.column_names].append(file)
    arms = []
    for had, group in by_columns.items():
        columns = archive.columns_of(connection, group[0].table_name)
        values = ", ".join(
            f"{value(column, type_, optional, had)} AS {views.quoted(column)}"
            for column, type_, optional in columns
        )
        listed = views.file_list(layout.history, [file.path for file in group], layout.root)
        arms.append(f"SELECT {values}\nFROM read_parquet({listed}, hive_partitioning = false)")
    return arms


def _move(commit: Commit, mill: Mill) -> None:
    """Move rows to new files, and make the draft as small as what is left."""
    connection = commit.connection
    alive = [info.run for info in mill.run_files.alive()]
    oldest = min([*alive, run_records.last_run(connection)])
    moved = archive.going(connection, oldest)
    if not moved:
        return
    for table, condition in moved.items():
        _write(commit, table, f"SELECT * FROM hot.{table} WHERE {condition} ORDER BY 1")
    archive.remove(connection, moved)
    show(connection, mill.layout, moved)
    commit.compact()


def _call_back(commit: Commit, layout: Layout, change: Change) -> None:
    """Take rows out of history again: files are never changed, so others take their place."""
    connection = commit.connection
    files = archive.history_files(connection)
    called: dict[str, list[HistoryFile]] = {}
    for table, condition in archive.called_back(connection, change).items():
        for file in (file for file in files if file.table_name == table):
            rows = " UNION ALL ".join(history_arms(connection, layout, [file]))
            connection.execute(
                "CREATE OR REPLACE TEMP TABLE taken_out AS "
                f"SELECT * FROM ({rows}) WHERE {condition}"
            )
            found = connection.execute("SELECT count(*) FROM taken_out").fetchall()
            if not found[0][0]:
                continue
            connection.execute(f"INSERT INTO hot.{table} BY NAME FROM taken_out")
            if found[0][0] < file.row_count:
                rest = f"SELECT * FROM ({rows}) WHERE NOT coalesce({condition}, false) ORDER BY 1"
                _write(commit, table, rest)
            called.setdefault(table, []).append(file)
    for group in called.values():
        archive.forget(connection, [file.path for file in group])
    show(connection, layout, called)


def _write(commit: Commit, table: str, query: str) -> None:
    """Write the rows of a query to a new file of history, and name it."""
    columns = tuple(column for column, _, _ in archive.columns_of(commit.connection, table))
    path, rows, size = commit.write_history(table, query)
    archive.enter(commit.connection, HistoryFile(table, path, rows, size, commit.snapshot, columns))
