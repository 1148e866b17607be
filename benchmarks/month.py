"""A month of a million rows a day, cleaned, gated by six checks, aggregated, against DuckDB.

    python benchmarks/month.py [--runs 5] [--rows 1000000] [--days 31] [--folder DIR]

The floor is DuckDB's `COPY` with a query that counts what fails the same six checks, and a rename
where nothing does (peers/raw_duckdb.py). Millgate does it as a project of two `.sql` assets with a
pandera model as gate (peers/millgate_peer.py): it also plans, hashes, commits and records. Both run
in turn as processes of their own. The exit status is 1 if a row of either side is not what the
source asks for, never because something was slow.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from contest import contest, write_source
from measuring import Cost, exit_status, ratio

SIDES = ("duckdb", "millgate")


def report(costs: dict[str, list[Cost]]) -> None:
    print(f"{'':10}{'wall s':>9}{'min':>8}{'max':>8}{'CPU s':>8}{'peak MiB':>10}")
    for name, own in costs.items():
        wall = [cost.wall for cost in own]
        print(
            f"{name:10}{median(wall):9.2f}{min(wall):8.2f}{max(wall):8.2f}"
            f"{median(c.cpu for c in own):8.2f}{median(c.peak for c in own):10.0f}"
        )
    print()
    pairs = list(zip(*(costs[name] for name in SIDES), strict=True))
    for what, ratios in (
        ("wall time", [m.wall / floor.wall for floor, m in pairs]),
        ("CPU time", [m.cpu / floor.cpu for floor, m in pairs]),
        ("peak memory", [m.peak / floor.peak for floor, m in pairs]),
    ):
        print(ratio(what, ratios))
    print("rows are equal")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--folder", type=Path, help="where the temporary folders go")
    given = parser.parse_args()
    with TemporaryDirectory(dir=given.folder, prefix="month-") as scratch:
        folder = Path(scratch)
        source = write_source(folder, given.rows, given.days)
        options = {"days": given.days, "venvs": None, "source": source}
        print(f"{given.days} days x {given.rows:,} rows, {given.runs} runs in turn\n")
        report(contest(SIDES, "w2", folder, runs=given.runs, **options))


if __name__ == "__main__":
    sys.exit(exit_status(main))
