"""One try of a step, in whatever thread or process it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from millgate.errors import (
    BadResult,
    CodeChanged,
    DeclarationError,
    GateError,
    MillgateError,
    MissingSetting,
)
from millgate.execute.capture import AttemptLog, into
from millgate.execute.compute import clear_scratch, settings_of
from millgate.execute.failure import Failure, describe
from millgate.execute.order import Order, Product
from millgate.execute.produce import enforce, judge_again, produce
from millgate.gate.compiled import CompiledGate
from millgate.model.record import Judgement

_HOPELESS = (BadResult, CodeChanged, DeclarationError, GateError, MissingSetting)
"""Errors that another try cannot mend."""


@dataclass(frozen=True)
class Tried:
    """What came of a try: its result, or how it failed and whether it may be tried again."""

    result: Product | Judgement | None = None
    failure: Failure | None = None
    again: bool = False


def try_once(
    order: Order, gate: CompiledGate, *, root: Path, log: Path, clock: Callable[[], datetime]
) -> Tried:
    """Carry out a step, never raising; what it prints goes to the file `log`.

    `root` is the project's folder, whose frames an error is told by.
    """
    output = AttemptLog(log, {})
    try:
        output = AttemptLog(log, _secrets(order))
        with into(output):
            return Tried(_carried_out(order, gate, clock))
    # SystemExit and polars' panics are no Exceptions, and are still only this step's failure.
    except BaseException as error:
        told = describe(error, root, order.asset.defined_in)
        again = not isinstance(error, _HOPELESS) and order.asset.retries.covers(error)
        return Tried(failure=_masked(told, output), again=again)


def not_tried(error: MillgateError, root: Path, *, again: bool = False) -> Tried:
    """A try that ended, or never began, by no fault of the step's own code."""
    return Tried(failure=describe(error, root, error.where), again=again)


def _carried_out(
    order: Order, gate: CompiledGate, clock: Callable[[], datetime]
) -> Product | Judgement:
    if order.step.action == "judge":
        return judge_again(order, gate)
    if order.step.action == "enforce":
        return enforce(order, gate, clock)
    try:
        return produce(order, gate, clock)
    finally:
        clear_scratch()


def _secrets(order: Order) -> dict[str, str]:
    values = settings_of(order.asset)
    return {env.variable: values[name] for name, env in order.asset.settings.items()}


def _masked(failure: Failure, log: AttemptLog) -> Failure:
    return Failure(failure.kind, log.mask(failure.message), failure.at, log.mask(failure.detail))
