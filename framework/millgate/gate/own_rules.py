"""Gate's own rules on a partition as a whole: how many rows it has, and how recent they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from millgate.errors import did_you_mean
from millgate.gate.outcome import Rule
from millgate.gate.surroundings import Surroundings
from millgate.gate.wording import sentence, share
from millgate.model.bounds import bounds_text
from millgate.model.duration import parse_duration
from millgate.model.policy import Gate
from millgate.model.record import CheckResult

_CONTRACTS = {
    "strict": "the columns of production",
    "widen": "no column of production lost, narrowed or retyped",
}


def states_contract(policy: Gate) -> bool:
    """Whether the contract is more than what holds without a word about it."""
    return policy.contract == "strict" or policy.severity("contract") == "warning"


def own_rules(policy: Gate) -> Iterator[Rule]:
    """Every rule of Gate's own that a policy states, for showing it."""
    if states_contract(policy):
        yield _rule(policy, "contract", None, _CONTRACTS.get(policy.contract, "any columns"))
    if policy.max_rejected is not None and policy.severity("max_rejected") == "warning":
        expected = f"at most {share(policy.max_rejected)}"
        yield _rule(policy, "max_rejected", None, expected)
    if policy.rows is not None:
        yield _rule(policy, "rows", None, bounds_text(*policy.rows))
    if policy.comparison is not None:
        yield _rule(policy, "compare", None, policy.comparison.expected)
    for reference in policy.foreign_keys:
        yield _rule(policy, "references", reference.column, reference.expected)
    for column, age in (policy.recent or {}).items():
        yield _rule(policy, "recent", column, _recent_text(age))


def rows_result(policy: Gate, rows: int, kept: int) -> Iterator[CheckResult]:
    """Whether the rows that production would get are within bounds."""
    if policy.rows is not None:
        low, high = policy.rows
        within = (low is None or kept >= low) and (high is None or kept <= high)
        observed = f"{kept:,} row{'s' * (kept != 1)}"
        expected = bounds_text(low, high)
        yield whole_result(policy, "rows", None, within, rows, observed, expected)


def compare_results(
    policy: Gate, kept: int, around: Surroundings | None, rows: int
) -> Iterator[CheckResult]:
    """Whether production would get as many rows as its earlier partitions let expect.

    The first partition has none before it, and passes.
    """
    bounds = policy.comparison
    if bounds is None or around is None or around.preceding is None:
        return
    observed, within = f"{kept:,} rows, none before", True
    if around.preceding:
        before = sum(around.preceding) / len(around.preceding)
        within = (bounds.low is None or kept >= bounds.low * before) and (
            bounds.high is None or kept <= bounds.high * before
        )
        observed = f"{kept:,} rows, {before:,.10g} before"
    yield whole_result(policy, "compare", None, within, rows, observed, bounds.expected)


def recent_results(
    policy: Gate, frame: pl.LazyFrame, around: Surroundings | None, rows: int
) -> Iterator[CheckResult]:
    """Whether the newest values of `frame`, the rows that production would get, are recent."""
    if around is None or not policy.recent:
        return
    schema = frame.collect_schema()
    for column, age in policy.recent.items():
        expected = _recent_text(age)
        problem = _not_a_time(column, schema)
        if problem:
            yield _broken("recent", column, rows, problem, expected)
            continue
        newest = frame.select(pl.col(column).max()).collect(engine="streaming").item()
        earliest = around.until - parse_duration(age, where="Gate(recent=...)")
        recent = newest is not None and _moment(newest, around.zone) >= earliest
        observed = "no value" if newest is None else f"newest is {newest}"
        yield whole_result(policy, "recent", column, recent, rows, observed, expected)


def whole_result(
    policy: Gate,
    rule: str,
    column: str | None,
    passed: bool,
    rows: int,
    observed: str,
    expected: str,
) -> CheckResult:
    """The result of one of Gate's own rules on the partition as a whole."""
    asked = _CONTRACTS.get(policy.contract) if rule == "contract" else expected
    return CheckResult(
        rule=rule,
        column_name=column,
        kind="frame",
        severity=policy.severity(rule),
        passed=passed,
        failing_rows=None,
        total_rows=rows,
        observed=observed,
        expected=expected,
        message="" if passed else sentence(column, rule, f"{rule} {expected}", observed),
        rule_fingerprint=Rule(rule, column, asked, policy.severity(rule)).fingerprint,
    )


def _broken(rule: str, column: str, rows: int, problem: str, expected: str) -> CheckResult:
    """A rule that cannot be judged: an error, whatever its severity."""
    return whole_result(Gate(), rule, column, False, rows, problem, expected)


def _rule(policy: Gate, name: str, column: str | None, expected: str) -> Rule:
    return Rule(name, column, expected, policy.severity(name))


def _recent_text(age: str) -> str:
    return f"within {age} of the end of its window"


def _not_a_time(column: str, schema: pl.Schema) -> str:
    dtype = schema.get(column)
    if dtype is None:
        return no_such_column(column, schema)
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        return ""
    return f"it is {dtype}, which is no date and no time"


def no_such_column(column: str, schema: pl.Schema) -> str:
    """That there is no such column, and which it may be."""
    fix = did_you_mean(column, schema.names(), f"columns are {', '.join(schema.names())}")
    return f"no such column; {fix}"


def _moment(value: date, zone: str) -> datetime:
    """A value as a moment: a date is over with its day, a time without a zone is in `zone`."""
    if not isinstance(value, datetime):
        value = datetime.combine(value + timedelta(days=1), time())
    return value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))
