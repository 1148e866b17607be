from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import pandera.polars as pa
import polars as pl
import pyarrow
import pytest
from pandera.api.dataframe.model_components import dataframe_parser
from pandera.engines.polars_engine import PydanticModel
from pydantic import BaseModel

from millgate.errors import GateError
from millgate.gate.compiled import compile_gate
from millgate.gate.judging import judge
from millgate.model.asset import Asset
from millgate.model.policy import Gate


class Nested(pa.DataFrameModel):
    x: int


class Row(BaseModel):
    x: int


class Parsed(pa.DataFrameModel):
    x: int

    @dataframe_parser
    def parse(cls, data):
        return data


class NotASchema:
    pass


def schema_with(column=None, **options):
    return pa.DataFrameSchema({"a": column or pa.Column(int)}, **options)


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        (NotASchema, "NotASchema is not a pandera schema for polars"),
        ("Flight", "a builtins.str is not a pandera schema for polars"),
        (Parsed, "pandera cannot build Parsed: user-defined parsers"),
        (schema_with(drop_invalid_rows=True), "the schema drops rows without a trace"),
        (schema_with(pa.Column(int, drop_invalid_rows=True)), "column a drops rows"),
        (schema_with(pa.Column(int, checks=pa.Check(len, groupby="a"))), "groupby="),
        (schema_with(pa.Column(Nested)), "column a is a nested pandera schema"),
        (schema_with(pa.Column("category")), "column a has the type category"),
        (schema_with(dtype=PydanticModel(Row)), "the schema is a pydantic model"),
        (schema_with(index=object()), "index= has no meaning for polars"),
    ],
)
def test_what_cannot_be_honoured_is_refused_before_anything_runs(schema, says):
    with pytest.raises(GateError) as refused:
        compile_gate(Gate(schema), "flights")
    assert says in refused.value.what
    assert refused.value.where == "the gate of flights"


def test_the_declared_types():
    class Model(pa.DataFrameModel):
        whole: int
        text: str
        moment: Annotated[pl.Datetime, "ms", "UTC"]
        many: pl.List(pl.Int8)
        any_: object = pa.Field(alias="^x_.*$", regex=True)

    declared = compile_gate(Gate(Model), "flights").declared
    assert declared == {
        "whole": pl.Int64(),
        "text": pl.String(),
        "moment": pl.Datetime("ms", "UTC"),
        "many": pl.List(pl.Int8),
    }
    frame = pl.DataFrame({"text": [None], "other": [None]})
    typed = compile_gate(Gate(Model), "flights").typed(frame)
    assert typed.schema == {"text": pl.String, "other": pl.Null}
    assert compile_gate(Gate(), "flights").declared == {}


def test_the_rules_are_shown_as_the_schema_states_them():
    schema = pa.DataFrameSchema(
        {"a": pa.Column(int, pa.Check.gt(0), unique=True), "^x_.*$": pa.Column(nullable=True)},
        checks=pa.Check(lambda _: True, error="b after a", raise_warning=True),
        unique=["a", "b"],
    )
    assert [
        (r.name, r.column, r.expected, r.severity) for r in compile_gate(Gate(schema), "x").rules
    ] == [
        ("dtype", "a", "Int64", "error"),
        ("not_nullable", "a", "not null", "error"),
        ("unique", "a", "unique", "error"),
        ("greater_than", "a", "> 0", "error"),
        ("unique", None, "unique (a, b)", "error"),
        ("check_1", None, "b after a", "warning"),
    ]
    assert compile_gate(Gate(), "x").rules == ()


FRAME = pl.DataFrame({"a": [1, -1]})


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.lazy(),
        FRAME.to_arrow(),
        pyarrow.RecordBatchReader.from_batches(
            pyarrow.schema({"a": pyarrow.int64()}),
            FRAME.to_arrow(compat_level=pl.CompatLevel.oldest()).to_batches(),
        ),
        {"a": [1, -1]},
        [{"a": 1}, {"a": -1}],
    ],
    ids=["eager", "lazy", "table", "reader", "columns", "rows"],
)
def test_judge_takes_what_an_asset_may_return(frame):
    asset = Asset(name="flights", gate=Gate(schema_with(pa.Column(int, pa.Check.gt(0)))))
    judgement = judge(asset, frame)
    assert judgement.verdict == "hold"
    assert [r.message for r in judgement.failed] == ["a > 0: 1 of 2 rows fail"]


def test_judge_types_columns_that_have_only_nulls():
    asset = Asset(name="flights", gate=Gate(schema_with(pa.Column(int, nullable=True))))
    assert judge(asset, pl.DataFrame({"a": [None, None]})).verdict == "promote"
    assert judge(asset, pl.DataFrame({"a": []})).verdict == "promote"


def test_judge_takes_a_duckdb_relation():
    import duckdb

    asset = Asset(name="flights", gate=Gate(schema_with(pa.Column(pl.Int32, pa.Check.gt(0)))))
    with duckdb.connect() as connection:
        assert judge(asset, connection.sql("SELECT 1 AS a")).verdict == "promote"


def test_a_schema_may_be_built_before_anything_of_millgate_is_imported():
    script = (
        "import pandera.polars as pa, polars as pl\n"
        "class Flight(pa.DataFrameModel):\n"
        "    a: int = pa.Field(gt=0)\n"
        "schema = Flight.to_schema()\n"
        "from millgate import Asset, Gate, judge\n"
        "flights = Asset(name='flights', gate=Gate(schema))\n"
        "print(*[judge(flights, pl.DataFrame({'a': [n]})).verdict for n in (1, -1)])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["promote", "hold"], done.stderr
