"""Running a user's function or query on the inputs of one step."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from millgate.declare.query import check_parameters, named_parameters, statement_reads
from millgate.errors import BadQuery, BadResult, DeclarationError, MissingSetting
from millgate.execute.order import Order, ResolvedInput
from millgate.model.asset import Asset, Form, Source
from millgate.model.partition import Partition
from millgate.store import reading, views

if TYPE_CHECKING:
    import duckdb

_local = threading.local()
_SCRATCH = "millgate_scratch"


def thread_connection() -> duckdb.DuckDBPyConnection:
    """This thread's connection to DuckDB, which costs too much to be made for each step."""
    connection: duckdb.DuckDBPyConnection | None = getattr(_local, "connection", None)
    if connection is None:
        import duckdb

        connection = duckdb.connect(":memory:")
        connection.execute("SET TimeZone = 'UTC'")
        _local.connection = connection
    return connection


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


def compute(order: Order) -> Any:
    """What the asset returns for the step: any of the result types a user may return."""
    asset = order.asset
    if asset.query is not None:
        return _run_query(order, asset.query.sql, asset.query.parameters)
    arguments: dict[str, Any] = {
        given.declared.parameter: _load(given, order) for given in order.inputs
    }
    if asset.partition_parameter is not None:
        arguments[asset.partition_parameter] = order.partition
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
    named = named_parameters(result)
    check_parameters(named, asset.partitions, asset.defined_in)
    _check_returned_query(result, order)
    return _run_query(order, result, named)


def _check_returned_query(sql: str, order: Order) -> None:
    known = {given.declared.parameter for given in order.inputs}
    lowered = {name.lower() for name in known}
    strangers = sorted(statement_reads(sql, order.asset.defined_in) - lowered)
    if strangers:
        raise BadQuery(
            f"the returned SQL reads {', '.join(strangers)}, which is no parameter",
            where=order.asset.defined_in,
            fix=f"its parameters are {', '.join(sorted(known)) or 'none'}",
        )


def _run_query(order: Order, sql: str, named: tuple[str, ...]) -> Any:
    connection = scratch()
    for given in order.inputs:
        relation = _load(given, order, Form.RELATION)
        if relation is None:
            raise _unknown_columns(given, order)
        name = views.quoted(given.declared.parameter)
        relation.create_view(given.declared.parameter, replace=True)
        connection.execute(f"CREATE OR REPLACE VIEW production.{name} AS FROM main.{name}")
    values = sql_parameters(order.partition)
    return connection.sql(sql, params={name: values[name] for name in named})


def sql_parameters(partition: Partition) -> Mapping[str, Any]:
    """The values of `$partition_key`, `$partition_start`, `$partition_end` and each dimension."""
    return {
        "partition_key": partition.key,
        "partition_start": _naive(partition.start),
        "partition_end": _naive(partition.end),
        **partition.columns,
    }


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=None)


def _load(given: ResolvedInput, order: Order, form: Form | None = None) -> Any:
    """The input in the form that the parameter asks for."""
    form = form or given.declared.form
    if not given.versions and given.declared.optional:
        return None
    if not given.versions and given.schema is None and not isinstance(given.upstream, Source):
        raise _unknown_columns(given, order)
    return loaded(given, form, scratch() if form is Form.RELATION else thread_connection())


def loaded(given: ResolvedInput, form: Form, connection: duckdb.DuckDBPyConnection) -> Any:
    """An input, of which some version or its columns are known, in that form."""
    upstream = given.upstream
    if isinstance(upstream, Source):
        files = [(path, v.partition) for v in given.versions for path in v.files]
        return reading.read_source(upstream, files, form, connection)
    assert given.schema is not None
    versions = [(v.files[0], v.partition, v.schema) for v in given.versions]
    return reading.read_versions(versions, form, given.schema, upstream.partitions, connection)


def _unknown_columns(given: ResolvedInput, order: Order) -> DeclarationError:
    parameter, name = given.declared.parameter, given.upstream.name
    return DeclarationError(
        f"{order.step} needs no key of {name}, whose columns are not known yet",
        where=order.asset.defined_in,
        fix=f"annotate it as {parameter}: pl.LazyFrame | None, or give {name} a gate with a schema",
    )
