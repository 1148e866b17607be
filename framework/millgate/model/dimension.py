"""What a partition key is made of: dimensions, and keys listed by name."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from millgate.errors import BadKey, DeclarationError, did_you_mean
from millgate.model.known_options import known_only

if TYPE_CHECKING:
    from millgate.model.partition import Partitions

KeyValue = str | date | datetime
"""The typed value of a key in one dimension, as the partition column holds it."""

NAME = re.compile(r"[a-z_][a-z0-9_]*")
_LONGEST_KEY = 100
_LONGEST_ENCODED = 150


@dataclass(frozen=True)
class Horizon:
    """What the extent of a definition depends on: the moment, and keys read from production.

    `now` is aware. `listed` gives for each `asset.column` that a `Keys(of=...)` names its
    distinct live values; a name that is absent has no live version yet.
    """

    now: datetime
    listed: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))


class Dimension(ABC):
    """One axis of a partitioning: an ordered set of unique keys."""

    name: str
    batch: int | None
    """How many adjacent partitions are computed as one at most; None: each is alone."""
    column_type: ClassVar[str]
    """DuckDB type of the partition column."""

    @abstractmethod
    def keys(self, horizon: Horizon) -> Sequence[str]:
        """Every key of the definition, in order."""

    @abstractmethod
    def defines(self, horizon: Horizon) -> Callable[[str], bool]:
        """Whether the definition has a key, now or at a later moment."""

    @abstractmethod
    def canonical(self, text: str, horizon: Horizon) -> str:
        """The key that `text` writes; raises BadKey, naming the valid range, if there is none."""

    @abstractmethod
    def follows(self, before: str, key: str) -> bool:
        """Whether nothing lies between two keys of the definition, of which `key` is the later."""

    @abstractmethod
    def value(self, key: str) -> KeyValue:
        """The value of the partition column for `key`."""

    def __mul__(self, other: Dimension | Partitions) -> Partitions:
        from millgate.model.partition import Partitions

        return Partitions((self,)) * other


@known_only
@dataclass(frozen=True, init=False)
class Keys(Dimension):
    """Keys listed by name, or read from a column of a live asset.

    `Keys("EU", "US")` lists them; `Keys(of="regions.region")` takes the distinct values of that
    column in production and makes the asset a downstream of `regions`.
    """

    listed: tuple[str, ...]
    of: str | None
    name: str
    batch: int | None = field(default=None, compare=False)

    column_type: ClassVar[str] = "VARCHAR"

    def __init__(
        self,
        *listed: str,
        of: str | None = None,
        name: str | None = None,
        batch: int | None = None,
    ) -> None:
        where = f"Keys({', '.join(map(repr, listed)) or f'of={of!r}'})"
        if bool(listed) == (of is not None):
            raise DeclarationError(
                "Keys takes either listed keys or of=, not both",
                where=where,
                fix='write Keys("EU", "US") or Keys(of="regions.region")',
            )
        if of is not None and (of.count(".") != 1 or not all(of.split("."))):
            raise DeclarationError(
                f"of={of!r} does not name a column",
                where=where,
                fix='write the asset and the column, such as of="regions.region"',
            )
        name = name or (of.split(".")[1] if of else "key")
        check_dimension_name(name, where)
        check_batch(batch, where)
        object.__setattr__(self, "listed", checked_keys(listed, where))
        object.__setattr__(self, "of", of)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "batch", batch)

    def keys(self, horizon: Horizon) -> Sequence[str]:
        if self.of is None:
            return self.listed
        asset = self.of.partition(".")[0]
        return checked_keys(
            horizon.listed.get(self.of, ()),
            f"the values of {self.of}",
            fix=f"map it to a short plain name in {asset}, then: millgate materialize {asset}",
        )

    def defines(self, horizon: Horizon) -> Callable[[str], bool]:
        if self.of is not None and self.of not in horizon.listed:
            return lambda _: True
        return frozenset(self.keys(horizon)).__contains__

    def canonical(self, text: str, horizon: Horizon) -> str:
        known = self.keys(horizon)
        if text in known:
            return text
        shown = ", ".join(known[:8]) + (f", … ({len(known)} keys)" if len(known) > 8 else "")
        raise BadKey(
            f"no key {text!r} in dimension {self.name}",
            where=f"dimension {self.name}",
            fix=did_you_mean(text, known, f"keys are: {shown or 'none yet'}"),
        )

    def follows(self, before: str, key: str) -> bool:
        # Listed keys have no windows: whatever lies between two is no part of either.
        return before < key

    def value(self, key: str) -> KeyValue:
        return key


def check_batch(batch: object, where: str) -> None:
    """Raise DeclarationError unless `batch` is None or a number of partitions."""
    if batch is None or (isinstance(batch, int) and not isinstance(batch, bool) and batch > 0):
        return
    raise DeclarationError(
        f"batch={batch!r} is no number of partitions",
        where=where,
        fix="write how many adjacent partitions are computed as one at most, such as batch=31",
    )


def check_dimension_name(name: str, where: str) -> None:
    """Raise DeclarationError unless `name` can name a partition column."""
    if not NAME.fullmatch(name) or len(name) > _LONGEST_KEY:
        raise DeclarationError(
            f"{name!r} cannot name a dimension",
            where=where,
            fix="use lower-case letters, digits and underscores, such as name='region'",
        )


def checked_keys(
    keys: Sequence[str], where: str, *, fix: str = "give it a short plain name"
) -> tuple[str, ...]:
    """`keys` sorted, if each can be a key and no two differ only in case.

    A slash separates the dimensions of a product and `..` the ends of a range, so neither can
    stand in a key; percent-encoding makes the rest safe in paths.
    """
    seen: dict[str, str] = {}
    for key in keys:
        problem = _key_problem(key)
        if problem:
            raise DeclarationError(
                f"{key!r} cannot be a partition key: {problem}",
                where=where,
                fix=fix,
            )
        twin = seen.setdefault(key.casefold(), key)
        if twin != key:
            raise DeclarationError(
                f"the keys {twin!r} and {key!r} are the same without regard to case",
                where=where,
                fix="keep one of them: file systems and people confuse the two",
            )
    return tuple(sorted(seen.values()))


def _key_problem(key: object) -> str:
    if not isinstance(key, str):
        return "it is not text"
    if not key or key != key.strip():
        return "it is empty or begins or ends with white space"
    if len(key) > _LONGEST_KEY:
        return f"it is longer than {_LONGEST_KEY} characters"
    if "/" in key or ".." in key or key == ".":
        return "slashes and '..' have a meaning in key ranges"
    if key == "*":
        return "'*' stands for every key"
    if not key.isprintable():
        return "it has control characters"
    if len(quote(key, safe="")) > _LONGEST_ENCODED:
        return "it is too long for the name of a folder once it is percent-encoded"
    if key == "__HIVE_DEFAULT_PARTITION__":
        return "it means NULL to readers of hive partitions"
    return ""
