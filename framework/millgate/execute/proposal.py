"""From a request to a plan: what the warehouse and the sources hold now, asked of the planner."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from millgate.errors import BadKey, MissingSetting, MissingSource
from millgate.execute.mill import Mill
from millgate.execute.outset import outset
from millgate.execute.sources import Observation, observe
from millgate.lineage import queries, run_records
from millgate.model.asset import Source
from millgate.model.dimension import Horizon, Keys
from millgate.model.partition import label
from millgate.model.record import InputVersion
from millgate.model.request import Request
from millgate.model.state import State
from millgate.model.step import Plan
from millgate.plan.keyrange import KeyRange, Target, keys_of_each
from millgate.plan.planner import make_plan
from millgate.plan.selection import select

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Proposal:
    """A plan, with the state it was made from and what the sources held."""

    plan: Plan
    state: State
    observations: Mapping[str, Mapping[str, Observation]]


def propose(mill: Mill, request: Request) -> Proposal:
    """The plan that answers a request now. Changes nothing."""
    target = Target.parse(request.target)
    selected = select(target.selection, mill.graph, target=target.text)
    key_range = _key_range(request, target)
    snapshot = mill.warehouse.current()
    with ExitStack() as stack:
        connection = stack.enter_context(mill.reading()) if snapshot is not None else None
        involved = _involved(mill, selected)
        horizon = Horizon(request.moment or mill.clock(), listed_keys(mill, involved, connection))
        if connection and not mill.seen_files:
            mill.seen_files.update(queries.source_files(connection))
        sources = [n for n in map(mill.graph.__getitem__, involved) if isinstance(n, Source)]
        observations = observe(sources, horizon, mill.root, mill.seen_files)
        known = outset(mill, involved, observations, connection, enforces=request.enforce)

        def inputs_of(ids: Collection[int]) -> Mapping[int, tuple[InputVersion, ...]]:
            return queries.inputs_of(connection, ids) if connection else {}

        def references_of(ids: Collection[int]) -> Mapping[int, tuple[InputVersion, ...]]:
            return queries.references_of(connection, ids) if connection else {}

        _check_defined(selected, key_range, known.state, mill, horizon)
        plan = make_plan(
            mill.graph,
            selected,
            key_range,
            known.state,
            horizon,
            code=mill.code,
            gates={name: gate.fingerprint for name, gate in mill.gates.items()},
            with_upstreams=request.with_upstreams,
            force=request.force,
            retry_held=request.retry_held,
            retry_rolled_back=request.retry_rolled_back,
            enforce=request.enforce,
            spared=_settled(request, connection),
            inputs_of=inputs_of,
            references_of=references_of,
            fetch=known.fetch,
            selection_text=request.target,
        )
    state = replace(known.state, left={}) if request.retry_rolled_back else known.state
    return Proposal(replace(plan, snapshot=snapshot), state, observations)


def _settled(
    request: Request, connection: duckdb.DuckDBPyConnection | None
) -> frozenset[tuple[str, str]]:
    """What the run that is resumed did already of what it was asked to do once more."""
    asked = request.force or request.retry_held or request.retry_rolled_back
    if request.resumes is None or connection is None or not asked:
        return frozenset()
    return run_records.settled(connection, request.resumes)


def _check_defined(
    selected: Collection[str],
    key_range: KeyRange | None,
    state: State,
    mill: Mill,
    horizon: Horizon,
) -> None:
    """Raise BadKey for one live key that no selected asset has in its definition any more."""
    if key_range is None:
        return
    key = key_range.literal_key or key_range.text
    outside = [
        name
        for name in selected
        if key in state.live_keys(name) and mill.graph[name].partitions.outside([key], horizon)
    ]
    elsewhere = any(key in mill.graph[name].partitions.keys(horizon) for name in selected)
    if outside and not elsewhere:
        raise BadKey(
            f"{label(outside[0], key)} is live, and no longer in the definition",
            where=mill.graph[outside[0]].defined_in,
            fix=f"take it back into the definition, or out of production: millgate retire "
            f"{label(outside[0], key)}",
        )


def check_sources(plan: Plan) -> None:
    """Raise MissingSource if nothing can be done because the files it is made from are missing."""
    causes = [step.cause for step in plan.steps]
    if causes and all(cause.kind == "missing source file" for cause in causes):
        first = causes[0]
        raise MissingSource(
            first.detail or f"{first.of} has no file",
            where=f"source {first.of}, which {plan.steps[0]} is made from",
            fix="put the file there, or correct the source; nothing was run",
        )


def check_settings(mill: Mill, plan: Plan) -> None:
    """Raise MissingSetting if an asset that would be made needs a variable that is not set."""
    for name in sorted({s.asset for s in plan.steps if s.action == "make"}):
        for parameter, env in mill.assets[name].settings.items():
            if env.variable not in os.environ:
                raise MissingSetting(
                    f"{name} needs the environment variable {env.variable}",
                    where=f"{mill.assets[name].defined_in}, parameter {parameter}",
                    fix=f"export {env.variable}=... and run again; nothing was run",
                )


def _key_range(request: Request, target: Target) -> KeyRange | None:
    if request.partition is not None:
        return KeyRange.literal(request.partition)
    if request.first is not None or request.last is not None:
        return KeyRange.parse(f"{request.first or ''}..{request.last or ''}")
    return target.key_range


def _involved(mill: Mill, selected: Collection[str]) -> list[str]:
    """The selected assets and all their upstreams, in topological order."""
    wanted = {*selected, *mill.graph.upstream(*selected)}
    return [name for name in mill.graph.order if name in wanted]


def keys_named(
    mill: Mill, connection: duckdb.DuckDBPyConnection, target: str
) -> dict[str, Collection[str] | None]:
    """The assets that a target names, in order, each with the keys of its range; None for all."""
    wanted = Target.parse(target)
    names = [n for n in select(wanted.selection, mill.graph, target=target) if n in mill.assets]
    if wanted.key_range is None:
        return dict.fromkeys(names)
    horizon = Horizon(mill.clock(), listed_keys(mill, names, connection))
    partitions = {name: mill.assets[name].partitions for name in names}
    return {**keys_of_each(wanted.key_range, partitions, horizon)}


def listed_keys(
    mill: Mill, names: Iterable[str], connection: duckdb.DuckDBPyConnection | None
) -> dict[str, list[str]]:
    """The live values of every column that a `Keys(of=...)` names."""
    columns = {
        dimension.of
        for name in names
        for dimension in mill.graph[name].partitions
        if isinstance(dimension, Keys) and dimension.of
    }
    if connection is None:
        return {}
    found = {column: queries.distinct_values(connection, column) for column in sorted(columns)}
    return {column: values for column, values in found.items() if values is not None}
