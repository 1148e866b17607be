"""Trying a step: retries with backoff, output kept, every attempt timed and recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import tenacity

from millgate.errors import BadResult, DeclarationError, GateError, MissingSetting
from millgate.execute.capture import AttemptLog, into
from millgate.execute.compute import clear_scratch, settings_of
from millgate.execute.failure import Failure, describe
from millgate.execute.order import Order, Product, Worked
from millgate.execute.produce import judge_again, produce
from millgate.gate.compiled import CompiledGate
from millgate.model.asset import Retry
from millgate.model.duration import parse_duration
from millgate.model.record import Attempt, Judgement

LogPath = Callable[[int, str, str, int], Path]
"""Where the output of (run, asset, key, attempt) is kept."""

_HOPELESS = (BadResult, DeclarationError, GateError, MissingSetting)
"""Errors that another try cannot mend."""


def work(
    order: Order,
    gate: CompiledGate,
    *,
    root: Path,
    log_path: LogPath,
    clock: Callable[[], datetime],
    stop: threading.Event,
) -> Worked:
    """The step carried out: tried as often as its asset declares, never raising.

    `root` is the project's folder, whose frames an error is told by; once `stop` is set nothing
    is tried again.
    """
    attempts: list[Attempt] = []
    failures: list[Failure] = []

    def once() -> Product | Judgement:
        number = len(attempts) + 1
        path = log_path(order.run, order.asset.name, order.partition.key, number)
        log = AttemptLog(path, _secrets(order))
        attempt = Attempt(order.step_id, number, "failed", clock(), clock())
        try:
            with into(log):
                result = _once(order, gate, clock)
        # SystemExit and polars' panics are no Exceptions, and are still only this step's failure.
        except BaseException as error:
            failures.append(_masked(describe(error, root, order.asset.defined_in), log))
            attempts.append(_failed(attempt, failures[-1], clock(), _shown(log, root)))
            raise
        attempts.append(_succeeded(attempt, result, clock(), _shown(log, root)))
        return result

    try:
        result = _retrying(order.asset.retries, stop)(once)
    except BaseException:
        last = failures[-1]
        return Worked(
            order, tuple(attempts), message=f"{last.kind}: {last.message}", detail=last.detail
        )
    if isinstance(result, Judgement):
        return Worked(order, tuple(attempts), judgement=result)
    return Worked(order, tuple(attempts), product=result)


def _once(order: Order, gate: CompiledGate, clock: Callable[[], datetime]) -> Product | Judgement:
    if order.step.action == "judge":
        return judge_again(order, gate)
    try:
        return produce(order, gate, clock)
    finally:
        clear_scratch()


def _secrets(order: Order) -> dict[str, str]:
    values = settings_of(order.asset)
    return {env.variable: values[name] for name, env in order.asset.settings.items()}


def _shown(log: AttemptLog, root: Path) -> str | None:
    if not log.written:
        return None
    return str(log.path.relative_to(root) if log.path.is_relative_to(root) else log.path)


def _retrying(retry: Retry, stop: threading.Event) -> tenacity.Retrying:
    wait = tenacity.wait_exponential(
        multiplier=parse_duration(retry.delay, where="Retry").total_seconds(),
        exp_base=retry.backoff,
        max=parse_duration(retry.max_delay, where="Retry").total_seconds(),
    )
    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(retry.times + 1) | tenacity.stop_when_event_set(stop),
        wait=wait + tenacity.wait_random(0, 1) if retry.jitter else wait,
        retry=tenacity.retry_if_exception(
            lambda error: not isinstance(error, _HOPELESS) and retry.covers(error)
        ),
        sleep=tenacity.sleep_using_event(stop),
        reraise=True,
    )


def _masked(failure: Failure, log: AttemptLog) -> Failure:
    return Failure(failure.kind, log.mask(failure.message), failure.at, log.mask(failure.detail))


def _failed(attempt: Attempt, failure: Failure, ended: datetime, log: str | None) -> Attempt:
    return replace(
        attempt,
        finished_at=ended,
        error_type=failure.kind,
        error=failure.detail,
        error_line=failure.at,
        log_path=log,
    )


def _succeeded(
    attempt: Attempt, result: Product | Judgement, ended: datetime, log: str | None
) -> Attempt:
    attempt = replace(attempt, status="succeeded", finished_at=ended, log_path=log)
    if isinstance(result, Judgement):
        return replace(attempt, gate_s=(ended - attempt.started_at).total_seconds())
    return replace(
        attempt, compute_s=result.compute_s, gate_s=result.gate_s, write_s=result.write_s
    )
