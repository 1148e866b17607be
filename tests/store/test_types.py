import datetime

import duckdb
import polars as pl
import pytest

from millgate.errors import BadResult, StoreError
from millgate.model.schema import UNTYPED, Column, Schema
from millgate.store.types import duckdb_type, exactly, polars_type, schema_of
from store.stored_values import VALUES, column

TEXTS = {
    "boolean": "BOOLEAN",
    "int8": "TINYINT",
    "uint64": "UBIGINT",
    "float16": "FLOAT",
    "float64": "DOUBLE",
    "categorical": "VARCHAR",
    "enum": "VARCHAR",
    "binary": "BLOB",
    "decimal": "DECIMAL(38,2)",
    "time": "TIME",
    "milliseconds": "TIMESTAMP",
    "nanoseconds": "TIMESTAMP_NS",
    "zoned": "TIMESTAMP WITH TIME ZONE",
    "zoned nanoseconds": "TIMESTAMP WITH TIME ZONE",
    "list": "BIGINT[]",
    "array of arrays": "VARCHAR[][]",
    "list of structs": 'STRUCT("the ""n""" BIGINT, "at" TIME)[]',
    "map": "MAP(VARCHAR, BIGINT)",
}


@pytest.mark.parametrize(("name", "text"), TEXTS.items())
def test_the_duckdb_type_of_a_polars_type(name: str, text: str) -> None:
    assert duckdb_type(VALUES[name][0]) == text


@pytest.mark.parametrize("name", VALUES)
def test_reading_a_type_and_naming_it_again_changes_nothing(name: str) -> None:
    text = duckdb_type(VALUES[name][0])
    assert duckdb_type(polars_type(text)) == text


@pytest.mark.parametrize("name", VALUES)
def test_every_value_has_a_place_in_the_type_it_is_read_as(name: str) -> None:
    values = column(name)
    read = values.cast(polars_type(duckdb_type(values.dtype)))
    assert read.null_count() == 1


@pytest.mark.parametrize("name", VALUES)
def test_duckdb_knows_the_type(name: str) -> None:
    text = duckdb_type(VALUES[name][0])
    found = duckdb.sql(f"SELECT CAST(NULL AS {text}) AS x").types[0]
    plain = text.replace('"', "")
    assert str(found).replace('"', "").upper() == plain.upper()


@pytest.mark.parametrize(
    ("dtype", "fix"),
    [
        (pl.Duration("us"), "total_seconds"),
        (pl.Int128(), "pl.Int64"),
        (pl.UInt128(), "pl.UInt64"),
        (pl.Object(), "pl.String"),
        (pl.Struct({}), "field"),
        (pl.Struct({"a": pl.Int8, "A": pl.Int8}), "case"),
        (pl.Array(pl.Int64, 0), "width"),
        (pl.List(pl.Duration("us")), "total_seconds"),
        (pl.Map(pl.String, pl.Int128), "pl.Int64"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_a_way_out(dtype: pl.DataType, fix: str) -> None:
    with pytest.raises(BadResult) as refused:
        schema_of({"took": dtype})
    assert refused.value.where == "column 'took'"
    assert fix in refused.value.fix


def test_a_zero_character_in_a_name_is_refused() -> None:
    with pytest.raises(BadResult, match="zero character"):
        schema_of(pl.DataFrame({"a\0b": [1]}))
    with pytest.raises(BadResult, match="zero character"):
        schema_of({"a": pl.Struct({"a\0b": pl.Int64})})


@pytest.mark.parametrize(
    "dtype",
    [pl.Null(), pl.List(pl.Null), pl.Struct({"a": pl.Int8, "b": pl.List(pl.Null)})],
)
def test_a_type_made_of_nulls_is_untyped(dtype: pl.DataType) -> None:
    assert schema_of({"x": dtype}) == Schema((Column("x", UNTYPED),))


def test_schemas_of_lazy_and_eager_frames_are_equal() -> None:
    frame = pl.DataFrame({"at": [datetime.date(2013, 1, 1)], "n": [1]})
    wanted = Schema((Column("at", "DATE"), Column("n", "BIGINT")))
    assert schema_of(frame) == schema_of(frame.lazy()) == wanted


@pytest.mark.parametrize("text", ["TINT", "BIGINT[", "STRUCT(a BIGINT)", "", "DECIMAL"])
def test_an_unknown_type_is_an_error(text: str) -> None:
    with pytest.raises(StoreError, match="does not know"):
        polars_type(text)


def test_a_name_that_looks_like_a_pattern_is_one_column() -> None:
    frame = pl.DataFrame({"*": [1], "^a.*$": [2], "ab": [3]})
    for name, value in zip(frame.columns, [1, 2, 3], strict=True):
        assert frame.select(exactly(name)).to_dict(as_series=False) == {name: [value]}
