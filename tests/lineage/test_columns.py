from __future__ import annotations

import pytest

from lineage.chronicle import PLAIN, Chronicle
from millgate.lineage import queries
from millgate.lineage.columns import read_schemas, united
from millgate.model.schema import Column, Schema


def schema(**types: str) -> Schema:
    return Schema(tuple(Column(name, type_) for name, type_ in types.items()))


@pytest.mark.parametrize(
    ("schemas", "first", "text"),
    [
        ([], None, None),
        ([schema()], {}, {}),
        ([schema(a="INTEGER"), schema(a="BIGINT")], {"a": "BIGINT"}, {"a": "BIGINT"}),
        ([schema(a="BIGINT"), schema(a="INTEGER")], {"a": "BIGINT"}, {"a": "BIGINT"}),
        ([schema(a="DATE"), schema(a="BIGINT")], {"a": "DATE"}, {"a": "VARCHAR"}),
        (
            [schema(a="DATE"), schema(a="BIGINT"), schema(a="DATE")],
            {"a": "DATE"},
            {"a": "VARCHAR"},
        ),
        (
            [schema(a="DATE"), schema(b="DATE", a="DATE")],
            {"a": "DATE", "b": "DATE"},
            {"a": "DATE", "b": "DATE"},
        ),
    ],
)
def test_schemas_taken_together(schemas, first, text) -> None:
    for clash, wanted in (("first", first), ("text", text)):
        found = united(schemas, clash)
        assert (None if found is None else found.types) == wanted


def test_schemas_are_kept_once(chronicle: Chronicle) -> None:
    chronicle.make("flights", "2013-01-01")
    chronicle.make("flights", "2013-01-02")
    count = chronicle.connection.execute("SELECT count(*) FROM lineage.schemas").fetchall()
    assert count == [(len(PLAIN.columns),)]
    assert read_schemas(chronicle.connection, [PLAIN.hash]) == {PLAIN.hash: PLAIN}


def columns(chronicle: Chronicle, asset: str = "flights") -> list[tuple]:
    query = "SELECT column_name, type FROM lineage.columns WHERE asset = ? ORDER BY position"
    return chronicle.connection.execute(query, [asset]).fetchall()


def test_columns_tell_of_what_is_live(chronicle: Chronicle) -> None:
    chronicle.make("other", "2013-01-01", schema=schema(z="DATE"))
    chronicle.make("flights", "2013-01-01", schema=schema(a="INTEGER"))
    assert columns(chronicle) == [("a", "INTEGER")]
    chronicle.make("flights", "2013-01-02", schema=schema(a="BIGINT", b="VARCHAR"))
    assert columns(chronicle) == [("a", "BIGINT"), ("b", "VARCHAR")]
    chronicle.make("flights", "2013-01-03", schema=schema(a="INTEGER"))
    assert columns(chronicle) == [("a", "BIGINT"), ("b", "VARCHAR")]
    chronicle.make("flights", "2013-01-02", schema=schema(a="INTEGER"))
    assert columns(chronicle) == [("a", "INTEGER")]
    assert columns(chronicle, "other") == [("z", "DATE")]


def test_a_held_version_changes_no_columns(chronicle: Chronicle) -> None:
    chronicle.make("flights", "2013-01-01", schema=schema(a="INTEGER"))
    chronicle.hold("flights", "2013-01-02", schema=schema(a="VARCHAR"))
    assert columns(chronicle) == [("a", "INTEGER")]


def test_a_released_version_of_another_type_makes_a_column_text(chronicle: Chronicle) -> None:
    chronicle.make("flights", "2013-01-01", schema=schema(a="INTEGER"))
    held = chronicle.hold("flights", "2013-01-02", schema=schema(a="DATE"))
    made = chronicle.version("flights", "2013-01-02", schema=schema(a="DATE"), derived_from=held.id)
    chronicle.commit(materializations=(made,), promotions=(chronicle.promotion(made, "release"),))
    assert columns(chronicle) == [("a", "VARCHAR")]
    live = queries.live_schema(chronicle.connection, "flights")
    assert live is not None
    assert live.types == {"a": "INTEGER"}


def test_columns_stay_when_nothing_is_live(chronicle: Chronicle) -> None:
    made = chronicle.make("flights", "2013-01-01", schema=schema(a="INTEGER"))
    chronicle.withdraw(made, "retired")
    assert columns(chronicle) == [("a", "INTEGER")]
    assert queries.live_schema(chronicle.connection, "flights") is None
    assert queries.last_schema(chronicle.connection, "flights") == schema(a="INTEGER")


def test_columns_narrow_when_a_wide_partition_is_withdrawn(chronicle: Chronicle) -> None:
    chronicle.make("flights", "2013-01-01", schema=schema(a="INTEGER"))
    wide = chronicle.make("flights", "2013-01-02", schema=schema(a="BIGINT", b="DATE"))
    chronicle.withdraw(wide, "wrong airport")
    assert columns(chronicle) == [("a", "INTEGER")]


def test_an_older_version_may_enter_beside_a_new_one(chronicle: Chronicle) -> None:
    chronicle.make("flights", "2013-01-01", schema=schema(a="INTEGER"))
    held = chronicle.hold("flights", "2013-01-02", schema=schema(a="INTEGER", b="DATE"))
    made = chronicle.version("flights", "2013-01-03", schema=schema(a="INTEGER"))
    chronicle.commit(
        materializations=(made,),
        promotions=(chronicle.promotion(made), chronicle.promotion(held, "release")),
    )
    assert columns(chronicle) == [("a", "INTEGER"), ("b", "DATE")]
