"""The polars expression that a pandera check evaluates, found by calling the check on a stand-in.

A check's function receives `PolarsData(lazyframe, key)` and nearly always answers
`data.lazyframe.select(expression)`. Called with a stand-in that records what `select` receives,
it gives away the exact expression, so that many checks can be evaluated in one pass over the
data. A check that does anything else with the frame is opaque and runs as pandera runs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import polars as pl

from millgate.gate.patterns import honoured
from millgate.gate.wording import is_builtin

if TYPE_CHECKING:
    from pandera.api.checks import Check

ALL_COLUMNS = "*"
"""The key of a check that looks at the whole frame."""


class _Untraceable(BaseException):
    """The check did more than select; not an Exception, so that no check can swallow it."""


class _Record:
    def __init__(self) -> None:
        self.selections: list[tuple[_StandIn, tuple[pl.Expr, ...]]] = []
        self.touched = False

    def give_up(self) -> NoReturn:
        self.touched = True
        raise _Untraceable


class _StandIn(pl.LazyFrame):
    """Looks like a LazyFrame to `isinstance` and lets a check do nothing but `select`."""

    def __init__(self, record: _Record, *, selected: bool = False) -> None:
        object.__setattr__(self, "record", record)
        object.__setattr__(self, "selected", selected)

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return object.__getattribute__(self, name)
        record = object.__getattribute__(self, "record")
        if name != "select" or object.__getattribute__(self, "selected"):
            record.give_up()

        def select(*exprs: Any, **named: Any) -> _StandIn:
            found = _expressions((*exprs, *named.values()))
            if found is None:
                record.give_up()
            result = _StandIn(record, selected=True)
            record.selections.append((result, found))
            return result

        return select


def _expressions(given: tuple[Any, ...]) -> tuple[pl.Expr, ...] | None:
    """What `select` was given as expressions, None if something else is among it."""
    found: list[pl.Expr] = []
    for item in given:
        for expression in item if isinstance(item, list | tuple) else (item,):
            if isinstance(expression, str):
                expression = pl.col(expression)
            if not isinstance(expression, pl.Expr):
                return None
            found.append(expression)
    return tuple(found) or None


def trace(check: Check, key: str) -> tuple[pl.Expr, ...] | None:
    """The expressions whose conjunction is the result of `check` on `key`, None if it is opaque."""
    from pandera.api.polars.types import PolarsData

    if check.element_wise:
        return None
    record = _Record()
    try:
        result = check._check_fn(PolarsData(_StandIn(record), key), **_arguments(check))
    except (Exception, _Untraceable):
        return None
    if record.touched or len(record.selections) != 1 or result is not record.selections[0][0]:
        return None
    return record.selections[0][1]


def _arguments(check: Check) -> dict[str, Any]:
    given: dict[str, Any] = check._check_kwargs
    return honoured(str(check._check_fn.__name__), given) if is_builtin(check) else given
