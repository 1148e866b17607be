"""Each kind of damage, made for real: found, mended where it can be, and the next run works."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from conftest import Edit, Mill
from millgate.store.reading import scan_version
from millgate.store.storage import storage_at, stored_below
from millgate.store.writing import read_metadata, write

BAD = "2024-01-03,1,-10"
Damage = Callable[[Mill], None]


SOAK = bool(os.environ.get("MILLGATE_SOAK"))


@pytest.fixture(params=["parquet", "duckdb"] if SOAK else ["parquet"])
def storage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sound(shop: Mill, edit: Edit) -> Mill:
    """The shop with one day held, one run older than the last."""
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    shop.run()
    edit("assets/revenue.sql", "sum(amount)", "2 * sum(amount)")
    shop.run()
    return shop


def found(mill: Mill, *, deep: bool = False) -> set[str]:
    return {problem.kind for problem in mill.open().examine(deep=deep)}


def warehouse(mill: Mill) -> Path:
    return mill.root / "warehouse"


def current(mill: Mill) -> Path:
    return (warehouse(mill) / "warehouse.duckdb").resolve()


def live(mill: Mill) -> Path:
    """The file of the live version of the first day's orders."""
    path = mill.sql("""
        SELECT m.path FROM lineage.production p
        JOIN lineage.materializations m USING (materialization)
        WHERE p.asset = 'orders' AND p.partition = '2024-01-01'
    """)[0][0]
    return warehouse(mill) / "versions" / path


def link(mill: Mill) -> Path:
    return (
        warehouse(mill) / "production" / "orders" / "date=2024-01-01" / f"data{live(mill).suffix}"
    )


def rewrite(path: Path, frame: pl.DataFrame, **said: object) -> None:
    """Write other rows or another footer into a version, as somebody with an editor would."""
    footer = read_metadata(path) | said
    write(frame, path, footer)
    path.chmod(0o444)


def change_catalog(mill: Mill, *statements: str) -> None:
    path = current(mill)
    path.chmod(0o644)
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    path.chmod(0o444)


def lose_the_link(mill: Mill) -> None:
    (warehouse(mill) / "warehouse.duckdb").unlink()


def point_nowhere(mill: Mill) -> None:
    lose_the_link(mill)
    (warehouse(mill) / "warehouse.duckdb").symlink_to("snapshots/00000099/warehouse.duckdb")


def break_the_snapshot(mill: Mill) -> None:
    path = current(mill)
    path.chmod(0o644)
    path.write_bytes(b"no database" * 1000)


def write_a_wal(mill: Mill) -> None:
    path = current(mill)
    path.with_name(f"{path.name}.wal").write_bytes(b"x")


def write_beside_a_version(mill: Mill) -> None:
    """As a DuckDB that opened it for writing, and died."""
    path = live(mill)
    path.with_name(f"{path.name}.wal").write_bytes(b"x")


def open_to_all(mill: Mill) -> None:
    live(mill).chmod(0o644)
    current(mill).chmod(0o644)


def lose_a_version(mill: Mill) -> None:
    live(mill).unlink()


def lose_a_link(mill: Mill) -> None:
    link(mill).unlink()


def serve_something_else(mill: Mill) -> None:
    link(mill).unlink()
    shutil.copy(live(mill), link(mill))


def serve_what_is_not_live(mill: Mill) -> None:
    stray = link(mill).parent.with_name("date=1999-01-01") / link(mill).name
    stray.parent.mkdir()
    os.link(live(mill), stray)


def leave_an_orphan(mill: Mill) -> None:
    orphan = live(mill).with_name(f"1-900{live(mill).suffix}")
    orphan.write_text("x")
    old = (mill.now - timedelta(days=2)).timestamp()
    os.utime(orphan, (old, old))


def die(mill: Mill) -> None:
    run = mill.open().mill.run_files.start("materialize", "", "ann", "here", mill.now)
    run.abandon("the power failed")
    staged = warehouse(mill) / "staging" / str(run.id) / "x.parquet"
    staged.parent.mkdir(parents=True)
    staged.write_text("x")


def change_a_view(mill: Mill) -> None:
    other = live(mill)
    kind = storage_at(other)
    options = ", ".join(["hive_partitioning = true", *kind.options])
    change_catalog(
        mill,
        "CREATE OR REPLACE VIEW production.orders AS "
        f"SELECT * FROM {kind.function}(['{other}'], {options})",
    )


@pytest.mark.parametrize(
    ("damage", "kinds"),
    [
        (lose_the_link, {"snapshot"}),
        (point_nowhere, {"snapshot"}),
        (break_the_snapshot, {"snapshot"}),
        (write_a_wal, {"wal"}),
        (write_beside_a_version, {"wal"}),
        (open_to_all, {"mode"}),
        (lose_a_version, {"file"}),
        (lose_a_link, {"link"}),
        (serve_something_else, {"link"}),
        (serve_what_is_not_live, {"link"}),
        (leave_an_orphan, {"orphan"}),
        (die, {"run"}),
        (change_a_view, {"view"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_damage_is_found_and_mended(sound: Mill, damage: Damage, kinds: set[str]) -> None:
    assert found(sound, deep=True) == set()
    damage(sound)
    assert found(sound) == kinds
    done = sound.open().repair()
    assert done.left == ()
    assert {problem.kind for problem in done.mended} == kinds
    assert found(sound, deep=True) == set()
    assert sound.run().exit_status == 3, "one day is held"
    assert sound.sql("SELECT count(*), sum(amount) FROM production.orders") == [(12, 240)]
    assert sound.sql("SELECT sum(amount) FROM production.revenue") == [(480,)]
    assert found(sound, deep=True) == set()


def test_looking_changes_nothing(sound: Mill) -> None:
    lose_a_version(sound)
    lose_a_link(sound)
    die(sound)
    before = sorted(str(path) for path in sound.root.rglob("*"))
    assert found(sound) == {"file", "link", "run"}
    assert sorted(str(path) for path in sound.root.rglob("*")) == before


def lose_all_of_it(mill: Mill) -> None:
    live(mill).unlink()
    link(mill).unlink()


def damage_the_bytes(mill: Mill) -> None:
    path = live(mill)
    path.chmod(0o644)
    path.write_bytes(b"no parquet")
    path.chmod(0o444)


def change_the_footer(mill: Mill) -> None:
    rewrite(live(mill), scan_version(live(mill)).collect(), asset="other")


def add_a_row(mill: Mill) -> None:
    rows = scan_version(live(mill)).collect()
    rewrite(live(mill), pl.concat([rows, rows]))


def change_a_column(mill: Mill) -> None:
    rows = scan_version(live(mill)).collect()
    rewrite(live(mill), rows.with_columns(amount=pl.col("amount").cast(pl.String)))


def change_a_value(mill: Mill) -> None:
    rows = scan_version(live(mill)).collect()
    rewrite(live(mill), rows.with_columns(amount=pl.col("amount") + 1))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lose_all_of_it, "its file is gone"),
        (damage_the_bytes, "the file has no lineage"),
        (change_the_footer, "its footer says it is 1-N of other@2024-01-01"),
        (add_a_row, "it has 6 rows, and 3 were promoted"),
        (change_a_column, "its columns are not those on record"),
        (change_a_value, "its rows are not those that were judged"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_lost_version_is_made_again_as_the_fix_says(
    sound: Mill, damage: Damage, said: str
) -> None:
    damage(sound)
    problem = next(p for p in sound.open().examine(deep=True) if p.kind == "file")
    assert said in re.sub(r"says it is 1-\d+", "says it is 1-N", problem.what)
    assert problem.fix == "millgate materialize orders@2024-01-01 --force"
    assert "file" in {p.kind for p in sound.open().repair(deep=True).left}
    sound.run("orders@2024-01-01", force=True)
    assert found(sound, deep=True) == set()


def test_lost_quarantine_is_found(sound: Mill) -> None:
    next((sound.root / "quarantine").rglob("rows.*")).unlink()
    (problem,) = sound.open().examine()
    assert problem.kind == "quarantine"
    assert problem.fix == "millgate materialize orders@2024-01-03 --retry-held"
    sound.run("orders@2024-01-03", retry_held=True)
    assert found(sound) <= {"quarantine"}
    assert sound.sql("SELECT count(*) FROM quarantine.orders") == [(3,)]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "DELETE FROM hot.materializations WHERE location = 'external'",
            "versions whose inputs are not on record",
        ),
        ("DELETE FROM hot.judgements", "live partitions that nothing let in"),
        (
            "INSERT INTO lineage.production FROM lineage.production LIMIT 1",
            "partitions that are live more than once",
        ),
        (
            "UPDATE hot.materializations SET removed_at = created_at",
            "live partitions whose version was removed",
        ),
    ],
)
def test_rows_that_do_not_fit_are_found(sound: Mill, statement: str, said: str) -> None:
    change_catalog(sound, statement)
    told = [p.what for p in sound.open().examine() if p.kind == "catalog"]
    assert any(said in what for what in told)


def test_a_warehouse_that_is_not_there_yet_has_no_problems(shop: Mill) -> None:
    assert found(shop) == set()
    assert shop.open().repair().left == ()


def test_doctor_needs_no_declarations(sound: Mill) -> None:
    sound.write("assets/shop.py", "this is not Python")
    assert found(sound) == set()


def test_when_every_snapshot_is_lost_it_says_so(sound: Mill) -> None:
    shutil.rmtree(warehouse(sound) / "snapshots")
    assert found(sound) == {"lost"}
    lose_the_link(sound)
    assert found(sound) == {"lost"}


@pytest.mark.parametrize("served", [True, False], ids=["links", "no links"])
def test_when_every_snapshot_is_lost_files_tell_what_is_live_and_held(
    sound: Mill, served: bool
) -> None:
    live = "SELECT asset, partition, materialization FROM lineage.production ORDER BY ALL"
    edges = """
        SELECT e.upstream, e.downstream FROM lineage.materialization_edges e
        JOIN lineage.production p ON p.materialization = e.downstream ORDER BY ALL
    """
    rows = "SELECT * EXCLUDE (quarantine_materialization) FROM quarantine.orders ORDER BY id"
    before = [sound.sql(query) for query in (live, edges, rows)]
    shutil.rmtree(warehouse(sound) / "snapshots")
    if not served:
        shutil.rmtree(warehouse(sound) / "production")
    done = sound.open().repair(deep=True)
    assert done.left == ()
    assert [sound.sql(query) for query in (live, edges, rows)] == before
    assert "gone: runs" in sound.sql("SELECT message FROM lineage.runs")[0][0]
    assert done.gone.startswith("runs and their steps")
    made = {(s.asset, s.key) for s in sound.plan().steps if s.action == "make"}
    assert made <= {("orders", "2024-01-03"), ("revenue", "2024-01-03"), ("total", "")}
    assert sound.run().exit_status == 3
    assert sound.sql("SELECT sum(amount) FROM production.revenue") == [(480,)]
    assert found(sound, deep=True) == set()


@pytest.mark.parametrize("damage", [break_the_snapshot, None], ids=["snapshot", "lost"])
def test_what_a_lost_catalog_named_is_not_removed_as_an_orphan(
    sound: Mill, damage: Damage | None
) -> None:
    sound.now += timedelta(days=3)
    (sound.root / "assets" / "total.sql").unlink()
    sound.write("assets/apart.sql", "SELECT 1 AS n\n")
    sound.run("apart")
    (sound.root / "assets" / "apart.sql").unlink()
    for path in stored_below(warehouse(sound) / "versions"):
        os.utime(path, (0, 0))
    files = stored_below(warehouse(sound) / "versions")
    if damage is None:
        shutil.rmtree(warehouse(sound) / "snapshots")
    else:
        damage(sound)
    done = sound.open().repair()
    assert {problem.kind for problem in done.left} == {"orphan"}
    assert stored_below(warehouse(sound) / "versions") == files
