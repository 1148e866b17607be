"""What Millgate costs on top of the work: a chain of tiny assets against a bare polars loop.

    python benchmarks/overhead.py [--runs 5] [--assets 10] [--days 100] [--batch N] [--folder DIR]

Both sides read, compute and write the same small Parquet files, each as a process of its own,
import included, in turn. Millgate also plans, judges, commits with every sync, and records all
lineage; the loop does nothing of that. With `--batch` the assets declare that so many adjacent
days are computed as one; the loop stays as it is. The rows of both are compared after every pair:
the exit status is 1 if they differ or if lineage is incomplete, never because something was slow.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp

from measuring import Cost, Wrong, exit_status, measured, ratio

FIRST = date(2024, 1, 1)

LOOP = """
import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl

out, assets, days = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for number in range(assets):
    (out / f"a{number}").mkdir()
for count in range(days):
    day = date.fromisoformat(sys.argv[4]) + timedelta(days=count)
    for number in range(assets):
        if number == 0:
            frame = pl.DataFrame({"date": [day] * 10, "k": range(10), "v": [day.day + 0.5] * 10})
        else:
            frame = pl.read_parquet(out / f"a{number - 1}" / f"{day}.parquet")
            frame = frame.with_columns(v=pl.col("v") + pl.col("k"))
        frame.write_parquet(out / f"a{number}" / f"{day}.parquet")
"""

CONFIGURATION = """
[tool.millgate]
name = "overhead"
"""

CHAIN = """
import polars as pl

from millgate import Asset, Daily, Partition, asset

days = Daily("{first}", end="{last}")


@asset(partitions=days)
def a0(partition: Partition) -> pl.DataFrame:
    day = partition["date"]
    return pl.DataFrame({{"date": [day] * 10, "k": range(10), "v": [day.day + 0.5] * 10}})


def link(number: int) -> Asset:
    @asset(name=f"a{{number}}", partitions=days, upstream={{"frame": f"a{{number - 1}}"}})
    def follow(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(v=pl.col("v") + pl.col("k"))

    return follow


chain = [link(number) for number in range(1, {assets})]
"""

BATCHES = """
import polars as pl

from millgate import Asset, Daily, Partition, asset

days = Daily("{first}", end="{last}", batch={batch})


@asset(partitions=days)
def a0(partitions: list[Partition]) -> pl.DataFrame:
    made = pl.DataFrame({{"date": [partition["date"] for partition in partitions]}})
    made = made.join(pl.DataFrame({{"k": range(10)}}), how="cross")
    return made.with_columns(v=pl.col("date").dt.day() + 0.5)


def link(number: int) -> Asset:
    @asset(name=f"a{{number}}", partitions=days, upstream={{"frame": f"a{{number - 1}}"}})
    def follow(frame: pl.DataFrame, partitions: list[Partition]) -> pl.DataFrame:
        return frame.with_columns(v=pl.col("v") + pl.col("k"))

    return follow


chain = [link(number) for number in range(1, {assets})]
"""


@dataclass(frozen=True)
class Size:
    """How long the chain is, over how many days, and how many of these are computed as one."""

    assets: int
    days: int
    batch: int | None = None

    @property
    def partitions(self) -> int:
        return self.assets * self.days

    @property
    def last(self) -> date:
        return FIRST + timedelta(days=self.days - 1)


def run_loop(folder: Path, size: Size) -> Cost:
    script = folder / "loop.py"
    script.write_text(LOOP)
    arguments = [str(folder), str(size.assets), str(size.days), str(FIRST)]
    return measured([sys.executable, str(script), *arguments], folder)


def run_millgate(folder: Path, size: Size) -> Cost:
    (folder / "assets").mkdir()
    (folder / "pyproject.toml").write_text(CONFIGURATION)
    declared = BATCHES if size.batch else CHAIN
    (folder / "assets" / "chain.py").write_text(
        declared.format(first=FIRST, last=size.last, assets=size.assets, batch=size.batch)
    )
    millgate = Path(sys.executable).with_name("millgate")
    return measured([str(millgate), "backfill", f"a{size.assets - 1}", "--all", "--yes"], folder)


def compare(loop: Path, project: Path, size: Size) -> None:
    """Raise Wrong unless both made the same rows and Millgate recorded where they come from."""
    import duckdb

    path = str(project / "warehouse" / "warehouse.duckdb")
    with duckdb.connect(path, read_only=True) as warehouse:
        for number in range(size.assets):
            files = str(loop / f"a{number}" / "*.parquet")
            ours = warehouse.execute(
                f"SELECT date, k, v FROM production.a{number} ORDER BY ALL"
            ).fetchall()
            theirs = warehouse.execute(
                "SELECT date, k, v FROM read_parquet($files) ORDER BY ALL", {"files": files}
            ).fetchall()
            if ours != theirs or len(ours) != 10 * size.days:
                raise Wrong(f"a{number}: {len(ours)} rows of Millgate, {len(theirs)} of the loop")
        recorded = warehouse.execute(
            "SELECT (SELECT count(*) FROM lineage.production),"
            " (SELECT count(*) FROM lineage.materialization_edges)"
        ).fetchone()
    expected = (size.partitions, size.partitions - size.days)
    if recorded != expected:
        raise Wrong(f"{recorded} live partitions and edges are recorded, not {expected}")


def pair(size: Size, folder: Path) -> tuple[Cost, Cost]:
    """One run of each side in fresh folders below `folder`."""
    scratch = Path(mkdtemp(dir=folder))
    loop, project = scratch / "loop", scratch / "project"
    loop.mkdir()
    project.mkdir()
    costs = run_loop(loop, size), run_millgate(project, size)
    compare(loop, project, size)
    return costs


def report(pairs: list[tuple[Cost, Cost]], size: Size) -> None:
    batches = f" in batches of {size.batch}" if size.batch else ""
    days = f"{size.assets} assets x {size.days} days{batches}"
    print(f"{days}, {len(pairs)} runs of each side in turn\n")
    print(f"{'':10}{'wall s':>9}{'min':>8}{'max':>8}{'ms each':>9}{'CPU s':>8}{'peak MiB':>10}")
    for name, costs in zip(("polars", "millgate"), zip(*pairs, strict=True), strict=True):
        wall = [cost.wall for cost in costs]
        print(
            f"{name:10}{median(wall):9.2f}{min(wall):8.2f}{max(wall):8.2f}"
            f"{1000 * median(wall) / size.partitions:9.2f}"
            f"{median(cost.cpu for cost in costs):8.2f}{median(cost.peak for cost in costs):10.0f}"
        )
    print()
    for name, ratios in (
        ("wall", [millgate.wall / loop.wall for loop, millgate in pairs]),
        ("CPU", [millgate.cpu / loop.cpu for loop, millgate in pairs]),
    ):
        print(ratio(f"{name} time", ratios))
    print(f"rows are equal, and all {size.partitions:,} partitions have their lineage")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--assets", type=int, default=10)
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--batch", type=int, help="so many adjacent days are computed as one")
    parser.add_argument("--folder", type=Path, help="where the temporary folders go")
    given = parser.parse_args()
    size = Size(given.assets, given.days, given.batch)
    # Folders go at the end: ext4 is slow to make new files just after many were removed.
    with TemporaryDirectory(dir=given.folder, prefix="overhead-") as scratch:
        pair(Size(given.assets, 1, given.batch), Path(scratch))  # compiles, untimed
        report([pair(size, Path(scratch)) for _ in range(given.runs)], size)


if __name__ == "__main__":
    sys.exit(exit_status(main))
