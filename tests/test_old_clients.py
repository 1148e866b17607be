"""Older DuckDB clients open the warehouse: they are what people's tools have.

`make install` puts each client into `.venv/clients/<version>`; where a version has no build for
this Python its case is skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Edit, Mill

CLIENTS = Path(sys.prefix) / "clients"
ASK = """
import sys, duckdb
assert duckdb.__version__ == sys.argv[2], duckdb.__version__
connection = duckdb.connect(sys.argv[1], read_only=True)
views = connection.execute(
    "SELECT schema_name, view_name FROM duckdb_views() "
    "WHERE schema_name IN ('production', 'quarantine', 'lineage')"
).fetchall()
assert len(views) > 10, views
for schema, view in views:
    connection.execute(f'FROM {schema}."{view}"').fetchall()
print(connection.execute("SELECT sum(amount) FROM production.orders").fetchone()[0])
print(connection.execute("SELECT quarantine_reasons[1].rule FROM quarantine.orders").fetchone()[0])
print(connection.execute("FROM lineage.upstream('total') ORDER BY depth").fetchall())
"""


@pytest.mark.parametrize("version", ["1.3.2", "1.4.4", "1.5.0"])
@pytest.mark.parametrize("limit", ["", "1 B"])
def test_a_client_reads_every_view(shop: Mill, edit: Edit, version: str, limit: str) -> None:
    client = CLIENTS / version
    if not (client / "duckdb").is_dir():
        pytest.skip(f"DuckDB {version} is not in {client}: make install brings it where it can")
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    edit("data/orders.csv", "2024-01-03,1,10", "2024-01-03,1,-10")
    shop.run()
    if limit:
        # The rows of the first run move to files.
        shop.write("pyproject.toml", f'[tool.millgate]\ncatalog_limit = "{limit}"\n')
        shop.run("orders", first="2024-01-01", last="2024-01-02", force=True)
        assert shop.sql("SELECT count(*) > 0 FROM lineage.history_files") == [(True,)]
    database = shop.root / "warehouse" / "warehouse.duckdb"
    asked = subprocess.run(
        [sys.executable, "-c", ASK, database, version],
        env={**os.environ, "PYTHONPATH": str(client)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.splitlines() == [
        "290",
        "greater_than",
        "[('revenue', 1), ('orders', 2), ('raw_orders', 3)]",
    ]


OTHERS = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
print(connection.execute("SELECT sum(amount) FROM production.orders").fetchone()[0])
try:
    print(connection.execute("SELECT count(*) FROM production.spans").fetchone()[0])
except duckdb.Error as error:
    print(error)
"""
SPANS = """
import polars as pl
from millgate import asset

@asset(storage="duckdb")
def spans() -> pl.DataFrame:
    return pl.DataFrame({"n": pl.Series([2**70], dtype=pl.Int128)})
"""


@pytest.mark.parametrize("version", ["1.3.2", "1.4.4", "1.5.0"])
def test_a_client_that_cannot_read_duckdb_files_reads_all_else(shop: Mill, version: str) -> None:
    client = CLIENTS / version
    if not (client / "duckdb").is_dir():
        pytest.skip(f"DuckDB {version} is not in {client}: make install brings it where it can")
    shop.write("assets/spans.py", SPANS)
    shop.run()
    asked = subprocess.run(
        [sys.executable, "-c", OTHERS, shop.root / "warehouse" / "warehouse.duckdb"],
        env={**os.environ, "PYTHONPATH": str(client)},
        capture_output=True,
        text=True,
        check=False,
    )
    first, second, *_ = asked.stdout.splitlines()
    assert first == "300"
    assert second == "1" or "read_duckdb does not exist" in second
