"""Enforcing: what is live and fails today's gate leaves production, or loses the rows that do."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from conftest import Edit, Mill
from execute.dying import Dies, copied, run_with
from millgate.errors import Conflict
from millgate.model.going_back import Destination
from millgate.store.locks import RunFiles
from store.faulty_files import RecordedFiles

SPLIT = 'Gate(Order, on_failure="split")'


@pytest.fixture
def tightened(shop: Mill, edit: Edit) -> Mill:
    """The shop after a run, one of its days dearer, and a check adopted since that refuses it."""
    edit("data/orders.csv", "2024-01-03,1,10", "2024-01-03,1,99")
    shop.run()
    edit("assets/shop.py", "pa.Field(gt=0)", "pa.Field(gt=0, lt=90)")
    return shop


def outcomes(mill: Mill, target: str = "", **options: object) -> dict[str, str]:
    report = mill.run(target, enforce=True, **options)
    assert mill.open().examine(deep=True) == []
    return {str(d.step): d.outcome for d in report.done if d.outcome != "judged"}


def promotions(mill: Mill, asset: str = "orders") -> list[tuple[object, ...]]:
    return mill.sql(
        "SELECT partition, kind, materialization IS NULL, previous IS NULL, reason "
        "FROM lineage.promotions WHERE asset = ? AND reason IS NOT NULL ORDER BY promotion",
        asset,
    )


@pytest.mark.parametrize("judged_before", [True, False])
def test_a_hold_withdraws_and_blocks_what_is_made_from_it(
    tightened: Mill, judged_before: bool
) -> None:
    if judged_before:
        assert tightened.run().exit_status == 3
        assert tightened.steps(tightened.plan(enforce=True)) == [
            ("orders@2024-01-03", "enforce", "failing"),
            ("revenue@2024-01-03", "make", "input planned"),
            ("total", "make", "input planned"),
        ]
        detail = tightened.plan(enforce=True).steps[0].cause.detail
        assert detail == "hold by amount less_than"
    else:
        found = tightened.steps(tightened.plan("orders", enforce=True))
        assert {(action, cause) for _, action, cause in found} == {("enforce", "gate changed")}
    assert outcomes(tightened) | {"revenue@2024-01-03": "", "total": ""} == {
        "orders@2024-01-03": "held",
        **{f"revenue@2024-01-0{d}": "unchanged" for d in (1, 2, 4, 5) if not judged_before},
        "revenue@2024-01-03": "",
        "total": "",
    }
    assert tightened.sql("SELECT count(*) FROM production.orders") == [(12,)]
    assert tightened.sql("SELECT count(*) FROM quarantine.orders") == [(3,)]
    assert tightened.sql("SELECT amount, quarantine_reasons FROM quarantine.orders LIMIT 1") == [
        (99, [{"rule": "less_than", "column_name": "amount", "value": "99"}])
    ]
    [(key, kind, gone, first, reason)] = promotions(tightened)
    assert (key, kind, gone, first) == ("2024-01-03", "withdraw", True, False)
    assert reason.startswith("enforced: ")
    assert not list((tightened.root / "warehouse/production/orders/date=2024-01-03").iterdir())
    plan = tightened.plan("orders", enforce=True)
    assert (plan.steps, plan.held, plan.failing) == ((), {"orders": 1}, {})
    blocked = [s for s in tightened.plan().steps if s.action == "blocked"]
    assert [str(s) for s in blocked] == ["revenue@2024-01-03"]


def test_the_earlier_version_and_its_judgements_stay(tightened: Mill) -> None:
    outcomes(tightened)
    found = tightened.sql("""
        SELECT m.kind, m.location, j.verdict, j.in_force FROM lineage.materializations m
        JOIN lineage.judgements j USING (materialization)
        WHERE m.asset = 'orders' AND m.partition = '2024-01-03' ORDER BY j.judgement
    """)
    assert sorted(found) == [
        ("enforced", "quarantine", "hold", True),
        ("made", "versions", "hold", True),
        ("made", "versions", "promote", False),
    ]
    inputs = "SELECT count(DISTINCT upstream) FROM lineage.materialization_edges e JOIN "
    inputs += "lineage.materializations m ON m.materialization = e.downstream WHERE "
    assert tightened.sql(f"{inputs} m.kind = 'enforced' AND e.kind = 'data'") == [(1,)]
    assert tightened.sql(f"{inputs} m.kind = 'enforced' AND e.kind = 'derived'") == [(1,)]


def test_without_enforce_nothing_leaves(tightened: Mill) -> None:
    tightened.run()
    plan = tightened.plan()
    assert (plan.steps, plan.failing) == ((), {"orders": 1})
    assert tightened.sql("SELECT count(*) FROM production.orders") == [(15,)]


def test_what_is_not_selected_stays(tightened: Mill) -> None:
    assert outcomes(tightened, "orders@2024-01-01..2024-01-02") == {}
    assert tightened.sql("SELECT count(*) FROM production.orders") == [(15,)]


def test_a_split_makes_a_version_of_the_good_rows(tightened: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "Gate(Order)", SPLIT)
    tightened.run()
    assert outcomes(tightened) == {
        "orders@2024-01-03": "made",
        "revenue@2024-01-03": "made",
        "total": "made",
    }
    assert tightened.sql("SELECT count(*) FROM production.orders") == [(14,)]
    assert tightened.sql("SELECT amount FROM quarantine.orders") == [(99,)]
    assert tightened.sql("FROM production.total") == [(290,)]
    [(key, kind, gone, first, _)] = promotions(tightened)
    assert (key, kind, gone, first) == ("2024-01-03", "split", False, False)
    assert tightened.plan(enforce=True).steps == ()
    assert tightened.sql("SELECT count(*) FROM lineage.failing") == [(0,)]
    [(path, of, version)] = tightened.sql(
        "SELECT m.path, m.derived_from, m.materialization FROM lineage.production p "
        "JOIN lineage.materializations m USING (materialization) WHERE m.kind = 'enforced'"
    )
    footer = pq.read_metadata(tightened.root / "warehouse/versions" / path).metadata
    text = b"".join(footer.values()).decode()
    assert f'"materialization": {version}' in text
    assert f'"derived_from": {of}' in text
    assert '"inputs": [{' in text


@pytest.mark.parametrize("decision", ["release", "discard"])
@pytest.mark.parametrize("gate", ["Gate(Order)", SPLIT])
def test_what_was_enforced_is_decided_like_any_other(
    tightened: Mill, edit: Edit, gate: str, decision: str
) -> None:
    edit("assets/shop.py", "Gate(Order)", gate)
    outcomes(tightened)
    project = tightened.open()
    getattr(project, decision)("orders", "2024-01-03", reason="known to ops", actor="ada")
    rows = 15 if decision == "release" else 12 if gate == "Gate(Order)" else 14
    assert tightened.sql("SELECT count(*) FROM production.orders") == [(rows,)]
    plan = tightened.plan("orders", enforce=True)
    assert (plan.steps, plan.held, plan.failing) == ((), {}, {})
    tightened.run()
    assert tightened.open().examine(deep=True) == []


def test_a_held_partition_is_made_again_on_request_or_for_a_changed_gate(
    tightened: Mill, edit: Edit
) -> None:
    outcomes(tightened)
    assert tightened.steps(tightened.plan("orders", retry_held=True)) == [
        ("orders@2024-01-03", "make", "retry held")
    ]
    edit("assets/shop.py", "lt=90", "lt=100")
    tightened.run()
    assert tightened.sql("SELECT count(*) FROM production.orders") == [(15,)]
    assert tightened.sql("SELECT count(*) FROM quarantine.orders") == [(0,)]


def test_rows_that_were_split_before_wait_on(tightened: Mill, edit: Edit) -> None:
    edit("assets/shop.py", "Gate(Order)", SPLIT)
    edit("assets/shop.py", "gt=0, lt=90", "gt=10")
    tightened.run(force=True)
    assert tightened.sql("SELECT count(*) FROM quarantine.orders") == [(4,)]
    edit("assets/shop.py", "gt=10", "gt=20")
    outcomes(tightened)
    found = tightened.sql(
        "SELECT right(date::VARCHAR, 1), amount FROM quarantine.orders ORDER BY ALL"
    )
    assert found == [
        *(("1", a) for a in (10, 20)),
        *(("2", a) for a in (10, 20)),
        ("3", 20),
        *(("4", a) for a in (10, 20)),
        *(("5", a) for a in (10, 20)),
    ]
    tightened.open().release("orders", "2024-01-01", reason="known", actor="ada")
    assert tightened.sql(
        "SELECT list(amount ORDER BY amount) FROM production.orders WHERE date = '2024-01-01'"
    ) == [([10, 20, 30],)]


def test_what_a_person_rolled_back_is_not_made_again_once_it_is_enforced(
    tightened: Mill, edit: Edit
) -> None:
    edit("data/orders.csv", "2024-01-03,1,99", "2024-01-03,1,20")
    tightened.run("orders")
    project = tightened.open()
    back = project.propose_rollback("orders@2024-01-03", Destination("previous", "previous"))
    project.roll_back(back, reason="the 20 was wrong", actor="ada")
    assert outcomes(tightened, "orders") == {"orders@2024-01-03": "held"}
    plan = tightened.plan("orders")
    assert (plan.steps, plan.rolled_back) == ((), {"orders": 1})
    assert tightened.sql("SELECT count(*) FROM lineage.rolled_back") == [(1,)]


@pytest.mark.parametrize(("gate", "kept"), [("Gate(Order)", 15), (SPLIT, 14)])
def test_all_or_nothing_leaves_production_as_it_was_where_something_is_held(
    tightened: Mill, edit: Edit, gate: str, kept: int
) -> None:
    edit("assets/shop.py", "Gate(Order)", gate)
    report = tightened.run(enforce=True, atomic=True)
    assert report.exit_status == (3 if kept == 15 else 0)
    assert tightened.sql("SELECT count(*) FROM production.orders") == [(kept,)]
    assert tightened.open().examine(deep=True) == []


def test_another_run_that_works_on_it_refuses(tightened: Mill) -> None:
    files = RunFiles(tightened.open().layout)
    with files.start("materialize", "orders", "bob", "there", tightened.now, minimum=9) as other:
        assert other.claim([("orders", "2024-01-03")]) == ()
        with pytest.raises(Conflict, match=f"run {other.id} is working"):
            tightened.run("orders", enforce=True)


def test_an_empty_partition_and_an_unpartitioned_asset(mill: Mill, edit: Edit) -> None:
    mill.write(
        "assets/few.py",
        """
        import pandera.polars as pa
        import polars as pl

        from millgate import Gate, asset


        class Few(pa.DataFrameModel):
            n: int = pa.Field(ge=0, nullable=True)


        @asset(gate=Gate(Few, on_failure="split"))
        def few() -> pl.DataFrame:
            return pl.DataFrame({"n": [1, None, 2]})
        """,
    )
    mill.run()
    edit("assets/few.py", "ge=0, nullable=True", "ge=5")
    assert outcomes(mill) == {"few": "made"}
    assert mill.sql("SELECT count(*) FROM production.few") == [(0,)]
    assert mill.sql("SELECT n FROM quarantine.few ORDER BY n NULLS LAST") == [(1,), (2,), (None,)]
    edit("assets/few.py", "ge=5", "ge=6")
    assert outcomes(mill) == {}


def state(mill: Mill) -> list[tuple[object, ...]]:
    return mill.sql("SELECT date::VARCHAR, id, amount FROM production.orders ORDER BY ALL")


@pytest.mark.parametrize("gate", ["Gate(Order)", SPLIT])
def test_a_crash_while_enforcing_loses_nothing(
    tightened: Mill, edit: Edit, tmp_path: Path, gate: str, dies: Dies
) -> None:
    edit("assets/shop.py", "Gate(Order)", gate)
    before = state(tightened)
    done = copied(tightened, tmp_path / "done")
    files = RecordedFiles(done.root)
    run_with(done, files, enforce=True)
    after = state(done)
    died = 0
    for at in range(4, len(files.calls) + 1, 11):
        mill = copied(tightened, tmp_path / f"at{at}")
        died += dies(mill, at, "run_with(mill, files, enforce=True)")
        database = (mill.root / "warehouse/warehouse.duckdb").resolve(strict=True)
        with duckdb.connect(str(database), read_only=True) as connection:
            kept = connection.execute(
                "SELECT (SELECT count(*) FROM production.orders) + "
                "(SELECT count(*) FROM quarantine.orders)"
            ).fetchall()
        assert kept == [(15,)]
        assert state(mill) in (before, after)
        mill.run(enforce=True)
        assert state(mill) == after
        assert mill.open().examine(deep=True) == []
    assert died > 2
