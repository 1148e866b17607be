"""What a plan is made from: what is live and held and, of most of it, that nothing has changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from millgate.execute.mill import Mill
from millgate.execute.sources import Observation
from millgate.lineage import history
from millgate.lineage.live_state import Expected, doubtful_keys, live_keys, read_held, read_live
from millgate.lineage.refusals import failing_rules
from millgate.model.asset import Asset
from millgate.model.state import Live, State
from millgate.plan.narrowing import Fetch, Wanted

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Outset:
    """The state at the outset; `fetch` brings more of what is live into it, where there is more."""

    state: State
    fetch: Fetch | None = None


def outset(
    mill: Mill,
    involved: Collection[str],
    observations: Mapping[str, Mapping[str, Observation]],
    connection: duckdb.DuckDBPyConnection | None,
    *,
    enforces: bool,
) -> Outset:
    """What is known of the assets and sources that a plan is about, and of all they are made from.

    The connection is None where nothing was ever made. What the gate refuses of what is live is
    looked up for a run that `enforces`.
    """
    observed = {
        name: {key: o.observed for key, o in by_key.items()}
        for name, by_key in observations.items()
    }
    if connection is None:
        return Outset(State(observed=observed))
    there = [name for name in involved if name not in mill.swapped]
    keys = live_keys(connection, there)
    live: dict[str, dict[str, Live]] = {name: {} for name in keys}
    live |= read_live(connection, list(observations))

    def fetch(wanted: Wanted) -> None:
        assets = wanted.keys() & live.keys() - observations.keys()
        whole = [name for name in assets if wanted[name] is None]
        some = [(name, key) for name in assets for key in wanted[name] or () if key in keys[name]]
        if whole or some:
            for name, by_key in read_live(connection, whole, some).items():
                live[name].update(by_key)

    state = State(
        live=live,
        held=read_held(connection, there),
        observed=observed,
        left=history.left_versions(connection, there),
        refused=failing_rules(connection, involved) if enforces else {},
        keys=keys,
        # What is read from a partitioning that leaves is not there, whatever is on record.
        doubtful={} if mill.swapped else doubtful_keys(connection, _expected(mill, there)),
        leaving={name: read_live(connection, [name]).get(name, {}) for name in mill.swapped},
    )
    return Outset(state, fetch)


def _expected(mill: Mill, names: Collection[str]) -> Iterator[Expected]:
    """What the record says of an asset that is as it would be made now.

    None of one that the clock makes stale, or whose gate looks at more than its own rows.
    """
    for name in names:
        asset = mill.graph[name]
        if isinstance(asset, Asset) and asset.refresh is None and not asset.beside:
            needs = mill.needs[name]
            if needs:
                yield Expected(name, mill.code[name], mill.gates[name].fingerprint, needs)
