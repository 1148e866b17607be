"""Trying a step: retries with backoff, every attempt timed and recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TypeVar

from millgate.execute.failure import Failure
from millgate.execute.order import Batch, Order, Product, Result, Worked
from millgate.execute.places import Place
from millgate.execute.trying import Tried
from millgate.model.asset import Retry
from millgate.model.duration import parse_duration
from millgate.model.record import Attempt

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
    batch: Batch,
    place: Place,
    *,
    root: Path,
    log_path: LogPath,
    clock: Callable[[], datetime],
    stop: threading.Event,
) -> Worked:
    """The orders carried out at `place`: tried as often as their asset declares, never raising.

    A batch is tried as a whole, and each of its steps has a record of every try. Once `stop` is
    set nothing is tried again.
    """
    attempts: list[Attempt] = []
    numbers = count(1)

    def once() -> tuple[Result, ...]:
        number = next(numbers)
        log = log_path(batch.run, batch.asset.name, batch.orders[0].partition.key, number)
        began = clock()
        tried = place.attempt(_of_its_own(batch, number), log)
        try_ = Attempt(0, number, "succeeded", began, clock(), log_path=_shown(log, root))
        attempts.extend(_recorded(try_, batch, tried))
        if tried.failure is not None:
            raise _Failed(tried.failure, tried.again)
        return tried.results

    try:
        results = _retried(once, batch.asset.retries, stop)
    except _Failed as failed:
        last = failed.failure
        told = f"{last.kind}: {last.message}"
        return Worked(tuple(attempts), message=told, detail=last.detail)
    return Worked(tuple(attempts), results)


def _of_its_own(batch: Batch, number: int) -> Batch:
    """The orders of one try, whose files no earlier try that is cut off can still write to."""
    if number == 1:
        return batch

    def apart(order: Order) -> Order:
        suffix = f".{number}{order.staged.suffix}"
        return replace(order, staged=order.staged.with_suffix(suffix))

    return Batch(tuple(map(apart, batch.orders)))


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


def _recorded(attempt: Attempt, batch: Batch, tried: Tried) -> Iterator[Attempt]:
    """The record of a try for each of the steps."""
    if (failure := tried.failure) is not None:
        attempt = replace(
            attempt,
            status="failed",
            error_type=failure.kind,
            error=failure.detail,
            error_line=failure.at,
        )
        yield from (replace(attempt, step=order.step_id) for order in batch.orders)
    for order, result in zip(batch.orders, tried.results, strict=False):
        if isinstance(result, Product):
            yield replace(
                attempt,
                step=order.step_id,
                compute_s=result.compute_s,
                gate_s=result.gate_s,
                write_s=result.write_s,
            )
        else:
            judging = attempt.finished_at - attempt.started_at
            yield replace(attempt, step=order.step_id, gate_s=judging.total_seconds())
