"""`source`: files made outside become something that assets can be made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import Any

from millgate.declare.keywords import checked_name, checked_partitions, checked_tags, checked_text
from millgate.declare.place import called_from
from millgate.errors import DeclarationError
from millgate.model.asset import Source
from millgate.model.dimension import Dimension
from millgate.model.partition import Partitions

_KEYWORDS = ("name", "partitions", "types", "owner", "tags")
_OF_ASSETS = ("gate", "upstream", "refresh", "retries", "version")


def source(
    location: str | Path | Callable[..., str | Path],
    *,
    name: str | None = None,
    partitions: Dimension | Partitions | None = None,
    types: Any = None,
    owner: str | None = None,
    tags: Iterable[str] | None = None,
    **options: Any,
) -> Source:
    """Files that Millgate observes: a changed file makes what is made from it stale.

    `location` is a path relative to the project, a pattern in which `{date}` stands for the key
    of that dimension, or a callable that returns one. `name` is the variable it is bound to
    unless given. `types` is a pandera model that types the columns; `options` go to the reader,
    such as `null_values="NA"`.
    """
    where = called_from()
    _check_options(options, where)
    if not (callable(location) or isinstance(location, Path) or (location and _is_text(location))):
        raise DeclarationError(
            f"{location!r} is no location",
            where=where,
            fix='give a path, such as source("data/flights.csv"), or a callable that returns one',
        )
    division = checked_partitions(partitions, where)
    if not callable(location):
        _check_pattern(str(location), division, where)
    return Source(
        name="" if name is None else checked_name(name, where),
        partitions=division,
        owner=checked_text("owner", owner, where),
        tags=checked_tags(tags, where),
        defined_in=where,
        location=location,
        types=types,
        options=MappingProxyType(options),
    )


def _is_text(location: object) -> bool:
    return isinstance(location, str)


def _check_options(options: dict[str, Any], where: str) -> None:
    for option in options:
        if option in _OF_ASSETS:
            raise DeclarationError(
                f"a source has no {option}=",
                where=where,
                fix="Millgate observes a source and does not make it: make an asset from it",
            )
        if close := get_close_matches(option, _KEYWORDS, n=1, cutoff=0.8):
            raise DeclarationError(
                f"source has no keyword {option!r}", where=where, fix=f"did you mean {close[0]}?"
            )


def _check_pattern(pattern: str, partitions: Partitions, where: str) -> None:
    """Raise unless the pattern's placeholders are the dimensions of the partitioning."""
    try:
        named = {_first_name(f) for _, f, _, _ in Formatter().parse(pattern) if f is not None}
    except ValueError as error:
        raise DeclarationError(
            f"the pattern {pattern!r} cannot be read: {error}",
            where=where,
            fix="write {date} for a dimension, and {{ or }} for a brace itself",
        ) from None
    for stranger in sorted(named - set(partitions.names)):
        raise DeclarationError(
            f"the pattern {pattern!r} names {{{stranger}}}, which is no dimension of it",
            where=where,
            fix=f"its dimensions are {', '.join(partitions.names)}"
            if partitions.names
            else 'say how it is partitioned, such as partitions=Daily("2013-01-01")',
        )
    for unused in sorted(set(partitions.names) - named):
        raise DeclarationError(
            f"the pattern {pattern!r} is the same for every {unused}",
            where=where,
            fix=f"write {{{unused}}} where the key stands in the path, or leave partitions= out",
        )


def _first_name(placeholder: str) -> str:
    return placeholder.replace("[", ".").partition(".")[0]
