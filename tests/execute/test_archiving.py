"""Rows that no plan or commit needs move to files, and every question is answered as before."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import Edit, Mill
from millgate.cli.main import main
from millgate.lineage.fetch import HOT
from millgate.model.going_back import Destination
from millgate.store.files import Files

DAY = "2024-01-03"


def limit(mill: Mill, text: str) -> None:
    mill.write("pyproject.toml", f'[tool.millgate]\nname = "trial"\ncatalog_limit = "{text}"\n')


def again(mill: Mill, edit: Edit, times: int = 3) -> None:
    """Days that come out differently each time, and what is made from them."""
    for n in range(times):
        edit("data/orders.csv", f"{DAY},1,{10 + n}", f"{DAY},1,{11 + n}")
        mill.run()


def in_files(mill: Mill) -> dict[str, int]:
    """How many rows of each table lie in files."""
    return dict(
        mill.sql("SELECT table_name, sum(row_count)::INTEGER FROM lineage.history_files GROUP BY 1")
    )


def everything(mill: Mill) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the lineage, but for what differs from run to run."""
    unlike = {
        "materializations": "EXCLUDE (created_at, bytes)",
        "attempts": "EXCLUDE (started_at, finished_at, compute_s, gate_s, write_s, peak_bytes)",
        "source_files": "EXCLUDE modified_at",
        "runs": "EXCLUDE (started_at, finished_at)",
    }
    return {
        table: mill.sql(f"SELECT * {unlike.get(table, '')} FROM lineage.{table} ORDER BY ALL")
        for table in sorted(HOT)
    }


@pytest.fixture
def moved(shop: Mill, edit: Edit) -> Mill:
    """Four versions of a day, most of it in files."""
    shop.run(workers=1)
    limit(shop, "1 B")
    again(shop, edit)
    return shop


def test_what_is_asked_is_the_same_with_and_without_files(shop: Mill, tmp_path: Path) -> None:
    other = Mill(tmp_path / "other" / "trial")
    shutil.copytree(shop.root, other.root)
    limit(other, "1 B")
    for mill in (shop, other):
        for n in range(4):
            file = mill.root / "data" / "orders.csv"
            file.write_text(file.read_text().replace(f"{DAY},1,{10 + n}\n", f"{DAY},1,{11 + n}\n"))
            mill.run(workers=1)
    assert in_files(shop) == {}
    assert set(in_files(other)) >= {
        "materializations", "materialization_edges", "judgements", "promotions", "steps",
        "attempts", "runs", "snapshots", "source_files",
    }  # fmt: skip
    assert len(shop.sql("FROM lineage.materializations")) > len(
        other.sql("FROM hot.materializations")
    )
    # Data hashes aside, which name the files of the source by their place.
    for table, rows in everything(shop).items():
        assert len(everything(other)[table]) == len(rows), table
    # The numbers of versions follow the order in which steps came to an end.
    stays = "SELECT asset, partition, count(*) FROM lineage.stays GROUP BY ALL ORDER BY ALL"
    assert other.sql(stays) == shop.sql(stays)
    shown = ("stale", "failing", "stuck", "health", "rolled_back")
    for view in shown:
        query = "SELECT COLUMNS(lambda c: c NOT LIKE '%\\_at' ESCAPE '\\' AND c NOT LIKE 'valid%') "
        query += f"FROM lineage.{view} ORDER BY ALL"
        assert other.sql(query) == shop.sql(query), view


def test_plain_clients_see_all_and_comments_stay(moved: Mill) -> None:
    assert in_files(moved)["materializations"] >= 4
    assert moved.sql("SELECT DISTINCT typeof(data_hash) FROM lineage.materializations") == [
        ("UUID",)
    ]
    silent = moved.sql(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE schema_name = 'lineage' AND comment IS NULL"
    )
    assert silent == []
    newest = moved.sql("SELECT max(materialization) FROM lineage.production WHERE asset = 'total'")[
        0
    ][0]
    assert len(moved.sql("FROM lineage.materializations")) == len(
        moved.sql("SELECT DISTINCT materialization FROM lineage.materializations")
    )
    path = (moved.root / "warehouse" / "warehouse.duckdb").resolve()
    with duckdb.connect(str(path), read_only=True) as connection:
        traced = connection.execute(f"FROM lineage.trace({newest})").fetchall()
    assert len(traced) >= 12


def test_nothing_is_stale_or_unsound_afterwards(moved: Mill) -> None:
    assert not moved.plan().steps
    assert moved.open().examine() == []
    before = in_files(moved)
    moved.run("orders", force=True, first=DAY, last=DAY)
    assert moved.open().examine() == []
    assert in_files(moved) != before


def test_going_back_to_a_version_in_a_file_sticks(moved: Mill) -> None:
    first = moved.sql("SELECT min(snapshot) FROM lineage.snapshots")[0][0]
    project = moved.open()
    rollback = project.propose_rollback(
        "", Destination.parse(f"snapshot:{first}", UTC), downstream=True
    )
    project.roll_back(rollback, reason="as it was")
    assert moved.sql("SELECT amount FROM production.total") == [(300,)]
    assert moved.open().examine() == []
    assert [s for s in moved.plan().steps if s.asset != "total"] == []
    versions = moved.sql("SELECT materialization FROM lineage.materializations")
    assert len(versions) == len(set(versions))
    moved.run()
    assert moved.open().examine() == []


def test_the_past_can_be_asked(moved: Mill) -> None:
    first = moved.sql("SELECT min(snapshot) FROM lineage.snapshots")[0][0]
    with moved.open().reading_past(Destination.parse(f"snapshot:{first}", UTC)) as past:
        assert past.connection.execute("SELECT amount FROM production.total").fetchall() == [(300,)]


def test_vacuum_reaches_versions_on_record_in_files(moved: Mill) -> None:
    old = moved.sql(
        "SELECT count(*) FROM lineage.materializations m WHERE location = 'versions' "
        "AND materialization NOT IN (SELECT materialization FROM lineage.production)"
    )
    everything_before = {t: len(rows) for t, rows in everything(moved).items()}
    moved.open().vacuum(timedelta(0))
    removed = "SELECT count(*) FROM lineage.materializations WHERE removed_at IS NOT NULL"
    assert moved.sql(removed) == old != [(0,)]
    assert moved.open().examine() == []
    after = {t: len(rows) for t, rows in everything(moved).items()}
    assert {t: n for t, n in after.items() if t not in ("runs", "snapshots")} == {
        t: n for t, n in everything_before.items() if t not in ("runs", "snapshots")
    }


def test_vacuum_takes_files_that_no_snapshot_names(moved: Mill) -> None:
    left = moved.root / "warehouse" / "history" / "steps" / "00000099-1.parquet"
    shutil.copyfile(next(left.parent.iterdir()), left)
    moved.open().vacuum()
    assert left.exists(), "somebody may be writing it"
    moved.now += timedelta(days=5000)
    named = moved.sql("SELECT path FROM lineage.history_files")
    moved.open().vacuum(timedelta(days=9000))
    assert not left.exists()
    assert all((moved.root / "warehouse" / "history" / path).exists() for (path,) in named)


def test_an_export_carries_all_of_it(moved: Mill, tmp_path: Path) -> None:
    file = tmp_path / "out" / "all.duckdb"
    file.parent.mkdir()
    moved.open().export_duckdb(file)
    counts = {table: len(rows) for table, rows in everything(moved).items()}
    shutil.rmtree(moved.root)
    with duckdb.connect(str(file), read_only=True) as connection:
        for table, count in counts.items():
            found = connection.execute(f"SELECT count(*) FROM lineage.{table}").fetchall()
            assert found == [(count,)], table


def test_a_moved_project_works(moved: Mill, tmp_path: Path) -> None:
    counts = {table: len(rows) for table, rows in everything(moved).items()}
    home = Mill(tmp_path / "elsewhere")
    moved.root.rename(home.root)
    with home.open().reading() as connection:
        for table, count in counts.items():
            found = connection.execute(f"SELECT count(*) FROM lineage.{table}").fetchall()
            assert found == [(count,)], table
    home.run("orders", force=True, first=DAY, last=DAY)
    assert len(home.sql("FROM lineage.materializations")) > counts["materializations"]
    assert home.open().examine() == []


@pytest.mark.parametrize("harm", ["gone", "damaged", "shorter"])
def test_a_file_that_is_lost_is_told_of_and_left_out(moved: Mill, harm: str) -> None:
    folder = moved.root / "warehouse" / "history" / "judgements"
    named = moved.sql("SELECT path FROM lineage.history_files WHERE table_name = 'judgements'")
    file = folder.parent / named[0][0]
    file.chmod(0o644)
    if harm == "gone":
        file.unlink()
    elif harm == "damaged":
        file.write_bytes(b"PAR1 no more")
    else:
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE few AS FROM '{file}' LIMIT 0")
            connection.execute(f"COPY few TO '{file}' (FORMAT parquet)")
    (problem,) = moved.open().examine()
    assert (problem.kind, problem.where) == ("history", str(file))
    moved.run("orders", force=True, first=DAY, last=DAY)
    moved.plan()
    moved.open().repair()
    assert moved.open().examine() == []
    assert moved.sql("SELECT count(*) > 0 FROM lineage.judgements") == [(True,)]


@pytest.mark.parametrize(
    "command",
    [
        ["runs"],
        ["why", f"orders@{DAY}"],
        ["quarantine", "list", "--all"],
        ["sql", "FROM lineage.materializations"],
        ["sql", "SELECT count(run_) FROM (SELECT max(run) AS run_ FROM lineage.runs)"],
        ["export", "duckdb", "{}/out.duckdb"],
    ],
)
@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_what_reads_a_lost_file_says_which(
    moved: Mill, command: list[str], harm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in (moved.root / "warehouse" / "history").rglob("*.parquet"):
        file.unlink()
        if harm == "damaged":
            file.write_bytes(b"PAR1 no more")
    assert main(["--project", str(moved.root), *[c.format(moved.root) for c in command]]) == 1
    what, where, fix = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"error: a file with [\d,]+ rows of lineage\.\w+ cannot be read", what)
    assert where.startswith(f"  at   {moved.root}/warehouse/history/")
    assert "millgate doctor --repair" in fix


def test_a_commit_that_fails_leaves_no_file(moved: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted((moved.root / "warehouse" / "history").rglob("*"))
    counts = in_files(moved)

    def broken(*_: object) -> None:
        raise OSError("no")

    with monkeypatch.context() as patched:
        patched.setattr(Files, "point", broken)
        with pytest.raises(OSError, match="no"):
            moved.run("orders", force=True, first=DAY, last=DAY)
    assert in_files(moved) == counts
    assert set(before) <= set((moved.root / "warehouse" / "history").rglob("*"))
    moved.run("orders", force=True, first=DAY, last=DAY)
    assert moved.open().examine() == []


def test_small_warehouses_move_nothing(shop: Mill, edit: Edit) -> None:
    shop.run()
    again(shop, edit, 1)
    assert in_files(shop) == {}
    assert not (shop.root / "warehouse" / "history").exists()


def test_what_lies_in_files_survives_the_loss_of_every_snapshot(moved: Mill) -> None:
    files = moved.root / "warehouse" / "history"
    with duckdb.connect() as connection:
        told = {
            table: connection.execute(
                f"SELECT count(*) FROM '{files}/{table}/*.parquet'"
            ).fetchall()
            for table in ("materializations", "steps", "runs")
        }
    shutil.rmtree(moved.root / "warehouse" / "snapshots")
    repaired = moved.open().repair()
    assert repaired.gone
    assert [p for p in moved.open().examine() if p.kind != "orphan"] == []
    for table, ((count,),) in told.items():
        assert moved.sql(f"SELECT count(*) FROM lineage.{table}")[0][0] >= count > 0
    assert not moved.plan().steps


def test_a_renamed_asset_takes_its_history_along(moved: Mill, edit: Edit) -> None:
    before = {table: len(rows) for table, rows in everything(moved).items()}
    edit("assets/shop.py", "def orders(", "def sales(")
    edit("assets/revenue.sql", "FROM orders", "FROM sales")
    project = moved.open()
    project.rename(project.propose_rename("orders", "sales"))
    for table in ("materializations", "promotions", "steps"):
        assert moved.sql(f"SELECT 1 FROM lineage.{table} WHERE asset = 'orders'") == []
        assert len(moved.sql(f"FROM lineage.{table}")) == before[table]
    assert not moved.plan().steps
    assert moved.open().examine() == []


def test_a_process_that_dies_while_rows_move_loses_none(moved: Mill) -> None:
    again_ = "orders@2024-01-03"
    for point in range(1, 40):
        died = subprocess.run(
            [sys.executable, "-c", DIES, str(moved.root), again_, str(point)],
            capture_output=True,
            text=True,
            check=False,
        )
        ids = moved.sql("SELECT materialization FROM lineage.materializations")
        assert len(ids) == len(set(ids)), point
        problems = {p.kind for p in moved.open().examine()}
        assert problems <= {"run", "link", "orphan"}, (point, problems)
        if died.returncode == 0:
            break
        assert died.returncode == 9, died.stderr
    else:
        pytest.fail("the commit has more points than were tried")
    moved.run()
    assert moved.open().examine() == []
    rows = moved.sql("SELECT count(*) FROM lineage.materializations WHERE asset = 'orders'")
    assert rows[0][0] >= 9


DIES = """
import os, sys
from pathlib import Path
from millgate.cli.main import main
from millgate.store.files import Files

root, target, point = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
count = 0
perform = Files.perform


def counted(self, what, path, call):
    global count
    if what in ("rename", "sync folder", "link", "remove") and (
        "history" in str(path) or "snapshots" in str(path) or path.name == "warehouse.duckdb"
    ):
        count += 1
        if count == point:
            os._exit(9)
    return perform(self, what, path, call)


Files.perform = counted
raise SystemExit(main(["--project", str(root), "materialize", target, "--force", "--yes"]))
"""
