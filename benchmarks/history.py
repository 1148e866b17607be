"""What a long history costs: planning and a commit of ten partitions, with little and with much.

    python benchmarks/history.py [--runs 5] [--little 1000] [--much 100000] [--kind superseded]
        [--limit "8 MB"] [--folder DIR]

Two warehouses hold the same asset of 100 days; one has `little` and the other `much` other
partitions on record beside it. They are `live`, or (`superseded`) all but 1,000 of them were
replaced by later ones; then most rows of the larger side lie in files of history, because it
passes the limit. In turn, each as a process of its own, `plan` of that asset and `materialize
--force` of ten of its days are timed in both. The exit status is 1 if a command fails, a commit
does not bring its ten versions or a row of the history does not show in the lineage, never
because something was slow.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import duckdb
from overhead import Cost, Wrong, measured

from millgate.execute.archiving import record
from millgate.execute.committing import committing
from millgate.lineage import run_records
from millgate.model.record import (
    Change,
    Judged,
    Judgement,
    Materialization,
    Promotion,
    materialization_id,
)
from millgate.model.schema import Column, Schema
from millgate.project import Project

FIRST = date(2024, 1, 1)
PROJECT = """
import polars as pl

from millgate import Daily, Partition, asset


@asset(partitions=Daily("2024-01-01", end="2024-04-09"))
def numbers(partition: Partition) -> pl.DataFrame:
    return pl.DataFrame({"n": range(10)})
"""
TEN = "numbers@2024-02-01..2024-02-10"


def millgate(folder: Path, *arguments: str) -> Cost:
    return measured([str(Path(sys.executable).with_name("millgate")), *arguments], folder)


def build(folder: Path, history: int, kind: str, limit: str) -> None:
    """A project whose one asset is live, with `history` versions of others on record."""
    (folder / "assets").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f'[tool.millgate]\ncatalog_limit = "{limit}"\n')
    (folder / "assets" / "numbers.py").write_text(PROJECT)
    millgate(folder, "materialize")
    project = Project.open(folder)
    with committing(project.mill) as commit:
        run = run_records.recorded_run(commit.connection, 1)
        assert run is not None
        made = [version(number, kind) for number in range(history)]
        change = Change(
            replace(run, id=2, command="history"),
            "history",
            datetime.now(UTC),
            materializations=tuple(made),
            judged=tuple(
                Judged(m.id, m.id, Judgement("0" * 32, "promote", 10, 0, ()), m.created_at, 2)
                for m in made
            ),
            promotions=tuple(
                Promotion(
                    m.asset, m.partition, "promote", m.id, m.created_at, 2, "bench", judgement=m.id
                )
                for m in made
            ),
        )
        record(commit, project.mill, change)
        commit.publish()


def version(number: int, kind: str) -> Materialization:
    """A version of an asset that is no longer declared: 1,000 days each, or again and again."""
    asset, day = divmod(number, 1000)
    if kind == "superseded":
        asset = 0
    key = (FIRST + timedelta(days=day)).isoformat()
    return Materialization(
        id=materialization_id(2, number + 1),
        asset=f"old_{asset}",
        partition=key,
        window_start=None,
        window_end=None,
        run=2,
        step=None,
        kind="made",
        derived_from=None,
        code_fingerprint="1" * 32,
        input_fingerprint="2" * 32,
        data_hash=f"{number:032x}",
        schema=Schema((Column("n", "BIGINT"),)),
        rows=10,
        bytes=500,
        location="versions",
        path=f"old_{asset}/date={key}/2-{number + 1}.parquet",
        created_at=datetime.now(UTC),
    )


def live(folder: Path) -> tuple[int, int]:
    """How much is live, and how many versions the measured asset has."""
    path = str((folder / "warehouse" / "warehouse.duckdb").resolve())
    with duckdb.connect(path, read_only=True) as connection:
        row = connection.execute("""
            SELECT (SELECT count(*) FROM lineage.production),
                (SELECT count(*) FROM lineage.materializations WHERE asset = 'numbers')
        """).fetchone()
    assert row is not None
    return row[0], row[1]


def ask(folder: Path, query: str) -> tuple[int, ...]:
    path = str((folder / "warehouse" / "warehouse.duckdb").resolve())
    with duckdb.connect(path, read_only=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row


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
    before = live(folder)
    plan = millgate(folder, "plan", "numbers")
    commit = millgate(folder, "materialize", TEN, "--force", "--yes")
    after = live(folder)
    if after != (before[0], before[1] + 10):
        raise Wrong(f"ten versions were to be added to {before}, now it is {after}")
    return plan, commit


def report(name: str, little: list[Cost], much: list[Cost]) -> None:
    ratios = [m.wall / few.wall for few, m in zip(little, much, strict=True)]
    print(
        f"{name:22}{median(c.wall for c in little):10.2f}{median(c.wall for c in much):10.2f}"
        f"{median(ratios):10.2f}   (min {min(ratios):.2f}, max {max(ratios):.2f})"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--little", type=int, default=1_000)
    parser.add_argument("--much", type=int, default=100_000)
    parser.add_argument("--kind", choices=["superseded", "live"], default="superseded")
    parser.add_argument("--limit", default="8 MB", help="snapshots above move rows to files")
    parser.add_argument("--folder", type=Path, help="where the temporary folders go")
    given = parser.parse_args()
    scratch = Path(TemporaryDirectory(dir=given.folder, prefix="history-").name)
    try:
        sides = scratch / "little", scratch / "much"
        recorded: dict[Path, tuple[int, ...]] = {}
        for folder, history in zip(sides, (given.little, given.much), strict=True):
            build(folder, history, given.kind, given.limit)
            recorded[folder] = on_record(folder)
            if min(recorded[folder]) < history:
                raise Wrong(f"of {history} rows {recorded[folder]} are on record")
            timed(folder)
        costs = [(timed(sides[0]), timed(sides[1])) for _ in range(given.runs)]
        for folder, before in recorded.items():
            wanted = tuple(count + 10 * (given.runs + 1) for count in before)
            if on_record(folder) != wanted:
                raise Wrong(f"{wanted} rows were to be on record, not {on_record(folder)}")
        moved = [in_files(folder) for folder in sides]
    except Wrong as problem:
        print(problem, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"whole processes, {given.runs} runs in turn; wall seconds, medians\n")
    print(f"{'history':22}{given.little:10,}{given.much:10,}{'ratio':>10}")
    print(f"{'rows in files':22}{moved[0]:10,}{moved[1]:10,}")
    for index, name in enumerate(("plan of one asset", "commit of ten days")):
        report(name, [few[index] for few, _ in costs], [much[index] for _, much in costs])
    return 0


if __name__ == "__main__":
    sys.exit(main())
