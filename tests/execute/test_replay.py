"""Replaying quarantine: today's gate decides again about what was refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from conftest import Edit, Mill
from execute.dying import Dies, copied
from millgate.errors import Conflict, UsageError

BAD = "2024-01-03,1,-10"
DAY = "2024-01-03"
STORY = """
    SELECT p.kind, q.status, m.kind, p.reason FROM lineage.promotions p
    JOIN lineage.materializations m ON m.materialization = p.materialization
    JOIN lineage.quarantine q ON q.materialization = m.materialization OR
        q.materialization IN (SELECT upstream FROM lineage.materialization_edges
            WHERE downstream = m.materialization AND kind = 'derived')
    WHERE p.kind = 'replay' ORDER BY ALL
"""


@pytest.fixture
def split(shop: Mill, edit: Edit) -> Mill:
    """The shop after a run that split two rows off the orders of one day."""
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    edit("data/orders.csv", "2024-01-03,2,20", "2024-01-03,2,-20")
    shop.run()
    return shop


def replay(mill: Mill, target: str = "") -> int:
    project = mill.open()
    snapshot = project.replay(project.propose_replay(target), actor="ada")
    assert mill.open().examine(deep=True) == []
    return snapshot


def amounts(mill: Mill) -> list[int]:
    query = f"SELECT amount FROM production.orders WHERE date = '{DAY}' ORDER BY amount"
    return [amount for (amount,) in mill.sql(query)]


def test_what_a_corrected_gate_accepts_enters(held: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "gt=0", "gt=-11")
    replay(held)
    assert amounts(held) == [-10, 20, 30]
    assert held.sql("SELECT count(*) FROM quarantine.orders") == [(0,)]
    assert held.sql(STORY) == [
        ("replay", "replayed", "replayed", "passed when it was judged again")
    ]
    assert held.sql("SELECT actor FROM lineage.promotions WHERE kind = 'replay'") == [("ada",)]
    assert held.run().exit_status == 0
    assert held.sql("FROM production.total") == [(280,)]
    assert held.plan().steps == ()


def test_it_is_idempotent(held: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "gt=0", "gt=-11")
    proposed = held.open().propose_replay("")
    replay(held)
    with pytest.raises(Conflict, match="was changed a moment ago"):
        held.open().replay(proposed)
    with pytest.raises(UsageError, match="nothing of any asset waits"):
        held.open().propose_replay("")


def test_what_still_fails_waits_on(held: Mill) -> None:
    proposed = held.open().propose_replay("orders")
    assert proposed.entering == ()
    assert [trial.partition for trial in proposed.staying] == [DAY]


def test_good_rows_of_a_held_partition_enter_where_the_gate_splits_now(
    held: Mill, edit: Edit
) -> None:
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    replay(held, f"orders@{DAY}")
    assert amounts(held) == [20, 30]
    assert held.sql("SELECT amount, quarantine_reasons[1].rule FROM quarantine.orders") == [
        (-10, "greater_than")
    ]
    assert held.sql("SELECT scope, status FROM lineage.quarantine ORDER BY scope") == [
        ("partition", "replayed"),
        ("rows", "held"),
    ]
    held.open().release("orders", DAY, reason="refunds are real")
    assert amounts(held) == [-10, 20, 30]
    assert held.open().examine(deep=True) == []


def test_split_rows_join_those_they_were_split_from(split: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "gt=0", "gt=-15")
    replay(split)
    assert amounts(split) == [-10, 30]
    assert split.sql("SELECT amount FROM quarantine.orders") == [(-20,)]
    edit("assets/shop.py", "gt=-15", "gt=-25")
    replay(split)
    assert amounts(split) == [-20, -10, 30]
    assert split.sql("SELECT count(*) FROM quarantine.orders") == [(0,)]
    traced = split.sql("""
        SELECT DISTINCT asset FROM lineage.trace((SELECT materialization FROM lineage.production
            WHERE asset = 'orders' AND partition = '2024-01-03')) ORDER BY ALL
    """)
    assert traced == [("orders",), ("raw_orders",)]


def test_rows_that_the_new_gate_refuses_leave_with_the_replay(split: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "pa.Field(gt=0)", "pa.Field(lt=25)")
    replay(split)
    assert amounts(split) == [-20, -10]
    assert split.sql("SELECT amount, quarantine_reasons[1].rule FROM quarantine.orders") == [
        (30, "less_than")
    ]


def test_a_rebuilt_catalog_knows_it(split: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "gt=0", "gt=-15")
    replay(split)
    subprocess.run(["rm", "-r", split.root / "warehouse/snapshots"], check=True)
    split.open().repair()
    assert amounts(split) == [-10, 30]
    assert split.sql(
        """
        SELECT m.kind FROM lineage.production p JOIN lineage.materializations m
        ON m.materialization = p.materialization WHERE p.asset = 'orders' AND p.partition = ?
    """,
        DAY,
    ) == [("replayed",)]


def test_a_process_that_dies_leaves_it_waiting_or_in_production(
    split: Mill, edit: Edit, tmp_path: Path, dies: Dies
) -> None:
    edit("assets/shop.py", "gt=0", "gt=-15")
    died = set()
    for at in (1, 3, 6, 9, 12, 15, 18, 21, 24, 60):
        copy = copied(split, tmp_path / f"at{at}")
        died.add(dies(copy, at, "project.replay(project.propose_replay(''))"))
        assert amounts(copy) in ([30], [-10, 30])
        if amounts(copy) == [30]:
            project = copy.open()
            project.replay(project.propose_replay(""))
        copy.run("orders")
        assert amounts(copy) == [-10, 30]
        assert copy.open().examine(deep=True) == []
    assert died == {False, True}
