"""Going back to earlier versions: what would change, and changing it in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from millgate.errors import Conflict, StoreError, UsageError
from millgate.execute.archiving import record
from millgate.execute.committing import committing, rebuild_views
from millgate.execute.decide import check_reason, decided_run
from millgate.execute.mill import Mill
from millgate.execute.partitioning import was_made_otherwise
from millgate.execute.proposal import listed_keys
from millgate.execute.running import claim, open_run
from millgate.lineage import history, queries
from millgate.lineage.history import Entered
from millgate.model.dimension import Horizon
from millgate.model.going_back import Destination, Move, Rollback
from millgate.model.partition import label
from millgate.model.record import Change, Promotion, Run, show_id
from millgate.plan.keyrange import Target, keys_of_each
from millgate.plan.retreat import in_order, made_from, touched
from millgate.plan.selection import select
from millgate.store.commit import Commit
from millgate.store.links import Links

if TYPE_CHECKING:
    import duckdb

PartitionId = tuple[str, str]
_SHOWN = 3


def propose_rollback(
    mill: Mill, target: str, destination: Destination, *, downstream: bool
) -> Rollback:
    """What going back would change; changes nothing.

    Sources stay as they are observed. Raises UsageError where nothing can go back, StoreError
    where the file of a version that would come back is gone.
    """
    with mill.reading() as connection:
        now = _selected(mill, connection, target)
        found = _explicit(connection, target, destination, now)
        moves = [
            Move(*id_, now[id_], version) for id_, version in found.items() if now[id_] != version
        ]
        stale: list[PartitionId] = []
        if moves:
            follow = _Followers(mill, connection, destination, moves, downstream)
            moves += follow.moves
            stale = follow.stale
        _check_partitioned_alike(mill, connection, moves)
        _check_files(mill, history.entered(connection, _returning(moves)), moves)
    return Rollback(target, destination, in_order(moves, mill.graph.order), tuple(stale))


def roll_back(mill: Mill, rollback: Rollback, reason: str) -> int:
    """Let earlier versions back into production, and return the snapshot that shows them.

    Raises Conflict, having done nothing, if another run works on one of the partitions or changed
    one since the rollback was proposed.
    """
    check_reason(reason, "rollback")
    with open_run(mill, "rollback", rollback.target) as opened:
        claim(opened, [move.id for move in rollback.moves])
        with committing(mill) as commit:
            _check_unchanged(commit, rollback)
            returning = history.entered(commit.connection, _returning(rollback.moves))
            _check_files(mill, returning, rollback.moves)
            run = decided_run(mill, opened, reason)
            change = _change(mill, commit, rollback, returning, run, reason)
            record(commit, mill, change)
            rebuild_views(commit.connection, mill, {move.asset for move in rollback.moves})
            return commit.publish(_links(mill, rollback, returning))


def destination_snapshot(connection: duckdb.DuckDBPyConnection, destination: Destination) -> int:
    """The snapshot that a moment or `snapshot:N` means; UsageError where there was none."""
    if destination.moment is None:
        if history.committed_at(connection, destination.number) is None:
            raise UsageError(
                f"there is no snapshot {destination.number}",
                where=destination.text,
                fix="all of them: millgate sql 'FROM lineage.snapshots'",
            )
        return destination.number
    found = history.snapshot_at(connection, destination.moment)
    if found is None:
        number, moment = history.first_snapshot(connection)
        raise UsageError(
            f"nothing was in production at {destination.text}",
            where=f"the first commit was made at {moment.astimezone(destination.moment.tzinfo)}",
            fix=f"name a later time, or snapshot:{number}",
        )
    return found


def _selected(
    mill: Mill, connection: duckdb.DuckDBPyConnection, target: str
) -> dict[PartitionId, int | None]:
    """What is live now of the partitions that a target names and that ever were."""
    wanted = Target.parse(target)
    names = [n for n in select(wanted.selection, mill.graph, target=target) if n in mill.assets]
    found = history.live_then(connection, names)
    if wanted.key_range is not None:
        horizon = Horizon(mill.clock(), listed_keys(mill, names, connection))
        partitions = {name: mill.assets[name].partitions for name in names}
        keys = {
            name: frozenset(given)
            for name, given in keys_of_each(wanted.key_range, partitions, horizon).items()
        }
        found = {(name, key): v for (name, key), v in found.items() if key in keys[name]}
    if not found:
        raise UsageError(
            f"nothing of {target or 'any asset'} was ever in production",
            where=f"rollback {target}".rstrip(),
            fix="what is there: millgate status",
        )
    return found


def _explicit(
    connection: duckdb.DuckDBPyConnection,
    target: str,
    destination: Destination,
    now: Mapping[PartitionId, int | None],
) -> dict[PartitionId, int | None]:
    """What each selected partition goes back to."""
    names = {name for name, _ in now}
    match destination.kind:
        case "version":
            return _version(connection, target, destination, now)
        case "previous":
            before = history.live_before(connection, names)
            found = {id_: before[id_] for id_ in now if before[id_] is not None}
            if not found:
                raise UsageError(
                    f"nothing of {target or 'any asset'} has an earlier version",
                    where="rollback --to previous",
                    fix=f"millgate why {label(*next(iter(now)))} lists the versions of a partition",
                )
            return found
    snapshot = destination_snapshot(connection, destination)
    then = history.live_then(connection, names, snapshot)
    return {id_: then.get(id_) for id_ in now}


def _version(
    connection: duckdb.DuckDBPyConnection,
    target: str,
    destination: Destination,
    now: Mapping[PartitionId, int | None],
) -> dict[PartitionId, int | None]:
    """The one partition that a version is of: it must be what was selected."""
    text, number = destination.text, destination.number
    recorded = queries.materialization(connection, number)
    if recorded is None:
        raise UsageError(
            f"no version {text}",
            where=f"rollback --to {text}",
            fix="millgate why ASSET@KEY lists the versions of a partition",
        )
    of = label(recorded.asset, recorded.partition)
    if number not in history.entered(connection, [number]):
        raise UsageError(
            f"version {text} of {of} was never in production",
            where=f"rollback --to {text}",
            fix=f"what waits in quarantine enters by: millgate quarantine release {of}",
        )
    if list(now) != [(recorded.asset, recorded.partition)]:
        raise UsageError(
            f"{text} is a version of {of}, and {target or 'everything'} is what would go back",
            where=f"rollback --to {text}",
            fix=f"millgate rollback {of} --to {text}",
        )
    return {(recorded.asset, recorded.partition): number}


class _Followers:
    """The partitions downstream of what goes back: those that follow, and those that stay stale."""

    def __init__(
        self,
        mill: Mill,
        connection: duckdb.DuckDBPyConnection,
        destination: Destination,
        moves: Iterable[Move],
        wanted: bool,
    ) -> None:
        self.moves: list[Move] = []
        self.stale: list[PartitionId] = []
        self._mill = mill
        self._connection = connection
        self._wanted = wanted
        self._back: dict[PartitionId, str | None] = {}
        self._snapshot: int | None = None
        if destination.kind in ("moment", "snapshot"):
            self._snapshot = destination_snapshot(connection, destination)
        self._go_back(moves)
        names = {asset for asset, _ in self._back}
        reached = {*names, *mill.graph.downstream(*names)}
        for name in mill.graph.order:
            if name in reached:
                self._follow(name)

    def _go_back(self, moves: Iterable[Move]) -> None:
        given = list(moves)
        found = history.entered(self._connection, _returning(given))
        for move in given:
            self._back[move.id] = found[move.returns].data_hash if move.returns else None

    def _follow(self, name: str) -> None:
        """Let the touched partitions of an asset follow, until none is touched by another."""
        live = {
            id_: version
            for id_, version in history.live_then(self._connection, [name]).items()
            if version is not None
        }
        inputs = queries.inputs_of(self._connection, live.values())
        stale: set[PartitionId] = set()
        while found := [id_ for id_ in touched(live, inputs, self._back) if id_ not in stale]:
            moves = self._moves(name, {id_: live[id_] for id_ in found}) if self._wanted else []
            stale |= set(found) - {move.id for move in moves}
            self._go_back(moves)
            self.moves += moves
        self.stale += sorted(stale)

    def _moves(self, name: str, live: Mapping[PartitionId, int]) -> list[Move]:
        if self._snapshot is not None:
            then = history.live_then(self._connection, [name], self._snapshot)
            found = [Move(*id_, version, then.get(id_), True) for id_, version in live.items()]
            return [move for move in found if move.leaves != move.returns]
        versions = history.entered_of(self._connection, name, [key for _, key in live])
        usable = [v for v in reversed(versions.values()) if _is_there(self._mill, v)]
        inputs = queries.inputs_of(self._connection, versions)
        moves = []
        for (_, key), version in live.items():
            candidates = (v for v in usable if v.partition == key)
            back = made_from(version, candidates, inputs, self._back)
            if back is not None:
                moves.append(Move(name, key, version, back.materialization, True))
        return moves


def _returning(moves: Iterable[Move]) -> list[int]:
    return [move.returns for move in moves if move.returns is not None]


def _is_there(mill: Mill, version: Entered) -> bool:
    return not version.removed and (mill.layout.versions / version.path).is_file()


def _check_partitioned_alike(
    mill: Mill, connection: duckdb.DuckDBPyConnection, moves: Iterable[Move]
) -> None:
    """Raise UsageError if a version was made under another partitioning than the declared one."""
    for move in moves:
        if move.returns is None:
            continue
        version = queries.materialization(connection, move.returns)
        assert version is not None
        if was_made_otherwise(version, mill.assets[move.asset].partitions):
            raise UsageError(
                f"{move} was partitioned otherwise when version {show_id(version.id)} was made",
                where=f"rollback {move.asset}",
                fix="go back to a later state, or declare the old partitioning again and make it "
                "with --repartition; nothing was changed",
            )


def _check_files(mill: Mill, returning: Mapping[int, Entered], moves: Iterable[Move]) -> None:
    gone = [
        f"{show_id(move.returns)} of {move}"
        for move in moves
        if move.returns is not None and not _is_there(mill, returning[move.returns])
    ]
    if gone:
        more = f" and {len(gone) - _SHOWN:,} more" if len(gone) > _SHOWN else ""
        raise StoreError(
            f"the file of version {', '.join(gone[:_SHOWN])}{more} is gone",
            where=str(mill.layout.versions),
            fix="go back to another version (millgate why ASSET@KEY lists them); "
            "nothing was changed",
        )


def _check_unchanged(commit: Commit, rollback: Rollback) -> None:
    overtaken = queries.conflicts(commit.connection, {m.id: m.leaves for m in rollback.moves})
    if overtaken:
        first = overtaken[0]
        raise Conflict(
            f"run {first.run} changed {label(first.asset, first.partition)} a moment ago",
            where=f"rollback {rollback.target}".rstrip(),
            fix=f"millgate why {label(first.asset, first.partition)}; nothing was changed",
        )


def _change(
    mill: Mill,
    commit: Commit,
    rollback: Rollback,
    returning: Mapping[int, Entered],
    run: Run,
    reason: str,
) -> Change:
    now = mill.clock()
    closed = history.closed_rows(commit.connection, list(returning))
    return Change(
        run,
        run.command,
        now,
        promotions=tuple(
            Promotion(
                move.asset,
                move.partition,
                "rollback",
                move.returns,
                now,
                run.id,
                run.actor,
                reason,
                None if move.returns is None else returning[move.returns].judgement,
            )
            for move in rollback.moves
        ),
        reopened=tuple(
            version for version, path in closed if (mill.layout.quarantine / path).is_file()
        ),
    )


def _links(mill: Mill, rollback: Rollback, returning: Mapping[int, Entered]) -> Links:
    partitions = {m.id: mill.assets[m.asset].partition(m.partition) for m in rollback.moves}
    return Links(
        add={
            partitions[m.id]: returning[m.returns].path
            for m in rollback.moves
            if m.returns is not None
        },
        remove=[partitions[m.id] for m in rollback.moves if m.returns is None],
    )
