"""A schema's rules bound to the columns of a frame: what fails already, and what to evaluate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from millgate.gate.outcome import FrameFailure, Rule, Severity
from millgate.gate.shaping import Shaping, absent_columns, empty, governed, plan_shaping
from millgate.gate.tracing import ALL_COLUMNS, trace
from millgate.gate.wording import expectation, is_builtin, rule_name

if TYPE_CHECKING:
    from pandera.api.checks import Check
    from pandera.api.polars.components import Column
    from pandera.api.polars.container import DataFrameSchema


@dataclass(frozen=True)
class Bound:
    """A rule on one frame schema.

    `violation` is true for a row that fails; None makes the rule opaque, to be run as pandera
    runs it. `indicator` is 0 exactly where the rule passes, and cheaper than counting. `whole`
    says that the expression gives one value for the whole partition.
    """

    rule: Rule
    key: str
    violation: pl.Expr | None = None
    indicator: pl.Expr | None = None
    whole: bool = False
    reads: tuple[str, ...] = ()
    source: tuple[pl.Expr, ...] = ()
    """What tracing the check gave, to see whether it still gives the same."""
    key_of: tuple[str, ...] = ()
    """The columns whose values may not repeat together, where they are counted in turns."""

    @property
    def column(self) -> str | None:
        return self.rule.column


@dataclass(frozen=True)
class Binding:
    """Everything about a gate that follows from a frame's schema without looking at rows."""

    shaping: Shaping
    shaped: pl.Schema
    """The schema of the frame once it is shaped."""
    failures: tuple[FrameFailure, ...]
    rules: tuple[Bound, ...]


def bind(schema: DataFrameSchema | None, frame: pl.Schema) -> Binding:
    """The rules of `schema` on a frame with the columns of `frame`."""
    if schema is None:
        return Binding(Shaping(), frame, (), ())
    shaping, failures = plan_shaping(schema, frame)
    shaped = shaping.apply(empty(frame).lazy()).collect_schema()
    rules: list[Bound] = []
    for name, column in _components(schema, frame, shaped, failures):
        dtype = schema.dtype or column.dtype
        if dtype is not None and not _has_type(dtype, shaped, name):
            failures.append(FrameFailure("dtype", name, str(shaped[name]), str(dtype)))
            continue
        rules += (_bound(rule, name, shaped) for rule in column_rules(column, name))
    rules += (_bound(rule, ALL_COLUMNS, shaped) for rule in frame_rules(schema))
    for columns in _jointly_unique(schema):
        rule = unique_rule(None, columns)
        if present := [name for name in columns if name in shaped]:
            rules.append(_unique(rule, present, shaped))
        elif not all(name in schema.columns for name in columns):
            failures.append(FrameFailure(rule.name, None, "no such columns", rule.expected))
    return Binding(shaping, shaped, tuple(failures), tuple(rules))


def declared_rules(schema: DataFrameSchema | None) -> tuple[Rule, ...]:
    """Every rule that a schema states, for showing it; patterns stand for their columns."""
    if schema is None:
        return ()
    rules: list[Rule] = []
    for name, column in schema.columns.items():
        dtype = schema.dtype or column.dtype
        if dtype is not None:
            rules.append(Rule("dtype", name, str(dtype)))
        rules += column_rules(column, name)
    rules += (unique_rule(None, columns) for columns in _jointly_unique(schema))
    return (*rules, *frame_rules(schema))


def column_rules(column: Column, name: str) -> Iterator[Rule]:
    """The rules that a pandera column states about the column of a frame called `name`."""
    if not column.nullable:
        yield Rule("not_nullable", name, "not null")
    if column.unique:
        yield unique_rule(name, [name])
    yield from _check_rules(column.checks, name)


def frame_rules(schema: DataFrameSchema) -> Iterator[Rule]:
    """The rules of a schema that look at whole rows or the whole frame."""
    return _check_rules(schema.checks, None)


def unique_rule(column: str | None, columns: list[str]) -> Rule:
    """The rule that a column, or several together, repeat no value."""
    return Rule("unique", column, "unique" if column else f"unique ({', '.join(columns)})")


def rebound(bound: Bound, shaped: pl.Schema) -> Bound:
    """`bound` as its check is now: a check may depend on the clock or on what it has read."""
    check = bound.rule.check
    if check is None or is_builtin(check):
        return bound
    fresh = trace(check, bound.key) or ()
    same = len(fresh) == len(bound.source) and all(
        a.meta.eq(b) for a, b in zip(fresh, bound.source, strict=True)
    )
    return bound if same else _bound(bound.rule, bound.key, shaped)


def _check_rules(checks: list[Check], column: str | None) -> Iterator[Rule]:
    for position, check in enumerate(checks):
        severity: Severity = "warning" if check.raise_warning else "error"
        yield Rule(rule_name(check, position), column, expectation(check), severity, check)


def _jointly_unique(schema: DataFrameSchema) -> list[list[str]]:
    sets: list[Any] = schema.unique or []
    together = sets and all(isinstance(name, str) for name in sets)
    return [list(sets)] if together else [list(names) for names in sets]


def _components(
    schema: DataFrameSchema, frame: pl.Schema, shaped: pl.Schema, failures: list[FrameFailure]
) -> Iterator[tuple[str, Column]]:
    """The pandera columns that judge the frame's columns, patterns expanded."""
    from pandera.api.polars.components import Column

    if not schema.columns and schema.dtype is not None:
        yield from ((name, Column(schema.dtype, name=name)) for name in shaped.names())
        return
    missing = set() if schema.add_missing_columns else set(absent_columns(schema, frame))
    for name, column in schema.columns.items():
        names = governed(schema, column, shaped.names())
        if column.regex and column.required and not names:
            failures.append(FrameFailure("no_regex_column_match", name, "no column matches"))
        yield from ((n, column) for n in names if n not in missing)


def _has_type(dtype: Any, shaped: pl.Schema, name: str) -> bool:
    from pandera.api.polars.types import PolarsData

    data = PolarsData(empty(pl.Schema({name: shaped[name]})).lazy(), name)
    try:
        return bool(dtype.check(shaped[name], data))
    except Exception:
        return False


def _bound(rule: Rule, key: str, shaped: pl.Schema) -> Bound:
    if rule.check is None:
        return (
            _unique(rule, [key], shaped) if rule.name == "unique" else _not_null(rule, key, shaped)
        )
    source = trace(rule.check, key)
    if source is None:
        return Bound(rule, key)
    several = len(source) > 1 or source[0].meta.has_multiple_outputs()
    passes = pl.all_horizontal(*source) if several else source[0]
    violation = passes.not_().fill_null(not rule.check.ignore_na)
    try:
        alone = empty(shaped).select(*source)
        whole = empty(shaped).select(violation).height == 1
    except (Exception, pl.exceptions.PanicException):
        return Bound(rule, key, source=source)
    if not alone.width or any(dtype != pl.Boolean for dtype in alone.dtypes):
        return Bound(rule, key, source=source)
    reads = _reads(source, alone, shaped)
    return Bound(rule, key, violation, violation.sum(), whole, reads, source)


def _reads(source: tuple[pl.Expr, ...], alone: pl.DataFrame, shaped: pl.Schema) -> tuple[str, ...]:
    names = [n for e in source for n in e.meta.root_names()]
    if not names or any(e.meta.has_multiple_outputs() for e in source):
        names += alone.columns
    return tuple(dict.fromkeys(n for n in names if n in shaped))


def _not_null(rule: Rule, name: str, shaped: pl.Schema) -> Bound:
    violation = pl.col(name).is_null()
    if shaped[name] in (pl.Float32, pl.Float64):
        violation = violation | pl.col(name).is_nan().fill_null(False)
        return Bound(rule, name, violation, violation.sum(), reads=(name,))
    return Bound(rule, name, violation, pl.col(name).null_count(), reads=(name,))


def _unique(rule: Rule, columns: list[str], shaped: pl.Schema) -> Bound:
    nested = shaped[columns[0]].is_nested()
    alone = len(columns) == 1 and (rule.column is not None or not nested)
    key = pl.col(columns[0]) if alone else pl.struct(columns)
    repeating = pl.len() - key.n_unique()
    if alone and nested:  # polars counts a null struct apart, and does not tell it apart in rows
        repeating = key.is_duplicated().sum()
    plain = not any(shaped[name].is_nested() for name in columns)
    return Bound(
        rule,
        ALL_COLUMNS,
        key.is_duplicated(),
        repeating,
        reads=tuple(columns),
        key_of=tuple(columns) if plain else (),
    )
