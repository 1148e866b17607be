"""Reading a snapshot by this Millgate's tables, whichever version of Millgate wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from millgate.errors import MillgateError, StoreError
from millgate.execute.archiving import bring_up_to_date
from millgate.lineage import archive, catalog
from millgate.store import views
from millgate.store.layout import Layout
from millgate.store.warehouse import Warehouse

if TYPE_CHECKING:
    import duckdb


@contextmanager
def reading(warehouse: Warehouse, number: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a snapshot, the current one unless a number is given.

    A catalog of an older version is migrated on a private copy: readers never change one. Raises
    CatalogTooNew where this Millgate cannot read it, StoreError where a file of history that is
    read is gone.
    """
    connection = warehouse.connect() if number is None else warehouse.connect_to(number)
    try:
        if catalog.check(connection).version < catalog.VERSION:
            connection.close()
            connection = warehouse.connect_to_changed(
                lambda copy: bring_up_to_date(copy, warehouse.layout), number
            )
        root = views.literal(str(warehouse.layout.root))
        connection.execute(f"SET VARIABLE {views.ROOT_VARIABLE} = {root}")
        with reading_history(connection, warehouse.layout):
            yield connection
    finally:
        connection.close()


@contextmanager
def reading_history(connection: duckdb.DuckDBPyConnection, layout: Layout) -> Iterator[None]:
    """Raise StoreError where the block reads a file of history that is gone or damaged."""
    import duckdb

    try:
        yield
    except (duckdb.Error, MillgateError) as error:
        said = str(error)
        file = archive.spoken_of(connection, said) if str(layout.history) in said else None
        if file is None:
            raise
        raise StoreError(
            f"a file with {file.row_count:,} rows of lineage.{file.table_name} cannot be read",
            where=str(layout.history / file.path),
            fix="restore it from a backup; millgate doctor --repair goes on without these rows",
        ) from error
