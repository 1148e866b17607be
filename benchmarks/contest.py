"""Millgate beside other tools on the same two pieces of work.

    python benchmarks/contest.py w1 [NAME...] [--days 100] [--runs 3] [--venvs DIR]
    python benchmarks/contest.py w2 [NAME...] [--days 31] [--rows 1000000] [--runs 3] [--venvs DIR]
    python benchmarks/contest.py dirty [NAME...] [--days 8] [--rows 1000000] [--venvs DIR]

w1 is a chain of 10 assets with 10 rows in each partition, w2 a month that is cleaned, checked and
aggregated: both time all contestants in turn, each as processes of their own, and take ratios to
the floors pair by pair. dirty runs the month with bad days and shows what is then in production.
Every result is compared with what the work asks for; the exit status is 1 if rows differ or a
contestant fails. A tool runs in its own virtual environment, DIR/<tool>; without --venvs only the
floors and Millgate run, in this one.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from measuring import Cost, Wrong, exit_status, measured
from proof import check_chain, check_month, left_of

PEERS = Path(__file__).parent / "peers"
FLOORS = ("polars", "duckdb")


@dataclass(frozen=True)
class Contestant:
    """A script, which of its modes do which work, and the environment it runs in."""

    script: str
    w1: str | None = None
    w2: str | None = None
    dirty: str | None = None
    tool: str | None = None


CONTESTANTS: Mapping[str, Contestant] = {
    "polars": Contestant("raw_polars.py", "w1", "w2", "w2"),
    "duckdb": Contestant("raw_duckdb.py", "w1", "w2", "w2"),
    "millgate": Contestant("millgate_peer.py", "w1", "w2", "w2"),
    "pandera": Contestant("pandera_peer.py", None, "w2", "w2"),
    "hamilton": Contestant("hamilton_peer.py", "w1", tool="hamilton"),
    "dagster": Contestant("dagster_peer.py", "w1", "w2", "w2", "dagster"),
    "dagster-range": Contestant("dagster_peer.py", "w1_range", tool="dagster"),
    "prefect": Contestant("prefect_peer.py", "w1", tool="prefect"),
    "dbt": Contestant("dbt_peer.py", "w1", "w2", "w2", "dbt"),
    "dbt-late": Contestant("dbt_peer.py", dirty="w2_late", tool="dbt"),
    "sqlmesh": Contestant("sqlmesh_peer.py", "w1", "w2", "w2", "sqlmesh"),
    "sqlmesh-range": Contestant("sqlmesh_peer.py", "w1_range", "w2_range", tool="sqlmesh"),
    "sqlmesh-late": Contestant("sqlmesh_peer.py", dirty="w2_late", tool="sqlmesh"),
}


def run(name: str, work: str, folder: Path, days: int, venvs: Path | None, source: Path) -> Cost:
    """What one contestant took for one piece of work, its result left in `folder`/out."""
    contestant = CONTESTANTS[name]
    python = sys.executable
    if contestant.tool is not None:
        assert venvs is not None
        python = str(venvs.resolve() / contestant.tool / "bin" / "python")
    given = [] if work == "w1" else [str(source / ("dirty" if work == "dirty" else "clean"))]
    script = str(PEERS / contestant.script)
    mode = str(getattr(contestant, work))
    folder.mkdir()
    out = str(folder / "out")
    return measured([python, script, mode, *given, out, "--days", str(days)], folder)


def check(work: str, out: Path, days: int, source: Path) -> None:
    """Raise Wrong unless a contestant made what the work asks for."""
    if work == "w1":
        check_chain(out, days)
    else:
        check_month(out, source / "clean")


def write_source(folder: Path, rows: int, days: int) -> Path:
    """The source of the month, in a new folder."""
    source = folder / "source"
    script = str(PEERS / "month_source.py")
    amount = ["--rows", str(rows), "--days", str(days)]
    subprocess.run([sys.executable, script, str(source), *amount], check=True)
    return source


def contest(
    names: Sequence[str],
    work: str,
    folder: Path,
    *,
    days: int,
    runs: int,
    venvs: Path | None,
    source: Path,
) -> dict[str, list[Cost]]:
    """The costs of each contestant, all run in turn and checked."""
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    for _ in range(runs):
        for name in names:
            with TemporaryDirectory(dir=folder, prefix=f"{name}-") as scratch:
                place = Path(scratch, name)
                costs[name].append(run(name, work, place, days, venvs, source))
                try:
                    check(work, place / "out", days, source)
                except Wrong as problem:
                    raise Wrong(
                        f"{name}: {problem}\n{(place / 'output.log').read_text()}"
                    ) from None
    return costs


def report(costs: Mapping[str, Sequence[Cost]]) -> None:
    """Medians, and ratios to the floors that ran in the same turn."""
    floors = [name for name in FLOORS if name in costs]
    heads = "".join(f"{'to ' + name:>28}" for name in floors)
    print(f"{'':16}{'wall s':>8}{'CPU s':>8}{'peak MiB':>10}{heads}   (wall: median, min to max)")
    for name, own in costs.items():
        told = ""
        for floor in floors:
            ratios = [a.wall / b.wall for a, b in zip(own, costs[floor], strict=True)]
            spread = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            told += f"{spread:>28}"
        print(
            f"{name:16}{median(c.wall for c in own):8.2f}{median(c.cpu for c in own):8.2f}"
            f"{median(c.peak for c in own):10.0f}{told}"
        )
    print("\nall made the same rows")


def show_left(
    names: Sequence[str], folder: Path, *, days: int, venvs: Path | None, source: Path
) -> None:
    """What each contestant has in production after the month with bad days."""
    print(f"{'':16}{'bad rows':>10}{'bad days':>10}{'good days aggregated':>22}")
    for name in names:
        with TemporaryDirectory(dir=folder, prefix=f"{name}-") as scratch:
            place = Path(scratch, name)
            run(name, "dirty", place, days, venvs, source)
            left = left_of(place / "out", days)
            print(f"{name:16}{left.bad_rows:10,}{left.bad_days:10}{left.good_days:22}")
            said = (place / "output.log").read_text().splitlines()
            for line in (line for line in said if line.startswith("the aggregate of")):
                print(f"{'':16}{line}")


def chosen(given: argparse.Namespace, parser: argparse.ArgumentParser) -> list[str]:
    """The contestants that can do the work, or those of them that are named."""
    able = [name for name, c in CONTESTANTS.items() if getattr(c, given.work) is not None]
    there = [name for name in able if given.venvs or CONTESTANTS[name].tool is None]
    for name in given.names:
        if name not in there:
            parser.error(f"{name} cannot do {given.work} here; {', '.join(there)} can")
    return [name for name in there if not given.names or name in given.names]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("work", choices=["w1", "w2", "dirty"])
    parser.add_argument("names", nargs="*", help="contestants; all that can do the work by default")
    parser.add_argument("--days", type=int)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--venvs", type=Path, help="where the environments of the tools are")
    parser.add_argument("--folder", type=Path, help="where the temporary folders go")
    given = parser.parse_intermixed_args()
    names = chosen(given, parser)
    days = given.days or {"w1": 100, "w2": 31, "dirty": 8}[given.work]
    with TemporaryDirectory(dir=given.folder, prefix="contest-") as scratch:
        folder = Path(scratch)
        source = folder / "source"
        if given.work != "w1":
            write_source(folder, given.rows, days)
        if given.work == "dirty":
            show_left(names, folder, days=days, venvs=given.venvs, source=source)
        else:
            options = {"days": days, "venvs": given.venvs, "source": source}
            report(contest(names, given.work, folder, runs=given.runs, **options))


if __name__ == "__main__":
    sys.exit(exit_status(main))
