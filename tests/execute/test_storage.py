"""DuckDB files as versions: their types, their readers, and an asset whose storage is changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from conftest import Edit, Mill
from millgate.errors import DeclarationError
from millgate.store.types import TEXTUAL

CLIENTS = Path(sys.prefix) / "clients"
ASK = """
import sys, duckdb
try:
    print(duckdb.connect(sys.argv[1], read_only=True).execute(sys.argv[2]).fetchall())
except duckdb.Error as error:
    print(type(error).__name__)
"""
TYPES = {
    "170141183460469231731687303715884105727::HUGEINT": "HUGEINT",
    "340282366920938463463374607431768211455::UHUGEINT": "UHUGEINT",
    "INTERVAL '2 days 3 hours'": "INTERVAL",
    "'0101'::BIT": "BIT",
    "123456789012345678901234567890123456789012345::BIGNUM": "BIGNUM",
    "'01:02:03+02'::TIMETZ": "TIME WITH TIME ZONE",
    "MAP {'a': 1}": "MAP(VARCHAR, INTEGER)",
    "'x'::ENUM('x', 'y')": "VARCHAR",
    "TIMESTAMPTZ '2020-01-01 00:00:00+00'": "TIMESTAMP WITH TIME ZONE",
    "[1::HUGEINT]": "DECIMAL(38,0)[]",
}
READERS = """
import polars as pl, pyarrow as pa
from duckdb import DuckDBPyRelation
from millgate import asset

@asset(storage="duckdb")
def lazy(made: pl.LazyFrame): return made.filter(pl.col("id") == 2)
@asset(storage="duckdb")
def eager(made: pl.DataFrame): return made
@asset(storage="duckdb")
def streamed(made: pl.DataFrame): yield from (made[:1], made[1:])
@asset
def counted(made: pl.LazyFrame): return made.select(pl.len())
@asset(storage="duckdb")
def related(made: DuckDBPyRelation): return made
"""


def make(mill: Mill, select: str) -> str:
    """What the run of an asset of this query told of the step that failed, if one did."""
    mill.write("assets/made.sql", f'-- storage: "duckdb"\n{select}\n')
    return "".join(done.message for done in mill.run().done)


@pytest.mark.parametrize(("value", "type_"), TYPES.items())
def test_a_type_comes_back_from_every_reader(mill: Mill, value: str, type_: str) -> None:
    mill.write("assets/readers.py", READERS)
    assert not make(mill, f"FROM (VALUES (1, {value}), (2, NULL), (3, {value})) AS t(id, v)")
    for reader in ("made", "eager", "streamed", "related"):
        found = mill.sql(f"SELECT id, typeof(v), v = {value} FROM production.{reader}")
        as_text = type_ in TEXTUAL and reader in ("eager", "streamed")
        kept = "VARCHAR" if as_text else type_
        assert found == [(1, kept, True), (2, kept, None), (3, kept, True)], reader
    assert mill.sql("SELECT id, v IS NULL FROM production.lazy") == [(2, True)]
    assert mill.sql("FROM production.counted") == [(3,)]
    assert mill.plan().steps == ()
    assert mill.open().examine(deep=True) == []


@pytest.mark.parametrize(
    "value",
    ["INTERVAL 1 MONTH", "union_value(a := 1)", "1::VARIANT", "[INTERVAL 1 DAY]"],
)
def test_a_type_that_cannot_be_kept_is_refused(mill: Mill, value: str) -> None:
    assert "cannot be stored" in make(mill, f"SELECT {value} AS v")


def test_parquet_refuses_what_it_would_change(mill: Mill) -> None:
    mill.write("assets/made.sql", "SELECT '0101'::BIT AS v\n")
    assert "BIT cannot be stored in Parquet" in mill.run().done[0].message


def test_a_version_is_a_file_of_its_own(mill: Mill) -> None:
    make(mill, "SELECT 7 AS id")
    (version,) = (mill.root / "warehouse" / "versions").rglob("*.*")
    assert [p.name for p in version.parent.iterdir()] == ["1-1.duckdb"]
    assert (mill.root / "warehouse" / "production" / "made" / "data.duckdb").samefile(version)
    with duckdb.connect(str(version), read_only=True) as connection:
        assert connection.execute("FROM data").fetchall() == [(7,)]
        said = dict(connection.execute("FROM lineage").fetchall())
        assert said["asset"] == '"made"'
        assert said["materialization"] == "1000001"


def test_a_changed_storage_makes_nothing_stale_and_is_read_together(shop: Mill, edit: Edit) -> None:
    shop.run()
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order), storage="duckdb"')
    assert shop.plan().steps == ()
    edit("data/orders.csv", "2024-01-03,1,10", "2024-01-03,1,11")
    shop.run("orders@2024-01-03")
    edit("data/orders.csv", "2024-01-03,1,11", "2024-01-03,1,10")
    assert shop.sql("SELECT count(*), sum(amount) FROM production.orders") == [(15, 301)]
    shop.run("orders@2024-01-03")
    shop.run("orders@2024-01-02", force=True)
    links = shop.root / "warehouse" / "production" / "orders"
    assert [p.name for p in (links / "date=2024-01-01").iterdir()] == ["data.parquet"]
    assert [p.name for p in (links / "date=2024-01-02").iterdir()] == ["data.duckdb"]
    assert shop.plan().steps == (), "the same rows, so nothing downstream is stale"
    day = "SELECT sum(amount) FROM production.orders WHERE date = DATE '2024-01-02'"
    assert shop.sql(day) == [(60,)]
    assert shop.open().examine(deep=True) == []
    edit("assets/shop.py", ', storage="duckdb"', "")
    shop.run("orders", force=True)
    assert not list(links.rglob("*.duckdb"))
    assert shop.open().examine(deep=True) == []


@pytest.mark.parametrize("folder", ["plain", "a [1] * b", "it's date=2020"])
def test_hostile_folders_are_read(tmp_path: Path, folder: str) -> None:
    mill = Mill(tmp_path / folder / "trial")
    mill.write("pyproject.toml", '[tool.millgate]\nname = "trial"\n')
    make(mill, "SELECT 1::HUGEINT AS n")
    mill.write("assets/read.sql", "SELECT n + 1 AS n FROM made\n")
    mill.run()
    assert [int(n) for (n,) in mill.sql("FROM production.read")] == [2]
    moved = Mill((mill.root).rename(tmp_path / "moved"))
    assert moved.open().examine(deep=True) == [] or moved.run().exit_status == 0


@pytest.mark.parametrize("given", ['"duckdbb"', "3"])
def test_an_unknown_storage_is_an_error(mill: Mill, given: str) -> None:
    mill.write("assets/made.sql", f"-- storage: {given}\nSELECT 1 AS n\n")
    with pytest.raises(DeclarationError, match="no storage") as caught:
        mill.plan()
    assert "duckdb" in caught.value.fix


def answers(version: str, database: Path, query: str) -> str:
    """What an older DuckDB answers."""
    asked = subprocess.run(
        [sys.executable, "-c", ASK, database, query],
        env={**os.environ, "PYTHONPATH": str(CLIENTS / version)},
        capture_output=True,
        text=True,
        check=True,
    )
    return asked.stdout.strip()


@pytest.mark.parametrize("version", ["1.3.2", "1.4.4", "1.5.0"])
def test_an_old_client_reads_all_other_views(mill: Mill, version: str) -> None:
    if not (CLIENTS / version / "duckdb").is_dir():
        pytest.skip(f"DuckDB {version} is not in {CLIENTS / version}")
    mill.write("assets/plain.sql", "SELECT 5 AS n\n")
    make(mill, ", ".join(f"{v} AS c{i}" for i, v in enumerate(TYPES)).join(("SELECT ", "")))
    database = mill.root / "warehouse" / "warehouse.duckdb"
    assert answers(version, database, "FROM production.plain") == "[(5,)]"
    view = answers(version, database, "SELECT count(*) FROM production.made")
    assert view == ("[(1,)]" if version == "1.5.0" else "CatalogException")
    file = next((mill.root / "warehouse" / "versions" / "made").iterdir())
    assert answers(version, file, "SELECT count(*) FROM data") == "[(1,)]"
