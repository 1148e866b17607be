"""The keywords that a decorator, a source and a `.sql` header share, checked and completed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from millgate.errors import DeclarationError, did_you_mean
from millgate.model.asset import DEFAULT_STORAGE, Retry, Storing
from millgate.model.dimension import NAME, Dimension
from millgate.model.partition import Partitions
from millgate.model.policy import Gate
from millgate.model.refresh import Refresh, Refreshing

_LONGEST_NAME = 100
_NO_GATE = Gate()
_NO_RETRY = Retry(times=0)


def checked_name(name: object, where: str) -> str:
    """`name`, if an asset or a source can be called so."""
    if not isinstance(name, str) or not NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise DeclarationError(
            f"{name!r} cannot name an asset or a source",
            where=where,
            fix="use lower-case letters, digits and underscores, not beginning with a digit, "
            f"{_LONGEST_NAME} at most",
        )
    return name


def checked_partitions(given: object, where: str) -> Partitions:
    """`given` as a product of dimensions; None is an unpartitioned asset."""
    if given is None:
        return Partitions()
    if isinstance(given, Dimension):
        return Partitions((given,))
    if isinstance(given, Partitions):
        return given
    raise DeclarationError(
        f"partitions={_shown(given)} is no partitioning",
        where=where,
        fix='write Hourly, Daily, Weekly, Monthly or Keys, such as Daily("2013-01-01"), '
        "or a product of them with *",
    )


def checked_gate(given: object, where: str) -> Gate:
    """`given` as a gate; None checks only that no column is lost or narrowed."""
    if given is None:
        return _NO_GATE
    if isinstance(given, Gate):
        return given
    raise DeclarationError(
        f"gate={_shown(given)} is no Gate",
        where=where,
        fix=f"write gate=Gate({_shown(given)})",
    )


def checked_refresh(given: object, where: str) -> Refreshing:
    """`given` as a Refresh, `never` or None."""
    if given is None or given == "never" or isinstance(given, Refresh):
        return given
    raise DeclarationError(
        f"refresh={_shown(given)} is no Refresh",
        where=where,
        fix='write refresh=Refresh(every="6h"), or refresh="never"',
    )


def checked_retries(given: object, where: str) -> Retry:
    """`given` as a Retry; a number is how often a failed step is tried again."""
    if given is None:
        return _NO_RETRY
    if isinstance(given, Retry):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        return Retry(times=given)
    raise DeclarationError(
        f"retries={_shown(given)} is no Retry", where=where, fix="write retries=Retry(3)"
    )


def checked_storage(given: object, where: str) -> Storing:
    """`given` as the kind of file that versions are; None is Parquet."""
    if given is None:
        return DEFAULT_STORAGE
    for known in get_args(Storing):
        if given == known:
            return known  # type: ignore[no-any-return]
    raise DeclarationError(
        f"storage={_shown(given)} is no storage",
        where=where,
        fix=did_you_mean(str(given).lower(), get_args(Storing), 'write "parquet" or "duckdb"'),
    )


def checked_text(keyword: str, given: object, where: str) -> str | None:
    """`given`, if it is None or text."""
    if given is None or (isinstance(given, str) and given.strip()):
        return given
    raise DeclarationError(
        f"{keyword}={_shown(given)} is no text",
        where=where,
        fix=f'write it in quotes, such as {keyword}="{given}"'
        if isinstance(given, int | float)
        else f"write {keyword}= as text in quotes",
    )


def checked_tags(given: object, where: str) -> frozenset[str]:
    """`given` as a set of words."""
    tags: list[Any] = []
    if isinstance(given, Iterable) and not isinstance(given, str):
        tags = list(given)
    elif given is not None:
        raise DeclarationError(
            f"tags={_shown(given)} is no list", where=where, fix=f"write tags=[{given!r}]"
        )
    for tag in tags:
        if not isinstance(tag, str) or not tag or tag != "".join(tag.split()):
            raise DeclarationError(
                f"{tag!r} cannot be a tag",
                where=where,
                fix="a tag is text without white space, so that tag: can select it",
            )
    return frozenset(tags)


def _shown(given: object) -> str:
    return given.__name__ if isinstance(given, type) else repr(given)
