"""A project in a temporary folder, with a clock that stands still."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from millgate.model.request import Report, Request, Silence
from millgate.model.step import Plan
from millgate.project import Project

NOW = datetime(2024, 1, 6, 12, tzinfo=UTC)


@dataclass
class Mill:
    """A project under test: files to write, commands to give, the warehouse to look into."""

    root: Path
    now: datetime = NOW

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project, with its common indentation taken away."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return file

    def open(self) -> Project:
        """The project as a new process would open it."""
        return Project.open(self.root, clock=lambda: self.now)

    def plan(self, target: str = "", **options: Any) -> Plan:
        return self.open().propose(Request("plan", target, **options))

    def run(self, target: str = "", command: str = "materialize", **options: Any) -> Report:
        how = {"workers": options.pop("workers", 2), "executor": options.pop("executor", None)}
        request = Request(command, target, **options)  # type: ignore[arg-type]
        project = self.open()
        return project.run(request, project.propose(request), watcher=Silence(), **how)

    def sql(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What plain DuckDB answers on the current snapshot, without any Millgate code."""
        path = (self.root / "warehouse" / "warehouse.duckdb").resolve()
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(query, parameters or None).fetchall()

    def steps(self, plan: Plan) -> list[tuple[str, str, str]]:
        """Each planned step as (partition, action, cause)."""
        return [(str(s), s.action, s.cause.kind) for s in plan.steps]


@pytest.fixture(autouse=True)
def _commits_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine makes no other commits, and so no other snapshots, than a fast one."""
    monkeypatch.setattr("millgate.execute.commits._COMMIT_AFTER_S", 3600.0)


@pytest.fixture
def mill(tmp_path: Path) -> Mill:
    """An empty project called `trial`."""
    made = Mill(tmp_path / "trial")
    made.write("pyproject.toml", '[tool.millgate]\nname = "trial"\n')
    (made.root / "assets").mkdir()
    return made


@pytest.fixture
def storage() -> str:
    """What kind of file the shop's versions are; a test module may give it `params`."""
    return "parquet"


@pytest.fixture
def shop(mill: Mill, storage: str) -> Mill:
    """Orders by day, gated; a daily total in SQL; a total of everything.

    `data/orders.csv` has five days; nothing in it fails.
    """
    rows = [f"2024-01-0{day},{n},{10 * n}" for day in range(1, 6) for n in range(1, 4)]
    mill.write("data/orders.csv", "day,id,amount\n" + "\n".join(rows) + "\n")
    kept, header = "", ""
    if storage != "parquet":
        kept, header = f", storage={storage!r}", f"-- storage: {storage!r}\n"
    mill.write("assets/shop.py", SHOP.replace("Gate(Order)", f"Gate(Order){kept}"))
    mill.write("assets/revenue.sql", header + REVENUE.lstrip())
    mill.write("assets/total.sql", f"{header}SELECT sum(amount)::BIGINT AS amount FROM revenue\n")
    return mill


SHOP = '''
import pandera.polars as pa
import polars as pl

from millgate import Daily, Gate, Partition, asset, source


class Order(pa.DataFrameModel):
    id: int
    amount: int = pa.Field(gt=0)


raw_orders = source("data/orders.csv")


@asset(partitions=Daily("2024-01-01"), gate=Gate(Order))
def orders(raw_orders: pl.LazyFrame, partition: Partition) -> pl.LazyFrame:
    """Orders of a day."""
    return raw_orders.filter(pl.col("day") == partition.key).select("id", "amount")
'''

REVENUE = """
-- Revenue of a day.
-- partitions: Daily("2024-01-01")
SELECT sum(amount)::BIGINT AS amount FROM orders
"""

Edit = Callable[[str, str, str], None]


@pytest.fixture
def edit(mill: Mill) -> Edit:
    """Replace a text in a file of the project; the text must be there."""

    def replace(path: str, old: str, new: str) -> None:
        file = mill.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    return replace
