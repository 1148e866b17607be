from __future__ import annotations

import pytest

from millgate.gate.contract import contract_results
from millgate.model.policy import Gate
from millgate.model.schema import Column, Schema


@pytest.mark.parametrize(
    ("live", "new", "says"),
    [
        ("BIGINT", "BIGINT", None),
        ("INTEGER", "BIGINT", None),
        ("NULL", "DATE", None),
        ("DATE", "NULL", None),
        ("DECIMAL(10,2)", "DECIMAL(12,3)", None),
        ("BIGINT", "INTEGER", "a is BIGINT in production: narrowed to INTEGER"),
        ("DOUBLE", "FLOAT", "a is DOUBLE in production: narrowed to FLOAT"),
        (
            "DECIMAL(18,3)",
            "DECIMAL(10,2)",
            "a is DECIMAL(18,3) in production: narrowed to DECIMAL(10,2)",
        ),
        ("BIGINT", "DOUBLE", "a is BIGINT in production: retyped to DOUBLE"),
        ("INTEGER", "UINTEGER", "a is INTEGER in production: retyped to UINTEGER"),
        ("VARCHAR", "DATE", "a is VARCHAR in production: retyped to DATE"),
        ("VARCHAR", None, "a is VARCHAR in production: the column is gone"),
    ],
)
def test_contract(live, new, says):
    columns = Schema(() if new is None else (Column("added", "DATE"), Column("a", new)))
    broken = contract_results(Schema((Column("a", live),)), columns, Gate(), rows=3)
    assert [r.message for r in broken] == ([] if says is None else [says])
    for result in broken:
        assert (result.rule, result.column_name, result.kind) == ("contract", "a", "frame")
        assert (result.expected, result.observed) == (live, new or "no such column")
        assert not result.passed


def test_no_contract_where_nothing_is_live_or_anything_goes():
    live = Schema((Column("a", "DATE"),))
    assert contract_results(None, live, Gate()) == ()
    assert contract_results(live, Schema(()), Gate(contract="any")) == ()
    assert len(contract_results(live, Schema(()), Gate())) == 1


LIVE = Schema((Column("a", "INTEGER"), Column("b", "VARCHAR")))


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ([("a", "INTEGER"), ("b", "VARCHAR")], []),
        ([("a", "NULL"), ("b", "VARCHAR")], []),
        ([("a", "BIGINT"), ("b", "VARCHAR")], ["a is INTEGER in production: widened to BIGINT"]),
        (
            [("a", "INTEGER"), ("b", "VARCHAR"), ("c", "DATE")],
            ["c is no such column in production: it came as DATE"],
        ),
        (
            [("b", "VARCHAR"), ("a", "INTEGER")],
            ["contract: the columns are a, b in production: the order came as b, a"],
        ),
    ],
)
def test_strict_holds_every_difference(columns, says):
    new = Schema(tuple(Column(*column) for column in columns))
    broken = contract_results(LIVE, new, Gate(contract="strict"))
    assert [r.message.removeprefix("contract: ") for r in broken] == [
        each.removeprefix("contract: ") for each in says
    ]
    assert contract_results(LIVE, new, Gate()) == ()


@pytest.mark.parametrize("contract", ["strict", "widen"])
def test_a_renamed_column_is_told_by_what_stands_in_its_place(contract):
    new = Schema((Column("a", "INTEGER"), Column("label", "VARCHAR")))
    broken = contract_results(LIVE, new, Gate(contract=contract))
    assert broken[0].message == (
        "b is VARCHAR in production: the column is gone; "
        "renamed to label? (VARCHAR, new in its place)"
    )
    assert len(broken) == (2 if contract == "strict" else 1)


def test_a_contract_that_only_warns():
    broken = contract_results(LIVE, Schema(()), Gate(warn=["contract"]))
    assert {r.severity for r in broken} == {"warning"}
