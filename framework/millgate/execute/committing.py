"""Entering what a run made: one group of results, one commit."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from millgate.execute.archiving import bring_up_to_date, record, show_all
from millgate.execute.ending import judgement_message
from millgate.execute.mill import Mill
from millgate.execute.opening import reading_history
from millgate.execute.partitioning import check_partitionings, partitions_of
from millgate.execute.placing import Finished, Placed, move, placed
from millgate.execute.repartitioning import closings, old_partitions, withdrawals
from millgate.gate.contract import breaks_contract
from millgate.lineage import catalog, queries
from millgate.lineage.columns import recorded_columns
from millgate.model.record import (
    Attempt,
    Change,
    Declarations,
    Judged,
    Materialization,
    Promotion,
    PromotionKind,
    Run,
    StepRecord,
)
from millgate.store import views
from millgate.store.commit import Commit
from millgate.store.links import Links

if TYPE_CHECKING:
    import duckdb

PartitionId = tuple[str, str]

_FEW = 10_000
"""Partitions whose commit is a matter of many small statements."""


@dataclass
class Group:
    """What has come back since the last commit, in the order in which it did."""

    finished: list[Finished] = field(default_factory=list)
    rejudged: list[Judged] = field(default_factory=list)
    """Judgements of versions that were live before."""
    observed: list[Materialization] = field(default_factory=list)
    withheld: list[Finished] = field(default_factory=list)
    """What would have changed production, of a run that is all or nothing and has failed."""
    steps: list[StepRecord] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    atomic: bool = False
    """Whether all of it is refused where one partition is."""

    def withhold(self, swapped: Collection[str]) -> None:
        """Leave production as it is; what would change it is on record, and holds are entered.

        Those of a swapped asset are not: its keys are still the old ones.
        """
        out = {
            _id(f)
            for f in self.finished
            if f.product.accepted or f.product.withdraws or f.partition.asset in swapped
        }
        self.withheld += [f for f in self.finished if _id(f) in out]
        self.finished = [f for f in self.finished if _id(f) not in out]
        self.steps = [
            replace(step, outcome="cancelled") if step.outcome == "made" else step
            for step in self.steps
        ]

    def __bool__(self) -> bool:
        return bool(self.finished or self.rejudged or self.steps)


@dataclass(frozen=True)
class Entered:
    """A commit that was made, and the partitions it refused with the run that was there first."""

    snapshot: int
    refused: Mapping[PartitionId, int]


@contextmanager
def committing(mill: Mill) -> Iterator[Commit]:
    """A commit whose draft has a catalog of this Millgate's version, of a project at its place.

    An older catalog is migrated, a newer one refused. Views name files by the project's folder:
    where it was moved they are all made anew.
    """
    with mill.warehouse.committing() as commit:
        if commit.is_empty:
            catalog.create(commit.connection, mill.root)
        elif not commit.fresh:
            root = catalog.check_writable(commit.connection).root
            bring_up_to_date(commit.connection, mill.layout)
            check_partitionings(commit.connection, mill.assets, mill.swapped)
            if root != mill.root:
                catalog.set_root(commit.connection, mill.root)
                existing = queries.partitionings(commit.connection)
                rebuild_views(commit.connection, mill, {*mill.assets, *existing}, mill.swapped)
                show_all(commit.connection, mill.layout)
        with reading_history(commit.connection, mill.layout):
            yield commit


def enter(
    mill: Mill,
    group: Group,
    run: Run,
    declarations: Declarations | None,
    expected: Mapping[PartitionId, int | None],
    unusable: dict[int, int],
    leaving: Mapping[PartitionId, int],
) -> Entered:
    """Commit a group: files moved, lineage recorded, views rebuilt, the snapshot published.

    A partition that another run changed since this run planned (`expected` says what was live
    then) is refused, one whose columns do not fit what another run made live since, and what the
    group made from such. `unusable` learns the refused materializations and the run that was
    there first. What is `leaving` by a swapped partitioning leaves with the first commit in which
    something enters.
    """
    with committing(mill) as commit:
        commit.use_processors(one=len(group.finished) <= _FEW)
        refused = _refused(commit.connection, mill, group.finished, expected, unusable, leaving)
        if refused and group.atomic:
            first = next(iter(refused.values()))
            refused = {_id(f): refused.get(_id(f), first) for f in group.finished}
            unusable |= {f.product.materialization.id: refused[_id(f)] for f in group.finished}
        kept = [f for f in group.finished if _id(f) not in refused]
        swaps = bool(mill.swapped and kept and not group.withheld)
        if mill.swapped and not swaps:
            declarations = None
        gone = old_partitions(commit.connection, leaving) if swaps else []
        entering = [placed(mill.layout, finished) for finished in kept]
        change = _change(mill, group, run, declarations, entering, refused)
        if swaps:
            change = _swapping(commit.connection, mill, change, leaving)
        serving = {e.partition: e.made.path for e in entering if e.made.location == "versions"}
        gone += [finished.partition for finished in kept if finished.product.withdraws]
        links = Links(add=serving, remove=gone)
        stop = threading.Event()
        with ThreadPoolExecutor(1, thread_name_prefix="millgate-files") as beside:
            try:
                moving = beside.submit(move, commit, entering, stop)
                room = beside.submit(commit.make_room, links)
                record(commit, mill, change)
                moving.result()
                syncing = beside.submit(commit.sync)
                rebuild_views(commit.connection, mill, {each.made.asset for each in entering})
                syncing.result()
                return Entered(commit.publish(links, room), refused)
            finally:
                stop.set()
                beside.shutdown(wait=False, cancel_futures=True)


def _id(finished: Finished) -> PartitionId:
    return finished.partition.asset, finished.partition.key


def _refused(
    connection: duckdb.DuckDBPyConnection,
    mill: Mill,
    group: Iterable[Finished],
    expected: Mapping[PartitionId, int | None],
    unusable: dict[int, int],
    leaving: Mapping[PartitionId, int],
) -> dict[PartitionId, int]:
    planned_on = {_id(f): expected.get(_id(f)) for f in group} | dict(leaving)
    refused = {(c.asset, c.partition): c.run for c in queries.conflicts(connection, planned_on)}
    refused = _unfitting(connection, mill, group) | refused
    for finished in group:
        made = finished.product.materialization
        lost = [i.materialization for i in made.inputs if i.materialization in unusable]
        if lost:
            refused.setdefault(_id(finished), unusable[lost[0]])
        if _id(finished) in refused:
            unusable[made.id] = refused[_id(finished)]
    return refused


def _unfitting(
    connection: duckdb.DuckDBPyConnection, mill: Mill, group: Iterable[Finished]
) -> dict[PartitionId, int]:
    """Partitions that passed the contract with production as it was, but do not any more."""
    accepted = [f.product.materialization for f in group if f.product.accepted is not None]
    live = queries.all_live_schemas(connection, {made.asset for made in accepted})
    unfitting: dict[PartitionId, int] = {}
    for made in accepted:
        asset = made.asset
        if breaks_contract(live.get(asset), made.schema, mill.assets[asset].gate):
            unfitting[asset, made.partition] = queries.last_promoter(connection, asset)
    return unfitting


def _change(
    mill: Mill,
    group: Group,
    run: Run,
    declarations: Declarations | None,
    entering: Sequence[Placed],
    refused: Mapping[PartitionId, int],
) -> Change:
    return Change(
        run=run,
        command=run.command,
        committed_at=mill.clock(),
        materializations=(
            *group.observed,
            *(replace(f.product.materialization, location="nowhere") for f in group.withheld),
            *(each.made for each in entering),
        ),
        judged=(
            *group.rejudged,
            *(finished.judged for finished in group.withheld),
            *(each.finished.judged for each in entering),
        ),
        promotions=(
            *(promotion(made, "observe", run, None) for made in group.observed),
            *(
                _entry(each.finished, each.made, run)
                for each in entering
                if each.made.location == "versions" or each.finished.product.withdraws
            ),
        ),
        quarantined=tuple(each.entry for each in entering if each.entry is not None),
        steps=tuple(
            replace(s, outcome="refused", blocked_by=f"run {refused[s.asset, s.partition]}")
            if (s.asset, s.partition) in refused
            else s
            for s in group.steps
        ),
        attempts=tuple(group.attempts),
        declarations=declarations,
    )


def _swapping(
    connection: duckdb.DuckDBPyConnection,
    mill: Mill,
    change: Change,
    leaving: Mapping[PartitionId, int],
) -> Change:
    """The change in which an old partitioning leaves with all that belongs to it."""
    entering = {(p.asset, p.partition) for p in change.promotions}
    return replace(
        change,
        promotions=(*withdrawals(leaving, entering, change.run, mill), *change.promotions),
        decisions=closings(connection, mill.swapped, change.run, mill),
    )


def _entry(finished: Finished, made: Materialization, run: Run) -> Promotion:
    """A version entering production, or a partition leaving it because its gate refuses it."""
    verdict = finished.judged.judgement.verdict
    enforced = f"enforced: {judgement_message(finished.judged.judgement)}"
    entry = promotion(
        made,
        "split" if verdict == "split" else "promote",
        run,
        finished.judged.id,
        enforced if made.kind == "enforced" else None,
    )
    if finished.product.withdraws:
        entry = replace(entry, kind="withdraw", materialization=None)
    return entry


def promotion(
    made: Materialization,
    kind: PromotionKind,
    run: Run,
    judgement: int | None,
    reason: str | None = None,
) -> Promotion:
    """A version's entry into production, by the run that made it."""
    return Promotion(
        made.asset,
        made.partition,
        kind,
        made.id,
        made.created_at,
        run.id,
        run.actor,
        reason,
        judgement,
    )


def rebuild_views(
    connection: duckdb.DuckDBPyConnection,
    mill: Mill,
    assets: Iterable[str],
    swapped: Collection[str] = frozenset(),
) -> None:
    """Make `production.<asset>` and `quarantine.<asset>` say what the tables say.

    Of `swapped` assets the tables still say what was made by the old partitioning.
    """
    declared = {name: asset for name, asset in mill.assets.items() if name not in swapped}
    names, layout = sorted(assets), mill.layout
    known = recorded_columns(connection, names)
    live = queries.all_live_versions(connection, names)
    refused = queries.all_quarantine_files(connection, names)
    for name in names:
        partitions = partitions_of(name, declared, connection)
        own = known.get(name)
        statements = [
            *views.production_view(
                name, partitions, live[name], layout.versions, own, root=mill.root
            ),
            *views.quarantine_view(
                name, partitions, refused[name], layout.quarantine, own, root=mill.root
            ),
        ]
        for statement in statements:
            connection.execute(statement)
