"""A `.sql` file becomes an asset."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from millgate.declare.expression import Modules, value_of
from millgate.declare.header import KEYS, read_header
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
from millgate.declare.query import check_parameters, read_statement
from millgate.declare.upstreams import Referred, Wanted, read_upstream
from millgate.errors import BadQuery, DeclarationError, did_you_mean
from millgate.model.asset import Asset, Declared, Form, Input, Query


def read_sql_asset(
    path: Path, shown: str, group: str, modules: Modules, name_of: Callable[[Declared], str]
) -> Asset:
    """The asset that a `.sql` file declares; `shown` is the path as errors give it.

    `name_of` gives the name of an asset or a source that the header refers to as an object.
    """
    name = checked_name(path.stem, shown)
    text = _text(path, shown)
    header = read_header(text, shown)
    where = {key: f"{shown}:{e.line}" for key, e in header.entries.items()}
    given: dict[str, Any] = dict.fromkeys(KEYS)
    for key, entry in header.entries.items():
        given[key] = value_of(entry.expression, where[key], modules)
    place = {key: where.get(key, shown) for key in KEYS}
    partitions = checked_partitions(given["partitions"], place["partitions"])
    statement = read_statement(text, shown)
    check_parameters(statement.parameters, partitions, shown)
    wanted = [
        replace(each, upstream=name_of(each.upstream.target))
        if isinstance(each.upstream, Referred)
        else each
        for each in read_upstream(given["upstream"], place["upstream"])
    ]
    return Asset(
        name=name,
        partitions=partitions,
        owner=checked_text("owner", given["owner"], place["owner"]),
        tags=checked_tags(given["tags"], place["tags"]),
        group=group,
        description=header.description,
        defined_in=f"{shown}:1",
        query=Query(text, statement.parameters),
        inputs=_inputs(statement.reads, wanted, place["upstream"]),
        gate=checked_gate(given["gate"], place["gate"]),
        refresh=checked_refresh(given["refresh"], place["refresh"]),
        retries=checked_retries(given["retries"], place["retries"]),
        version=checked_text("version", given["version"], place["version"]),
        storage=checked_storage(given["storage"], place["storage"]),
    )


def _text(path: Path, shown: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadQuery(
            f"the file cannot be read: {error}", where=shown, fix="save it as text in UTF-8"
        ) from error


def _inputs(reads: Iterable[str], wanted: Iterable[Wanted], where: str) -> tuple[Input, ...]:
    """An input for each table that the query reads, mapped as `upstream` says."""
    given = {(each.parameter or each.upstream).lower(): each for each in wanted}
    for name in given:
        if name not in reads:
            raise DeclarationError(
                f"upstream names {name}, which the query does not read",
                where=where,
                fix=did_you_mean(name, reads, f"it reads {', '.join(reads) or 'nothing'}"),
            )
    return tuple(_input(name, given.get(name, Wanted(name, name))) for name in reads)


def _input(name: str, each: Wanted) -> Input:
    return Input(name, each.upstream, each.mapping, Form.RELATION)
