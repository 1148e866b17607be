"""Retiring: what the declarations no longer have leaves production; it stays on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from millgate.errors import Conflict, UnknownAsset, UsageError, did_you_mean
from millgate.execute.archiving import record
from millgate.execute.committing import committing, rebuild_views
from millgate.execute.decide import check_reason, decided_run
from millgate.execute.declarations import declarations
from millgate.execute.mill import Mill
from millgate.execute.partitioning import partitions_of
from millgate.execute.proposal import listed_keys
from millgate.execute.running import claim, open_run
from millgate.lineage import history, queries
from millgate.lineage.refusals import quarantine_list
from millgate.model.dimension import Horizon
from millgate.model.record import Change, Decision, Promotion, Run
from millgate.store import views
from millgate.store.links import Links

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Retirement:
    """What retiring takes away: live versions by partition, and what waits of them.

    Where the asset is still declared these are partitions outside its definition.
    """

    asset: str
    key: str
    """The one partition that is meant; empty for all."""
    live: Mapping[str, int]
    waiting: Mapping[str, int]
    """The versions of which something waits in quarantine, by partition."""


def propose_retirement(mill: Mill, target: str) -> Retirement:
    """What would leave production: a removed asset, or the partitions outside a definition.

    `target` is ASSET, or ASSET@KEY for one partition. UsageError for what is still declared,
    UnknownAsset for what has nothing in production.
    """
    asset, _, key = target.partition("@")
    with mill.reading() as connection:
        found = _retirement(mill, connection, asset, key)
        if asset in mill.graph and not found.live:
            raise UsageError(
                f"{target} is declared",
                where=mill.graph[asset].defined_in or f"retire {target}",
                fix="remove it from the declaration first; to go back to earlier versions: "
                "millgate rollback",
            )
        others = sorted(set(history.existing_assets(connection)) - set(mill.graph.order))
    if not found.live and not found.waiting:
        raise UnknownAsset(
            f'no asset "{target}" that was removed has anything in production',
            where=f"retire {target}",
            fix=did_you_mean(asset, others, f"those that do: {', '.join(others) or 'none'}"),
        )
    return found


def retire(mill: Mill, retirement: Retirement, reason: str) -> int:
    """Take it out of production, and return the snapshot that shows it.

    Its versions stay, and so does all that is remembered of it. Raises Conflict, having done
    nothing, if another run works on it or changed it since the retirement was proposed.
    """
    check_reason(reason, "retire")
    asset = retirement.asset
    with open_run(mill, "retire", asset) as opened:
        claim(opened, [(asset, key) for key in {*retirement.live, *retirement.waiting}])
        with committing(mill) as commit:
            if _retirement(mill, commit.connection, asset, retirement.key) != retirement:
                raise Conflict(
                    f"{asset} was changed a moment ago",
                    where=f"retire {asset}",
                    fix="look again: millgate status; nothing was changed",
                )
            links = _links(mill, commit.connection, retirement)
            change = _change(mill, retirement, decided_run(mill, opened, reason), reason)
            record(commit, mill, change)
            if asset in mill.assets or queries.live_versions(commit.connection, asset):
                rebuild_views(commit.connection, mill, [asset])
            else:
                for statement in views.dropped_views(asset):
                    commit.connection.execute(statement)
            return commit.publish(links)


def _retirement(
    mill: Mill, connection: duckdb.DuckDBPyConnection, asset: str, key: str
) -> Retirement:
    then = history.live_then(connection, [asset])
    live = {k: version for (_, k), version in then.items() if version is not None}
    waiting = {e.partition: e.materialization for e in quarantine_list(connection, [asset])}
    leaving = {*live, *waiting}
    if asset in mill.graph:
        horizon = Horizon(mill.clock(), listed_keys(mill, [asset], connection))
        leaving = set(mill.graph[asset].partitions.outside(live, horizon))
        waiting = {k: version for k, version in waiting.items() if k in live}

    def leaves(found: Mapping[str, int]) -> dict[str, int]:
        return {k: v for k, v in found.items() if k in leaving and key in ("", k)}

    return Retirement(asset, key, leaves(live), leaves(waiting))


def _links(mill: Mill, connection: duckdb.DuckDBPyConnection, retirement: Retirement) -> Links:
    """The links to remove; a source has none."""
    versions = queries.live_versions(connection, retirement.asset)
    served = [version.partition for version in versions if version.partition in retirement.live]
    if not served or not history.is_asset(connection, retirement.asset):
        return Links()
    partitions = partitions_of(retirement.asset, mill.assets, connection)
    return Links(remove=[partitions.partition(retirement.asset, key) for key in served])


def _change(mill: Mill, retirement: Retirement, run: Run, reason: str) -> Change:
    now = mill.clock()
    return Change(
        run,
        run.command,
        now,
        promotions=tuple(
            Promotion(retirement.asset, key, "withdraw", None, now, run.id, run.actor, reason)
            for key in retirement.live
        ),
        decisions=tuple(
            Decision(version, "discarded", now, run.actor, reason)
            for version in retirement.waiting.values()
        ),
        declarations=declarations(mill),
    )
