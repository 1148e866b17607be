"""Reading a snapshot by this Millgate's tables, whichever version of Millgate wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from millgate.execute.archiving import bring_up_to_date
from millgate.lineage import catalog
from millgate.store import views
from millgate.store.warehouse import Warehouse

if TYPE_CHECKING:
    import duckdb


@contextmanager
def reading(warehouse: Warehouse, number: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a snapshot, the current one unless a number is given.

    A catalog of an older version is migrated on a private copy: readers never change one. Raises
    CatalogTooNew where this Millgate cannot read it.
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
        yield connection
    finally:
        connection.close()
