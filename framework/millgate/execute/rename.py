"""Renaming: what is remembered of an asset moves to the name that it has in the code now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from millgate.errors import Conflict, UnknownAsset, UsageError, did_you_mean
from millgate.execute.archiving import record
from millgate.execute.committing import committing, rebuild_views
from millgate.execute.decide import decided_run
from millgate.execute.declarations import declarations
from millgate.execute.mill import Mill
from millgate.execute.partitioning import difference
from millgate.execute.proposal import listed_keys
from millgate.execute.running import claim, open_run, told_holder
from millgate.lineage import history, queries, renames
from millgate.lineage.queries import Partitioned
from millgate.lineage.refusals import quarantine_list
from millgate.model.dimension import Horizon
from millgate.model.record import Change, InputVersion, Renaming
from millgate.plan.demand import reads_of
from millgate.plan.fingerprint import code_fingerprint, input_fingerprint
from millgate.plan.needs import Needs, Read
from millgate.store import views
from millgate.store.links import Links
from millgate.store.locks import OpenRun

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Rename:
    """What would move to another name: live and refused versions by partition, and all versions."""

    old: str
    new: str
    live: Mapping[str, int]
    waiting: Mapping[str, int]
    versions: int


def propose_rename(mill: Mill, old: str, new: str) -> Rename:
    """What would move; changes nothing.

    UnknownAsset or UsageError where `old` has no history or is declared, or `new` is not, has a
    history of its own or is another kind of thing.
    """
    if old in mill.graph:
        raise UsageError(
            f"{old} is still declared",
            where=mill.graph[old].defined_in or f"rename {old} {new}",
            fix=f"call it {new} there first, then: millgate rename {old} {new}",
        )
    if new not in mill.graph:
        raise UnknownAsset(
            f'no asset "{new}" is declared',
            where=f"rename {old} {new}",
            fix=did_you_mean(new, mill.graph.order, f"declare {new} as {old} was, then rename"),
        )
    with mill.reading() as connection:
        _check(mill, connection, old, new)
        return _found(connection, old, new)


def rename(mill: Mill, proposed: Rename) -> int:
    """Move the history of an asset to its new name, and return the snapshot that shows it.

    Nothing is made again for the name alone. Raises Conflict, having done nothing, if another
    run works on either or changed it since this was proposed.
    """
    old, new = proposed.old, proposed.new
    with open_run(mill, "rename", f"{old} {new}") as opened:
        keys = {*proposed.live, *proposed.waiting}
        claim(opened, [(name, key) for name in (old, new) for key in keys])
        _check_idle(opened, old, new)
        with committing(mill) as commit:
            connection = commit.connection
            _check(mill, connection, old, new)
            if _found(connection, old, new) != proposed:
                raise Conflict(
                    f"{old} was changed a moment ago",
                    where=f"rename {old} {new}",
                    fix="look again: millgate status; nothing was changed",
                )
            links = _links(mill, connection, old, new)
            run = decided_run(mill, opened, f"{old} is called {new} from here on")
            change = Change(
                run,
                run.command,
                mill.clock(),
                declarations=declarations(mill),
                renaming=_renaming(mill, connection, old, new),
            )
            record(commit, mill, change)
            for statement in views.dropped_views(old):
                commit.connection.execute(statement)
            if new in mill.assets:
                rebuild_views(commit.connection, mill, [new])
            return commit.publish(links)


def probably_renamed(mill: Mill, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Undeclared assets with something live, each with the new one that has just its code."""
    on_record = renames.undeclared(connection, list(mill.graph.order))
    gone = [one for one in on_record if one.live and one.kind == "asset"]
    unmade = (
        [name for name in mill.assets if not renames.versions_of(connection, name)] if gone else []
    )
    found = []
    for one in gone:
        alike = [
            name
            for name in unmade
            if one.code_fingerprint
            in (mill.code[name], code_fingerprint(mill.assets[name], mill.root, {name: one.asset}))
            and difference(_made(connection, one.asset), mill.assets[name].partitions) is None
        ]
        if len(alike) == 1:
            found.append((one.asset, alike[0]))
    targets = [new for _, new in found]
    return [(old, new) for old, new in found if targets.count(new) == 1]


def _check(mill: Mill, connection: duckdb.DuckDBPyConnection, old: str, new: str) -> None:
    """Raise UsageError or UnknownAsset where what is on record does not fit the declaration."""
    where = f"rename {old} {new}"
    declared = mill.graph[new]
    kind = renames.kind_of(connection, old)
    if kind is None or not renames.versions_of(connection, old):
        others = [u.asset for u in renames.undeclared(connection, list(mill.graph.order))]
        raise UnknownAsset(
            f'nothing is on record of an asset "{old}"',
            where=where,
            fix=did_you_mean(old, others, f"those no longer declared: {_listed(others)}"),
        )
    if renames.versions_of(connection, new):
        raise UsageError(
            f"{new} has a history of its own",
            where=where,
            fix=f"give the asset a name that was never used, or let {old} go: "
            f"millgate retire {old}",
        )
    if kind != declared.kind:
        raise UsageError(
            f"{old} was {_a(kind)} and {new} is {_a(declared.kind)}",
            where=declared.defined_in,
            fix=f"declare {new} as {old} was, then rename",
        )
    differs = difference(_made(connection, old), declared.partitions)
    if differs is not None:
        raise UsageError(
            f"{new} is partitioned {differs.declared}, and {old} was {differs.made}",
            where=declared.defined_in,
            fix=f"give {new} the partitioning that {old} had; change it after the rename",
        )


def _made(connection: duckdb.DuckDBPyConnection, name: str) -> Partitioned:
    found = queries.partitionings(connection).get(name)
    return found or Partitioned(queries.partitioning(connection, name), "", None, None)


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _check_idle(opened: OpenRun, *assets: str) -> None:
    """Raise Conflict if another living run has claimed any partition of the assets."""
    for info in opened.others():
        busy = next((name for name in assets if info.claims.get(name)), None)
        if busy is not None:
            raise Conflict(
                f"run {info.run} is working on {busy}",
                where=told_holder(info),
                fix="rename when it is done (millgate runs shows it); nothing was changed",
            )


def _found(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> Rename:
    then = history.live_then(connection, [old])
    return Rename(
        old,
        new,
        {key: version for (_, key), version in then.items() if version is not None},
        {entry.partition: entry.materialization for entry in quarantine_list(connection, [old])},
        renames.versions_of(connection, old),
    )


def _links(mill: Mill, connection: duckdb.DuckDBPyConnection, old: str, new: str) -> Links:
    """The links under the new name in the place of those under the old one; a source has none."""
    if new not in mill.assets:
        return Links()
    partitions = mill.graph[new].partitions
    live = {version.partition: version.path for version in queries.live_versions(connection, old)}
    return Links(
        add={partitions.partition(new, key): path for key, path in live.items()},
        remove=[partitions.partition(old, key) for key in live],
    )


def _renaming(mill: Mill, connection: duckdb.DuckDBPyConnection, old: str, new: str) -> Renaming:
    """The renaming with the fingerprints that name it, as they would be under the new name.

    Only what can be worked out again from the old name follows: all else has changed in more
    than the name. Several renamed at once in the code are told one by one, so that what was
    renamed earlier may still stand under its old name too.
    """
    horizon = Horizon(mill.clock(), listed_keys(mill, mill.graph.order, connection))
    needs = Needs(horizon)
    before = [{new: old}, renames.former_names(connection) | {new: old}]
    code: list[tuple[str, str, str]] = []
    inputs: dict[int, str] = {}
    for name, asset in mill.assets.items():
        if name != new and all(given.upstream != new for given in asset.inputs):
            continue
        after = mill.code[name]
        told = {code_fingerprint(asset, mill.root, called) for called in before} - {after}
        code += [(name, one, after) for one in sorted(told)]
        versions = renames.made_of(connection, old if name == new else name)
        made_from = queries.inputs_of(connection, [v.materialization for v in versions])
        reads, defined = reads_of(mill.graph, asset, needs), needs.defined(asset.partitions)
        for version in versions:
            if version.partition in defined:
                given = made_from[version.materialization]
                read = list(_read(reads, version.partition, given, before[0]))
                if version.input_fingerprint in _fingerprints(read, before):
                    inputs[version.materialization] = input_fingerprint(read)
    return Renaming(old, new, tuple(code), inputs)


def _fingerprints(
    read: list[tuple[str, str, str, str]], before: list[dict[str, str]]
) -> Iterator[str]:
    """What the input fingerprint may have been under earlier names, of parameters too or not."""
    for called in before:
        for parameters in (called, {}):
            yield input_fingerprint(
                (parameters.get(parameter, parameter), called.get(of, of), key, data_hash)
                for parameter, of, key, data_hash in read
            )


def _read(
    reads: list[Read], key: str, inputs: tuple[InputVersion, ...], before: Mapping[str, str]
) -> Iterator[tuple[str, str, str, str]]:
    """What a version was made from, as its parameters read it now."""
    known = {(v.asset, v.partition): v.data_hash for v in inputs if not v.pinned}
    for read in reads:
        recorded = before.get(read.upstream, read.upstream)
        for needed in () if read.pinned else read.table[key]:
            if (recorded, needed) in known:
                yield read.parameter, read.upstream, needed, known[recorded, needed]
