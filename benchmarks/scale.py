"""What size costs where nothing is to be done: start-up, listing and planning.

    python benchmarks/scale.py [--runs 5] [--assets 10 1000 10000] [--long 1000] [--days 3650]
        [--folder DIR]

Projects of some numbers of assets, each made from about three others, are live for one day; one of
`long` assets for `days` days. Their catalogs are written as if a run had made each day. In turn,
each as a process of its own, `python -c "import click"`, `--help`, `list` and `plan` are timed.
Afterwards one partition gets another content on record, and the plan must name just what reads it.
The exit status is 1 if a list or a plan is wrong, never because something was slow.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from measuring import Cost, Wrong, exit_status, measured
from synthetic_code import FIRST, Size, declare, name_of, upstreams

MILLGATE = str(Path(sys.executable).with_name("millgate"))


def asked(folder: Path, *arguments: str) -> tuple[Cost, str]:
    """What a command cost, and what it said."""
    cost = measured([MILLGATE, *arguments], folder)
    return cost, (folder / "output.log").read_text()


def write(verb: str, folder: Path, size: Size) -> None:
    """Write to the catalog; a process of its own, for memory counts from its parent's on."""
    script = str(Path(__file__).with_name("live_days.py"))
    measured([sys.executable, script, verb, str(folder), str(size.assets), str(size.days)], folder)


def timed(folder: Path, size: Size) -> dict[str, Cost]:
    """The cost of each command, once; Wrong if one did not see all of the project."""
    costs = {"import click": measured([sys.executable, "-c", "import click"], folder)}
    costs["--help"], _ = asked(folder, "--help")
    costs["list"], listed = asked(folder, "list")
    costs["plan"], planned = asked(folder, "plan")
    if len(listed.split()) != size.assets:
        raise Wrong(f"{len(listed.split())} of {size.assets} assets are listed")
    wanted = f"Nothing to do: {size.assets * size.days:,} partitions are fresh."
    if " ".join(planned.split()).find(wanted) < 0:
        raise Wrong(f"{wanted!r} was expected, not:\n{planned}")
    return costs


def check_changed(folder: Path, size: Size) -> None:
    """Raise Wrong unless the plan names just what reads a partition that changed."""
    changed, key = name_of(0), FIRST.isoformat()
    write("remake", folder, size)
    data = json.loads(asked(folder, "plan", "--json")[1])["data"]
    found = {
        (s["asset"], s["partition"])
        for s in data["steps"]
        if (s["cause"], s["cause_asset"], s["cause_partition"]) == ("input changed", changed, key)
    }
    readers = {name_of(n) for n in range(size.assets) if changed in upstreams(n)}
    named = {asset for asset, _ in found}
    if named != readers or (readers and (min(readers), key) not in found):
        raise Wrong(f"{sorted(readers)} read {changed}@{key}, and the plan names {sorted(named)}")


def report(size: Size, costs: list[dict[str, Cost]]) -> None:
    print(f"\n{size.assets:,} assets x {size.days:,} live days")
    for name in costs[0]:
        walls = [cost[name].wall for cost in costs]
        ratios = [cost[name].wall / cost["import click"].wall for cost in costs]
        print(
            f"  {name:14}{median(walls):8.2f} s (min {min(walls):.2f}, max {max(walls):.2f})"
            f"{median(cost[name].cpu for cost in costs):8.2f} s CPU"
            f"{max(cost[name].peak for cost in costs):8.0f} MiB"
            f"{median(ratios):8.2f} x import click"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--assets", type=int, nargs="*", default=[10, 1_000, 10_000])
    parser.add_argument("--long", type=int, default=1_000, help="assets with many days")
    parser.add_argument("--days", type=int, default=3_650)
    parser.add_argument("--folder", type=Path, help="where the temporary folders go")
    given = parser.parse_args()
    print(f"whole processes, {given.runs} runs in turn, medians")
    for size in (*(Size(n, 1) for n in given.assets), Size(given.long, given.days)):
        with TemporaryDirectory(dir=given.folder, prefix="scale-") as scratch:
            folder = Path(scratch)
            declare(folder, size)
            write("fill", folder, size)
            timed(folder, size)  # Compiles what is imported, untimed.
            report(size, [timed(folder, size) for _ in range(given.runs)])
            check_changed(folder, size)


if __name__ == "__main__":
    sys.exit(exit_status(main))
