"""Schemas as DuckDB types, and which change of type loses nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import combinations
from typing import Literal

_SIGNED = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_UNSIGNED = ("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_DECIMAL = re.compile(r"DECIMAL\(([0-9]+),([0-9]+)\)")

TEXT = "VARCHAR"
UNTYPED = "NULL"
"""The type of a column that has only nulls and no declared type."""


@dataclass(frozen=True)
class Column:
    """A column by its name and its DuckDB type as text, such as `DECIMAL(18,3)` or `VARCHAR[]`."""

    name: str
    type: str


@dataclass(frozen=True)
class Schema:
    """The columns of a materialization, in order."""

    columns: tuple[Column, ...]

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    @cached_property
    def types(self) -> dict[str, str]:
        """Type by column name."""
        return {c.name: c.type for c in self.columns}

    @cached_property
    def hash(self) -> str:
        """32 hexadecimal digits that are equal exactly where names, types and order are."""
        text = "\0".join(f"{len(c.name)} {c.name} {c.type}" for c in self.columns)
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def widened(old: str, new: str) -> str | None:
    """The type that holds every value of both, None where no type does without loss.

    >>> widened("INTEGER", "BIGINT"), widened("BIGINT", "DOUBLE"), widened("NULL", "DATE")
    ('BIGINT', None, 'DATE')
    """
    if old == new or new == UNTYPED:
        return old
    if old == UNTYPED:
        return new
    if old.endswith("[]") and new.endswith("[]"):
        element = widened(old[:-2], new[:-2])
        return f"{element}[]" if element else None
    for narrow, wide in ((old, new), (new, old)):
        if _fits(narrow, wide):
            return wide
    if old in _SIGNED + _UNSIGNED and new in _SIGNED + _UNSIGNED:
        return next((wide for wide in _SIGNED if _fits(old, wide) and _fits(new, wide)), None)
    return _wider_decimal(old, new)


def _fits(narrow: str, wide: str) -> bool:
    """Whether every value of `narrow` is exactly a value of `wide`."""
    for family in (_SIGNED, _UNSIGNED):
        if narrow in family and wide in family:
            return family.index(narrow) <= family.index(wide)
    if narrow in _UNSIGNED and wide in _SIGNED:
        return _UNSIGNED.index(narrow) < _SIGNED.index(wide)
    if wide == "DOUBLE":
        return narrow in ("FLOAT", *_SIGNED[:3], *_UNSIGNED[:3])
    if wide == "FLOAT":
        return narrow in (*_SIGNED[:2], *_UNSIGNED[:2])
    if wide == "HUGEINT":
        return narrow in _SIGNED + _UNSIGNED or _is_whole(narrow)
    if wide == "UHUGEINT":
        return narrow in _UNSIGNED
    return False


def _is_whole(type_: str) -> bool:
    """Whether a type is a DECIMAL without places, as a sum of integers is in Parquet."""
    digits = _DECIMAL.fullmatch(type_)
    return digits is not None and digits[2] == "0"


def _wider_decimal(old: str, new: str) -> str | None:
    a, b = _DECIMAL.fullmatch(old), _DECIMAL.fullmatch(new)
    if a is None or b is None:
        return None
    scale = max(int(a[2]), int(b[2]))
    whole = max(int(a[1]) - int(a[2]), int(b[1]) - int(b[2]))
    return f"DECIMAL({whole + scale},{scale})" if whole + scale <= 38 else None


Clash = Literal["text", "first"]


def united(schemas: Iterable[Schema], clash: Clash = "text") -> Schema:
    """One schema that holds the rows of all: every column, each with the type that loses nothing.

    Where no type holds all values of a column it is VARCHAR, or the one seen `first`. Names that
    differ only in case are one column, as in SQL, spelled and placed as the first schema has it.
    """
    types: dict[str, tuple[str, dict[str, None]]] = {}
    for schema in schemas:
        for column in schema:
            _, seen = types.setdefault(column.name.casefold(), (column.name, {}))
            seen[column.type] = None
    return Schema(tuple(Column(name, holding(seen, clash)) for name, seen in types.values()))


def holding(types: Iterable[str], clash: Clash = "text") -> str:
    """The type that holds every value of all `types`; where none does, VARCHAR or the `first`.

    >>> holding(["UINTEGER", "INTEGER"]), holding(["UINTEGER", "INTEGER", "DOUBLE"])
    ('BIGINT', 'DOUBLE')
    >>> holding(["BIGINT", "DATE"])
    'VARCHAR'
    """
    seen = list(types)
    left = sorted(set(seen))
    for wide in left:
        if all(widened(wide, narrow) == wide for narrow in left):
            return wide
    while len(left) > 1:
        merged = next(_widenings(left), None)
        if merged is None:
            return TEXT if clash == "text" else seen[0]
        left = merged
    return left[0]


def _widenings(types: Sequence[str]) -> Iterator[list[str]]:
    """The types with two of them replaced by one that holds both."""
    for a, b in combinations(types, 2):
        wide = widened(a, b)
        if wide is not None:
            yield sorted({wide, *types} - ({a, b} - {wide}))
