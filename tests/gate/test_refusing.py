"""The schemas that a gate refuses at declaration, and what pandera makes of them on polars."""

from __future__ import annotations

import re
import warnings

import pandera.polars as pa
import polars as pl
import pytest

from gate.pandera_answer import report
from millgate.errors import GateError
from millgate.gate.compiled import compile_gate
from millgate.model.policy import Gate


def refusal(schema):
    with pytest.raises(GateError) as refused:
        compile_gate(Gate(schema), "asset")
    return refused.value.what


def test_a_flag_that_polars_does_not_have_is_refused():
    schema = pa.DataFrameSchema({"a": pa.Column(str, pa.Check.str_matches(re.compile("a", re.A)))})
    assert refusal(schema).endswith("flags without effect: ASCII")


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        (pa.DataFrameSchema({"a": pa.Column(str, pa.Check.str_matches("(?=a)"))}), "look-around"),
        (
            pa.DataFrameSchema({"a": pa.Column(str, pa.Check.str_contains("a\\Z"))}),
            "unrecognized escape",
        ),
        (pa.DataFrameSchema({"^(?=a).*$": pa.Column(str)}), "look-around"),
    ],
    ids=["matches", "contains", "columns"],
)
def test_a_pattern_that_polars_cannot_read_is_refused(schema, fault):
    """pandera fails on every frame, and breaks off where it is a pattern of columns."""
    assert report(schema, pl.DataFrame({"a": ["a"]})) != "passes"
    assert re.search(f"^the pattern of .* cannot be read: {fault}", refusal(schema))


def test_coercing_to_a_decimal_that_pandera_makes_up_is_refused():
    schema = pa.DataFrameSchema({"a": pa.Column(pl.Decimal, coerce=True)})
    frame = pl.DataFrame({"a": ["1.50"]}).cast(pl.Decimal(10, 2))
    assert schema.validate(frame)["a"].cast(pl.String).to_list() == ["2"]  # rounded
    assert refusal(schema).endswith("Decimal(28, 0), as which pandera takes a bare pl.Decimal")


def test_telling_of_missing_columns_is_refused():
    column = pa.Column(int, required=False)
    schema = pa.DataFrameSchema({"a": column}, on_missing_columns="warn")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema.validate(pl.DataFrame({"b": [1]}))  # pandera does not warn
    assert refusal(schema) == "on_missing_columns= has no effect on polars"


def test_options_of_an_index_are_refused():
    class Model(pa.DataFrameModel):
        a: int

        class Config:
            multiindex_unique = ("a",)
            multiindex_strict = True

    frame = pl.DataFrame({"a": [1, 1], "b": [1, 1]})
    assert report(Model, frame) == "passes"
    assert refusal(Model) == "multiindex_unique of Config has no meaning for polars"


def test_a_check_by_groups_is_refused():
    check = pa.Check(
        lambda data: data.lazyframe.select(pl.col("a").sum() > 0), groupby="b", name="each_group"
    )
    schema = pa.DataFrameSchema({"a": pa.Column(int, check), "b": pa.Column(int)})
    assert report(schema, pl.DataFrame({"a": [3, -1], "b": [1, 2]})) == "passes"
    assert "groupby=, which pandera ignores" in refusal(schema)


def test_dropping_rows_is_refused():
    whole = pa.Check(lambda _: False, name="whole")
    schema = pa.DataFrameSchema(
        {"a": pa.Column(int), "b": pa.Column(int)}, checks=whole, drop_invalid_rows=True
    )
    frame = pl.DataFrame({"a": [1, 2]})
    assert report(schema, frame) == "passes"  # without b, and with a failing check
    assert "drop_invalid_rows" in refusal(schema)


def test_dropping_rows_for_a_column_is_refused():
    column = pa.Column(int, pa.Check(lambda _: False, name="whole"), drop_invalid_rows=True)
    schema = pa.DataFrameSchema({"a": column})
    assert report(schema, pl.DataFrame({"a": [1]})) == "passes"
    assert "column a drops rows without a trace" in refusal(schema)


def test_reporting_only_some_duplicates_is_refused():
    with pytest.warns(UserWarning, match="no effect"):
        schema = pa.DataFrameSchema({}, unique=["a"], report_duplicates="exclude_first")
    frame = pl.DataFrame({"a": [1, 1]})
    assert [row for row, _ in report(schema, frame)] == [0, 1]
    assert "report_duplicates=" in refusal(schema)
