"""A run from its claims to its report."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from millgate.errors import Conflict, UsageError
from millgate.execute.capture import captured_output
from millgate.execute.interrupt import WORKERS, stoppable
from millgate.execute.mill import Mill
from millgate.execute.places import Place, check_timeouts, opened_place
from millgate.execute.proposal import Proposal, check_settings, check_sources, propose
from millgate.execute.runner import Runner
from millgate.execute.upkeep import note_broken, tidy
from millgate.lineage import catalog, run_records
from millgate.model.garbage import set_aside
from millgate.model.placement import Placement
from millgate.model.record import Run
from millgate.model.request import Report, Request, Watcher
from millgate.model.step import Plan
from millgate.store.locks import OpenRun, Overlap, RunInfo


def carry_out(
    mill: Mill,
    request: Request,
    plan: Plan,
    *,
    placement: Placement,
    workers: int | None,
    watcher: Watcher,
    wait: bool = False,
) -> Report:
    """Run a plan: claim its partitions, do the steps, commit what passes, report.

    The steps run where `placement` says, `workers` of them side by side; as many as it has by
    default.

    If another living run has claimed one of the partitions, it is waited for; without `wait`
    raises Conflict, having done nothing. An error that breaks the run off, such as a full disk,
    keeps what was committed before it.
    """
    check_sources(plan)
    check_timeouts(mill, plan, placement)
    if not placement.address:
        check_settings(mill, plan)
    mill.warehouse.prepare(partial(catalog.create, root=mill.root))
    tidy(mill)
    with (
        opened_place(mill, placement, workers) as place,
        open_run(mill, request.command, request.text, resumes=request.resumes) as opened,
    ):
        request = replace(request, moment=request.moment or opened.info.started_at)
        proposal = _claimed(mill, request, plan, opened, watcher if wait else None)
        if not proposal.plan.steps:
            return Report(opened.id, proposal.plan, (), None)
        check_timeouts(mill, proposal.plan, placement)
        if request.atomic or mill.swapped:
            _check_atomic(mill, proposal)
        return _worked_off(mill, request, plan, proposal, opened, place, watcher)


def _worked_off(
    mill: Mill,
    request: Request,
    plan: Plan,
    proposal: Proposal,
    opened: OpenRun,
    place: Place,
    watcher: Watcher,
) -> Report:
    """Carry out a proposal for whose partitions the run has the claims."""
    run = started(mill, opened, plan)
    with set_aside(), captured_output(), stoppable() as interrupt:
        pool = ThreadPoolExecutor(place.width, thread_name_prefix=WORKERS)
        runner = Runner(
            mill,
            _without_deferred(mill, proposal),
            run,
            pool,
            place,
            watcher,
            interrupt,
            partial(_remaining, mill, request, opened),
            atomic=request.atomic or bool(mill.swapped),
        )
        try:
            return runner.go()
        except BaseException as error:
            cause = interrupt.behind(error)
            note_broken(mill, opened, run, cause)
            if cause is error:
                raise
            raise cause from error
        finally:
            over = place.leave() or not runner.is_busy
            pool.shutdown(wait=over, cancel_futures=True)
            sweep(mill, run.id)


def _claimed(
    mill: Mill, request: Request, plan: Plan, opened: OpenRun, waiting: Watcher | None
) -> Proposal:
    """What there is to do, planned under the claims on all of it.

    Another run may have committed since `plan` was made; under the claims none can.
    """
    claimed: set[tuple[str, str]] = set()
    wanted = {step.id for step in plan.steps}
    while True:
        overlaps = opened.claim(wanted)
        if overlaps and waiting is None:
            raise _conflict(overlaps)
        if overlaps and waiting is not None:
            # Two runs that wait for each other would wait for ever.
            opened.drop_claims()
            wanted |= claimed
            claimed = set()
            waiting.waiting(told_holder(overlaps[0].holder))
            mill.run_files.wait(overlaps[0].holder.run)
            continue
        claimed |= wanted
        proposal = propose(mill, request)
        wanted = {step.id for step in proposal.plan.steps}
        if wanted <= claimed:
            return proposal


def _remaining(
    mill: Mill, request: Request, opened: OpenRun, done: Collection[tuple[str, str]]
) -> Proposal | None:
    """What a new plan has to do beside the steps that are done; None where that is nothing.

    Partitions that another run has claimed by now are left to it.
    """
    proposal = propose(mill, request)
    steps = tuple(step for step in proposal.plan.steps if step.id not in done)
    if not steps or opened.claim([step.id for step in steps]):
        return None
    return _without_deferred(mill, replace(proposal, plan=proposal.plan.only(steps)))


def _without_deferred(mill: Mill, proposal: Proposal) -> Proposal:
    """A proposal without what is planned again once the keys it depends on are made."""
    making = {step.asset for step in proposal.plan.steps if step.action == "make"}
    edges = mill.graph.edges if mill.reads_keys else ()
    first = {e.downstream for e in edges if e.kind == "keys" and e.upstream in making}
    deferred = {*first, *mill.graph.downstream(*first)}
    steps = tuple(step for step in proposal.plan.steps if step.asset not in deferred)
    return replace(proposal, plan=proposal.plan.only(steps))


def _check_atomic(mill: Mill, proposal: Proposal) -> None:
    """Raise UsageError if the keys of an asset would be read from what is not live before the end.

    Only a commit in between could tell what they are.
    """
    now = {step.asset for step in _without_deferred(mill, proposal).plan.steps}
    later = next((s.asset for s in proposal.plan.steps if s.asset not in now), None)
    if later is not None:
        raise UsageError(
            f"the keys of {later} depend on what this run makes",
            where="--atomic",
            fix=f"run what {later} is made from first, or leave out --atomic; nothing was run",
        )


def sweep(mill: Mill, run: int) -> None:
    """Leave nothing in staging of a run that is over."""
    mill.warehouse.sweep_staging(lambda n: n != run and mill.run_files.is_alive(n))


def open_run(mill: Mill, command: str, selection: str, *, resumes: int | None = None) -> OpenRun:
    """A new run, alive until it is closed; its number was never used before."""
    recorded = 0
    if mill.warehouse.current() is not None:
        with mill.reading() as connection:
            recorded = run_records.last_run(connection)
    return mill.run_files.start(
        command,
        selection,
        mill.actor,
        mill.host,
        mill.clock(),
        minimum=recorded + 1,
        resumes=resumes,
    )


def claim(opened: OpenRun, partitions: Iterable[tuple[str, str]]) -> None:
    """Claim partitions for a run; Conflict names the run that has one of them."""
    overlaps = opened.claim(partitions)
    if overlaps:
        raise _conflict(overlaps)


def _conflict(overlaps: Sequence[Overlap]) -> Conflict:
    holder = overlaps[0].holder
    count = sum(len(overlap.partitions) for overlap in overlaps)
    return Conflict(
        f"run {holder.run} is working on {count:,} of these partitions",
        where=told_holder(holder),
        fix="add --wait to materialize or backfill, or run again when it is done (millgate runs "
        "shows it); nothing was attempted",
    )


def told_holder(holder: RunInfo) -> str:
    """A run as it is told to who comes second."""
    return (
        f"run {holder.run}: {holder.command} {holder.selection}".rstrip()
        + f", by {holder.actor} on {holder.host}, pid {holder.pid}, "
        f"since {holder.started_at.astimezone():%Y-%m-%d %H:%M %z}"
    )


def started(mill: Mill, opened: OpenRun, plan: Plan | None = None) -> Run:
    """The record of a run that has just begun."""
    info = opened.info
    return Run(
        id=info.run,
        command=info.command,
        selection=info.selection,
        range_from=plan.range_from if plan else None,
        range_to=plan.range_to if plan else None,
        status="running",
        started_at=info.started_at,
        finished_at=None,
        actor=info.actor,
        host=info.host,
        code_version=mill.code_version,
        millgate_version=mill.millgate_version,
        resumes=info.resumes,
    )
