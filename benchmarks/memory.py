"""A partition larger than the memory it may have: computed, judged and split under a limit.

    python benchmarks/memory.py [--rows 50000000] [--limit 2] [--folder DIR]

A LazyFrame asset reads a file of `rows` trips, and a SQL asset what the first let in; a gate splits
bad rows off both. Each is made by `millgate materialize` as a process of its own to which the
operating system gives no more than `limit` GiB (RLIMIT_DATA: all memory that a process asks for
to write to, whether it is used or only set aside. RLIMIT_AS would count files that are mapped, and
the addresses that allocators reserve without asking for memory).

The exit status is 1 if a process fails, such as for want of memory, or if the rows in production
and in quarantine are not those that plain queries find.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import Cost, Wrong, exit_status, measured

from gate import write_file

CONFIGURATION = """
[tool.millgate]
name = "memory"
"""

ASSETS = '''
import pandera.polars as pa
import polars as pl

from millgate import Gate, asset, source


class Trip(pa.DataFrameModel):
    trip: int = pa.Field(ge=0, unique=True)
    carrier: str
    tail: str = pa.Field(str_matches="N[0-9]{5}$")
    distance: int = pa.Field(gt=0)
    fare: float = pa.Field(ge=0, lt=10_000, nullable=True)


gate = Gate(Trip, on_failure="split")
raw_trips = source("trips.parquet")


@asset(gate=gate)
def computed(raw_trips: pl.LazyFrame) -> pl.LazyFrame:
    return raw_trips.with_columns(pl.col("distance").cast(pl.Int64), fare=pl.col("fare") * 2)


@asset(gate=gate)
def queried(computed) -> str:
    return """
        SELECT * REPLACE (CASE WHEN trip % 500 = 0 THEN -1 ELSE fare * 2 END AS fare)
        FROM computed
    """
'''

LIMITED = """
import os, resource, sys
limit = int(float(sys.argv[1]) * 2**30)
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
# Stacks count in full: those of some forty threads would be a sixth of two GiB.
resource.setrlimit(resource.RLIMIT_STACK, (2 << 20, resource.getrlimit(resource.RLIMIT_STACK)[1]))
# polars' allocator is not to keep the addresses of memory that it has given back: they count too.
os.environ["_RJEM_MALLOC_CONF"] = "retain:false,dirty_decay_ms:500,muzzy_decay_ms:0"
os.execv(sys.argv[2], sys.argv[2:])
"""

GOOD = "regexp_matches(tail, '^N[0-9]{5}$') AND distance > 0"

ROWS = f"""
WITH source AS (SELECT trip, {GOOD} AS good FROM read_parquet($file)),
    expected AS (
        SELECT 'computed in production' AS what, trip FROM source WHERE good
        UNION ALL SELECT 'computed in quarantine', trip FROM source WHERE NOT good
        UNION ALL SELECT 'queried in production', trip FROM source WHERE good AND trip % 500 <> 0
        UNION ALL SELECT 'queried in quarantine', trip FROM source WHERE good AND trip % 500 = 0),
    found AS (
        SELECT 'computed in production' AS what, trip FROM production.computed
        UNION ALL SELECT 'computed in quarantine', trip FROM quarantine.computed
        UNION ALL SELECT 'queried in production', trip FROM production.queried
        UNION ALL SELECT 'queried in quarantine', trip FROM quarantine.queried)
"""
COUNTED = "SELECT what, count(*), sum(hash(trip)) FROM {} GROUP BY what ORDER BY what"


def make(asset: str, limit: float, project: Path) -> Cost:
    millgate = str(Path(sys.executable).with_name("millgate"))
    command = [sys.executable, "-c", LIMITED, str(limit), millgate, "materialize", asset, "--yes"]
    return measured(command, project)


def check(project: Path) -> int:
    """How many rows were refused; Wrong unless all rows are where plain queries say."""
    import duckdb

    path = str(project / "warehouse" / "warehouse.duckdb")
    file = {"file": str(project / "trips.parquet")}
    with duckdb.connect(path, read_only=True) as warehouse:
        expected = warehouse.execute(ROWS + COUNTED.format("expected"), file).fetchall()
        found = warehouse.execute(ROWS + COUNTED.format("found"), file).fetchall()
    if expected != found or len(found) != 4:
        raise Wrong(f"{found} is there, not {expected}")
    return sum(count for what, count, _ in found if what.endswith("quarantine"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--limit", type=float, default=2.0, help="in GiB")
    parser.add_argument("--folder", type=Path, help="where the temporary folders go")
    given = parser.parse_args()
    with TemporaryDirectory(dir=given.folder, prefix="memory-") as scratch:
        project = Path(scratch)
        (project / "assets").mkdir()
        (project / "pyproject.toml").write_text(CONFIGURATION)
        (project / "assets" / "trips.py").write_text(ASSETS)
        write_file(project / "trips.parquet", given.rows, bad=True)
        costs = {name: make(name, given.limit, project) for name in ("computed", "queried")}
        refused = check(project)
    print(f"{given.rows:,} rows in one partition, under a limit of {given.limit:g} GiB\n")
    print(f"{'':24}{'wall s':>8}{'CPU s':>8}{'peak MiB':>10}")
    for name, cost in costs.items():
        kind = "LazyFrame" if name == "computed" else "SQL"
        print(f"{f'{name} ({kind})':24}{cost.wall:8.1f}{cost.cpu:8.1f}{cost.peak:10.0f}")
    print(f"\nthe rows in production and in quarantine ({refused:,}) are those of plain queries")


if __name__ == "__main__":
    sys.exit(exit_status(main))
