"""The data hash: equal where the rows are, whatever their order.

Each row is hashed from its columns' hashes, to 64 bits, and the hashes of all rows are summed
modulo 2**64: a sum does not depend on order, and streams. Two tables that differ have the same data
hash once in about 2**63 pairs, unless one was made on purpose. Nulls, empty text and zero differ;
-0.0 is 0.0 and every NaN is the same; categories count by their text, instants with a time zone
also by their local time. The schema is part of the hash. polars keeps its hashes stable within a
version, so an upgrade may cost a rebuild but never hides a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import polars as pl

from millgate.model.schema import TEXT, Column, Schema
from millgate.store.types import exactly, polars_type

_ROWS = "millgate@rows"
_SUM = "millgate@hash"
_MASK = (1 << 64) - 1


@lru_cache(maxsize=256)
def expressions(schema: Schema) -> tuple[pl.Expr, pl.Expr]:
    """The values to select from a frame of this schema, in one pass with any others."""
    values = (value for column in schema for value in _values(column))
    hashes = [value.hash(place) for place, value in enumerate(values)]
    # The sum over columns alone would not see two rows that swap a value; its hash does.
    return pl.len().alias(_ROWS), pl.sum_horizontal(hashes).hash().sum().alias(_SUM)


def _values(column: Column) -> list[pl.Expr]:
    """What is hashed of a column, so that equal content has equal hashes."""
    value = exactly(column.name)
    if column.type == "TIMESTAMP WITH TIME ZONE":
        return [value, value.dt.replace_time_zone(None)]
    if TEXT in column.type:
        return [value.cast(polars_type(column.type))]
    return [value]


def digest(values: Mapping[str, Any], schema: Schema) -> str:
    """The data hash, 32 hexadecimal digits, from the values of `expressions`."""
    text = blake2b(digest_size=16)
    text.update(schema.hash.encode())
    text.update(int(values[_ROWS]).to_bytes(8, "little"))
    text.update((int(values[_SUM] or 0) & _MASK).to_bytes(8, "little"))
    return text.hexdigest()


def without(whole: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, int]:
    """The values of the rows that are left where some of them, whose values are `part`, are not."""
    return {name: int(whole[name] or 0) - int(part[name] or 0) for name in (_ROWS, _SUM)}
