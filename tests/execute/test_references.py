"""Foreign keys: ordered, versioned, judged again when what they refer to changes."""

from __future__ import annotations

import pytest

from conftest import Edit, Mill

SHOP = """
import polars as pl
from millgate import Daily, Gate, Partition, asset, source

raw = source("data/sales.csv")
listed = source("data/customers.csv")

@asset
def customers(listed: pl.LazyFrame) -> pl.LazyFrame:
    return listed

@asset(
    partitions=Daily("2024-01-04"),
    gate=Gate(references={"customer": "customers.id"}),
)
def sales(raw: pl.LazyFrame, partition: Partition) -> pl.LazyFrame:
    return raw.filter(pl.col("day") == partition.key).select("customer", "amount")

@asset
def total(sales: pl.LazyFrame) -> pl.LazyFrame:
    return sales.select(pl.col("amount").sum())
"""
SALES = "day,customer,amount\n2024-01-04,1,10\n2024-01-05,2,20\n2024-01-05,,5\n"


@pytest.fixture
def market(mill: Mill) -> Mill:
    """Sales of two days that refer to customers 1 and 2; one sale has no customer."""
    mill.write("data/sales.csv", SALES)
    mill.write("data/customers.csv", "id,name\n1,Ada\n2,Bob\n")
    mill.write("assets/market.py", SHOP)
    return mill


def outcomes(report) -> dict[str, str]:
    return {str(d.step): d.outcome for d in report.done}


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_what_is_referred_to_is_made_first_and_on_record(market: Mill, executor: str) -> None:
    report = market.run(executor=executor)
    assert report.exit_status == 0
    assert market.plan().steps == ()
    assert market.sql(
        "SELECT kind, mapping FROM lineage.asset_edges WHERE downstream = 'sales' ORDER BY kind"
    ) == [("data", "the whole"), ("reference", "the whole")]
    assert market.sql(
        "SELECT u.asset, e.kind, count(*) FROM lineage.materialization_edges e "
        "JOIN lineage.materializations u ON u.materialization = e.upstream "
        "JOIN lineage.materializations d ON d.materialization = e.downstream "
        "WHERE d.asset = 'sales' GROUP BY ALL ORDER BY ALL"
    ) == [("customers", "reference", 2), ("raw", "data", 2)]
    assert market.sql(
        "SELECT DISTINCT rule, column_name, kind, expected, passed FROM lineage.check_results "
        "WHERE rule = 'references'"
    ) == [("references", "customer", "row", "in customers.id", True)]
    assert market.sql("SELECT count(reference_fingerprint) FROM lineage.judgements") == [(2,)]


@pytest.mark.parametrize(
    ("gate", "outcome", "live", "refused"),
    [
        ("", "held", 1, 2),
        (', on_failure="split"', "made", 2, 1),
        (', on_failure="warn"', "made", 3, 0),
        (', warn=["references"]', "made", 3, 0),
    ],
)
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_row_that_refers_to_nothing_fails_as_a_row(
    market: Mill, edit: Edit, gate: str, outcome: str, live: int, refused: int, executor: str
) -> None:
    edit("assets/market.py", '"customers.id"}', f'"customers.id"}}{gate}')
    edit("data/customers.csv", "2,Bob\n", "")
    report = market.run("sales or customers", executor=executor)
    assert outcomes(report)["sales@2024-01-05"] == outcome
    assert market.sql("SELECT count(*) FROM production.sales") == [(live,)]
    assert market.sql("SELECT count(*) FROM quarantine.sales") == [(refused,)]
    reasons = market.sql(
        "SELECT quarantine_reasons FROM quarantine.sales WHERE quarantine_reasons <> []"
    )
    if refused:
        told = {"rule": "references", "column_name": "customer", "value": "2"}
        assert reasons == [([told],)]
    assert market.plan("sales").steps == ()


def test_a_changed_reference_judges_again_without_making(market: Mill, edit: Edit) -> None:
    market.run()
    edit("data/customers.csv", "2,Bob\n", "")
    plan = market.plan()
    assert market.steps(plan) == [
        ("customers", "make", "input changed"),
        ("sales@2024-01-04", "judge", "reference planned"),
        ("sales@2024-01-05", "judge", "reference planned"),
    ]
    report = market.run()
    assert {k: v for k, v in outcomes(report).items() if "sales" in k} == {
        "sales@2024-01-04": "judged",
        "sales@2024-01-05": "judged",
    }
    plan = market.plan()
    assert (plan.steps, plan.failing) == ((), {"sales": 1})
    edit("data/customers.csv", "1,Ada\n", "1,Ada\n2,Bob\n")
    market.run("customers")
    assert market.steps(market.plan("sales")) == [
        ("sales@2024-01-04", "judge", "reference changed"),
        ("sales@2024-01-05", "judge", "reference changed"),
    ]
    assert market.plan("sales").steps[0].cause.of == "customers"
    market.run("sales")
    assert market.plan().failing == {}


TWO = """
@asset
def regions(areas: pl.LazyFrame) -> pl.LazyFrame:
    return areas

@asset(gate=Gate(references={"customer": "customers.id", "region": "regions.name"}))
def visits(seen: pl.LazyFrame) -> pl.LazyFrame:
    return seen
"""


def test_a_later_judgement_says_which_reference_changed(market: Mill, edit: Edit) -> None:
    market.write("data/areas.csv", "name\nnorth\nsouth\n")
    market.write("data/seen.csv", "customer,region\n1,north\n2,south\n")
    sources = 'areas = source("data/areas.csv")\nseen = source("data/seen.csv")\n'
    market.write("assets/market.py", SHOP + sources + TWO)
    market.run()
    for changed, old, new in (
        ("regions", "south\n", "south\nwest\n"),
        ("customers", "2,Bob\n", "2,Bob\n3,Cyd\n"),
        ("regions", "west\n", "west\neast\n"),
    ):
        edit("data/areas.csv" if changed == "regions" else "data/customers.csv", old, new)
        market.run(changed)
        (step,) = market.plan("visits").steps
        assert (step.action, step.cause.kind, step.cause.of) == (
            "judge",
            "reference changed",
            changed,
        )
        market.run("visits")
        assert market.sql("""
            SELECT s.cause, s.cause_asset, s.outcome FROM lineage.steps s
            WHERE s.asset = 'visits' ORDER BY s.step DESC LIMIT 1
        """) == [("reference changed", changed, "judged")]
        # The judgement in force looked at what is live now, whatever the version was made beside.
        assert market.sql("""
            SELECT u.asset, u.materialization = p.materialization FROM lineage.judgements j
            JOIN lineage.materializations m ON m.materialization = j.materialization
            JOIN lineage.judgement_edges e ON e.judgement = j.judgement
            JOIN lineage.materializations u ON u.materialization = e.upstream
            JOIN lineage.production p ON p.asset = u.asset AND p.partition = u.partition
            WHERE m.asset = 'visits' AND j.in_force ORDER BY ALL
        """) == [("customers", True), ("regions", True)]
    assert market.open().examine(deep=True) == []


def test_a_reference_that_comes_out_as_it_was_judges_nothing(market: Mill, edit: Edit) -> None:
    market.run()
    edit("assets/market.py", "    return listed", '    return listed.filter(pl.col("id") > 0)')
    assert outcomes(market.run()) == {
        "customers": "made",
        "sales@2024-01-04": "unchanged",
        "sales@2024-01-05": "unchanged",
    }
    assert market.plan().steps == ()


def test_what_was_held_is_made_again_when_its_reference_arrives(market: Mill, edit: Edit) -> None:
    edit("data/customers.csv", "2,Bob\n", "")
    assert market.run().exit_status == 3
    edit("data/customers.csv", "1,Ada\n", "1,Ada\n2,Bob\n")
    report = market.run()
    assert report.exit_status == 0
    assert outcomes(report)["sales@2024-01-05"] == "made"
    assert outcomes(report)["total"] == "made"
    assert market.plan().steps == ()


def test_enforcing_applies_a_changed_reference(market: Mill, edit: Edit) -> None:
    market.run()
    edit("data/customers.csv", "2,Bob\n", "")
    report = market.run("customers or sales", enforce=True)
    assert outcomes(report)["sales@2024-01-05"] == "held"
    assert market.sql("SELECT count(*) FROM production.sales") == [(1,)]
    assert market.plan("sales").steps == ()


def test_a_held_reference_blocks(market: Mill, edit: Edit) -> None:
    edit(
        "assets/market.py", "@asset\ndef customers", "@asset(gate=Gate(rows=(9, 9)))\ndef customers"
    )
    found = outcomes(market.run())
    assert found["customers"] == "held"
    assert (found["sales@2024-01-04"], found["total"]) == ("blocked", "blocked")
    assert market.steps(market.plan("sales"))[0][1:] == ("blocked", "held upstream")


def test_a_missing_reference_blocks(market: Mill) -> None:
    assert market.steps(market.plan("sales"))[0][1:] == ("blocked", "missing upstream")
    report = market.run("sales", command="backfill")
    assert set(outcomes(report).values()) == {"made"}
    assert "customers" in outcomes(report)


def test_a_released_row_is_not_judged_again(market: Mill, edit: Edit) -> None:
    edit("data/customers.csv", "2,Bob\n", "")
    market.run()
    market.open().release("sales", "2024-01-05", reason="known by phone")
    assert market.plan("sales").steps == ()
    assert market.sql("SELECT count(*) FROM production.sales") == [(3,)]


def test_trials_look_at_what_is_referred_to(market: Mill, edit: Edit) -> None:
    market.run()
    edit("assets/market.py", '"customers.id"', '"listed.id"')
    assert not any(trial.is_failing for trial in market.open().try_gates("sales"))
    edit("data/customers.csv", "2,Bob\n", "")
    failing = [t.partition for t in market.open().try_gates("sales") if t.is_failing]
    assert failing == ["2024-01-05"]


def test_a_source_can_be_referred_to(market: Mill, edit: Edit) -> None:
    edit("assets/market.py", '"customers.id"', '"listed.id"')
    assert market.run().exit_status == 0
    edit("data/customers.csv", "2,Bob\n", "")
    assert ("sales@2024-01-05", "judge", "reference changed") in market.steps(market.plan())
    market.run()
    assert market.plan().failing == {"sales": 1}


def test_alike_partitions_refer_to_each_other_day_by_day(market: Mill, edit: Edit) -> None:
    edit(
        "assets/market.py",
        "@asset\ndef customers(listed: pl.LazyFrame)",
        '@asset(partitions=Daily("2024-01-04"))\n'
        "def customers(listed: pl.LazyFrame, partition: Partition)",
    )
    edit(
        "assets/market.py",
        "return listed",
        'return listed.filter(pl.col("id") == partition.start.day - 3)',
    )
    assert market.run().exit_status == 0
    assert market.sql(
        "SELECT d.partition, u.partition FROM lineage.materialization_edges e "
        "JOIN lineage.materializations u ON u.materialization = e.upstream "
        "JOIN lineage.materializations d ON d.materialization = e.downstream "
        "WHERE e.kind = 'reference' ORDER BY ALL"
    ) == [("2024-01-04", "2024-01-04"), ("2024-01-05", "2024-01-05")]


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("customers.idd", "did you mean id"),
        ("customers.name", "customer is Int64, customers.name is String"),
    ],
)
def test_what_cannot_be_compared_holds(market: Mill, edit: Edit, target: str, says: str) -> None:
    edit("assets/market.py", '"customers.id"}', f'"{target}"}}, warn=["references"]')
    report = market.run("sales or customers")
    assert {d.outcome for d in report.done if d.step.asset == "sales"} == {"held"}
    messages = market.sql("SELECT message FROM lineage.check_results WHERE NOT passed")
    assert all(says in message for (message,) in messages), messages
