"""`@asset`: a function becomes an asset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import getdoc, isasyncgenfunction, iscoroutinefunction, isroutine
from types import MappingProxyType
from typing import Any, overload

from millgate.declare.batch_rules import check_batched
from millgate.declare.keywords import (
    checked_gate,
    checked_name,
    checked_partitions,
    checked_refresh,
    checked_retries,
    checked_storage,
    checked_tags,
    checked_text,
)
from millgate.declare.parameters import read_parameters
from millgate.declare.place import called_from, defined_at
from millgate.declare.upstreams import pair, read_upstream
from millgate.errors import DeclarationError
from millgate.model.asset import Asset, Retry, Storing
from millgate.model.dimension import Dimension
from millgate.model.partition import Partitions
from millgate.model.policy import Gate
from millgate.model.refresh import Refreshing

Upstreams = Iterable[Any] | Mapping[str, Any]


@overload
def asset(fn: Callable[..., Any], /) -> Asset: ...
@overload
def asset(
    fn: None = None,
    /,
    *,
    name: str | None = None,
    partitions: Dimension | Partitions | None = None,
    upstream: Upstreams | None = None,
    gate: Gate | None = None,
    refresh: Refreshing = None,
    retries: Retry | int | None = None,
    owner: str | None = None,
    tags: Iterable[str] | None = None,
    version: str | None = None,
    storage: Storing = "parquet",
) -> Callable[[Callable[..., Any]], Asset]: ...
def asset(
    fn: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    partitions: Dimension | Partitions | None = None,
    upstream: Upstreams | None = None,
    gate: Gate | None = None,
    refresh: Refreshing = None,
    retries: Retry | int | None = None,
    owner: str | None = None,
    tags: Iterable[str] | None = None,
    version: str | None = None,
    storage: Storing = "parquet",
) -> Asset | Callable[[Callable[..., Any]], Asset]:
    """The asset that a function makes, called `name` or as the function.

    Each parameter without a default is an upstream of that name, received in the form of its
    annotation (a LazyFrame without one); one annotated `Partition` receives the partition, and
    one annotated `list[Partition]` adjacent ones, as many as `batch=` of the partitioning allows.
    `upstream` says what differs: a list of names or assets, or a dict from parameter to a name,
    an asset, a `Window`, a dict of keys or an object with `keys()`. `version` stands for the code
    in the fingerprint, and `storage` is the kind of file that each version is. Without keywords it
    is written bare: `@asset`.
    """

    def declare(function: Callable[..., Any]) -> Asset:
        _check_function(function)
        where = defined_at(function)
        parameters = read_parameters(function, where)
        parts = checked_partitions(partitions, where)
        check_batched(parameters, parts, where)
        return Asset(
            name=checked_name(name or function.__name__, where),
            partitions=parts,
            owner=checked_text("owner", owner, where),
            tags=checked_tags(tags, where),
            description=getdoc(function) or "",
            defined_in=where,
            function=function,
            inputs=pair(parameters, read_upstream(upstream, where), where),
            partition_parameter=parameters.partition,
            tables_parameter=parameters.tables[0] if parameters.tables else None,
            settings=MappingProxyType(dict(parameters.settings)),
            returns_sql=parameters.returns_sql,
            gate=checked_gate(gate, where),
            refresh=checked_refresh(refresh, where),
            retries=checked_retries(retries, where),
            version=checked_text("version", version, where),
            storage=checked_storage(storage, where),
        )

    return declare if fn is None else declare(fn)


def _check_function(function: object) -> None:
    if isinstance(function, Asset):
        raise DeclarationError(
            f"{function.name} is an asset already",
            where=function.defined_in,
            fix="write @asset once, with all keywords",
        )
    if not isroutine(function) or not hasattr(function, "__name__"):
        raise DeclarationError(
            f"@asset got {function!r}, which is no function",
            where=called_from(),
            fix="decorate a function written with def; keywords are given by name",
        )
    if iscoroutinefunction(function) or isasyncgenfunction(function):
        raise DeclarationError(
            f"{function.__name__} is asynchronous",
            where=defined_at(function),
            fix="write def and call asyncio.run(...) inside: steps run on threads side by side",
        )
