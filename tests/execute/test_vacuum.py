"""What outlived its use goes; what is live, held, read or young stays, and says why."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import duckdb
import pytest

from conftest import Edit, Mill
from millgate.execute.vacuum import Pile, Vacuumed
from millgate.store.files import Files

T = TypeVar("T")
BAD = "2024-01-03,1,-10"
DAY = timedelta(days=1)


def versions(mill: Mill) -> set[str]:
    folder = mill.root / "warehouse" / "versions"
    return {str(path.relative_to(folder)) for path in folder.rglob("*.parquet")}


def named(mill: Mill) -> set[str]:
    found = mill.sql("""
        SELECT path FROM lineage.materializations
        WHERE location = 'versions' AND removed_at IS NULL
    """)
    return {path for (path,) in found}


def whats(piles: tuple[Pile, ...]) -> dict[tuple[str, str], int]:
    return {(pile.what, pile.asset): pile.files for pile in piles}


def vacuum(mill: Mill, keep: timedelta = 30 * DAY, *, dry_run: bool = False) -> Vacuumed:
    return mill.open().vacuum(keep, dry_run=dry_run)


def age(path: Path, mill: Mill, by: timedelta) -> None:
    moment = (mill.now - by).timestamp()
    os.utime(path, (moment, moment))


@pytest.fixture
def changed(shop: Mill, edit: Edit) -> Mill:
    """The shop after its code changed: every version of `revenue` and `total` was replaced."""
    shop.run()
    edit("assets/revenue.sql", "sum(amount)", "2 * sum(amount)")
    shop.run()
    return shop


def test_replaced_versions_go_once_they_are_older_than_the_retention(changed: Mill) -> None:
    before = changed.sql("FROM production.revenue ORDER BY date")
    young = vacuum(changed)
    assert (young.freed, young.snapshot) == ((), None)
    assert whats(young.kept) == {("superseded", "revenue"): 5, ("superseded", "total"): 1}
    changed.now += 31 * DAY
    done = vacuum(changed)
    assert whats(done.freed) == {("superseded", "revenue"): 5, ("superseded", "total"): 1}
    assert versions(changed) == named(changed)
    assert changed.sql("SELECT count(removed_at) FROM lineage.materializations") == [(6,)]
    assert changed.sql("SELECT count(*) FROM lineage.snapshots WHERE command = 'vacuum'") == [(1,)]
    assert changed.sql("FROM production.revenue ORDER BY date") == before
    assert changed.sql("SELECT sum(superseded_bytes) FROM lineage.storage") == [(0,)]
    assert vacuum(changed).freed == ()


def test_a_dry_run_says_the_same_and_changes_nothing(changed: Mill) -> None:
    changed.now += 31 * DAY
    before = versions(changed), changed.sql("SELECT max(snapshot) FROM lineage.snapshots")
    would = vacuum(changed, dry_run=True)
    assert before == (versions(changed), changed.sql("SELECT max(snapshot) FROM lineage.snapshots"))
    done = vacuum(changed)
    assert would.freed == done.freed
    assert would.snapshot is None


def test_the_retention_is_a_setting(changed: Mill) -> None:
    changed.write("pyproject.toml", '[tool.millgate]\nname = "trial"\nretention = "2d"\n')
    changed.now += 3 * DAY
    assert whats(changed.open().vacuum().freed) == {
        ("superseded", "revenue"): 5,
        ("superseded", "total"): 1,
    }


READER = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
sys.stdin.readline()
print(connection.execute("SELECT sum(amount) FROM production.revenue").fetchall(), flush=True)
sys.stdin.readline()
"""


def test_what_a_reader_of_an_old_snapshot_needs_stays_until_it_leaves(changed: Mill) -> None:
    changed.now += 31 * DAY
    snapshot = changed.root / "warehouse" / "snapshots" / "00000001" / "warehouse.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(snapshot)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        done = vacuum(changed)
        assert done.freed == ()
        assert {pile.why for pile in done.kept} == {"somebody reads snapshot 1"}
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "[(300,)]\n"
        reader.communicate("\n")
    assert len(vacuum(changed).freed) == 2


def test_a_snapshot_that_nobody_reads_never_names_a_file_that_is_gone(changed: Mill) -> None:
    changed.now += 31 * DAY
    vacuum(changed)
    snapshots = sorted((changed.root / "warehouse" / "snapshots").glob("*/warehouse.duckdb"))
    assert len(snapshots) == 2
    for path in snapshots:
        with duckdb.connect(str(path), read_only=True) as connection:
            assert connection.execute("SELECT sum(amount) FROM production.revenue").fetchall()


def test_what_a_living_run_may_read_stays(changed: Mill) -> None:
    began = changed.now - DAY
    run = changed.open().mill.run_files.start("materialize", "", "ann", "here", began, minimum=9)
    changed.now += 31 * DAY
    with run:
        done = vacuum(changed)
    assert done.freed == ()
    assert {pile.why for pile in done.kept} == {"a living run may read it"}
    assert vacuum(changed).freed


def test_closed_quarantine_goes_and_open_stays(shop: Mill, edit: Edit) -> None:
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    edit("data/orders.csv", "2024-01-04,1,10", "2024-01-04,1,-10")
    shop.run()
    shop.open().discard("orders", "2024-01-03", reason="a test", actor="ada")
    shop.now += 31 * DAY
    done = vacuum(shop)
    assert whats(done.freed) == {("quarantine", "orders"): 1}
    held = shop.root / "quarantine" / "orders"
    assert [p.parent.parent.name for p in held.rglob("rows.parquet")] == ["date=2024-01-04"]
    assert [p.parent.parent.name for p in held.rglob("report.json")] == ["date=2024-01-04"]
    assert shop.sql("SELECT partition, path = '' FROM lineage.quarantine ORDER BY ALL") == [
        ("2024-01-03", True),
        ("2024-01-04", False),
    ]
    assert shop.sql("SELECT count(*) FROM quarantine.orders") == [(3,)]
    assert shop.plan("orders@2024-01-01..2024-01-05").steps == ()


def test_orphans_go_after_a_day(shop: Mill) -> None:
    shop.run()
    live = next((shop.root / "warehouse" / "versions" / "orders").rglob("*.parquet"))
    orphan, young = live.with_name("1-900.parquet"), live.with_name("1-901.parquet")
    refused = shop.root / "quarantine" / "orders" / "date=2024-01-01" / "1-900" / "report.json"
    refused.parent.mkdir(parents=True)
    for file in (orphan, young, refused):
        file.write_text("x")
    age(orphan, shop, 2 * DAY)
    age(refused, shop, 2 * DAY)
    age(young, shop, DAY / 2)
    done = vacuum(shop)
    assert (whats(done.freed), whats(done.kept)) == (
        {("orphans", "orders"): 2},
        {("orphans", "orders"): 1},
    )
    assert (orphan.exists(), refused.exists(), young.exists()) == (False, False, True)


def test_logs_and_the_staging_of_dead_runs_go(mill: Mill) -> None:
    mill.write(
        "assets/told.py",
        """
        import polars as pl
        from millgate import asset


        @asset
        def told() -> pl.DataFrame:
            print("hello")
            return pl.DataFrame({"n": [1]})
        """,
    )
    mill.run()
    log = next((mill.root / "warehouse" / "logs").rglob("*.log"))
    age(log, mill, 31 * DAY)
    staged = mill.root / "warehouse" / "staging" / "77" / "x.parquet"
    staged.parent.mkdir(parents=True)
    staged.write_text("x")
    done = vacuum(mill)
    assert whats(done.freed) == {("logs", ""): 1, ("staging", ""): 1}
    assert not log.exists()
    assert not staged.exists()
    assert mill.sql("SELECT log_path FROM lineage.attempts") == [(None,)]


class Killed(Files):
    """Files whose process dies before the first removal below `versions`."""

    def perform(self, what: str, path: Path, call: Callable[[], T]) -> T:
        if what == "remove" and "versions" in path.parts:
            os._exit(9)
        return super().perform(what, path, call)


DIES = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from execute.test_vacuum import Killed
from millgate.project import Project

now = datetime.fromisoformat(sys.argv[2])
project = Project.open(Path(sys.argv[1]), clock=lambda: now)
project.warehouse._files = Killed()
project.vacuum(timedelta(days=30))
"""


def test_a_vacuum_killed_between_swap_and_removal_leaves_files_and_no_names(changed: Mill) -> None:
    changed.now += 31 * DAY
    before = versions(changed)
    tests = str(Path(__file__).parents[1])
    killed = subprocess.run(
        [sys.executable, "-c", DIES, str(changed.root), changed.now.isoformat()],
        env={**os.environ, "PYTHONPATH": tests},
    )
    assert killed.returncode == 9
    assert versions(changed) == before
    assert len(before - named(changed)) == 6
    assert changed.run().exit_status == 0
    for path in before - named(changed):
        age(changed.root / "warehouse" / "versions" / path, changed, 2 * DAY)
    assert whats(vacuum(changed).freed) == {("orphans", "revenue"): 5, ("orphans", "total"): 1}
    assert versions(changed) == named(changed)
