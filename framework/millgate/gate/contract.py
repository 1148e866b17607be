"""The contract with production: no column that readers have is lost, narrowed or retyped."""

from __future__ import annotations

from millgate.gate.wording import sentence
from millgate.model.policy import Gate
from millgate.model.record import CheckResult
from millgate.model.schema import UNTYPED, Schema, widened

RULE = "contract"


def contract_results(
    live: Schema | None, columns: Schema, policy: Gate, rows: int = 0
) -> tuple[CheckResult, ...]:
    """A failed frame rule for each column of `live` that `columns` does not keep.

    A column is kept where every value it can hold in production fits the new type; a column
    without a type yet (all null) fits any.
    """
    if live is None or policy.contract == "any":
        return ()
    kept = columns.types
    return tuple(
        _failure(column.name, column.type, kept.get(column.name), rows)
        for column in live
        if not _keeps(column.type, kept.get(column.name))
    )


def _keeps(old: str, new: str | None) -> bool:
    return new is not None and (new == UNTYPED or widened(old, new) == new)


def _failure(name: str, old: str, new: str | None, rows: int) -> CheckResult:
    if new is None:
        change = "the column is gone"
    elif widened(old, new) == old:
        change = f"narrowed to {new}"
    else:
        change = f"retyped to {new}"
    return CheckResult(
        rule=RULE,
        column_name=name,
        kind="frame",
        severity="error",
        passed=False,
        failing_rows=None,
        total_rows=rows,
        observed=new or "no such column",
        expected=old,
        message=sentence(name, RULE, f"is {old} in production", change),
    )
