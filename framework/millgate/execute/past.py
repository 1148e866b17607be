"""Production as it was: a private copy of the warehouse whose views serve what was live then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from millgate.errors import StoreError, UsageError
from millgate.execute.archiving import bring_up_to_date
from millgate.execute.partitioning import partitions_of
from millgate.execute.rollback import destination_snapshot
from millgate.lineage import history, queries, renames
from millgate.model.going_back import Destination
from millgate.model.partition import label
from millgate.model.record import LiveVersion, show_id
from millgate.store import views
from millgate.store.layout import dimensions_of
from millgate.store.warehouse import Warehouse

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Past:
    """A connection that shows production as it was; the other schemas are as they are now.

    `gone` has the assets that cannot be shown, each with a version whose file is gone: they have
    no view.
    """

    connection: duckdb.DuckDBPyConnection
    text: str
    gone: Mapping[str, str]

    def check(self, asset: str) -> None:
        """Raise StoreError if what an asset was then cannot be shown."""
        if asset in self.gone:
            raise StoreError(
                f"production.{asset} cannot be shown as of {self.text}: "
                f"the file of version {self.gone[asset]} is gone",
                where=f"--as-of {self.text}",
                fix="name a later time; what lineage says of that version is still there",
            )


@contextmanager
def reading_past(warehouse: Warehouse, root: Path, destination: Destination) -> Iterator[Past]:
    """Production as it was at a moment or in a snapshot; needs nothing of `assets/`."""
    import duckdb

    if destination.kind not in ("moment", "snapshot"):
        raise UsageError(
            f"{destination.text} is neither a time nor a snapshot",
            where=f"--as-of {destination.text}",
            fix="write 2025-03-04, 2025-03-04T18:00, 2025-03-04T18:00Z or snapshot:42",
        )
    with TemporaryDirectory(prefix="millgate-") as folder:
        copy = Path(folder) / warehouse.layout.database.name
        warehouse.copy(copy)
        with duckdb.connect(str(copy)) as connection:
            bring_up_to_date(connection, warehouse.layout)
            connection.execute(f"SET VARIABLE {views.ROOT_VARIABLE} = {views.literal(str(root))}")
            snapshot = destination_snapshot(connection, destination)
            yield Past(
                connection, destination.text, _go_there(connection, warehouse, root, snapshot)
            )


def _go_there(
    connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, root: Path, snapshot: int
) -> dict[str, str]:
    """Make the views of production those of a snapshot; returns the assets that have none.

    What was renamed since has both names.
    """
    folder = warehouse.layout.versions
    for schema, name in queries.served_views(connection):
        if schema == "production":
            connection.execute(f"DROP VIEW production.{views.quoted(name)}")
    gone: dict[str, str] = {}
    shown: set[str] = set()
    for asset, then in _live_then(connection, snapshot).items():
        versions = [version for version in then.values() if version is not None]
        lost = next((v for v in versions if not (folder / v.path).is_file()), None)
        if lost is not None:
            gone[asset] = f"{show_id(lost.materialization)} of {label(asset, lost.partition)}"
            continue
        keys = [key for key, version in then.items() if version] or list(then)[-1:]
        names = dimensions_of(versions[0].path) if versions else None
        partitions = partitions_of(asset, {}, connection, keys, names)
        known = queries.last_schema(connection, asset)
        for statement in views.production_view(
            asset, partitions, versions, folder, known, root=root
        ):
            connection.execute(statement)
        shown.add(asset)
    for old, new in renames.renamed_since(connection, snapshot):
        if new in gone:
            gone.setdefault(old, gone[new])
        elif new in shown and old not in shown:
            name = views.quoted(old)
            connection.execute(
                f"CREATE VIEW production.{name} AS FROM production.{views.quoted(new)}"
            )
            shown.add(old)
    return gone


def _live_then(
    connection: duckdb.DuckDBPyConnection, snapshot: int
) -> dict[str, dict[str, LiveVersion | None]]:
    """What was live in a snapshot, by asset and key; None for what had left production."""
    then = history.live_then(connection, history.assets_made(connection), snapshot)
    found = history.versions(connection, [v for v in then.values() if v is not None])
    live: dict[str, dict[str, LiveVersion | None]] = defaultdict(dict)
    for (asset, key), version in then.items():
        live[asset][key] = None if version is None else found[version]
    return live
