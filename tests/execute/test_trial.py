"""What a changed gate would do, before it is adopted."""

from __future__ import annotations

import pytest

from conftest import Edit, Mill
from millgate.errors import StoreError, UsageError
from millgate.execute.trial import Trial

DAY = "2024-01-03"
BAD = "2024-01-03,1,-10"


def differing(mill: Mill, target: str = "orders") -> dict[str, tuple[bool, int, int]]:
    """Each partition that a changed gate treats otherwise: live, newly accepted and refused."""
    return {
        t.partition: (t.live, t.accepted, t.refused if t.is_newly_refused else 0)
        for t in mill.open().try_gates(target)
        if t.is_newly_refused or t.is_newly_accepted
    }


def trial(mill: Mill, key: str) -> Trial:
    return next(t for t in mill.open().try_gates(f"orders@{key}"))


@pytest.mark.parametrize("policy", ["hold", "split", "warn"])
def test_an_unchanged_gate_makes_no_difference(shop: Mill, edit: Edit, policy: str) -> None:
    edit("assets/shop.py", "Gate(Order)", f'Gate(Order, on_failure="{policy}")')
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    shop.run()
    assert differing(shop, "") == {}


def test_a_stricter_gate_newly_refuses(shop: Mill, edit: Edit) -> None:
    shop.run()
    edit("assets/shop.py", "pa.Field(gt=0)", "pa.Field(gt=10, lt=31)")
    assert differing(shop) == {f"2024-01-0{day}": (True, 0, 3) for day in range(1, 6)}
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    assert differing(shop) == {f"2024-01-0{day}": (True, 0, 1) for day in range(1, 6)}
    edit("assets/shop.py", 'on_failure="split"', 'on_failure="warn"')
    assert differing(shop) == {}


def test_a_corrected_gate_newly_accepts_what_is_held(shop: Mill, edit: Edit) -> None:
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    shop.run()
    edit("assets/shop.py", "pa.Field(gt=0)", "pa.Field(gt=-11)")
    assert differing(shop) == {DAY: (False, 3, 0)}
    edit("assets/shop.py", "gt=-11", "ne=-10")
    assert differing(shop) == {}
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    assert differing(shop) == {DAY: (False, 2, 0)}


def test_rejected_rows_are_judged_with_those_they_were_split_from(shop: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    edit("data/orders.csv", "2024-01-03,1,10", BAD)
    shop.run()
    edit("assets/shop.py", "pa.Field(gt=0)", "pa.Field(lt=30)")
    expected = {f"2024-01-0{day}": (True, 0, 1) for day in range(1, 6)}
    assert differing(shop) == {**expected, DAY: (True, 1, 1)}
    edit("assets/shop.py", "id: int", "id: int = pa.Field(unique=True)")
    edit("assets/shop.py", "pa.Field(lt=30)", "pa.Field(lt=31)")
    assert differing(shop) == {DAY: (True, 1, 0)}


def test_rejected_rows_of_a_schema_that_coerces(shop: Mill, edit: Edit) -> None:
    edit("assets/shop.py", 'select("id", "amount")', 'select("id", pl.col("amount").cast(str))')
    edit("assets/shop.py", "id: int", "class Config:\n        coerce = True\n    id: int")
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')
    edit("data/orders.csv", "2024-01-03,1,10", "2024-01-03,1,ten")
    edit("data/orders.csv", "2024-01-03,2,20", "2024-01-03,2,-20")
    shop.run("orders")
    assert shop.sql("SELECT count(*) FROM quarantine.orders") == [(2,)]
    assert differing(shop) == {}
    edit("assets/shop.py", "gt=0", "gt=-50")
    assert differing(shop) == {DAY: (True, 1, 0)}


def test_an_empty_partition_is_refused_as_a_whole(shop: Mill, edit: Edit) -> None:
    edit("data/orders.csv", "2024-01-03,1,10\n2024-01-03,2,20\n2024-01-03,3,30\n", "")
    shop.run()
    assert trial(shop, DAY).judgement.rows == 0
    edit("assets/shop.py", "    id: int\n", "    id: int\n    day: str\n")
    assert differing(shop)[DAY] == (True, 0, 0)


def test_it_records_nothing(shop: Mill, edit: Edit) -> None:
    shop.run()
    before = shop.sql("SELECT max(snapshot) FROM lineage.snapshots")
    edit("assets/shop.py", "pa.Field(gt=0)", "pa.Field(gt=10)")
    shop.open().try_gates()
    assert shop.sql("SELECT max(snapshot) FROM lineage.snapshots") == before


def test_nothing_to_judge_is_an_error(shop: Mill) -> None:
    shop.run("orders@2024-01-01")
    with pytest.raises(UsageError, match="nothing of orders@2024-01-02 is in production"):
        shop.open().try_gates("orders@2024-01-02")


def test_a_file_that_is_gone_is_named(shop: Mill) -> None:
    shop.run()
    [(path,)] = shop.sql(
        f"SELECT path FROM lineage.materializations WHERE asset = 'orders' AND partition = '{DAY}'"
    )
    (shop.root / "warehouse" / "versions" / path).unlink()
    with pytest.raises(StoreError, match=f"a file of orders@{DAY} is gone"):
        shop.open().try_gates("orders")
