"""The contract with production: what may differ between a partition's columns and its."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from millgate.gate.own_rules import states_contract, whole_result
from millgate.gate.wording import sentence
from millgate.model.policy import Gate
from millgate.model.record import CheckResult
from millgate.model.schema import UNTYPED, Column, Schema, widened

RULE = "contract"


def contract_results(
    live: Schema | None, columns: Schema, policy: Gate, rows: int = 0
) -> tuple[CheckResult, ...]:
    """A failed frame rule for each difference between `live` and `columns` that is not allowed.

    `widen` keeps a column where every value it can hold in production fits the new type, and
    takes new ones; `strict` takes neither another type nor another column nor another order. A
    column without a type yet (all null) fits any.
    """
    if live is None or policy.contract == "any":
        return ()
    strict = policy.contract == "strict"
    differences = [*_lost_or_changed(live, columns, strict)]
    if strict:
        differences += _added(live, columns)
        differences += _reordered(live, columns)
    return tuple(
        _failure(policy, rows, name, old, new, says) for name, old, new, says in differences
    )


def contract_judged(
    live: Schema | None, columns: Schema, policy: Gate, rows: int
) -> tuple[CheckResult, ...]:
    """The differences, or where there are none and the contract is stated, that it was kept."""
    found = contract_results(live, columns, policy, rows)
    if found or live is None or not states_contract(policy):
        return found
    return (whole_result(policy, RULE, None, True, rows, "no difference", policy.contract),)


def breaks_contract(live: Schema | None, columns: Schema, policy: Gate) -> bool:
    """Whether columns like these are held."""
    holds = policy.severity(RULE) == "error"
    return holds and bool(contract_results(live, columns, policy))


Difference = tuple[str | None, str, str, str]
"""Column, what production has, what came, and that in words."""


def _lost_or_changed(live: Schema, columns: Schema, strict: bool) -> Iterator[Difference]:
    kept = columns.types
    for place, (name, old) in enumerate((c.name, c.type) for c in live):
        new = kept.get(name)
        if new is None:
            stand_in = _stand_in(live, columns, place)
            says = "the column is gone"
            if stand_in is not None:
                says += f"; renamed to {stand_in.name}? ({stand_in.type}, new in its place)"
            yield name, old, "no such column", says
        elif not _keeps(old, new, strict):
            narrowed, wider = widened(old, new) == old, widened(old, new) == new
            change = "narrowed" if narrowed else "widened" if wider else "retyped"
            yield name, old, new, f"{change} to {new}"


def _keeps(old: str, new: str, strict: bool) -> bool:
    return new == UNTYPED or old == new or (widened(old, new) == new and not strict)


def _stand_in(live: Schema, columns: Schema, place: int) -> Column | None:
    """The new column that stands where a lost one did, with a type that holds its values."""
    here = columns.columns[place] if place < len(columns.columns) else None
    if here is None or here.name in live.types:
        return None
    return here if _keeps(live.columns[place].type, here.type, strict=False) else None


def _added(live: Schema, columns: Schema) -> Iterator[Difference]:
    for column in columns:
        if column.name not in live.types:
            yield column.name, "no such column", column.type, f"it came as {column.type}"


def _reordered(live: Schema, columns: Schema) -> Iterator[Difference]:
    old = [column.name for column in live if column.name in columns.types]
    new = [column.name for column in columns if column.name in live.types]
    if old != new:
        yield None, ", ".join(old), ", ".join(new), f"the order came as {', '.join(new)}"


def _failure(
    policy: Gate, rows: int, name: str | None, old: str, new: str, says: str
) -> CheckResult:
    stood = "the columns are" if name is None else "is"
    message = sentence(name, RULE, f"{stood} {old} in production", says)
    return replace(whole_result(policy, RULE, name, False, rows, new, old), message=message)
