"""Running a user's function or query on the inputs of one step."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from millgate.errors import BadQuery, BadResult, DeclarationError, MissingSetting
from millgate.execute.order import Batch, ResolvedInput
from millgate.execute.turns import share_of
from millgate.model.asset import Asset, Form, Source
from millgate.store import reading, views

if TYPE_CHECKING:
    import duckdb

    from millgate.execute.at_hand import AtHand

_local = threading.local()
_SCRATCH = "millgate_scratch"

_PARTS = 4
"""DuckDB takes one of so many parts of a limit: it keeps what it got, and polars judges beside."""


def thread_connection() -> duckdb.DuckDBPyConnection:
    """This thread's connection to DuckDB, which costs too much to be made for each step."""
    connection: duckdb.DuckDBPyConnection | None = getattr(_local, "connection", None)
    if connection is None:
        import duckdb

        connection = duckdb.connect(":memory:")
        connection.execute("SET TimeZone = 'UTC'")
        if (most := _data_limit()) is not None:
            connection.execute(f"SET memory_limit = '{most // _PARTS}B'")
        _local.connection = connection
        _local.granted = _local.used = _threads(connection)
    return connection


def use_processors() -> None:
    """Let this thread's connection, if there is one, use the processors that are its share."""
    connection = getattr(_local, "connection", None)
    if connection is None:
        return
    share = share_of(_local.granted)
    if share == _local.used:
        return
    import duckdb

    with suppress(duckdb.Error):  # the asset has left a result open: it keeps what it has
        connection.execute(f"SET threads = {share}")
        _local.used = share


def _threads(connection: duckdb.DuckDBPyConnection) -> int:
    """What DuckDB uses by itself: it knows what the system grants."""
    ((threads,),) = connection.execute("SELECT current_setting('threads')").fetchall()
    return int(threads)


def _data_limit() -> int | None:
    """The bytes of memory that the system lets this process ask for, if it sets a limit.

    DuckDB sees the memory of the machine and of a container, and not this.
    """
    limits = (resource.getrlimit(of)[0] for of in (resource.RLIMIT_DATA, resource.RLIMIT_AS))
    return min((most for most in limits if most != resource.RLIM_INFINITY), default=None)


def scratch() -> duckdb.DuckDBPyConnection:
    """The database where the queries of a step run and its relations live, empty at first."""
    connection = thread_connection()
    if not getattr(_local, "in_use", False):
        connection.execute(f"ATTACH ':memory:' AS {_SCRATCH}; USE {_SCRATCH}")
        _local.in_use = True
        connection.execute("CREATE SCHEMA production")
    return connection


def clear_scratch() -> None:
    """Drop this thread's scratch database, so that no step sees what an earlier one left."""
    import duckdb

    if getattr(_local, "in_use", False):
        _local.in_use = False
        try:
            _local.connection.execute(f"USE memory; DETACH {_SCRATCH}")
        except duckdb.Error:
            # Somebody still holds a result that is not read to its end, or a transaction is open.
            del _local.connection


def settings_of(asset: Asset) -> dict[str, str]:
    """The values of an asset's settings by parameter, as this process has them."""
    for parameter, env in asset.settings.items():
        if env.variable not in os.environ:
            raise MissingSetting(
                f"{asset.name} needs the environment variable {env.variable}",
                where=f"{asset.defined_in}, parameter {parameter}",
                fix=f"export {env.variable}=... where the steps run",
            )
    return {name: os.environ[env.variable] for name, env in asset.settings.items()}


def compute(batch: Batch) -> Any:
    """What the asset returns for the partitions: any of the result types a user may return."""
    asset = batch.asset
    if asset.query is not None:
        return _run_query(batch, asset.query.sql, asset.query.parameters)
    arguments: dict[str, Any] = {
        given.declared.parameter: _load(given, batch) for given in batch.inputs
    }
    if asset.partition_parameter is not None:
        many = asset.partitions.batched is not None
        arguments[asset.partition_parameter] = batch.partitions if many else batch.partitions[0]
    assert asset.function is not None
    result = asset.function(**arguments, **settings_of(asset))
    if not asset.returns_sql:
        return result
    if not isinstance(result, str):
        raise BadResult(
            f"{asset.name} is annotated -> str and returned {type(result).__name__}",
            where=asset.defined_in,
            fix="return the text of a SELECT over the parameters, or change the annotation",
        )
    return _run_query(batch, result, _checked(result, batch))


def _checked(sql: str, batch: Batch) -> tuple[str, ...]:
    """The parameters that a returned query names; it may read nothing but the inputs."""
    from millgate.declare.query import check_parameters, named_parameters, statement_reads

    named = named_parameters(sql)
    check_parameters(named, batch.asset.partitions, batch.asset.defined_in)
    known = {given.declared.parameter for given in batch.inputs}
    lowered = {name.lower() for name in known}
    strangers = sorted(statement_reads(sql, batch.asset.defined_in) - lowered)
    if strangers:
        raise BadQuery(
            f"the returned SQL reads {', '.join(strangers)}, which is no parameter",
            where=batch.asset.defined_in,
            fix=f"its parameters are {', '.join(sorted(known)) or 'none'}",
        )
    return named


def _run_query(batch: Batch, sql: str, named: tuple[str, ...]) -> Any:
    connection = scratch()
    for given in batch.inputs:
        relation = _load(given, batch, Form.RELATION)
        if relation is None:
            raise _unknown_columns(given, batch)
        name = views.quoted(given.declared.parameter)
        relation.create_view(given.declared.parameter, replace=True)
        connection.execute(f"CREATE OR REPLACE VIEW production.{name} AS FROM main.{name}")
    values = _parameters(batch)
    return connection.sql(sql, params={name: values[name] for name in named})


def _parameters(batch: Batch) -> Mapping[str, Any]:
    """The values of `$partition_key`, `$partition_start`, `$partition_end` and each dimension.

    Of a batch the start is that of the first partition and the end that of the last, and
    `$partition_keys` lists its keys along the dimension that it goes along.
    """
    first, last = batch.partitions[0], batch.partitions[-1]
    along = batch.asset.partitions.batched
    return {
        "partition_key": first.key,
        "partition_keys": [p[along.name] for p in batch.partitions] if along else [],
        "partition_start": _naive(first.start),
        "partition_end": _naive(last.end),
        **first.columns,
    }


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=None)


def _load(given: ResolvedInput, batch: Batch, form: Form | None = None) -> Any:
    """The input in the form that the parameter asks for."""
    form = form or given.declared.form
    if not given.versions and given.declared.optional:
        return None
    if not given.versions and given.schema is None and not isinstance(given.upstream, Source):
        raise _unknown_columns(given, batch)
    connect = scratch if form is Form.RELATION else thread_connection
    return loaded(given, form, connect, batch.at_hand)


def loaded(
    given: ResolvedInput, form: Form, connect: reading.Connect, at_hand: AtHand | None = None
) -> Any:
    """An input, of which some version or its columns are known, in that form."""
    upstream = given.upstream
    if isinstance(upstream, Source):
        files = [(path, v.partition) for v in given.versions for path in v.files]
        return reading.read_source(upstream, files, form, connect)
    assert given.schema is not None
    versions = [(v.files[0], v.partition, v.schema) for v in given.versions]
    frames = at_hand.all_of([path for path, _, _ in versions]) if at_hand else {}
    return reading.read_versions(versions, form, given.schema, upstream.partitions, connect, frames)


def _unknown_columns(given: ResolvedInput, batch: Batch) -> DeclarationError:
    parameter, name = given.declared.parameter, given.upstream.name
    return DeclarationError(
        f"{batch} needs no key of {name}, whose columns are not known yet",
        where=batch.asset.defined_in,
        fix=f"annotate it as {parameter}: pl.LazyFrame | None, or give {name} a gate with a schema",
    )
