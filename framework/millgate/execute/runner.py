"""Carrying out a plan: steps side by side, results committed in groups."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace
from functools import partial
from itertools import count

from millgate.execute.attempts import work
from millgate.execute.board import Board
from millgate.execute.commits import Commits, Over
from millgate.execute.committing import Entered, Group, enter
from millgate.execute.declarations import declarations
from millgate.execute.ending import ended, judgement_message, step_record
from millgate.execute.interrupt import Interrupt
from millgate.execute.limits import Limits
from millgate.execute.mill import Mill
from millgate.execute.order import Batch, Order, Product, Result, Version, Worked
from millgate.execute.ordering import Spared, leading, order_of, reconsidered
from millgate.execute.places import Place
from millgate.execute.placing import Finished
from millgate.execute.proposal import Proposal
from millgate.execute.versions import Versions
from millgate.gate.contract import breaks_contract
from millgate.model.record import Judged, Judgement, Outcome, Run, materialization_id
from millgate.model.request import Done, Report, Watcher
from millgate.model.step import Step, StepId

Replan = Callable[[Collection[StepId]], Proposal | None]
"""The steps that a new plan has beside those that are done already; None if there are none."""

_POLL_S = 0.2
_GRACE_S = 10.0
"""How long a Ctrl-C waits for running steps before it goes on without them."""


class Runner:
    """One run of a plan: `go` tells the whole story."""

    def __init__(
        self,
        mill: Mill,
        proposal: Proposal,
        run: Run,
        pool: Executor,
        place: Place,
        watcher: Watcher,
        interrupt: Interrupt,
        replan: Replan,
        *,
        atomic: bool = False,
    ) -> None:
        self._mill = mill
        self._atomic = atomic
        self._replan = replan
        self._run = run
        self._pool = pool
        self._place = place
        self._watcher = watcher
        self._interrupt = interrupt
        self._stop = threading.Event()
        self._ordinals: Iterator[int] = count(1)
        self._step_ids: Iterator[int] = count(1)
        self._running: dict[Future[Worked], Batch] = {}
        self._group = Group()
        self._uncommitted: list[Done] = []
        self._done: list[Done] = []
        self._unusable: dict[int, int] = {}
        self._planned_again = False
        self._snapshot: int | None = None
        self._commits = Commits()
        self._take_up(proposal)

    def _take_up(self, proposal: Proposal) -> None:
        """Make a proposal what is worked on next."""
        self._plan = proposal.plan
        self._state = proposal.state
        tags = {name: asset.tags for name, asset in self._mill.assets.items()}
        self._board = Board(proposal.plan, Limits(self._mill.limits, tags))
        self._versions = Versions(self._mill, proposal, self._run.id, self._ordinals)
        self._expected: dict[tuple[str, str], int | None] = {
            (name, key): live.materialization
            for name, by_key in proposal.state.live.items()
            for key, live in by_key.items()
        }
        self._leaving = {
            (name, key): live.materialization
            for name, by_key in proposal.state.leaving.items()
            for key, live in by_key.items()
        }
        self._expected |= self._leaving

    def go(self) -> Report:
        """Run every step that can run, commit what passes, and report."""
        try:
            return self._go()
        finally:
            self._stop.set()
            self._commits.close()

    @property
    def is_busy(self) -> bool:
        """Whether steps are running that this run does not wait for any more."""
        return not all(future.done() for future in self._running)

    def _go(self) -> Report:
        self._work()
        while more := self._planned_anew():
            self._take_up(more)
            self._work()
        if self._interrupt.requested:
            self._wind_up()
        self._finish()
        return self._report()

    def _finish(self) -> None:
        """Commit what is left; what that refused is planned once more."""
        self._take_commit()
        if self._atomic:
            self._all_or_nothing()
        final = ended(self._run, self._report(), self._mill.clock())
        self._commit(final)
        if more := self._refused_anew():
            self._take_up(more)
            self._work()
            if self._interrupt.requested:
                self._wind_up()
            self._finish()
            return
        after = ended(self._run, self._report(), self._mill.clock())
        if after.status != final.status:
            self._commit(after)

    def _work(self) -> None:
        """Run every step of the plan that can run."""
        while len(self._board) and not self._interrupt.requested:
            self._submit()
            due = self._commits.are_due(idle=not self._running)
            if due and len(self._board) and self._group and not self._atomic:
                self._commits.begin(*self._commit_of(self._run))
            self._collect(_POLL_S)

    def _planned_anew(self) -> Proposal | None:
        """What else there is to do where keys are read from what this run has made."""
        if self._interrupt.requested or self._atomic or not self._mill.reads_keys:
            return None
        self._take_commit()
        if self._group:
            self._commit(self._run)
        return self._replan({done.step.id for done in self._done})

    def _all_or_nothing(self) -> None:
        """Keep all of the run out of production if anything went wrong."""
        self._group.atomic = True
        wrong = ("failed", "held", "blocked", "refused", "cancelled")
        bad = next((d for d in self._settled_steps if d.outcome in wrong), None)
        if bad is not None:
            self._group.withhold(self._mill.swapped)
            told = f"kept out because {bad.step} came out {bad.outcome}"
            self._uncommitted = [
                replace(d, outcome="cancelled", message=told) if d.outcome == "made" else d
                for d in self._uncommitted
            ]

    def _refused_anew(self) -> Proposal | None:
        """A new plan for what was refused because another run was there first; only once."""
        if self._planned_again or self._interrupt.requested:
            return None
        self._planned_again = True
        again = {done.step.id for done in self._done if self._stopped_by_a_run(done)}
        if not again:
            return None
        more = self._replan({done.step.id for done in self._done} - again)
        planned = {step.id for step in more.plan.steps} if more else set()
        self._done = [d for d in self._done if d.step.id not in planned]
        return more

    def _stopped_by_a_run(self, done: Done) -> bool:
        by = self._board.stopped.get(done.step.id, "")
        return done.outcome == "refused" or (done.outcome == "blocked" and by.startswith("run "))

    @property
    def _settled_steps(self) -> tuple[Done, ...]:
        entering = self._commits.under_way.dones if self._commits.under_way else ()
        return (*self._done, *entering, *self._uncommitted)

    def _report(self) -> Report:
        return Report(
            self._run.id,
            self._plan,
            self._settled_steps,
            self._snapshot,
            self._interrupt.requested,
        )

    def _submit(self) -> None:
        """Hand out ready steps until every worker has something to do and something waits."""
        while len(self._running) <= self._place.width and (unit := self._board.take()):
            orders = [order for step in unit if (order := self._ordered(step)) is not None]
            if not orders:
                continue
            batch = leading(orders)
            if later := {order.step.id for order in orders[len(batch.orders) :]}:
                self._board.put_back(tuple(step for step in unit if step.id in later))
            for order in batch.orders:
                self._watcher.started(order.step)
            self._start(batch)

    def _ordered(self, step: Step) -> Order | None:
        """What is to be done for a step; None where that is nothing, and it is settled."""
        blocker = step.cause.of if step.action == "blocked" else self._board.blocker(step)
        if blocker is not None:
            why = f"{step.cause.kind}: {blocker}" if step.action == "blocked" else blocker
            self._settled(step, "blocked", f"by {why}", stopped_by=blocker)
            return None
        made = materialization_id(self._run.id, next(self._ordinals))
        number = materialization_id(self._run.id, next(self._step_ids))
        inputs = self._versions.resolve(step, self._board)
        order = order_of(step, inputs, self._mill, self._versions, self._run.id, made, number)
        gate = self._mill.gates[step.asset].fingerprint
        left = reconsidered(order, self._state, gate, self._versions, enforces=self._plan.enforces)
        if isinstance(left, Spared):
            self._settled(step, left.outcome, left.message, stopped_by=left.stopped_by)
            return None
        return left

    def _start(self, batch: Batch) -> None:
        future = self._pool.submit(
            work,
            batch,
            self._place,
            root=self._mill.root,
            log_path=self._mill.layout.log_file,
            clock=self._mill.clock,
            stop=self._stop,
        )
        self._running[future] = batch

    def _collect(self, timeout_s: float) -> None:
        """Take in the results that are there, waiting for the first one, and a commit's end."""
        entering = self._commits.under_way
        expected = {*self._running, *([entering.entered] if entering else ())}
        if not expected:
            return
        finished, _ = wait(expected, timeout=timeout_s, return_when=FIRST_COMPLETED)
        if entering is not None and entering.entered in finished:
            self._take_commit()
        for future in [f for f in self._running if f in finished]:
            self._take_in(self._running.pop(future), future.result())

    def _take_in(self, batch: Batch, worked: Worked) -> None:
        found = tuple(zip(batch.orders, worked.results, strict=False))
        if not all(self._keeps_contract(order, result) for order, result in found):
            schema = self._versions.schema(batch.asset.name)
            self._start(Batch(tuple(replace(o, live_schema=schema) for o in batch.orders)))
            return
        self._group.attempts.extend(worked.attempts)
        for order, result in found:
            if isinstance(result, Product):
                self._note_enforced(order, result)
                self._take_product(order, result)
            else:
                self._take_judgement(order, result)
        for order in batch.orders[len(found) :]:
            self._settled(
                order.step,
                "failed",
                worked.message,
                detail=worked.detail,
                stopped_by=str(order.step),
                step_id=order.step_id,
                batch=str(batch) if len(batch.orders) > 1 else "",
            )

    def _take_judgement(self, order: Order, judgement: Judgement) -> None:
        assert order.live is not None
        self._group.rejudged.append(self._judged(order.live.materialization, judgement))
        failing = judgement.verdict != "promote"
        message = judgement_message(judgement)
        self._settled(order.step, "judged", message, failing=failing, step_id=order.step_id)

    def _note_enforced(self, order: Order, product: Product) -> None:
        """Judge a live version that leaves, unless today's gate has judged it before."""
        if order.step.action == "enforce":
            live = self._state.live[order.asset.name][order.partition.key]
            if live.gate_fingerprint != product.judgement.gate_fingerprint:
                self._group.rejudged.append(self._judged(live.materialization, product.judgement))

    def _keeps_contract(self, order: Order, result: Result) -> bool:
        """Whether a version judged by an older live schema also fits today's.

        Another partition of the same asset may have been accepted in the meantime.
        """
        schema = self._versions.schema(order.asset.name)
        if isinstance(result, Judgement) or result.accepted is None:
            return True
        if schema is None or schema is order.live_schema:
            return True
        return not breaks_contract(schema, result.materialization.schema, order.asset.gate)

    def _take_product(self, order: Order, product: Product) -> None:
        made, judgement = product.materialization, product.judgement
        lost = next((i for i in made.inputs if i.materialization in self._unusable), None)
        if lost is not None:
            by = f"run {self._unusable[lost.materialization]}"
            self._settled(
                order.step,
                "refused",
                f"made from what {by} replaced",
                stopped_by=by,
                step_id=order.step_id,
            )
            return
        judged = self._judged(made.id, judgement)
        self._group.finished.append(Finished(order.partition, product, judged))
        held = product.accepted is None
        if product.accepted is not None:
            self._versions.widen(order.asset.name, made.schema)
            self._board.made[order.step.id] = Version(
                made.id,
                order.partition,
                (product.accepted,),
                made.schema,
                made.data_hash,
                rows=made.rows,
            )
        self._settled(
            order.step,
            "held" if held else "made",
            judgement_message(judgement),
            rejected_rows=judgement.rejected_rows,
            stopped_by=str(order.step) if held else None,
            step_id=order.step_id,
        )

    def _judged(self, materialization: int, judgement: Judgement) -> Judged:
        number = materialization_id(self._run.id, next(self._ordinals))
        return Judged(number, materialization, judgement, self._mill.clock(), self._run.id)

    def _settled(
        self,
        step: Step,
        outcome: Outcome,
        message: str,
        *,
        detail: str = "",
        failing: bool = False,
        rejected_rows: int = 0,
        stopped_by: str | None = None,
        step_id: int | None = None,
        batch: str = "",
    ) -> None:
        number = step_id or materialization_id(self._run.id, next(self._step_ids))
        done = Done(step, outcome, message, detail, failing, rejected_rows, batch)
        self._board.settle(step, stopped_by=stopped_by)
        self._group.steps.append(step_record(number, self._run.id, done, stopped_by))
        self._uncommitted.append(done)
        self._watcher.finished(done)

    def _commit(self, run: Run) -> None:
        """Commit what is there, and return when that is done."""
        self._take_commit()
        self._note(self._commits.make(*self._commit_of(run)))

    def _commit_of(self, run: Run) -> tuple[Group, list[Done], Callable[[], Entered]]:
        """What there is to commit, what is told of it once that is over, and how it is done."""
        group, self._group = self._group, Group()
        dones, self._uncommitted = self._uncommitted, []
        group.observed, self._versions.unrecorded = self._versions.unrecorded, []
        declared = declarations(self._mill, self._plan.outside) if self._snapshot is None else None
        known = (self._expected, self._unusable, self._leaving)
        return group, dones, partial(enter, self._mill, group, run, declared, *known)

    def _take_commit(self) -> None:
        """Wait for the commit under way, if there is one, and take note of what it did."""
        if over := self._commits.end():
            self._note(over)

    def _note(self, over: Over) -> None:
        self._snapshot = over.snapshot
        self._expected |= over.live
        self._board.stopped |= over.stopped
        self._done += over.dones
        self._watcher.committed(over.snapshot, over.count)

    def _wind_up(self) -> None:
        """After Ctrl-C: give running steps a moment, keep what they finish, cancel the rest."""
        self._stop.set()
        for future in [f for f in self._running if f.cancel()]:
            del self._running[future]
        deadline = time.monotonic() + _GRACE_S
        while self._running and time.monotonic() < deadline:
            self._collect(_POLL_S)
        for step in self._board.remaining():
            self._settled(step, "cancelled", "the run was interrupted")
