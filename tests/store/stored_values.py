"""For every type that can be stored, values of it that all differ."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import polars as pl

_INSTANTS = [datetime(1969, 12, 31, 23), datetime(1970, 1, 1), datetime(2013, 11, 3, 5)]
_NESTED = pl.Struct({'the "n"': pl.Int64, "at": pl.Time})

VALUES: dict[str, tuple[pl.DataType, list[Any]]] = {
    "boolean": (pl.Boolean(), [True, False]),
    "int8": (pl.Int8(), [-128, 0, 1, 127]),
    "int16": (pl.Int16(), [-1, 0, 1]),
    "int32": (pl.Int32(), [-1, 0, 1]),
    "int64": (pl.Int64(), [-(2**63), 0, 1, 2**63 - 1]),
    "uint8": (pl.UInt8(), [0, 1, 255]),
    "uint16": (pl.UInt16(), [0, 1]),
    "uint32": (pl.UInt32(), [0, 1]),
    "uint64": (pl.UInt64(), [0, 1, 2**64 - 1]),
    "float16": (pl.Float16(), [0.0, 1.5, float("inf"), float("nan")]),
    "float32": (pl.Float32(), [0.0, 1.5, float("inf"), float("nan")]),
    "float64": (pl.Float64(), [0.0, 1.5, 1e300, float("-inf"), float("nan")]),
    "string": (pl.String(), ["", " ", "a", "ä", "it's", "0", "line\nbreak", "\0"]),
    "categorical": (pl.Categorical(), ["", "a", "b"]),
    "enum": (pl.Enum(["b", "a", ""]), ["", "a", "b"]),
    "binary": (pl.Binary(), [b"", b"\0", b"a"]),
    "decimal": (pl.Decimal(38, 2), [Decimal("0.00"), Decimal("1.25"), Decimal("-1.25")]),
    "small decimal": (pl.Decimal(5, 0), [Decimal(0), Decimal(10)]),
    "date": (pl.Date(), [date(1970, 1, 1), date(2013, 2, 12), date(1, 1, 1)]),
    "time": (pl.Time(), [time(0), time(1, 2, 3, 4)]),
    "milliseconds": (pl.Datetime("ms"), _INSTANTS),
    "microseconds": (pl.Datetime("us"), _INSTANTS),
    "nanoseconds": (pl.Datetime("ns"), _INSTANTS),
    "zoned": (pl.Datetime("us", "America/New_York"), _INSTANTS),
    "zoned nanoseconds": (pl.Datetime("ns", "UTC"), _INSTANTS),
    "list": (pl.List(pl.Int64), [[], [0], [None], [1, 2], [2, 1]]),
    "list of categories": (pl.List(pl.Categorical), [[], ["a"], ["b"], ["a", None]]),
    "array": (pl.Array(pl.Int64, 2), [[1, 2], [2, 1], [None, 1]]),
    "array of arrays": (pl.Array(pl.String, (1, 2)), [[["a", "b"]], [["b", "a"]]]),
    "struct": (
        _NESTED,
        [{'the "n"': 1, "at": time(1)}, {'the "n"': None, "at": time(1)}],
    ),
    "list of structs": (
        pl.List(_NESTED),
        [[], [{'the "n"': 1, "at": None}], [{'the "n"': None, "at": None}], [None]],
    ),
    "struct of enum": (
        pl.Struct({"e": pl.Enum(["b", "a"]), "l": pl.List(pl.String)}),
        [{"e": "a", "l": []}, {"e": "b", "l": []}, {"e": "a", "l": [""]}],
    ),
    "map": (pl.Map(pl.String, pl.Int64), [{}, {"a": 1}, {"a": 2}, {"b": 1}]),
}


def column(name: str, values: list[Any] | None = None) -> pl.Series:
    """A column `x` of the named type; by default with all of its values and a null."""
    dtype, all_values = VALUES[name]
    values = [*all_values, None] if values is None else values
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        naive = pl.Series("x", values, dtype=pl.Datetime(dtype.time_unit))
        return naive.dt.replace_time_zone("UTC").dt.convert_time_zone(dtype.time_zone)
    return pl.Series("x", values, dtype=dtype)
