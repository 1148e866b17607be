"""A project opened: its configuration read, the parts made and handed to each other."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from millgate.configuration import Configuration, find_root, read_configuration
from millgate.declare.discovery import discover
from millgate.errors import MillgateError, MissingSource
from millgate.execute.mill import Mill, code_version, present, present_actor
from millgate.execute.opening import reading
from millgate.execute.proposal import keys_named, propose
from millgate.execute.repartitioning import swapping
from millgate.execute.running import carry_out
from millgate.model.garbage import no_collection
from millgate.model.placement import Placement
from millgate.plan.graph import Graph
from millgate.plan.selection import select
from millgate.store.files import Files
from millgate.store.layout import Layout
from millgate.store.locks import RunFiles, RunInfo
from millgate.store.warehouse import Warehouse

if TYPE_CHECKING:
    import duckdb

    from millgate.execute.doctor import Problem
    from millgate.execute.handover import Exported
    from millgate.execute.past import Past
    from millgate.execute.rename import Rename
    from millgate.execute.repair import Repaired
    from millgate.execute.replay import Replay
    from millgate.execute.resuming import Unfinished
    from millgate.execute.retire import Retirement
    from millgate.execute.separable import Compared
    from millgate.execute.trial import Trial
    from millgate.execute.vacuum import Vacuumed
    from millgate.model.going_back import Destination, Rollback
    from millgate.model.request import Report, Request, Watcher
    from millgate.model.step import Plan
    from millgate.plan.lateness import Late

ENVIRONMENT = "MILLGATE_PROJECT"
"""Names the project's folder where the working directory is elsewhere."""


@dataclass(frozen=True)
class Project:
    """An open project: what the command line and scripts talk to.

    `clock` gives the aware present. The modules of `assets/` are imported when the graph is
    first needed, so that looking at the warehouse does not run them.
    """

    root: Path
    configuration: Configuration
    clock: Callable[[], datetime] = present
    actor: str = field(default_factory=present_actor)
    _untold: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls, directory: Path | None = None, *, clock: Callable[[], datetime] = present
    ) -> Project:
        """The project at or above a folder: the given one, the environment's, or the current."""
        start = directory or Path(os.environ.get(ENVIRONMENT) or Path.cwd())
        root = find_root(start.resolve())
        return cls(root, read_configuration(root), clock)

    @property
    def name(self) -> str:
        return self.configuration.name

    @cached_property
    def graph(self) -> Graph:
        """The declared assets and sources; imports the modules of `assets/`."""
        # What the modules print is not the answer of a command.
        with redirect_stdout(sys.stderr), no_collection():
            return Graph.build(discover(self.root, self.root / self.configuration.assets))

    @cached_property
    def layout(self) -> Layout:
        return Layout(self.root, *self.configuration.folders(self.root))

    @cached_property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.layout, Files())

    @cached_property
    def mill(self) -> Mill:
        return self._mill(self.graph)

    def _mill(self, graph: Graph) -> Mill:
        return Mill(
            root=self.root,
            folder=self.root / self.configuration.assets,
            graph=graph,
            layout=self.layout,
            warehouse=self.warehouse,
            run_files=RunFiles(self.layout),
            actor=self.actor,
            host=socket.gethostname(),
            code_version=code_version(self.root),
            millgate_version=version("millgate"),
            clock=self.clock,
            limits=self.configuration.limits,
            alerting=self.configuration.alerting,
            catalog_limit=self.configuration.largest_catalog,
        )

    def select(self, selection: str) -> tuple[str, ...]:
        """The assets that a selection names, in topological order."""
        return select(selection, self.graph)

    @no_collection()
    def propose(self, request: Request) -> Plan:
        """The plan that answers a request now. Changes nothing."""
        alerting = self.configuration.alerting
        if alerting.routes or alerting.deadlines:
            from millgate.execute.telling import check_alerting

            check_alerting(alerting, self.graph)
        return propose(swapping(self.mill, request), request).plan

    def run(
        self,
        request: Request,
        plan: Plan,
        *,
        workers: int | None = None,
        watcher: Watcher,
        wait: bool = False,
        executor: str | None = None,
    ) -> Report:
        """Carry out a plan, `workers` steps side by side (by default as many as there are
        processors) where `executor` says: `threads`, `processes`, `dask` or `dask:ADDRESS`.

        If another run holds its partitions, `wait` for it; else Conflict, and nothing done.
        """
        placement = self.placement(executor)
        try:
            report = carry_out(
                swapping(self.mill, request),
                request,
                plan,
                placement=placement,
                workers=workers,
                watcher=watcher,
                wait=wait,
            )
        except MissingSource:
            self.tell()
            raise
        if not report.interrupted:
            self.tell()
        return report

    def placement(self, executor: str | None) -> Placement:
        """Where steps run; UsageError if `executor`, or else the configuration, says no place."""
        chosen = executor or self.configuration.executor
        return Placement.parse(chosen, where=f"--executor {chosen}")

    def tell(self) -> None:
        """Tell people what is news to them; `warnings` says what could not be sent."""
        if self.configuration.alerting.routes:
            from millgate.execute.telling import tell

            self._untold.extend(tell(self.mill))

    def try_channels(self) -> dict[str, str | None]:
        """Send a test to every channel; why it was not sent, by the name of the channel."""
        from millgate.execute.telling import try_channels

        return try_channels(self.mill)

    def late(self, connection: duckdb.DuckDBPyConnection) -> list[Late]:
        """The assets that miss a deadline now; imports `assets/` only where there is one."""
        from millgate.execute.telling import late_assets

        if not self.configuration.deadlines:
            return []
        try:
            return late_assets(self.mill, connection)
        except MillgateError as error:
            self._untold.append(f"deadlines are not judged: {error.what}")
            return []

    def unfinished(self) -> list[Unfinished]:
        """The runs that can be resumed and have something left to do, the newest first."""
        from millgate.execute.resuming import unfinished

        return unfinished(self.mill)

    def find_unfinished(self, run: int) -> Unfinished | None:
        """The run of that number; None if it came to its end."""
        from millgate.execute.resuming import find_unfinished

        return find_unfinished(self.mill, run)

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection to the current snapshot; needs nothing of `assets/`."""
        with reading(self.warehouse) as connection:
            yield connection

    @contextmanager
    def opened_once(self) -> Iterator[None]:
        """Keep the current snapshot open, so that whatever reads in the block shares it."""
        with self.reading() if self.warehouse.current() is not None else nullcontext():
            yield

    @contextmanager
    def reading_past(self, destination: Destination) -> Iterator[Past]:
        """Production as it was at a moment or in a snapshot, on a private copy."""
        from millgate.execute.past import reading_past

        with reading_past(self.warehouse, self.root, destination) as past:
            yield past

    def export_duckdb(self, file: Path, selection: str = "") -> Exported:
        """Write live production, or a selection of it, and all lineage to one new DuckDB file."""
        from millgate.execute.handover import export_duckdb

        selected = self.select(selection) if selection else None
        return export_duckdb(self.warehouse, self.root, file, selected)

    @property
    def warnings(self) -> list[str]:
        """What a reader should be told about the warehouse, and whom nobody could tell."""
        return [*self.warehouse.warnings, *self._untold]

    def runs_alive(self) -> Sequence[RunInfo]:
        return RunFiles(self.layout).alive()

    def runs_dead(self) -> Sequence[RunInfo]:
        """Runs that ended without saying so and are not on record yet."""
        return RunFiles(self.layout).dead()

    def release(
        self,
        asset: str,
        key: str,
        *,
        reason: str,
        actor: str | None = None,
        seen: int | None = None,
    ) -> str:
        """Let the newest refused data of a partition into production, on a person's word.

        Conflict if that is not the refused version they have `seen`.
        """
        from millgate.execute.decide import release

        return self._decide(release, asset, key, reason, actor, seen)

    def discard(
        self,
        asset: str,
        key: str,
        *,
        reason: str,
        actor: str | None = None,
        seen: int | None = None,
    ) -> str:
        """Close the newest quarantine entry of a partition; its data stays out.

        Conflict if that is not the refused version they have `seen`.
        """
        from millgate.execute.decide import discard

        return self._decide(discard, asset, key, reason, actor, seen)

    def keys_named(
        self, connection: duckdb.DuckDBPyConnection, target: str
    ) -> dict[str, Collection[str] | None]:
        """The assets that a target names, each with the keys of its range; None for all keys."""
        return keys_named(self.mill, connection, target)

    def propose_replay(self, target: str = "") -> Replay:
        """What today's gates would let in of what waits in quarantine."""
        from millgate.execute.replay import propose_replay

        return propose_replay(self.mill, target)

    def replay(self, proposed: Replay, *, actor: str | None = None) -> int:
        """Carry out a replay as it was proposed, in one commit; returns its snapshot."""
        from millgate.execute.replay import replay

        return replay(replace(self.mill, actor=actor or self.actor), proposed)

    def propose_rollback(
        self, target: str, destination: Destination, *, downstream: bool = False
    ) -> Rollback:
        """What going back to an earlier version, moment or snapshot would change."""
        from millgate.execute.rollback import propose_rollback

        return propose_rollback(self.mill, target, destination, downstream=downstream)

    def roll_back(self, rollback: Rollback, *, reason: str, actor: str | None = None) -> int:
        """Carry out a rollback as it was proposed, in one commit; returns its snapshot."""
        from millgate.execute.rollback import roll_back

        return roll_back(replace(self.mill, actor=actor or self.actor), rollback, reason)

    def propose_retirement(self, asset: str) -> Retirement:
        """What retiring an asset whose declaration is gone would take out of production."""
        from millgate.execute.retire import propose_retirement

        return propose_retirement(self.mill, asset)

    def retire(self, retirement: Retirement, *, reason: str, actor: str | None = None) -> int:
        """Carry out a retirement as it was proposed, in one commit; returns its snapshot."""
        from millgate.execute.retire import retire

        return retire(replace(self.mill, actor=actor or self.actor), retirement, reason)

    def try_gates(self, target: str = "") -> tuple[Trial, ...]:
        """What today's gates say of what is live and what waits; records nothing."""
        from millgate.execute.trial import try_gates

        return try_gates(self.mill, target)

    def try_batches(self, target: str = "") -> Compared:
        """Whether batches come to the same rows as their partitions one by one; records nothing."""
        from millgate.execute.separable import try_batches

        # What the assets print is not the answer of a command.
        with redirect_stdout(sys.stderr):
            return try_batches(self.mill, target)

    def propose_rename(self, old: str, new: str) -> Rename:
        """What of an asset that has another name in the code now would move to it."""
        from millgate.execute.rename import propose_rename

        return propose_rename(self.mill, old, new)

    def rename(self, proposed: Rename, *, actor: str | None = None) -> int:
        """Move a history as it was proposed, in one commit; returns its snapshot."""
        from millgate.execute.rename import rename

        return rename(replace(self.mill, actor=actor or self.actor), proposed)

    def probably_renamed(self) -> list[tuple[str, str]]:
        """Old and new name of each asset that seems to be called otherwise in the code now."""
        if self.warehouse.current() is None:
            return []
        from millgate.execute.rename import probably_renamed

        with self.reading() as connection:
            return probably_renamed(self.mill, connection)

    def vacuum(self, keep: timedelta | None = None, *, dry_run: bool = False) -> Vacuumed:
        """Remove what nothing needs any more; `keep` instead of the project's retention."""
        from millgate.execute.vacuum import vacuum

        kept_for = self.configuration.kept_for if keep is None else keep
        return vacuum(self.mill, kept_for, dry_run=dry_run)

    def examine(self, *, deep: bool = False) -> list[Problem]:
        """What is wrong with the warehouse; changes nothing, and needs nothing of `assets/`."""
        from millgate.execute.doctor import examine

        return examine(self._mill(Graph.build([])), deep=deep)

    def repair(self, *, deep: bool = False) -> Repaired:
        """Mend what can be mended of it."""
        from millgate.execute.doctor import examine
        from millgate.execute.repair import repair

        bare = self._mill(Graph.build([]))
        lost = any(problem.kind == "lost" for problem in examine(bare))
        return repair(self.mill if lost else bare, deep=deep)

    def log_file(self, run: int, asset: str, key: str, attempt: int) -> Path:
        """Where the output of an attempt is kept."""
        return self.layout.log_file(run, asset, key, attempt)

    def _decide(
        self,
        verb: Callable[[Mill, str, str, str, int | None], str],
        asset: str,
        key: str,
        reason: str,
        actor: str | None,
        seen: int | None,
    ) -> str:
        mill = replace(self.mill, actor=actor or self.actor)
        done = verb(mill, asset, key, reason, seen)
        self.tell()
        return done
