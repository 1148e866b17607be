"""Questions of lineage over a million edges, against a plain recursive CTE on an indexed copy.

    python benchmarks/tracing.py [--runs 9] [--versions 204000] [--assets 10000] [--limit "1 GB"]
        [--folder DIR]

Each of the versions was made from five others, over 100 layers; each of the assets from three. In
turn, on open connections, the macros of the catalog (`lineage.trace`, `used_in`, `upstream` and
`downstream`) and a CTE that finds only the numbers or names of the same rows answer for the version
and the asset with most above or below them. The copy that the CTE reads has an index on both
columns. With a small limit most edges lie in files of history. The exit status is 1 if the two
answers differ, never because something was slow.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import duckdb
import pyarrow as pa
from measuring import Wrong, exit_status
from synthetic import ask, build

READS = 5
PLAIN = """
WITH RECURSIVE found(x) AS (
    SELECT $start UNION SELECT e.{there} FROM {edges} e JOIN found ON e.{here} = found.x)
SELECT x FROM found
"""


@dataclass(frozen=True)
class Question:
    """A macro, and the plain CTE that finds the same."""

    name: str
    macro: str
    plain: str
    start: int | str


def questions(versions: int, assets: int) -> list[Question]:
    up, down = (
        {"here": "downstream", "there": "upstream"},
        {"here": "upstream", "there": "downstream"},
    )
    both = "SELECT materialization FROM lineage.{}($start)"
    # The macros on assets leave out the one that is asked for.
    beside = "SELECT asset FROM lineage.{}($start) UNION ALL SELECT $start"
    version_edges, asset_edges = "copies.version_edges", "copies.asset_edges"
    last, first = 2_000_000 + versions, 2_000_001
    return [
        Question("trace", both.format("trace"), PLAIN.format(edges=version_edges, **up), last),
        Question(
            "used_in", both.format("used_in"), PLAIN.format(edges=version_edges, **down), first
        ),
        Question(
            "upstream",
            beside.format("upstream"),
            PLAIN.format(edges=asset_edges, **up),
            f"asset_{assets - 1}",
        ),
        Question(
            "downstream",
            beside.format("downstream"),
            PLAIN.format(edges=asset_edges, **down),
            "asset_0",
        ),
    ]


def enter_asset_edges(folder: Path, assets: int) -> None:
    """Let each of `assets` read three of the two hundred before it."""
    drawn = random.Random(7)
    edges = [
        (f"asset_{upstream}", f"asset_{number}")
        for number in range(1, assets)
        for upstream in drawn.sample(range(max(0, number - 200), number), min(number, 3))
    ]
    path = (folder / "warehouse" / "warehouse.duckdb").resolve()
    path.chmod(0o644)
    added = pa.table({"upstream": [u for u, _ in edges], "downstream": [d for _, d in edges]})
    with duckdb.connect(str(path)) as connection:
        connection.register("added", added)
        connection.execute(
            "INSERT INTO lineage.asset_edges SELECT upstream, downstream, 'data', '' FROM added"
        )


def connected(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection to the warehouse, with indexed copies of its edges beside it."""
    path = str((folder / "warehouse" / "warehouse.duckdb").resolve())
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{path}' AS warehouse (READ_ONLY); CREATE SCHEMA copies")
    for name, table, columns in (
        ("version_edges", "materialization_edges", "upstream BIGINT, downstream BIGINT"),
        ("asset_edges", "asset_edges", "upstream VARCHAR, downstream VARCHAR"),
    ):
        connection.execute(f"CREATE TABLE copies.{name} ({columns})")
        connection.execute(
            f"INSERT INTO copies.{name} SELECT upstream, downstream FROM warehouse.lineage.{table}"
        )
        for column in ("upstream", "downstream"):
            connection.execute(f"CREATE INDEX {name}_{column} ON copies.{name} ({column})")
    connection.execute("USE warehouse")
    return connection


def timed(
    connection: duckdb.DuckDBPyConnection, query: str, start: int | str
) -> tuple[float, list]:
    began = perf_counter()
    rows = connection.execute(query, {"start": start}).fetchall()
    return perf_counter() - began, sorted(rows)


def compare(connection: duckdb.DuckDBPyConnection, question: Question, runs: int) -> str:
    """A line with the median times of both, and their ratio."""
    plain_query = question.plain.replace("copies.", "memory.copies.")
    pairs = []
    for turn in range(runs + 1):
        wanted_s, wanted = timed(connection, plain_query, question.start)
        macro_s, got = timed(connection, question.macro, question.start)
        if got != wanted:
            raise Wrong(f"{question.name}: {len(got)} rows, and {len(wanted)} of the plain CTE")
        pairs += [(wanted_s, macro_s)] if turn else []
    ratios = [macro / plain for plain, macro in pairs]
    return (
        f"{question.name:12}{len(wanted):10,}{1000 * median(p for p, _ in pairs):12.1f}"
        f"{1000 * median(m for _, m in pairs):12.1f}{median(ratios):10.2f}"
        f"   (min {min(ratios):.2f}, max {max(ratios):.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--versions", type=int, default=204_000)
    parser.add_argument("--assets", type=int, default=10_000)
    parser.add_argument("--limit", default="1 GB", help="a snapshot above moves rows to files")
    parser.add_argument("--folder", type=Path, help="where the temporary folders go")
    given = parser.parse_args()
    scratch = Path(TemporaryDirectory(dir=given.folder, prefix="tracing-").name)
    try:
        build(scratch, given.versions, 10_000, given.limit, reads=READS)
        enter_asset_edges(scratch, given.assets)
        count, moved = ask(
            scratch,
            "SELECT (SELECT count(*) FROM lineage.materialization_edges), "
            "(SELECT count(*) FROM lineage.materialization_edges) "
            "- (SELECT count(*) FROM hot.materialization_edges)",
        )
        print(
            f"{count:,} edges of versions, {moved:,} of them in files; {given.runs} runs in turn\n"
        )
        print(f"{'':12}{'rows':>10}{'plain ms':>12}{'macro ms':>12}{'ratio':>10}")
        with connected(scratch) as connection:
            for question in questions(given.versions, given.assets):
                print(compare(connection, question, given.runs))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print("\nboth found the same rows")


if __name__ == "__main__":
    sys.exit(exit_status(main))
