"""Foreign keys as rules: each row's values must be those of a row of the reference."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from millgate.gate.binding import Binding, Bound
from millgate.gate.outcome import FrameFailure, Rule
from millgate.gate.own_rules import no_such_column
from millgate.gate.surroundings import Surroundings
from millgate.gate.tracing import ALL_COLUMNS
from millgate.model.foreign import Reference
from millgate.model.policy import Gate

RULE = "references"


def with_references(binding: Binding, policy: Gate, around: Surroundings) -> Binding:
    """`binding` with a rule for each foreign key, evaluated in the same pass as the others.

    Of a reference only its distinct values are in memory. What cannot be compared fails as a
    whole: a column that is missing on either side, or types that do not hold the same values.
    """
    rules, failures = list(binding.rules), list(binding.failures)
    for reference in policy.foreign_keys:
        frame = around.references[reference.asset]
        problem = _problem(reference, binding.shaped, frame.collect_schema())
        if problem:
            failures.append(FrameFailure(RULE, reference.column, problem, reference.expected))
        else:
            rules.append(_bound(policy, reference, frame, binding.shaped))
    return replace(binding, rules=tuple(rules), failures=tuple(failures))


def _problem(reference: Reference, own: pl.Schema, there: pl.Schema) -> str:
    for column, target in zip(reference.columns, reference.targets, strict=True):
        if column not in own:
            return f"{column}: {no_such_column(column, own)}"
        if target not in there:
            return f"{reference.asset}.{target}: {no_such_column(target, there)}"
        if not _comparable(own[column], there[target]):
            return (
                f"{column} is {own[column]}, {reference.asset}.{target} is {there[target]}; "
                "cast one of them"
            )
    return ""


def _comparable(own: pl.DataType, there: pl.DataType) -> bool:
    if own == there or pl.Null in (own, there):
        return True
    return (_is_text(own) and _is_text(there)) or (own.is_integer() and there.is_integer())


def _is_text(dtype: pl.DataType) -> bool:
    return dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)


def _bound(policy: Gate, reference: Reference, frame: pl.LazyFrame, own: pl.Schema) -> Bound:
    """The rule with the reference's values in it; a null refers to nothing, as in SQL."""
    keys = [_key(pl.col(c), own[c]).alias(c) for c in reference.columns]
    wanted = [
        _key(pl.col(target), own[column]).alias(column)
        for column, target in zip(reference.columns, reference.targets, strict=True)
    ]
    there = frame.select(wanted).drop_nulls().unique().collect(engine="streaming")
    single = len(keys) == 1
    values = there.to_series() if single else there.to_struct("key")
    known = (keys[0] if single else pl.struct(keys)).is_in(values.implode())
    given = pl.all_horizontal(key.is_not_null() for key in keys)
    violation = (given & ~known).fill_null(False)
    rule = Rule(RULE, reference.column, reference.expected, policy.severity(RULE))
    return Bound(
        rule, reference.column or ALL_COLUMNS, violation, violation.sum(), reads=reference.columns
    )


def _key(value: pl.Expr, own: pl.DataType) -> pl.Expr:
    """A value in a type that both sides have."""
    if own.is_integer():
        return value.cast(pl.Int128)
    return value.cast(pl.String) if _is_text(own) else value.cast(own)
