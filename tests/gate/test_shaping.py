from __future__ import annotations

from decimal import Decimal

import pandera.polars as pa
import polars as pl
import pytest

from millgate.gate.shaping import plan_shaping

INT = pa.Column(int)


def shaped(schema, frame):
    shaping, failures = plan_shaping(schema, frame.schema)
    return shaping.apply(frame.lazy()).collect(), [(f.rule, f.column) for f in failures]


@pytest.mark.parametrize(
    ("columns", "options", "frame"),
    [
        ({"a": INT}, {"strict": "filter"}, {"a": [1], "b": [2]}),
        ({"^x.*$": INT}, {"strict": "filter"}, {"a": [1], "x1": [2], "x2": [3]}),
        ({"a": pa.Column(int, default=7)}, {"add_missing_columns": True}, {"b": [1]}),
        ({"a": pa.Column(int, nullable=True)}, {"add_missing_columns": True}, {"b": [1]}),
        (
            {"a": pa.Column(str, default="b"), "b": INT, "c": pa.Column(float, required=False)},
            {"add_missing_columns": True},
            {"z": [0], "b": [1]},
        ),
        ({"a": pa.Column(float, default=0.0)}, {}, {"a": [1.0, None, float("nan")]}),
        ({"a": pa.Column(str, default="a")}, {}, {"a": [None, "b"], "b": [1, 2]}),
        ({"a": pa.Column(int, default=pl.lit(3))}, {}, {"a": [None, 1]}),
        ({"^a.*$": pa.Column(int, default=3)}, {}, {"a1": [None], "a2": [None], "b": [None]}),
        ({"a": pa.Column(int, coerce=True)}, {}, {"a": ["1", None], "b": ["1", "2"]}),
        ({"a": pa.Column(int), "b": pa.Column(str)}, {"coerce": True}, {"a": [1.5], "b": [1]}),
        (
            {"^a.*$": pa.Column(int), "ab": pa.Column(str)},
            {"coerce": True},
            {"ab": [1], "a": ["1"]},
        ),
        ({}, {"dtype": float, "coerce": True}, {"a": [1], "b": ["2.5"]}),
        ({"a": pa.Column(pl.Decimal(10, 2), coerce=True)}, {}, {"a": ["1.25", "1e2"]}),
        ({"a": pa.Column(pl.Decimal(10, 2), coerce=True)}, {}, {"a": [1.25, 3.0]}),
        ({"a": pa.Column(pl.Decimal(10, 2), coerce=True)}, {}, {"a": [Decimal("1.250")]}),
    ],
)
def test_a_frame_is_shaped_as_pandera_shapes_it(columns, options, frame):
    schema = pa.DataFrameSchema(columns, **options)
    for column in schema.columns.values():
        column.nullable = True
    frame = pl.DataFrame(frame)
    ours, failures = shaped(schema, frame)
    assert failures == []
    assert ours.equals(schema.validate(frame, lazy=True), null_equal=True)
    assert ours.schema == schema.validate(frame, lazy=True).schema


@pytest.mark.parametrize(
    ("columns", "options", "frame", "expected"),
    [
        ({"a": INT}, {}, {"b": [1]}, [("column_in_dataframe", "a")]),
        ({"a": pa.Column(int, required=False)}, {}, {"b": [1]}, []),
        ({"a": INT}, {"add_missing_columns": True}, {"b": [1]}, [("add_missing_has_default", "a")]),
        ({"a": INT}, {"strict": True}, {"a": [1], "b": [1]}, [("column_in_schema", "b")]),
        ({}, {"strict": True}, {"a": [1], "b": [1]}, [("column_in_schema", n) for n in "ab"]),
        ({"a": INT, "b": INT}, {"ordered": True}, {"b": [1], "a": [1]}, [("column_ordered", "b")]),
        ({"a": INT, "b": INT}, {"ordered": True}, {"x": [1], "a": [1], "b": [1]}, []),
    ],
)  # fmt: skip
def test_what_the_columns_alone_show(columns, options, frame, expected):
    assert shaped(pa.DataFrameSchema(columns, **options), pl.DataFrame(frame))[1] == expected


@pytest.mark.parametrize(
    ("frame", "changes"),
    [({"a": [1]}, False), ({"a": ["1"]}, True), ({"a": pl.Series([1], dtype=pl.Int8)}, True)],
)
def test_a_frame_that_has_the_types_already_is_left_alone(frame, changes):
    schema = pa.DataFrameSchema({"a": pa.Column(int, coerce=True)})
    assert plan_shaping(schema, pl.DataFrame(frame).schema)[0].changes == changes
