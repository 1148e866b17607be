"""Live production and its lineage in one file that needs no other."""

from __future__ import annotations

import shutil

import duckdb
import pytest

from conftest import Edit, Mill
from millgate.errors import StoreError, UnknownAsset, UsageError

BAD = "2024-01-03,1,-10"


def test_the_file_stands_alone(shop: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    shop.run()
    file = shop.root.parent / "handed over.duckdb"
    done = shop.open().export_duckdb(file)
    assert done.rows == {"orders": 14, "revenue": 5, "total": 1}
    shutil.rmtree(shop.root)
    with duckdb.connect(str(file), read_only=True) as connection:
        assert connection.execute("FROM production.total").fetchall() == [(290,)]
        assert (
            connection.execute(
                "SELECT table_type FROM information_schema.tables WHERE table_schema = 'production'"
            ).fetchall()
            == [("BASE TABLE",)] * 3
        )
        assert connection.execute("SELECT date FROM production.orders ORDER BY date").fetchall()
        assert connection.execute("SELECT count(*) FROM lineage.production").fetchall() == [(12,)]
        traced = connection.execute(
            "SELECT count(*) FROM lineage.trace((SELECT materialization FROM lineage.production "
            "WHERE asset = 'total'))"
        ).fetchall()
        assert traced == [(12,)]
        refused = connection.execute(
            "SELECT count(*) FROM duckdb_views() WHERE schema_name = 'quarantine'"
        ).fetchall()
        assert refused == [(0,)]


def test_only_what_is_selected_is_handed_over(shop: Mill) -> None:
    shop.run()
    file = shop.root / "some.duckdb"
    assert shop.open().export_duckdb(file, "revenue+").rows == {"revenue": 5, "total": 1}
    with pytest.raises(UnknownAsset):
        shop.open().export_duckdb(shop.root / "other.duckdb", "revenu")


def test_nothing_is_replaced_and_nothing_is_left(shop: Mill) -> None:
    with pytest.raises(StoreError, match="nothing has been materialized"):
        shop.open().export_duckdb(shop.root / "x.duckdb")
    shop.run()
    shop.write("taken.duckdb", "mine")
    with pytest.raises(UsageError, match=r"taken\.duckdb exists already"):
        shop.open().export_duckdb(shop.root / "taken.duckdb")
    with pytest.raises(StoreError):
        shop.open().export_duckdb(shop.root / "no such folder" / "x.duckdb")
    assert (shop.root / "taken.duckdb").read_text() == "mine"
    assert not list(shop.root.rglob("*.part"))


def test_the_command(shop: Mill, capsys: pytest.CaptureFixture[str]) -> None:
    from millgate.cli.main import main

    shop.run()
    file = shop.root / "x.duckdb"
    assert main(["export", "duckdb", str(file), "orders", "--project", str(shop.root)]) == 0
    assert "1 asset, 15 rows of snapshot" in capsys.readouterr().out
