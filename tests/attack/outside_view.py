"""What holds of a warehouse at any moment, looked at with duckdb and pyarrow alone."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from attack.quarantine_story import check_story

Rows = Counter[tuple[Any, ...]]

LIVE = """
    SELECT p.asset, p.partition, p.materialization, m.path, m.rows, m.run, m.kind,
        j.verdict, e.kind, e.reason,
        e.materialization = p.materialization AND e.asset = p.asset AND e.partition = p.partition
            AND m.removed_at IS NULL AND p.promotion = (SELECT max(promotion)
            FROM lineage.promotions l WHERE l.asset = p.asset AND l.partition = p.partition),
        (SELECT coalesce(list(upstream ORDER BY upstream), []) FROM lineage.materialization_edges d
            WHERE d.downstream = p.materialization AND d.kind <> 'derived'), a.dimensions
    FROM lineage.production p JOIN lineage.materializations m USING (materialization)
    LEFT JOIN lineage.promotions e ON e.promotion = p.promotion
    LEFT JOIN lineage.judgements j ON j.judgement = e.judgement
    LEFT JOIN lineage.assets a ON a.asset = p.asset
    WHERE m.location = 'versions' ORDER BY ALL
"""
VIEWS = """
    SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal AND schema_name <> 'main'
"""
DANGLING = """
    SELECT count(*) FROM lineage.materialization_edges e
    WHERE e.upstream NOT IN (SELECT materialization FROM lineage.materializations)
        OR e.downstream NOT IN (SELECT materialization FROM lineage.materializations)
"""


@dataclass(frozen=True)
class Live:
    """A live version of a partition, as the catalog has it."""

    asset: str
    partition: str
    materialization: int
    path: str
    rows: int
    run: int
    made: str
    verdict: str | None
    entered: str
    reason: str | None
    entry_fits: bool
    inputs: list[int]
    dimensions: list[str]


@dataclass(frozen=True)
class Seen:
    """One snapshot: its number, what is live in it, and the rows that each view serves."""

    snapshot: int
    live: tuple[Live, ...]
    served: dict[str, Rows]


def look(root: Path) -> Seen | None:
    """The current snapshot, with every promise checked; None before the first."""
    warehouse = root / "warehouse"
    links = _links(warehouse)
    connection = connect(root)
    if connection is None:
        return None
    with closing(connection):
        snapshot = _number(warehouse)
        live = tuple(Live(*row) for row in connection.execute(LIVE).fetchall())
        served = {}
        for schema, view in connection.execute(VIEWS).fetchall():
            served[f"{schema}.{view}"] = read(connection, f'{schema}."{view}"')
        for one in live:
            _check_entry(one)
            _check_footer(warehouse, one)
        for asset in {one.asset for one in live}:
            _check_rows(connection, warehouse, [one for one in live if one.asset == asset])
        empty = {n for n in served if n.startswith("production.")}
        for name in empty - {f"production.{one.asset}" for one in live}:
            assert not served[name], f"{name} serves what is not live"
        assert connection.execute(DANGLING).fetchall() == [(0,)]
        _check_held(connection, root)
        check_story(connection, root)
    _check_modes(warehouse)
    if links is not None and links == _links(warehouse) and links[0] == snapshot:
        wanted = {_link(warehouse, one): warehouse / "versions" / one.path for one in live}
        assert links[1] == {link: os.stat(file).st_ino for link, file in wanted.items()}
    return Seen(snapshot, live, served)


def connect(root: Path) -> duckdb.DuckDBPyConnection | None:
    """What a reader opens, who knows of the link only; None before the first commit."""
    database = root / "warehouse" / "warehouse.duckdb"
    if not os.path.lexists(database):
        return None
    return duckdb.connect(str(database.resolve(strict=True)), read_only=True)


def read(connection: duckdb.DuckDBPyConnection, source: str) -> Rows:
    """The rows of a view in no order."""
    return Counter(tuple(map(str, row)) for row in connection.execute(f"FROM {source}").fetchall())


def production_rows(seen: Seen) -> dict[str, Rows]:
    return {name: rows for name, rows in seen.served.items() if name.startswith("production.")}


def _number(warehouse: Path) -> int:
    return int(Path(os.readlink(warehouse / "warehouse.duckdb")).parts[-2])


def _check_entry(one: Live) -> None:
    """A judgement or a person let it in, and production follows the newest entry."""
    assert one.entry_fits, one
    if one.entered in ("release", "rollback"):
        assert one.reason, one
    elif one.entered == "replay":
        assert one.verdict in ("promote", "split"), one
    else:
        assert one.entered == one.verdict, one
        assert one.verdict in ("promote", "split"), one


def _check_footer(warehouse: Path, one: Live) -> None:
    file = warehouse / "versions" / one.path
    assert stat.S_IMODE(file.stat().st_mode) == 0o444, file
    metadata = pq.read_metadata(file)
    assert metadata.num_rows == one.rows, one
    said = footer(file)
    assert (said["asset"], said["partition"]) == (one.asset, one.partition)
    assert (said["materialization"], said["run"]) == (one.materialization, one.run)
    assert sorted(i["materialization"] for i in said["inputs"]) == one.inputs, one


def footer(file: Path) -> dict[str, Any]:
    """What a version says of itself."""
    found: dict[str, Any] = json.loads(pq.read_metadata(file).metadata[b"millgate"])
    return found


def _check_rows(connection: duckdb.DuckDBPyConnection, warehouse: Path, live: list[Live]) -> None:
    """A view serves the rows of its versions under their keys, and nothing else."""
    asset, dimensions = live[0].asset, live[0].dimensions
    found: Rows = Counter()
    files = [pq.read_table(warehouse / "versions" / one.path, partitioning=None) for one in live]
    columns = sorted({name for file in files for name in file.column_names} - {*dimensions})
    for one, file in zip(live, files, strict=True):
        key = tuple(one.partition.split("/")) if dimensions else ()
        for row in file.to_pylist():
            found[(*(row.get(name) for name in columns), *key)] += 1
    named = [f'"{name}"' for name in columns] + [f'"{name}"::VARCHAR' for name in dimensions]
    query = f'SELECT {", ".join(named)} FROM production."{asset}"'
    assert Counter(connection.execute(query).fetchall()) == found, asset


def _check_held(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """What is held lies in quarantine, whole, and nowhere that is served."""
    held = connection.execute(
        "SELECT path, rows FROM lineage.quarantine WHERE status = 'held' AND path <> ''"
    ).fetchall()
    for path, rows in held:
        assert pq.read_metadata(root / "quarantine" / path).num_rows == rows, path
    refused = connection.execute(
        "SELECT materialization FROM lineage.materializations WHERE location <> 'versions'"
    ).fetchall()
    for file in _files(root / "warehouse" / "versions", root / "warehouse" / "production"):
        try:
            made = footer(file)["materialization"]
        except FileNotFoundError:
            continue
        assert (made,) not in refused, file


def _files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        for place, _, names in os.walk(folder):
            yield from (Path(place, name) for name in names if name.endswith(".parquet"))


def _check_modes(warehouse: Path) -> None:
    for file in (warehouse / "snapshots").glob("[0-9]*/warehouse.duckdb"):
        try:
            assert stat.S_IMODE(file.stat().st_mode) == 0o444, file
        except FileNotFoundError:
            continue


def _link(warehouse: Path, one: Live) -> Path:
    return (warehouse / "production" / one.path).with_name("data.parquet")


def _links(warehouse: Path) -> tuple[int, dict[Path, int]] | None:
    """The current snapshot and what `production/` serves; None where a commit is changing it, or
    died while it did."""
    if not os.path.lexists(warehouse / "warehouse.duckdb"):
        return None
    number = _number(warehouse)
    folder = warehouse / "production"
    try:
        found = {f: f.stat().st_ino for f in _files(folder) if f.name == "data.parquet"}
    except FileNotFoundError:
        return None
    if any(folder.glob(".behind-*")):
        return None
    return number, found
