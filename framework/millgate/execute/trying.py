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
from millgate.execute.order import Batch, Order, Result
from millgate.execute.produce import enforce, judge_again, produce
from millgate.execute.turns import judging
from millgate.gate.compiled import CompiledGate
from millgate.model.asset import Asset

_HOPELESS = (BadResult, CodeChanged, DeclarationError, GateError, MissingSetting)
"""Errors that another try cannot mend."""


@dataclass(frozen=True)
class Tried:
    """What came of a try: the result of each order, or how it failed and whether it may be tried
    again."""

    results: tuple[Result, ...] = ()
    failure: Failure | None = None
    again: bool = False


def try_once(
    batch: Batch, gate: CompiledGate, *, root: Path, log: Path, clock: Callable[[], datetime]
) -> Tried:
    """Carry out orders, never raising; what they print goes to the file `log`.

    `root` is the project's folder, whose frames an error is told by.
    """
    output = AttemptLog(log, {})
    try:
        output = AttemptLog(log, _secrets(batch.asset))
        with into(output):
            return Tried(_carried_out(batch, gate, clock))
    # SystemExit and polars' panics are no Exceptions, and are still only this step's failure.
    except BaseException as error:
        told = describe(error, root, batch.asset.defined_in)
        again = not isinstance(error, _HOPELESS) and batch.asset.retries.covers(error)
        return Tried(failure=_masked(told, output), again=again)


def not_tried(error: MillgateError, root: Path, *, again: bool = False) -> Tried:
    """A try that ended, or never began, by no fault of the step's own code."""
    return Tried(failure=describe(error, root, error.where), again=again)


def _carried_out(
    batch: Batch, gate: CompiledGate, clock: Callable[[], datetime]
) -> tuple[Result, ...]:
    if batch.orders[0].step.action in ("judge", "enforce"):
        return tuple(_judged(order, gate, clock) for order in batch.orders)
    try:
        return produce(batch, gate, clock)
    finally:
        clear_scratch()


def _judged(order: Order, gate: CompiledGate, clock: Callable[[], datetime]) -> Result:
    """What today's gate says of a live version, and makes of it where that is enforced."""
    assert order.live is not None
    with judging(order.live.files):
        if order.step.action == "enforce":
            return enforce(order, gate, clock)
        return judge_again(order, gate)


def _secrets(asset: Asset) -> dict[str, str]:
    values = settings_of(asset)
    return {env.variable: values[name] for name, env in asset.settings.items()}


def _masked(failure: Failure, log: AttemptLog) -> Failure:
    return Failure(failure.kind, log.mask(failure.message), failure.at, log.mask(failure.detail))
