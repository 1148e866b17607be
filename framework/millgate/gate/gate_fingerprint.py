"""The fingerprint of a gate: equal exactly where the gate would judge alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import polars as pl

from millgate.gate.source_text import value_text
from millgate.gate.wording import is_builtin
from millgate.model.policy import Gate

if TYPE_CHECKING:
    from pandera.api.checks import Check
    from pandera.api.polars.container import DataFrameSchema

_FORMAT = "gate 1"
_SCHEMA = ("coerce", "strict", "ordered", "unique", "add_missing_columns")
_COLUMN = ("nullable", "unique", "coerce", "required", "regex")
_CHECK = ("ignore_na", "element_wise", "raise_warning")


def gate_fingerprint(policy: Gate, schema: DataFrameSchema | None) -> str:
    """32 hexadecimal digits of the policy, the contract and everything in the schema that judges.

    Titles, descriptions, docstrings, error texts and metadata do not count; the source of a
    check's function does, without comments and layout, and so does what it refers to.
    """
    parts = [_FORMAT, policy.on_failure, repr(policy.max_rejected), policy.contract]
    parts += _own_parts(policy)
    if schema is not None:
        parts += _schema_parts(schema)
    return _digest("\0".join(parts))


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def rule_fingerprint(
    name: str, column: str | None, says: str | None, severity: str, check: Check | None
) -> str:
    """32 hexadecimal digits of one rule: equal exactly where it would judge a column alike.

    `says` is what it asks for, where no check of pandera does.
    """
    asked = _check_text(check) if check is not None else repr(says)
    return _digest("\0".join(("rule 1", name, repr(column), asked, severity)))


def _own_parts(policy: Gate) -> Iterator[str]:
    """The rules of Gate's own that are asked for: those that are not do not count."""
    if policy.rows is not None:
        yield f"rows {tuple(policy.rows)!r}"
    for column, age in sorted((policy.recent or {}).items()):
        yield f"recent {column!r} {age}"
    for reference in sorted(policy.foreign_keys, key=repr):
        yield f"{reference!r}"
    if policy.comparison is not None:
        yield f"{policy.comparison!r}"
    if policy.warn:
        yield f"warn {sorted(set(policy.warn))!r}"


def _schema_parts(schema: DataFrameSchema) -> Iterator[str]:
    yield from (f"{name}={getattr(schema, name)!r}" for name in _SCHEMA)
    yield f"dtype={dtype_text(schema.dtype)}"
    for name, column in schema.columns.items():
        yield f"column {name!r} {dtype_text(column.dtype)}"
        yield from (f"{option}={getattr(column, option)!r}" for option in _COLUMN)
        yield f"default={value_text(column.default)}"
        yield from map(_check_text, column.checks)
    yield "frame"
    yield from map(_check_text, schema.checks)


def dtype_text(dtype: Any) -> str:
    """A pandera type with all its parameters, as text that is the same in every process."""
    if dtype is None:
        return "any"
    inner = dtype.type
    enum = isinstance(inner, pl.Enum)
    text = f"Enum({inner.categories.to_list()!r})" if enum else repr(inner)
    agnostic = getattr(dtype, "time_zone_agnostic", False)
    return f"{type(dtype).__name__} {text}{' any zone' if agnostic else ''}"


def _check_text(check: Check) -> str:
    options = ", ".join(f"{name}={getattr(check, name)!r}" for name in _CHECK)
    arguments: Mapping[str, Any] = check._check_kwargs
    says = ", ".join(f"{name}={value_text(arguments[name])}" for name in sorted(arguments))
    function = check._check_fn
    code = str(function.__name__) if is_builtin(check) else value_text(function)
    return f"check {check.name!r} {code}({says}) {options}"
