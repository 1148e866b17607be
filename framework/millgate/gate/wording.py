"""What people read about a rule: its expectation, a failing value, a sentence for the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from pandera.api.checks import Check

_LISTED = 8
_LONGEST_TEXT = 120
_LONGEST_SUBJECT = 60


def is_builtin(check: Check) -> bool:
    """Whether pandera itself brings the check's function."""
    from pandera.api.function_dispatch import Dispatcher

    return isinstance(check._check_fn, Dispatcher)


def rule_name(check: Check, position: int) -> str:
    """The name under which the result of a check is recorded."""
    name = str(check.name or "")
    return name if name and name != "<lambda>" else f"check_{position + 1}"


def expectation(check: Check) -> str | None:
    """What a check demands, as short as people write it: `> 0`, `in ['EWR', 'JFK']`."""
    if is_builtin(check) and (say := _BUILTIN.get(str(check._check_fn.__name__))):
        return shortened(say(check.statistics or {}))
    if check.error:
        return shortened(str(check.error))
    return shortened(str(check.description).strip().splitlines()[0]) if check.description else None


def shortened(text: str) -> str:
    """`text` on one line, cut where it is longer than people read.

    >>> len(shortened("x" * 1000))
    120
    """
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def sentence(column: str | None, rule: str, expected: str | None, outcome: str) -> str:
    """One readable line about a result; a long expectation is left to its own column.

    >>> sentence("distance", "greater_than", "> 0", "3 of 842 rows fail")
    'distance > 0: 3 of 842 rows fail'
    >>> sentence(None, "lands_after_takeoff", None, "1 of 2 rows fail")
    'lands_after_takeoff: 1 of 2 rows fail'
    """
    says = expected if expected and len(expected) <= _LONGEST_SUBJECT else rule
    subject = " ".join(part for part in (column, says) if part)
    return f"{subject}: {outcome}"


def share(part: float) -> str:
    """
    >>> share(0.05), share(0.5714)
    ('5 %', '57.1 %')
    """
    return f"{part * 100:.1f}".removesuffix(".0") + " %"


def text_of(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """`value` as text, whatever its type; null stays null."""
    if dtype == pl.String:
        return value
    if dtype == pl.Binary:
        return pl.lit("0x") + value.bin.encode("hex")
    if dtype == pl.Duration:
        return value.dt.to_string("iso")
    if not dtype.is_nested():
        return value.cast(pl.String) if dtype != pl.Object else pl.lit(str(dtype))
    if any(leaf in (pl.Binary, pl.Object, pl.Decimal) for leaf in _leaves(dtype)):
        return pl.when(value.is_not_null()).then(pl.lit(shortened(str(dtype))))
    encoded = pl.struct(value.alias("v")).struct.json_encode().str.slice(5).str.head(-1)
    return pl.when(value.is_not_null()).then(encoded)


def _leaves(dtype: pl.DataType) -> list[Any]:
    if isinstance(dtype, pl.List | pl.Array):
        return _leaves(dtype.inner)  # type: ignore[arg-type]
    if isinstance(dtype, pl.Struct):
        return [leaf for field in dtype.fields for leaf in _leaves(field.dtype)]  # type: ignore[arg-type]
    return [dtype]


def _listed(values: Any) -> str:
    try:
        ordered = sorted(values)
    except TypeError:
        ordered = sorted(values, key=repr)
    shown = ", ".join(map(repr, ordered[:_LISTED]))
    return f"[{shown}]" if len(ordered) <= _LISTED else f"[{shown}, … {len(ordered)} values]"


def _interval(s: Mapping[str, Any]) -> str:
    left = ">=" if s.get("include_min", True) else ">"
    right = "<=" if s.get("include_max", True) else "<"
    return f"{left} {s['min_value']} and {right} {s['max_value']}"


def _lengths(s: Mapping[str, Any]) -> str:
    if s.get("exact_value") is not None:
        return f"length {s['exact_value']}"
    low, high = s.get("min_value"), s.get("max_value")
    if low is None or high is None:
        return f"length at most {high}" if low is None else f"length at least {low}"
    return f"length {low} to {high}"


_BUILTIN: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "equal_to": lambda s: f"= {s['value']!r}",
    "not_equal_to": lambda s: f"!= {s['value']!r}",
    "greater_than": lambda s: f"> {s['min_value']}",
    "greater_than_or_equal_to": lambda s: f">= {s['min_value']}",
    "less_than": lambda s: f"< {s['max_value']}",
    "less_than_or_equal_to": lambda s: f"<= {s['max_value']}",
    "in_range": _interval,
    "isin": lambda s: f"in {_listed(s['allowed_values'])}",
    "notin": lambda s: f"not in {_listed(s['forbidden_values'])}",
    "str_matches": lambda s: f"matches {_pattern(s)}",
    "str_contains": lambda s: f"contains {_pattern(s)}",
    "str_startswith": lambda s: f"starts with {s['string']!r}",
    "str_endswith": lambda s: f"ends with {s['string']!r}",
    "str_length": _lengths,
    "unique_values_eq": lambda s: f"values are {_listed(s['values'])}",
}


def _pattern(s: Mapping[str, Any]) -> str:
    return repr(getattr(s["pattern"], "pattern", s["pattern"]))
