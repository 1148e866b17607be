"""What pandera lets be said of a column, in a `Column` or a `Field`, and the types it knows."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.api.dataframe.components import ComponentSchema
from pandera.api.parsers import Parser
from pandera.engines import polars_engine
from pydantic import BaseModel

from gate.pandera_offers import (
    Group,
    Try,
    as_pandera,
    better,
    checked,
    column,
    forms,
    model,
    refused,
)
from gate.schema_cases import VALUES

_BY_KEYWORD: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "eq": (1, [1, 1], [1, 2]),
    "ne": (1, [2, 3], [1, 2]),
    "gt": (1, [2, 3], [1, 2]),
    "ge": (1, [1, 2], [0, 1]),
    "lt": (1, [0, -1], [0, 1]),
    "le": (1, [0, 1], [1, 2]),
    "in_range": ((1, 3, True, False), [1, 2], [2, 3]),
    "isin": ([1, 2], [1, 2], [1, 3]),
    "notin": ([1, 2], [3, 4], [1, 3]),
    "str_startswith": ("x", ["xa", "x"], ["ax", "x"]),
    "str_endswith": ("x", ["ax", "x"], ["xa", "x"]),
    "str_length": ((1, 2), ["a", "ab"], ["", "a"]),
    "str_matches": ("x", ["xa", "x"], ["ax", "x"]),
    "str_contains": ("x", ["ax", "x"], ["a", "x"]),
}


def _named() -> set[str]:
    named: set[str] = set()
    for of in (pa.Column, ComponentSchema, pa.Field):
        parameters = inspect.signature(of).parameters.values()
        named |= {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
    return named


def _keyword(name: str) -> Iterable[Try]:
    value, good, bad = _BY_KEYWORD[name]
    for values, passes in ((good, True), (bad, False)):
        field = pa.Field(**{name: value})
        made = model({"a": type(good[0])}, a=field)
        yield Try(made, pl.DataFrame({"a": values}), passes)


def _of_type(_: str) -> Iterable[Try]:
    yield from column(int, [1, 2], True)
    yield from column(int, ["1", "2"], False)
    yield Try(pa.DataFrameSchema({"a": pa.Column()}), pl.DataFrame({"a": ["1"]}), True)


def _checks(_: str) -> Iterable[Try]:
    several = [pa.Check.gt(0), pa.Check.lt(9)]
    return checked(several, [1, 2], True), checked(several, [-1, 9], False)


def _nullable(_: str) -> Iterable[Try]:
    for nullable in (True, False):
        yield from column(int, [1, None], nullable, nullable=nullable)
        yield from column(float, [1.0, float("nan")], nullable, nullable=nullable)


def _unique(_: str) -> Iterable[Try]:
    yield from column(int, [1, 2], True, unique=True)
    for values in ([1, 1, 2], [None, None, 2]):
        yield from column(int, values, False, unique=True, nullable=True)


def _coerced(_: str) -> Iterable[Try]:
    yield from column(int, ["1", "2"], True, coerce=True)
    yield from column(int, ["1", "x"], False, coerce=True)


def _required(_: str) -> Iterable[Try]:
    frame = pl.DataFrame({"b": [1]})
    for required in (True, False):
        yield from forms({"a": (int, {"required": required})}, frame, not required)


def _whole_names(_: str) -> Iterable[Try]:
    frame = pl.DataFrame({"a": [1, 2], "b": [1, 2], "abc": [-1, -1]})
    pattern = pa.Column(int, pa.Check.gt(0), regex=True)
    schema = pa.DataFrameSchema({"a|b": pattern})
    return Try(schema, frame, True), Try(schema, frame - 1, False)


def _matching_nothing(_: str) -> Iterable[Try]:
    columns = {"^x_.*$": pa.Column(int), "a": pa.Column(int, pa.Check.gt(0))}
    yield Try(pa.DataFrameSchema(columns), pl.DataFrame({"a": [1, -1]}), False)


def _other_name(_: str) -> Iterable[Try]:
    made = model({"field": int}, field=pa.Field(alias="a", gt=0))
    yield Try(made, pl.DataFrame({"a": [1, 2]}), True)
    yield Try(made, pl.DataFrame({"a": [1, -2]}), False)
    yield Try(made, pl.DataFrame({"field": [1, 2]}), False)


def _name(_: str) -> Iterable[Try]:
    schema = pa.DataFrameSchema({"a": pa.Column(int, name="b")})
    return (
        Try(schema, pl.DataFrame({"a": [1]}), True),
        Try(schema, pl.DataFrame({"b": [1]}), False),
    )


def _default(_: str) -> Iterable[Try]:
    yield from column(int, [1, None], True, default=0)
    yield from column(float, [1.0, float("nan")], True, default=0.0)
    yield from column(int, [1, None], False)


def _absent_default(_: str) -> Iterable[Try]:
    given = {"default": 1, "required": False}
    yield from forms({"a": (int, given)}, pl.DataFrame({"b": [1]}), True)


def _default_of_some_floats(_: str) -> Iterable[Try]:
    mixed = pl.DataFrame({"x_1": [1.0, float("nan")], "x_2": ["a", "b"]})
    columns = {"^x_.*$": pa.Column(default=pl.lit(0.0), regex=True)}
    yield Try(pa.DataFrameSchema(columns), mixed, True)


def _default_of_another_type(_: str) -> Iterable[Try]:
    letters = pl.DataFrame({"a": ["b", None]}, schema={"a": pl.Enum(["b", "a"])})
    yield from column(str, ["b", None], True, default="a")
    yield from forms({"a": (str, {"default": "a"})}, letters, False)


def _default_of_a_pattern(_: str) -> Iterable[Try]:
    frame = pl.DataFrame({"x_1": [1, None], "x_2": [None, 2]})
    columns = {"x_1": (int, {"nullable": True}), "^x_.*$": (int, {"default": 7, "regex": True})}
    yield from forms(columns, frame, True)


def _of_field(value: Any) -> Any:
    def tries(name: str) -> Iterable[Try]:
        made = model({"a": int}, a=pa.Field(gt=0, nullable=True, **{name: value}))
        yield Try(made, pl.DataFrame({"a": [1, None]}), True)
        yield Try(made, pl.DataFrame({"a": [1, -1]}), False)

    return tries


def _ignore_na(_: str) -> Iterable[Try]:
    for ignore_na in (True, False):
        field = pa.Field(gt=0, nullable=True, ignore_na=ignore_na)
        yield Try(model({"a": int}, a=field), pl.DataFrame({"a": [1, None]}), ignore_na)


def _warns(_: str) -> Iterable[Try]:
    for warning in (True, False):
        made = model({"a": int}, a=pa.Field(gt=0, raise_warning=warning))
        yield Try(made, pl.DataFrame({"a": [1, -1]}), warning)


def _first_only(_: str) -> Iterable[Try]:
    made = model({"a": int}, a=pa.Field(gt=0, n_failure_cases=1))
    yield Try(made, pl.DataFrame({"a": [-1, 1, -2]}), False)


def _type_arguments(_: str) -> Iterable[Try]:
    field = pa.Field(dtype_kwargs={"time_unit": "ms", "time_zone": "UTC"})
    made = model({"a": polars_engine.DateTime}, a=field)
    for zone in ("UTC", None):
        frame = pl.DataFrame({"a": [0]}, schema={"a": pl.Datetime("ms", zone)})
        yield Try(made, frame, zone is not None)


def _text(name: str) -> Iterable[Try]:
    value = {"x": "y"} if name == "metadata" else "told"
    yield from column(int, [1, 2], True, **{name: value})
    yield from column(int, [1, None], False, **{name: value})


COLUMNS = Group(
    "`pa.Column`, `pa.Field`",
    _named,
    (
        as_pandera("dtype", "polars types, Python types and pandera's; a column without one may "
                   "have any", _of_type),
        as_pandera("checks", "", _checks),
        as_pandera(" ".join(_BY_KEYWORD), "the built-in checks by their keywords", _keyword),
        as_pandera("nullable", "a NaN counts as null", _nullable),
        as_pandera("unique", "all rows that repeat each other fail; a null repeats a null",
                   _unique),
        as_pandera("coerce", "a value that cannot be coerced fails its row, also for `split`",
                   _coerced),
        as_pandera("required", "", _required),
        as_pandera("name", "the key in `columns` counts", _name),
        as_pandera("alias", "", _other_name),
        better("regex", "matches whole names, for every alternative of `a\\|b` (pandera makes "
               "`^a\\|b$` of it); results name the column, not the pattern", _whole_names),
        better("regex", "one that matches no column is told beside all else that fails (pandera "
               "breaks off)", _matching_nothing),
        as_pandera("default", "fills nulls, and NaN", _default),
        better("default", "an optional column with one may be absent (pandera breaks off)",
               _absent_default),
        better("default", "does not make an `Enum` pass for text (pandera takes it for a `str`)",
               _default_of_another_type),
        better("default", "that of a pattern leaves columns with a name of their own alone "
               "(pandera fills them too)", _default_of_a_pattern),
        better("default", "that of a pattern fills NaN in every float column (pandera only where "
               "all that match are floats)", _default_of_some_floats),
        as_pandera("ignore_na", "", _ignore_na),
        as_pandera("raise_warning", "recorded with the severity `warning`", _warns),
        better("n_failure_cases", "all failing rows are counted and rejected", _first_only),
        as_pandera("dtype_kwargs", "for pandera's own types", _type_arguments),
        as_pandera("title description metadata", "not shown", _text),
        as_pandera("check_name", "`True`, without effect", _of_field(True)),
        refused("check_name", lambda _: model({"a": int}, a=pa.Field(check_name=False)),
                "`False`, which pandera does not take for polars"),
        refused("on_missing", lambda _: model({"a": int}, a=pa.Field(on_missing="warn")),
                "pandera does not take it for polars"),
        refused("drop_invalid_rows",
                lambda _: pa.DataFrameSchema({"a": pa.Column(int, drop_invalid_rows=True)})),
        refused("report_duplicates", lambda _: pa.DataFrameSchema(
                {"a": pa.Column(int, unique=True, report_duplicates="exclude_first")})),
        refused("parsers", lambda _: pa.DataFrameSchema(
                {"a": pa.Column(int, parsers=Parser(lambda data: data))})),
    ),
)  # fmt: skip


def _types() -> set[str]:
    return {known.__name__ for known in polars_engine.Engine._registered_dtypes}


def _examples() -> dict[str, tuple[pl.DataType, Any]]:
    """A type of polars and a value of it for each of pandera's types that have values."""
    found = {type(pa.Column(dtype).dtype).__name__: (dtype, v[0]) for dtype, v in VALUES.items()}
    return found | {"Null": (pl.Null(), None), "Object": (pl.Object(), Decimal(1))}


def _typed(name: str) -> Iterable[Try]:
    dtype, value = _examples()[name]
    other = pl.Series(["x"]) if dtype != pl.String else pl.Series([1])
    given = {"nullable": True}
    yield from column(dtype, pl.Series([value], dtype=dtype), True, **given)
    yield from column(dtype, other, False, **given)


def _shown(name: str) -> Iterable[Try]:
    dtype = _examples()[name][0]
    value = VALUES[dtype][-1]
    for values, passes in (([None, None], True), ([None, value], False)):
        check = pa.Check.ne(value)
        yield checked(check, pl.Series(values, dtype=dtype), passes, dtype, nullable=True)


def _refused_type(name: str) -> Any:
    class Row(BaseModel):
        a: int

    if name == "Category":
        return pa.DataFrameSchema({"a": pa.Column("category")})
    if name == "PydanticModel":
        return pa.DataFrameSchema(dtype=polars_engine.PydanticModel(Row), coerce=True)
    return pa.DataFrameSchema({"a": pa.Column(pl.Decimal, coerce=True)})


_PLAIN = (
    "Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64 Float32 Float64 Bool String Binary Date "
    "Time Null"
)
TYPES = Group(
    "type",
    _types,
    (
        as_pandera(_PLAIN, "", _typed),
        as_pandera("DateTime Timedelta", "unit and time zone count; `pl.Datetime` alone is `us` "
                   "without a zone", _typed),
        better("Binary Timedelta", "values that fail are shown (pandera breaks off)", _shown),
        as_pandera("Decimal", "precision and scale count; `pl.Decimal` alone is `(28, 0)`", _typed),
        refused("Decimal", _refused_type),
        as_pandera("Categorical Enum", "", _typed),
        as_pandera("Object", "such a column can be judged, and not be stored", _typed),
        as_pandera("List Array Struct", "`pl.List` alone is a list of anything", _typed),
        refused("Category", _refused_type),
        refused("PydanticModel", _refused_type),
    ),
)  # fmt: skip
