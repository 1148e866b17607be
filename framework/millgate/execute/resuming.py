"""Runs that did not come to their end, and what is to be asked for to finish them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from millgate.errors import MillgateError, UsageError
from millgate.execute.mill import Mill
from millgate.execute.opening import reading
from millgate.execute.proposal import propose
from millgate.execute.repartitioning import swapping
from millgate.execute.upkeep import died
from millgate.lineage import run_records
from millgate.model.record import Run
from millgate.model.request import Request

_UNFINISHED = ("died", "failed", "cancelled")
_LOOKED_AT = 20
"""So many unfinished runs are planned to see whether anything is left of them."""


@dataclass(frozen=True)
class Unfinished:
    """A run that died, failed or was cancelled, and the request that finishes it."""

    run: Run
    request: Request


def unfinished(mill: Mill) -> list[Unfinished]:
    """The runs that have something left to do, the newest first.

    Of runs that were asked for the same only the last one counts.
    """
    runs = _runs(mill)
    last = {(run.command, run.selection): run for run in runs.values()}
    resumed = {run.resumes for run in runs.values()}
    found = [
        Unfinished(run, request)
        for run in sorted(last.values(), key=lambda run: -run.id)
        if run.status in _UNFINISHED and run.id not in resumed
        if (request := _request(run, runs))
    ]
    return [one for one in found[:_LOOKED_AT] if _has_more(mill, one.request)]


def find_unfinished(mill: Mill, number: int) -> Unfinished | None:
    """The run of that number; None if it came to its end.

    Raises UsageError where there is no such run, or none that can be resumed.
    """
    where = f"millgate resume {number}"
    alive = {info.run for info in mill.run_files.alive()}
    if number in alive:
        raise UsageError(
            f"run {number} is still running", where=where, fix="what is running: millgate status"
        )
    runs = _runs(mill)
    if number not in runs:
        raise UsageError(
            f"no run {number} is on record", where=where, fix="all runs: millgate runs"
        )
    run = runs[number]
    later = next((r for r in runs.values() if r.resumes == number), None)
    if later is not None:
        raise UsageError(
            f"run {number} was resumed by run {later.id}",
            where=where,
            fix=f"millgate resume {later.id}",
        )
    request = _request(run, runs)
    if request is None:
        raise UsageError(
            f"run {number} is a {run.command}, which cannot be resumed",
            where=where,
            fix="repeat that command; runs that can be resumed: millgate resume",
        )
    return Unfinished(run, request) if run.status in _UNFINISHED else None


def _runs(mill: Mill) -> dict[int, Run]:
    """Every run that is over, on record or known from its file alone, in order."""
    found: dict[int, Run] = {}
    if mill.warehouse.current() is not None:
        with reading(mill.warehouse) as connection:
            found = {run.id: run for run in run_records.recorded_runs(connection)}
    alive = {info.run for info in mill.run_files.alive()}
    for info in mill.run_files.dead():
        found.setdefault(info.run, died(mill, info))
    return {
        number: replace(run, status="died") if run.status == "running" else run
        for number, run in sorted(found.items())
        if number not in alive
    }


def _request(run: Run, runs: dict[int, Run]) -> Request | None:
    """What finishes a run: what it was asked for, by the keys there were when it first started."""
    request = Request.read(run.command, run.selection)
    first = run
    while first.resumes in runs:
        first = runs[first.resumes]
    return request and replace(request, moment=first.started_at, resumes=run.id)


def _has_more(mill: Mill, request: Request) -> bool:
    try:
        return bool(propose(swapping(mill, request), request).plan.steps)
    except MillgateError:
        # What it was asked for is not declared any more: named by its number it says so.
        return False
