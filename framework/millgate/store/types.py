"""Between polars types and DuckDB types: what can be stored, and what a stored type is read as."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import polars as pl
import polars.selectors as cs

from millgate.errors import BadResult, StoreError
from millgate.model.schema import TEXT, UNTYPED, Column, Schema

"""What columns become whose types no other type holds."""

_NAMES: Mapping[type[pl.DataType], str] = {
    pl.Boolean: "BOOLEAN",
    pl.Int8: "TINYINT",
    pl.Int16: "SMALLINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.UInt8: "UTINYINT",
    pl.UInt16: "USMALLINT",
    pl.UInt32: "UINTEGER",
    pl.UInt64: "UBIGINT",
    pl.Float16: "FLOAT",
    pl.Float32: "FLOAT",
    pl.Float64: "DOUBLE",
    pl.String: TEXT,
    pl.Categorical: TEXT,
    pl.Enum: TEXT,
    pl.Binary: "BLOB",
    pl.Date: "DATE",
    pl.Time: "TIME",
}

_SURE = frozenset(text for text, count in Counter(_NAMES.values()).items() if count == 1)
"""The stored types of which one type of polars alone is stored."""

TEXTUAL = ("BIT", "BIGNUM", "TIME WITH TIME ZONE")
"""Types that a DuckDB file has and a frame carries as their text."""

WIDE: Mapping[type[pl.DataType], str] = {
    pl.Int128: "HUGEINT",
    pl.UInt128: "UHUGEINT",
    pl.Duration: "INTERVAL",
}
"""Types of polars that a DuckDB file has and a Parquet file has not."""

_DTYPES: Mapping[str, pl.DataType] = {
    **{text: dtype() for dtype, text in _NAMES.items() if dtype is not pl.Enum},
    "FLOAT": pl.Float32(),
    TEXT: pl.String(),
    "TIMESTAMP": pl.Datetime("us"),
    "TIMESTAMP_NS": pl.Datetime("ns"),
    "TIMESTAMP WITH TIME ZONE": pl.Datetime("us", "UTC"),
    UNTYPED: pl.Null(),
    "HUGEINT": pl.Int128(),
    "UHUGEINT": pl.UInt128(),
    "INTERVAL": pl.Duration("us"),
    **dict.fromkeys(TEXTUAL, pl.String()),
}

_OR_DUCKDB = ', or declare the asset with storage="duckdb"'
_FIXES: Mapping[type[pl.DataType], str] = {
    pl.Duration: f"cast it to a number, such as .dt.total_seconds(){_OR_DUCKDB}",
    pl.Int128: f"cast it to pl.Int64 or pl.Decimal(38, 0){_OR_DUCKDB}",
    pl.UInt128: f"cast it to pl.UInt64 or pl.Decimal(38, 0){_OR_DUCKDB}",
    pl.Object: "cast it to pl.String, or to a list or struct of plain values",
    pl.Struct: "give the struct at least one field, and no two that differ only in case",
    pl.Array: "give the array a width, or cast it to a pl.List",
}


def schema_of(frame: pl.DataFrame | pl.LazyFrame | Mapping[str, pl.DataType]) -> Schema:
    """The columns of a frame (or of a polars schema) as they are stored.

    A column that has no type yet, or has a list or struct of no type, is UNTYPED. Raises
    BadResult, naming the column, for a type that cannot be stored.
    """
    columns = frame.collect_schema() if isinstance(frame, pl.DataFrame | pl.LazyFrame) else frame
    return _schema(tuple(columns.items()))


@lru_cache(maxsize=1024)
def sure_types(schema: Schema) -> pl.Schema | None:
    """The polars types of a file with these columns, None where only the file can tell them.

    >>> sure_types(Schema((Column("n", "BIGINT"),)))
    Schema([('n', Int64)])
    >>> sure_types(Schema((Column("letter", "VARCHAR"),)))  # or is it an Enum?
    """
    if not _SURE.issuperset(schema.types.values()):
        return None
    return pl.Schema({name: _DTYPES[text] for name, text in schema.types.items()})


@lru_cache(maxsize=1024)
def _schema(columns: tuple[tuple[str, pl.DataType], ...]) -> Schema:
    return Schema(tuple(Column(_checked_name(n), duckdb_type(d, n)) for n, d in columns))


def _checked_name(name: str) -> str:
    if "\0" in name:
        raise BadResult(
            f"the name {name!r} contains a zero character",
            where=f"column {name!r}",
            fix="rename the column",
        )
    return name


def duckdb_type(dtype: pl.DataType, column: str = "") -> str:
    """The DuckDB type under which a polars type is stored; raises BadResult where there is none.

    >>> duckdb_type(pl.List(pl.Struct({"at": pl.Datetime("us")})))
    'STRUCT("at" TIMESTAMP)[]'
    """
    return UNTYPED if is_untyped(dtype) else _named(dtype, column)


def is_untyped(dtype: pl.DataType) -> bool:
    """Whether a type is Null, or is made of it: a column of empty lists is `List(Null)`."""
    return isinstance(dtype, pl.Null) or any(is_untyped(part) for part in _parts(dtype))


def _parts(dtype: pl.DataType) -> list[pl.DataType]:
    """The types that a nested type is made of."""
    parts: list[Any] = []
    match dtype:
        case pl.List() | pl.Array():
            parts = [dtype.inner]
        case pl.Map():
            parts = [dtype.key, dtype.value]
        case pl.Struct():
            parts = [field.dtype for field in dtype.fields]
    # A user may have written pl.List(pl.Int64), with a class inside.
    return [part() if isinstance(part, type) else part for part in parts]


def _named(dtype: pl.DataType, column: str) -> str:
    if dtype.base_type() in _NAMES:
        return _NAMES[dtype.base_type()]
    parts = [_named(part, column) for part in _parts(dtype)]
    match dtype:
        case pl.Decimal():
            return f"DECIMAL({dtype.precision},{dtype.scale})"
        case pl.Datetime() if dtype.time_zone is not None:
            return "TIMESTAMP WITH TIME ZONE"
        case pl.Datetime():
            return "TIMESTAMP_NS" if dtype.time_unit == "ns" else "TIMESTAMP"
        case pl.List():
            return f"{parts[0]}[]"
        case pl.Array() if dtype.size:
            return f"{parts[0]}[]"
        case pl.Map():
            return f"MAP({', '.join(parts)})"
        case pl.Struct() if _are_names([field.name for field in dtype.fields]):
            named = zip(dtype.fields, parts, strict=True)
            return f"STRUCT({', '.join(f'{quoted(f.name)} {part}' for f, part in named)})"
    raise _refused(dtype, column)


def _are_names(names: Sequence[str]) -> bool:
    """Whether all are names in SQL, no two of them one."""
    return 0 < len(names) == len({_checked_name(n).casefold() for n in names if n})


def _refused(dtype: pl.DataType, column: str) -> BadResult:
    return BadResult(
        f"a column of type {dtype} cannot be stored",
        where=f"column {column!r}" if column else f"type {dtype}",
        fix=_FIXES.get(dtype.base_type(), "cast it to a type that Parquet and DuckDB share"),
    )


def quoted(name: str) -> str:
    """A name as SQL identifier.

    >>> quoted('the "best" column')
    '"the ""best"" column"'
    """
    return '"' + name.replace('"', '""') + '"'


def exactly(name: str) -> pl.Expr:
    """The column of just this name: `pl.col` takes `*` and `^...$` for patterns."""
    return pl.col(name) if name != "*" and not name.startswith("^") else cs.by_name(name).as_expr()


@lru_cache(maxsize=4096)
def polars_type(text: str) -> pl.DataType:
    """The polars type that a stored type is read as.

    >>> polars_type('STRUCT("at" DATE, "n" DECIMAL(9,2))[]')
    List(Struct({'at': Date, 'n': Decimal(precision=9, scale=2)}))
    """
    dtype, end = _read_type(text, 0)
    if end != len(text):
        raise _unreadable(text)
    return dtype


_WORD = re.compile(r"[A-Z][A-Z0-9_]*(?: [A-Z]+)*")
_DECIMAL = re.compile(r"\((\d+),(\d+)\)")
_FIELD = re.compile(r'"((?:[^"]|"")*)" ')


def _read_type(text: str, at: int) -> tuple[pl.DataType, int]:
    """The type that begins at a position of `text`, and where it ends."""
    word = _WORD.match(text, at)
    if word is None:
        raise _unreadable(text)
    at = word.end()
    dtype: pl.DataType
    match word[0]:
        case "STRUCT":
            dtype, at = _read_fields(text, at + 1)
        case "MAP":
            key, at = _read_type(text, at + 1)
            value, at = _read_type(text, at + 2)
            dtype, at = pl.Map(key, value), at + 1
        case "DECIMAL" if digits := _DECIMAL.match(text, at):
            dtype, at = pl.Decimal(int(digits[1]), int(digits[2])), digits.end()
        case name if name in _DTYPES:
            dtype = _DTYPES[name]
        case _:
            raise _unreadable(text)
    while text.startswith("[]", at):
        dtype, at = pl.List(dtype), at + 2
    return dtype, at


def _read_fields(text: str, at: int) -> tuple[pl.DataType, int]:
    fields: list[pl.Field] = []
    while name := _FIELD.match(text, at):
        dtype, at = _read_type(text, name.end())
        fields.append(pl.Field(name[1].replace('""', '"'), dtype))
        if not text.startswith(", ", at):
            return pl.Struct(fields), at + 1
        at += 2
    raise _unreadable(text)


def _unreadable(text: str) -> StoreError:
    return StoreError(
        f"the warehouse has a column of type {text}, which this Millgate does not know",
        where=f"type {text}",
        fix="read it with the Millgate that wrote it, or a newer one",
    )
