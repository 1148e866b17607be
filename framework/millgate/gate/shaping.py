"""What a schema changes about a frame before it judges it: columns added, dropped, coerced, filled.

The order and the expressions are pandera's, so that what is judged is what pandera would judge.
Values that cannot be coerced become null here and are counted apart, row by row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from millgate.gate.outcome import FrameFailure
from millgate.gate.patterns import whole

if TYPE_CHECKING:
    from pandera.api.polars.container import DataFrameSchema


@dataclass(frozen=True)
class Shaping:
    """A frame's way into the form that the schema describes; empty where it has it already."""

    added: Mapping[str, pl.Expr] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    """All columns in order, where columns were added."""
    dropped: tuple[str, ...] = ()
    casts: Mapping[str, pl.Expr] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    """The type that each coerced column is cast to, as text."""
    defaults: tuple[tuple[str, pl.Expr], ...] = ()
    retyped: tuple[str, ...] = ()
    """The columns of another type than their default's, which takes them to a common one."""

    @property
    def changes(self) -> bool:
        return bool(self.added or self.dropped or self.casts or self.defaults)

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """`frame` in the form of the schema, with nulls where a value cannot be coerced."""
        if self.added:
            frame = frame.with_columns(**self.added).select(self.order)
        if self.dropped:
            frame = frame.drop(self.dropped)
        if self.casts:
            frame = frame.with_columns(**self.casts)
        for name, filled in self.defaults:
            frame = frame.with_columns(filled.alias(name))
        return frame

    def uncoercible(self) -> dict[str, pl.Expr]:
        """For each coerced column whether a row's value is lost; read from the frame as it came.

        A nested column is cast as a whole or not at all: a value inside it that is lost shows in
        the cast's raising.
        """
        return {
            name: pl.col(name).is_not_null() & cast.is_null()
            for name, cast in self.casts.items()
            if name not in self.added
        }

    def without(self, column: str) -> Shaping:
        """The same but for the values of `column`, which stay as they came."""
        casts = {name: cast for name, cast in self.casts.items() if name != column}
        defaults = tuple(default for default in self.defaults if default[0] != column)
        retyped = tuple(name for name in self.retyped if name != column)
        return replace(self, casts=casts, defaults=defaults, retyped=retyped)


def plan_shaping(schema: DataFrameSchema, frame: pl.Schema) -> tuple[Shaping, list[FrameFailure]]:
    """How a frame with the columns of `frame` is shaped, and what of the schema that breaks."""
    added, order, failures = _additions(schema, frame)
    names = list(order or frame.names())
    failures += _order_failures(schema, frame) + _strict_failures(schema, frame)
    known = _known_columns(schema, frame) | set(added)
    dropped = [n for n in names if n not in known] if schema.strict == "filter" else []
    names = [n for n in names if n not in dropped]
    types = Shaping(added, tuple(order), tuple(dropped)).apply(empty(frame).lazy()).collect_schema()
    casts, targets = _casts(schema, types)
    types = pl.Schema({**types, **_resolved(types, casts)})
    defaults, retyped, unfit = _fitting(_defaults(schema, types), types)
    shaping = Shaping(added, tuple(order), tuple(dropped), casts, targets, defaults, retyped)
    return shaping, failures + unfit


def empty(schema: pl.Schema) -> pl.DataFrame:
    """A frame without rows that has the columns of `schema`."""
    return pl.DataFrame(schema=schema)


def matching(column: Any, names: list[str]) -> list[str]:
    """The names that a column's pattern matches from their start to their end."""
    unread = pl.DataFrame(schema=dict.fromkeys(names, pl.Null))
    return unread.select(pl.col(whole(column.name))).columns


def governed(schema: DataFrameSchema, column: Any, names: list[str]) -> list[str]:
    """The names that a column of a schema speaks of: its own, or those that its pattern matches
    and no other column has."""
    if not column.regex:
        return [column.name] * (column.name in names)
    own = {name for name, other in schema.columns.items() if not other.regex}
    return [name for name in matching(column, names) if name not in own]


def _known_columns(schema: DataFrameSchema, frame: pl.Schema) -> set[str]:
    return set(_schema_order(schema, frame))


def _schema_order(schema: DataFrameSchema, frame: pl.Schema) -> list[str]:
    """The columns of `frame` that the schema describes, in the schema's order."""
    found: dict[str, None] = {}
    for name, column in schema.columns.items():
        names = matching(column, frame.names()) if column.regex else [name] * (name in frame)
        found.update(dict.fromkeys(names))
    return list(found)


def absent_columns(schema: DataFrameSchema, frame: pl.Schema) -> list[str]:
    """The required columns that `frame` does not have."""
    return [
        name
        for name, column in schema.columns.items()
        if column.required and not column.regex and name not in frame
    ]


def _additions(
    schema: DataFrameSchema, frame: pl.Schema
) -> tuple[dict[str, pl.Expr], list[str], list[FrameFailure]]:
    absent = absent_columns(schema, frame)
    if not absent:
        return {}, [], []
    if not schema.add_missing_columns:
        return {}, [], [FrameFailure("column_in_dataframe", n, "no such column") for n in absent]
    unfillable = [
        FrameFailure("add_missing_has_default", n, "no such column", "a default or nullable=True")
        for n in absent
        if schema.columns[n].default is None and not schema.columns[n].nullable
    ]
    if unfillable:
        return {}, [], unfillable
    added = {n: _default_of(schema.columns[n]) for n in absent}
    described = [n for n in schema.columns if n in frame or n in added]
    return added, described + [n for n in frame.names() if n not in described], []


def _default_of(column: Any) -> pl.Expr:
    default = column.default
    value = default if isinstance(default, pl.Expr) else pl.lit(default)
    return value if column.dtype is None else value.cast(column.dtype.type)


def _strict_failures(schema: DataFrameSchema, frame: pl.Schema) -> list[FrameFailure]:
    if schema.strict is not True:
        return []
    known = _known_columns(schema, frame)
    return [
        FrameFailure("column_in_schema", name, "a column that the schema does not have")
        for name in frame.names()
        if name not in known
    ]


def _order_failures(schema: DataFrameSchema, frame: pl.Schema) -> list[FrameFailure]:
    if not schema.ordered:
        return []
    wanted = _schema_order(schema, frame)
    described = set(wanted)
    actual = [name for name in frame.names() if name in described]
    if actual == wanted:
        return []
    place = next(i for i, (a, w) in enumerate(zip(actual, wanted, strict=True)) if a != w)
    return [
        FrameFailure(
            "column_ordered", actual[place], "out of order", f"{wanted[place]} in its place"
        )
    ]


def _casts(schema: DataFrameSchema, types: pl.Schema) -> tuple[dict[str, pl.Expr], dict[str, str]]:
    """The cast of each column whose type coercion changes, and the type it is cast to."""
    wanted = {n: d for n, d in _coerced(schema, types).items() if types[n] != d.type}
    casts = {name: _cast(pl.col(name), types[name], dtype) for name, dtype in wanted.items()}
    return casts, {name: str(dtype) for name, dtype in wanted.items()}


def _coerced(schema: DataFrameSchema, types: pl.Schema) -> dict[str, Any]:
    """The pandera type of each column that the schema coerces."""
    if not (schema.coerce or any(column.coerce for column in schema.columns.values())):
        return {}
    if schema.dtype is not None:
        return dict.fromkeys(types.names(), schema.dtype)
    coerced: dict[str, Any] = {}
    for column in schema.columns.values():
        if column.dtype is None or not (schema.coerce or column.coerce):
            continue
        if column.regex and not column.required:  # pandera looks for a column of that very name
            continue
        names = governed(schema, column, types.names())
        coerced.update(dict.fromkeys(names, column.dtype))
    return coerced


def _cast(column: pl.Expr, source: pl.DataType, dtype: Any) -> pl.Expr:
    from pandera.engines import polars_engine

    if not isinstance(dtype, polars_engine.Decimal):
        return column.cast(dtype.type, strict=source.is_nested())
    if source.is_integer() or isinstance(source, pl.Decimal):
        return column.cast(dtype.type, strict=False)
    through_float = column.cast(pl.Float64, strict=False).cast(dtype.type, strict=False)
    if source == pl.String:
        return pl.coalesce(column.cast(dtype.type, strict=False), through_float)
    return through_float


def _resolved(types: pl.Schema, casts: Mapping[str, pl.Expr]) -> pl.Schema:
    return empty(types).select(**casts).schema if casts else pl.Schema()


def _defaults(schema: DataFrameSchema, types: pl.Schema) -> tuple[tuple[str, pl.Expr], ...]:
    filled: list[tuple[str, pl.Expr]] = []
    for column in schema.columns.values():
        if column.default is None:
            continue
        names = governed(schema, column, types.names())
        filled += ((name, _filled(name, types[name], column)) for name in names)
    return tuple(filled)


def _fitting(
    defaults: tuple[tuple[str, pl.Expr], ...], types: pl.Schema
) -> tuple[tuple[tuple[str, pl.Expr], ...], tuple[str, ...], list[FrameFailure]]:
    """The defaults that columns of `types` can take, those whose column they take to another
    type, and a failure for each default that cannot be taken."""
    fitting: list[tuple[str, pl.Expr]] = []
    retyped: list[str] = []
    failures: list[FrameFailure] = []
    for name, filled in defaults:
        try:
            dtype = empty(types).select(filled.alias(name)).schema[name]
        except pl.exceptions.PolarsError:
            told = f"{types[name]} cannot take the default"
            failures.append(FrameFailure("default", name, told))
            continue
        if dtype != empty(types).lazy().select(filled).collect_schema()[name]:
            filled = filled.cast(dtype)  # else a plan has another type than what it computes
        fitting.append((name, filled))
        retyped += [name] * (dtype != types[name])
    return tuple(fitting), tuple(retyped), failures


def _filled(name: str, dtype: pl.DataType, column: Any) -> pl.Expr:
    value = column.default
    if not isinstance(value, pl.Expr):
        value = pl.lit(value) if column.dtype is None else pl.lit(value, dtype=column.dtype.type)
    expr = pl.col(name)
    if dtype in (pl.Float32, pl.Float64):
        expr = expr.fill_nan(value)
    return expr.fill_null(value)
