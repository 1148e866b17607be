"""Where everything lies: the only place that builds paths of a warehouse."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

from millgate.model.partition import Partition, label
from millgate.model.record import show_id

_LONGEST_NAME = 200


REPORT = "report.json"
ROWS = "rows"
"""What lies in the folder of what was refused: the report, and with a suffix the rows."""


@dataclass(frozen=True)
class Layout:
    """The paths of a project: its root, its warehouse folder and its quarantine folder."""

    root: Path
    warehouse: Path
    quarantine: Path

    @cached_property
    def database(self) -> Path:
        """The symlink to the current snapshot, which people and tools open."""
        return self.warehouse / "warehouse.duckdb"

    @cached_property
    def versions(self) -> Path:
        return self.warehouse / "versions"

    @cached_property
    def production(self) -> Path:
        return self.warehouse / "production"

    @cached_property
    def snapshots(self) -> Path:
        return self.warehouse / "snapshots"

    @cached_property
    def runs(self) -> Path:
        return self.warehouse / "runs"

    @cached_property
    def staged_runs(self) -> Path:
        """The folder that has one folder for each run in flight."""
        return self.warehouse / "staging"

    @cached_property
    def logs(self) -> Path:
        """The folder that has one folder for each run whose attempts printed something."""
        return self.warehouse / "logs"

    @cached_property
    def history(self) -> Path:
        """The folder of the rows that were moved out of the catalog, a folder for each table."""
        return self.warehouse / "history"

    @cached_property
    def commit_lock(self) -> Path:
        return self.warehouse / "commit.lock"

    @cached_property
    def alerts_lock(self) -> Path:
        """Held while people are told, so that nothing is told twice."""
        return self.warehouse / "alerts.lock"

    @cached_property
    def draft(self) -> Path:
        """The database that the commit under way writes to."""
        return self.snapshots / ".draft" / "warehouse.duckdb"

    def snapshot(self, number: int) -> Path:
        """The database of a snapshot. DuckDB names a database after its file, hence a folder."""
        return self.snapshots / f"{number:08}" / "warehouse.duckdb"

    def run_file(self, run: int) -> Path:
        return self.runs / str(run)

    def staging(self, run: int) -> Path:
        """The folder of what a run has in flight."""
        return self.staged_runs / str(run)

    def staged(self, run: int, materialization: int, suffix: str = ".parquet") -> Path:
        return self.staged_runs.joinpath(str(run), f"{materialization}{suffix}")

    def log_file(self, run: int, asset: str, key: str, attempt: int) -> Path:
        """What an attempt printed."""
        name = quote(label(asset, key), safe="@")
        if len(name) > _LONGEST_NAME:
            name = (
                name[: _LONGEST_NAME - 33]
                + "-"
                + blake2b(name.encode(), digest_size=16).hexdigest()
            )
        return self.logs / str(run) / f"{name}.{attempt}.log"

    def history_path(self, table: str, snapshot: int, ordinal: int) -> str:
        """Where a file of rows lies below `history`: `steps/00000042-1.parquet`."""
        return f"{table}/{snapshot:08}-{ordinal}.parquet"

    def version_path(
        self, partition: Partition, materialization: int, suffix: str = ".parquet"
    ) -> str:
        """Where a version lies below `versions`: `flights/date=2013-01-01/118-45.parquet`."""
        return f"{_folder(partition)}/{show_id(materialization)}{suffix}"

    def quarantine_path(self, partition: Partition, materialization: int) -> str:
        """The folder below `quarantine` of what was refused, with its rows and its report."""
        return f"{_folder(partition)}/{show_id(materialization)}"

    def production_folder(self, partition: Partition) -> Path:
        """Where any tool finds the live version of a partition."""
        return self.production / _folder(partition)

    def serving_link(self, asset: str, path: str) -> Path:
        """The name under `production` of a version that lies at `path` below `versions`.

        A version stays where it was put under the name that its asset had then.
        """
        folder, name = os.path.split(path)
        _, _, below = folder.partition("/")
        return self.production.joinpath(asset, below, f"data{os.path.splitext(name)[1]}")


def log_beside(path: Path) -> Path:
    """Where DuckDB leaves its log if somebody opens a file for writing."""
    return path.with_name(f"{path.name}.wal")


def dimensions_of(path: str) -> tuple[str, ...]:
    """The dimensions that a version at `path` below `versions` lies by.

    >>> dimensions_of("flights/date=2013-01-01/118-45.parquet")
    ('date',)
    """
    return tuple(folder.partition("=")[0] for folder in Path(path).parts[1:-1])


def _folder(partition: Partition) -> str:
    """Hive-style folders: `flights/date=2013-01-01/airport=EWR`, or `planes`."""
    parts = [f"{name}={quote(value, safe='')}" for name, value in partition.values.items()]
    return "/".join([partition.asset, *parts])
