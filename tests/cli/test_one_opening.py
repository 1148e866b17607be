"""A command that plans reads one snapshot, which is opened once however often it is read."""

from __future__ import annotations

import duckdb
import pytest

from conftest import Mill
from millgate.cli.main import main
from millgate.store.warehouse import Warehouse


@pytest.mark.parametrize("command", [["plan"], ["materialize", "--dry-run"], ["materialize"]])
def test_the_snapshot_stays_open_between_the_plan_and_its_hints(
    mill: Mill, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    mill.write("assets/numbers.sql", "SELECT 1 AS n")
    mill.run()
    opened: list[duckdb.DuckDBPyConnection] = []
    connect = Warehouse.connect

    def counted(warehouse: Warehouse) -> duckdb.DuckDBPyConnection:
        if opened:  # DuckDB shares what is open in the process: only the first costs time.
            assert opened[0].execute("SELECT 1").fetchone() == (1,)
        opened.append(connect(warehouse))
        return opened[-1]

    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, "connect", counted)
        patch.setattr("millgate.project.Project.tell", lambda _: None)  # which has its own reading
        assert main(["--project", str(mill.root), *command]) == 0
    assert len(opened) > 1


def test_a_project_without_a_snapshot_can_be_planned(mill: Mill) -> None:
    mill.write("assets/numbers.sql", "SELECT 1 AS n")
    assert main(["--project", str(mill.root), "plan"]) == 0
