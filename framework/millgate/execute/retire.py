"""Retiring: an asset whose declaration is gone leaves production; what is remembered stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from millgate.errors import Conflict, UnknownAsset, UsageError, did_you_mean
from millgate.execute.committing import committing
from millgate.execute.decide import check_reason, decided_run
from millgate.execute.declarations import declarations
from millgate.execute.mill import Mill
from millgate.execute.partitioning import partitions_of
from millgate.execute.running import claim, open_run
from millgate.lineage import history, queries, recorder
from millgate.lineage.refusals import quarantine_list
from millgate.model.record import Change, Decision, Promotion, Run
from millgate.store import views
from millgate.store.warehouse import Links

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Retirement:
    """What retiring an asset takes away: the live version of each partition, and what waits."""

    asset: str
    live: Mapping[str, int]
    waiting: Mapping[str, int]
    """The versions of which something waits in quarantine, by partition."""


def propose_retirement(mill: Mill, asset: str) -> Retirement:
    """What would leave production; UsageError for what is declared or has nothing there."""
    if asset in mill.graph:
        raise UsageError(
            f"{asset} is declared",
            where=mill.graph[asset].defined_in or f"retire {asset}",
            fix="remove the declaration first; to go back to earlier versions: millgate rollback",
        )
    with mill.reading() as connection:
        found = _retirement(connection, asset)
        others = sorted(set(history.existing_assets(connection)) - set(mill.graph.order))
    if not found.live and not found.waiting:
        raise UnknownAsset(
            f'no asset "{asset}" that was removed has anything in production',
            where=f"retire {asset}",
            fix=did_you_mean(asset, others, f"those that do: {', '.join(others) or 'none'}"),
        )
    return found


def retire(mill: Mill, retirement: Retirement, reason: str) -> int:
    """Take a removed asset out of production, and return the snapshot that shows it.

    Its versions stay, and so does all that is remembered of it. Raises Conflict, having done
    nothing, if another run works on it or changed it since the retirement was proposed.
    """
    check_reason(reason, "retire")
    asset = retirement.asset
    with open_run(mill, "retire", asset) as opened:
        claim(opened, [(asset, key) for key in {*retirement.live, *retirement.waiting}])
        with committing(mill) as commit:
            if _retirement(commit.connection, asset) != retirement:
                raise Conflict(
                    f"{asset} was changed a moment ago",
                    where=f"retire {asset}",
                    fix="look again: millgate status; nothing was changed",
                )
            links = _links(mill, commit.connection, retirement)
            change = _change(mill, retirement, decided_run(mill, opened, reason), reason)
            recorder.record(commit.connection, change, commit.snapshot)
            for statement in views.dropped_views(asset):
                commit.connection.execute(statement)
            return commit.publish(links)


def _retirement(connection: duckdb.DuckDBPyConnection, asset: str) -> Retirement:
    then = history.live_then(connection, [asset])
    return Retirement(
        asset,
        {key: version for (_, key), version in then.items() if version is not None},
        {entry.partition: entry.materialization for entry in quarantine_list(connection, [asset])},
    )


def _links(mill: Mill, connection: duckdb.DuckDBPyConnection, retirement: Retirement) -> Links:
    """The links to remove; a source has none."""
    served = [version.partition for version in queries.live_versions(connection, retirement.asset)]
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
