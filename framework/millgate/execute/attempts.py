"""Trying a step: retries with backoff, every attempt timed and recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from millgate.execute.failure import Failure
from millgate.execute.order import Order, Product, Worked
from millgate.execute.places import Place
from millgate.execute.trying import Tried
from millgate.model.asset import Retry
from millgate.model.duration import parse_duration
from millgate.model.record import Attempt, Judgement

_T = TypeVar("_T")

LogPath = Callable[[int, str, str, int], Path]
"""Where the output of (run, asset, key, attempt) is kept."""


class _Failed(Exception):
    """A try that brought no result."""

    def __init__(self, failure: Failure, again: bool) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.again = again


def work(
    order: Order,
    place: Place,
    *,
    root: Path,
    log_path: LogPath,
    clock: Callable[[], datetime],
    stop: threading.Event,
) -> Worked:
    """The step carried out at `place`: tried as often as its asset declares, never raising.

    Once `stop` is set nothing is tried again.
    """
    attempts: list[Attempt] = []

    def once() -> Product | Judgement:
        number = len(attempts) + 1
        log = log_path(order.run, order.asset.name, order.partition.key, number)
        began = clock()
        tried = place.attempt(_of_its_own(order, number), log)
        ended = clock()
        attempt = Attempt(order.step_id, number, "succeeded", began, ended)
        attempts.append(_recorded(replace(attempt, log_path=_shown(log, root)), tried))
        if tried.result is None:
            assert tried.failure is not None
            raise _Failed(tried.failure, tried.again)
        return tried.result

    try:
        result = _retried(once, order.asset.retries, stop)
    except _Failed as failed:
        last = failed.failure
        return Worked(
            order, tuple(attempts), message=f"{last.kind}: {last.message}", detail=last.detail
        )
    if isinstance(result, Judgement):
        return Worked(order, tuple(attempts), judgement=result)
    return Worked(order, tuple(attempts), product=result)


def _of_its_own(order: Order, number: int) -> Order:
    """The order of one try, whose files no earlier try that is cut off can still write to."""
    if number == 1:
        return order
    return replace(order, staged=order.staged.with_suffix(f".{number}.parquet"))


def _shown(log: Path, root: Path) -> str | None:
    if not log.exists():
        return None
    return str(log.relative_to(root) if log.is_relative_to(root) else log)


def _retried(once: Callable[[], _T], retry: Retry, stop: threading.Event) -> _T:
    """What `once` gives, called again as `retry` says where it raises what may be tried again."""
    if not retry.times:
        return once()
    import tenacity

    wait = tenacity.wait_exponential(
        multiplier=parse_duration(retry.delay, where="Retry").total_seconds(),
        exp_base=retry.backoff,
        max=parse_duration(retry.max_delay, where="Retry").total_seconds(),
    )
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(retry.times + 1) | tenacity.stop_when_event_set(stop),
        wait=wait + tenacity.wait_random(0, 1) if retry.jitter else wait,
        retry=tenacity.retry_if_exception(lambda e: isinstance(e, _Failed) and e.again),
        sleep=tenacity.sleep_using_event(stop),
        reraise=True,
    )
    return retrying(once)


def _recorded(attempt: Attempt, tried: Tried) -> Attempt:
    result, failure = tried.result, tried.failure
    if failure is not None:
        return replace(
            attempt,
            status="failed",
            error_type=failure.kind,
            error=failure.detail,
            error_line=failure.at,
        )
    if isinstance(result, Product):
        return replace(
            attempt, compute_s=result.compute_s, gate_s=result.gate_s, write_s=result.write_s
        )
    return replace(attempt, gate_s=(attempt.finished_at - attempt.started_at).total_seconds())
