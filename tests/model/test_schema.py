import pytest

from millgate.model.schema import UNTYPED, Column, Schema, holding, united, widened


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("BIGINT", "BIGINT", "BIGINT"),
        ("TINYINT", "SMALLINT", "SMALLINT"),
        ("INTEGER", "BIGINT", "BIGINT"),
        ("UTINYINT", "UBIGINT", "UBIGINT"),
        ("UTINYINT", "SMALLINT", "SMALLINT"),
        ("UTINYINT", "TINYINT", "SMALLINT"),
        ("USMALLINT", "SMALLINT", "INTEGER"),
        ("UINTEGER", "INTEGER", "BIGINT"),
        ("UINTEGER", "BIGINT", "BIGINT"),
        ("UBIGINT", "BIGINT", None),
        ("UBIGINT", "TINYINT", None),
        ("FLOAT", "DOUBLE", "DOUBLE"),
        ("SMALLINT", "FLOAT", "FLOAT"),
        ("INTEGER", "FLOAT", None),
        ("INTEGER", "DOUBLE", "DOUBLE"),
        ("UINTEGER", "DOUBLE", "DOUBLE"),
        ("BIGINT", "DOUBLE", None),
        ("UBIGINT", "DOUBLE", None),
        ("DECIMAL(5,2)", "DECIMAL(7,2)", "DECIMAL(7,2)"),
        ("DECIMAL(5,2)", "DECIMAL(5,4)", "DECIMAL(7,4)"),
        ("DECIMAL(38,0)", "DECIMAL(38,10)", None),
        ("DECIMAL(5,2)", "DOUBLE", None),
        ("VARCHAR", "BIGINT", None),
        ("DATE", "TIMESTAMP", None),
        ("BOOLEAN", "TINYINT", None),
        (UNTYPED, "DATE", "DATE"),
        (UNTYPED, UNTYPED, UNTYPED),
        ("INTEGER[]", "BIGINT[]", "BIGINT[]"),
        ("INTEGER[][]", "BIGINT[][]", "BIGINT[][]"),
        ("UINTEGER[]", "INTEGER[]", "BIGINT[]"),
        (f"{UNTYPED}[]", "DATE[]", "DATE[]"),
        ("DECIMAL(5,2)[]", "DECIMAL(7,2)[]", "DECIMAL(7,2)[]"),
        ("INTEGER[]", "INTEGER", None),
        ("INTEGER[]", "VARCHAR[]", None),
        ("STRUCT(a INTEGER)", "STRUCT(a BIGINT)", None),
    ],
)
def test_widened(one: str, other: str, both: str | None) -> None:
    assert widened(one, other) == both
    assert widened(other, one) == both


def test_a_schema_is_its_names_types_and_order() -> None:
    a, b = Column("a", "BIGINT"), Column("b", "DATE")
    assert Schema((a, b)).hash == Schema((a, b)).hash
    different = [
        Schema((b, a)),
        Schema((a,)),
        Schema((a, Column("b", "TIMESTAMP"))),
        Schema((a, Column("B", "DATE"))),
        Schema((Column("a\0BIGINT\0b", "DATE"),)),
    ]
    assert len({s.hash for s in [Schema((a, b)), *different]}) == 1 + len(different)
    assert Schema((a, b)).types == {"a": "BIGINT", "b": "DATE"}
    assert list(Schema((a, b))) == [a, b]
    assert len(Schema(()).hash) == 32


@pytest.mark.parametrize(
    ("types", "wide"),
    [
        (["INTEGER"], "INTEGER"),
        (["INTEGER", "BIGINT"], "BIGINT"),
        (["FLOAT", "INTEGER", "DOUBLE"], "DOUBLE"),
        (["INTEGER", "UINTEGER"], "BIGINT"),
        (["TINYINT", "UTINYINT", "USMALLINT"], "INTEGER"),
        (["BIGINT", "DOUBLE"], "VARCHAR"),
        (["DATE", "NULL"], "DATE"),
        (["NULL"], "NULL"),
        (["DECIMAL(9,2)", "DECIMAL(6,4)"], "DECIMAL(11,4)"),
        (["INTEGER[]", "BIGINT[]"], "BIGINT[]"),
        (['STRUCT("a" DATE)', 'STRUCT("b" DATE)'], "VARCHAR"),
    ],
)
def test_the_type_that_holds_all_does_not_depend_on_order(types: list[str], wide: str) -> None:
    assert holding(types) == holding(types[::-1]) == wide


def test_united_keeps_the_first_spelling_and_every_column() -> None:
    newest = Schema((Column("b", "BIGINT"), Column("a", "DATE")))
    older = Schema((Column("A", "DATE"), Column("b", "INTEGER"), Column("c", "BLOB")))
    assert united([newest, older]).types == {"b": "BIGINT", "a": "DATE", "c": "BLOB"}


def test_on_a_clash_the_first_type_may_be_kept() -> None:
    older, newer = Schema((Column("n", "BIGINT"),)), Schema((Column("n", "DATE"),))
    assert united([older, newer], "first").types == {"n": "BIGINT"}
