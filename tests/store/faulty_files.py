"""Files that record their calls, fail at one, or die at one; and a warehouse to do it to."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir
from datetime import date
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa
from pyarrow.parquet import ParquetFile, write_table

from millgate.model.partition import Partition
from millgate.store.files import Files
from millgate.store.layout import Layout
from millgate.store.links import Links
from millgate.store.warehouse import Warehouse

T = TypeVar("T")


class RecordedFiles(Files):
    """Files that keep what was called, with paths below `root`."""

    at_once = 1

    def __init__(self, root: Path) -> None:
        self.calls: list[tuple[str, str]] = []
        self._root = root

    def perform(self, what: str, path: Path, call: Callable[[], T]) -> T:
        self.calls.append((what, os.path.relpath(path, self._root)))
        return super().perform(what, path, call)


class FailingFiles(Files):
    """Files whose call number `at` fails, and where it lasts, every later one too."""

    at_once = 1

    def __init__(self, at: int, number: int, *, lasting: bool = False) -> None:
        self.count = 0
        self._at = at
        self._errno = number
        self._lasting = lasting

    def perform(self, what: str, path: Path, call: Callable[[], T]) -> T:
        self.count += 1
        fails = self.count == self._at or (self._lasting and self.count > self._at)
        return super().perform(what, path, self._fail if fails else call)

    def _fail(self) -> T:  # type: ignore[type-var]
        raise OSError(self._errno, os.strerror(self._errno))


class UnlinkableFiles(Files):
    """Files of a file system that has no hard links, or lies across two."""

    def link(self, source: Path, target: Path) -> None:  # noqa: ARG002
        def refuse() -> None:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

        self.perform("link", target, refuse)


class DyingFiles(Files):
    """Files whose process is killed at call number `at`: before it, or with it half done
    where it writes content.
    """

    at_once = 1

    def __init__(self, at: int) -> None:
        self.count = 0
        self._at = at

    def perform(self, what: str, path: Path, call: Callable[[], T]) -> T:
        self.count += 1
        if self.count == self._at:
            if what in ("copy to", "write"):
                super().perform(what, path, call)
                os.truncate(path, path.stat().st_size // 2)
            os._exit(9)
        return super().perform(what, path, call)


class RecordedUnlinkableFiles(UnlinkableFiles, RecordedFiles):
    """Files without hard links that keep what was called."""


def layout_of(root: Path) -> Layout:
    return Layout(root, root / "warehouse", root / "quarantine")


def day(number: int) -> Partition:
    """The partition of a day of January."""
    value = date(2013, 1, number)
    key = value.isoformat()
    return Partition("flights", key, {"date": key}, {"date": value}, None, None)


def stage(layout: Layout, run: int, ordinal: int, value: int, folder: Path | None = None) -> Path:
    """A staged Parquet file of one row, as a step of a run leaves it."""
    folder = folder or layout.staging(run)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{run}-{ordinal}.parquet"
    write_table(pa.table({"value": [value]}), path)
    return path


def materialize(
    warehouse: Warehouse,
    run: int,
    made: dict[int, int],
    *,
    held: dict[int, int] | None = None,
    withdrawn: tuple[int, ...] = (),
) -> int:
    """One commit: days made with a value each, days held, days withdrawn from production."""
    layout = warehouse.layout
    links = {}
    with warehouse.committing() as commit:
        connection = commit.connection
        if commit.fresh:
            connection.execute(
                "CREATE SCHEMA production; CREATE SCHEMA lineage;"
                "CREATE TABLE lineage.live (day INTEGER, path VARCHAR);"
                "CREATE TABLE lineage.snapshots (snapshot BIGINT)"
            )
        connection.execute("BEGIN")
        for number in (*made, *withdrawn):
            connection.execute("DELETE FROM lineage.live WHERE day = ?", [number])
        for number, value in made.items():
            path = layout.version_path(day(number), run * 1_000_000 + number)
            commit.move(stage(layout, run, number, value), path, "versions")
            connection.execute("INSERT INTO lineage.live VALUES (?, ?)", [number, path])
            links[day(number)] = path
        for number, value in (held or {}).items():
            folder = layout.quarantine_path(day(number), run * 1_000_000 + number)
            staged = stage(layout, run, number, value)
            commit.move(staged, f"{folder}/rows.parquet", "quarantine")
            commit.write_report(f"{folder}/report.json", '{"verdict": "hold"}')
        connection.execute("INSERT INTO lineage.snapshots VALUES (?)", [commit.snapshot])
        live = connection.execute("SELECT path FROM lineage.live ORDER BY path").fetchall()
        files = ", ".join(f"'versions/{path}'" for (path,) in live)
        with chdir(layout.warehouse):
            connection.execute(
                "CREATE OR REPLACE VIEW production.flights AS "
                f"SELECT date, value FROM read_parquet([{files}], hive_partitioning = true)"
            )
        connection.execute("COMMIT")
        return commit.publish(Links(add=links, remove=[day(number) for number in withdrawn]))


def first(warehouse: Warehouse) -> None:
    """Snapshot 1, which serves the first three days."""
    materialize(warehouse, 1, {1: 10, 2: 20, 3: 30})


def second(warehouse: Warehouse, run: int = 2) -> None:
    """Another version of day 1, day 4 new, day 5 held, and day 2 withdrawn."""
    materialize(warehouse, run, {1: 11, 4: 40}, held={5: 50}, withdrawn=(2,))


AFTER_FIRST = {1: 10, 2: 20, 3: 30}
AFTER_SECOND = {1: 11, 3: 30, 4: 40}


def served(database: Path) -> dict[int, int]:
    """What any DuckDB sees in production, by day."""
    with chdir(database.parent), duckdb.connect(os.path.realpath(database), read_only=True) as c:
        rows = c.execute("SELECT day(date), value FROM production.flights").fetchall()
    return dict(rows)


def linked(layout: Layout) -> dict[int, int]:
    """What a tool that globs `production/` sees, by day."""
    links = layout.production.glob("flights/date=*/data.parquet")
    return {
        date.fromisoformat(link.parent.name.removeprefix("date=")).day: value
        for link in links
        for value in ParquetFile(link).read()["value"].to_pylist()
    }


def live_files(warehouse: Warehouse) -> list[tuple[str, str]]:
    """The asset and the path of each version that is live by the rows of the current snapshot."""
    return [(partition.asset, path) for partition, path in live_paths(warehouse).items()]


def live_paths(warehouse: Warehouse) -> dict[Partition, str]:
    """The path of the live version of each partition."""
    with warehouse.connect() as connection:
        rows = connection.execute("SELECT day, path FROM lineage.live").fetchall()
    return {day(number): path for number, path in rows}


def python(code: str, *arguments: object) -> str:
    """What a process prints that can import these tests' modules."""
    ran = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def tree(root: Path) -> Iterator[str]:
    """The files below a folder."""
    return (str(p.relative_to(root)) for p in sorted(root.rglob("*")) if p.is_file())
