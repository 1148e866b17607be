"""The parts of a judgement before it is one: rules, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from millgate.gate.failing_rows import FailingRows
from millgate.gate.gate_fingerprint import rule_fingerprint
from millgate.gate.wording import is_builtin, sentence
from millgate.model.record import CheckResult

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Rule:
    """One test as people see it; `check` is pandera's, None where the schema itself is the test."""

    name: str
    column: str | None
    expected: str | None
    severity: Severity = "error"
    check: Any = None

    @cached_property
    def fingerprint(self) -> str:
        """That of the rule alone."""
        return rule_fingerprint(self.name, self.column, self.expected, self.severity, self.check)


@dataclass(frozen=True)
class FrameFailure:
    """A failure of the partition as a whole that its columns alone show."""

    rule: str
    column: str | None
    observed: str
    expected: str | None = None

    def result(self, rows: int) -> CheckResult:
        return CheckResult(
            rule=self.rule,
            column_name=self.column,
            kind="frame",
            severity="error",
            passed=False,
            failing_rows=None,
            total_rows=rows,
            observed=self.observed,
            expected=self.expected,
            message=self._message(),
            rule_fingerprint=Rule(self.rule, self.column, self.expected).fingerprint,
        )

    def _message(self) -> str:
        if self.rule == "dtype":
            return f"{self.column} is {self.observed}, not {self.expected}"
        return sentence(self.column, self.rule, self.expected, self.observed)


@dataclass(frozen=True)
class Outcome:
    """What became of one rule.

    `mask` has the rows that fail; it is None where the rule passed or judges the partition as a
    whole. `problem` says why the partition as a whole fails, else it is empty.
    """

    rule: Rule
    mask: FailingRows | None = None
    failing: int = 0
    problem: str = ""
    raised: bool = False
    reads: tuple[str, ...] = ()
    whole: bool = False
    """The rule judges the partition as a whole even where it passes."""
    sample: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return not self.problem and not self.failing

    @property
    def severity(self) -> Severity:
        """A check that breaks is an error, whatever it was meant to be."""
        return "error" if self.raised else self.rule.severity

    def with_mask(self, mask: FailingRows) -> Outcome:
        """The outcome with the rows that fail, which may be none."""
        return replace(self, mask=mask if mask.count else None, failing=mask.count)

    def without(self, rejected: int, rest: Outcome, left: int) -> Outcome:
        """The outcome as one that fails for the `left` rows, of which `rest` is the outcome.

        `rejected` rows are not among these: the partition as a whole fails, without or with them.
        """
        them = "the rejected row" if rejected == 1 else f"the {rejected:,} rejected rows"
        found = [] if self.passed else [self._says(rejected + left)]
        says = "; ".join([*found, f"without {them}: {rest._says(left)}"])
        sample = rest.sample or self.sample
        return replace(self, problem=says, raised=rest.raised, whole=True, sample=sample)

    def _says(self, rows: int) -> str:
        """What fails, of a rule that does."""
        fail = "fails" if rows == 1 else "fail"
        return self.problem or f"{self.failing} of {rows} row{'s' * (rows != 1)} {fail}"

    @property
    def _short(self) -> str | None:
        """What is expected, where that is shorter than a description."""
        check = self.rule.check
        return self.rule.expected if check is None or is_builtin(check) else None

    def result(self, rows: int) -> CheckResult:
        whole = self.whole or bool(self.problem)
        if self.passed:
            message = ""
        else:
            message = sentence(self.rule.column, self.rule.name, self._short, self._says(rows))
        return CheckResult(
            rule=self.rule.name,
            column_name=self.rule.column,
            kind="frame" if whole else "row",
            severity=self.severity,
            passed=self.passed,
            failing_rows=None if whole else self.failing,
            total_rows=rows,
            observed=self.problem or None,
            expected=self.rule.expected,
            sample=self.sample,
            message=message,
            rule_fingerprint=self.rule.fingerprint,
        )
