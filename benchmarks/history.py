"""What a long history costs: planning and a commit of ten partitions, with little and with much.

    python benchmarks/history.py [--runs 5] [--history 1000 100000 1000000] [--live 10000]
        [--limit "64 MB"] [--folder DIR]

A warehouse for each length holds the same asset of 100 days, and beside it so many versions of ten
other assets: at most `live` of them are live, and the others were replaced by these. What is
remembered of those lies in files of history where the snapshot passes the limit. In turn, each as a
process of its own, `plan` of that asset and `materialize --force` of ten of its days are timed in
all of them. The exit status is 1 if a command fails, a commit does not bring its ten versions or a
row of the history does not show in the lineage, never because something was slow.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from measuring import Cost, Wrong, exit_status
from synthetic import ask, build, millgate

TEN = "numbers@2024-02-01..2024-02-10"
WHAT = ("plan of one asset", "commit of ten days")


def counted(folder: Path) -> tuple[int, ...]:
    """How much is live, and how many versions the measured asset has."""
    return ask(
        folder,
        "SELECT (SELECT count(*) FROM lineage.production), "
        "(SELECT count(*) FROM lineage.materializations WHERE asset = 'numbers')",
    )


def on_record(folder: Path) -> tuple[int, ...]:
    """How many versions, judgements and entries into production the lineage shows."""
    return ask(
        folder,
        "SELECT (SELECT count(*) FROM lineage.materializations), "
        "(SELECT count(*) FROM lineage.judgements), (SELECT count(*) FROM lineage.promotions)",
    )


def in_files(folder: Path) -> int:
    """How many rows of it lie in files of history."""
    return ask(folder, "SELECT coalesce(sum(row_count), 0)::BIGINT FROM lineage.history_files")[0]


def timed(folder: Path) -> tuple[Cost, Cost]:
    """The cost of a plan, and of making ten days again."""
    live, versions = counted(folder)
    plan = millgate(folder, "plan", "numbers")
    commit = millgate(folder, "materialize", TEN, "--force", "--yes")
    if counted(folder) != (live, versions + 10):
        raise Wrong(f"ten versions were to be added to {versions}, now it is {counted(folder)}")
    return plan, commit


def measure(scratch: Path, given: argparse.Namespace) -> dict[int, list[tuple[Cost, Cost]]]:
    """The costs by length of the history, all in turn, and the check that nothing is lost."""
    sides = {length: scratch / str(length) for length in given.history}
    recorded: dict[int, tuple[int, ...]] = {}
    for length, folder in sides.items():
        build(folder, length, given.live, given.limit)
        recorded[length] = on_record(folder)
        if min(recorded[length]) < length:
            raise Wrong(f"of {length} rows {recorded[length]} are on record")
        timed(folder)
    costs: dict[int, list[tuple[Cost, Cost]]] = {length: [] for length in sides}
    for _ in range(given.runs):
        for length, folder in sides.items():
            costs[length].append(timed(folder))
    for length, before in recorded.items():
        wanted = tuple(count + 10 * (given.runs + 1) for count in before)
        if on_record(sides[length]) != wanted:
            raise Wrong(f"{wanted} rows were to be on record, not {on_record(sides[length])}")
    moved = [in_files(folder) for folder in sides.values()]
    print(f"whole processes, {given.runs} runs in turn; wall seconds, medians\n")
    print(f"{'history':22}" + "".join(f"{length:>26,}" for length in sides))
    print(f"{'rows in files':22}" + "".join(f"{rows:>26,}" for rows in moved))
    return costs


def report(costs: dict[int, list[tuple[Cost, Cost]]]) -> None:
    """A line for each thing that was timed; the ratios are to the shortest history."""
    first = next(iter(costs.values()))
    for index, name in enumerate(WHAT):
        line = f"{name:22}"
        for own in costs.values():
            walls = [each[index].wall for each in own]
            ratios = [a / b[index].wall for a, b in zip(walls, first, strict=True)]
            spread = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            line += f"{median(walls):>6.2f}{spread:>20}"
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--history", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--live", type=int, default=10_000, help="how many of them are live")
    parser.add_argument("--limit", default="64 MB", help="snapshots above move rows to files")
    parser.add_argument("--folder", type=Path, help="where the temporary folders go")
    given = parser.parse_args()
    scratch = Path(TemporaryDirectory(dir=given.folder, prefix="history-").name)
    try:
        report(measure(scratch, given))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(exit_status(main))
