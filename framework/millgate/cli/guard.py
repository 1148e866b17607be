"""The guard on large runs, decided without asking anybody."""

from __future__ import annotations

from typing import Literal

from millgate.errors import TooManyPartitions

LIMIT = 1_000
"""Partitions that a run may do without being asked about."""


def guarded(
    partitions: int, *, limit: int | None, confirmed: bool, can_ask: bool, where: str
) -> Literal["go", "ask"]:
    """Whether a run of so many partitions may start, or a person must be asked first.

    `limit` is the command line's own instead of LIMIT. Raises TooManyPartitions where nobody can
    be asked.

    >>> guarded(1_000, limit=None, confirmed=False, can_ask=False, where="millgate materialize")
    'go'
    """
    allowed = LIMIT if limit is None else limit
    if partitions <= allowed or confirmed:
        return "go"
    if can_ask:
        return "ask"
    raise TooManyPartitions(
        f"{partitions:,} partitions are more than {allowed:,}, and nobody is there to ask",
        where=where,
        fix=f"add --yes or --max-partitions {partitions}, or narrow the keys",
    )
