"""Foreign keys of a gate: columns whose values another asset has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from millgate.errors import DeclarationError

References = Mapping[str | tuple[str, ...], str | tuple[str, ...]]


@dataclass(frozen=True)
class Reference:
    """Columns whose values, together, are those of a row of `asset` in `targets`."""

    columns: tuple[str, ...]
    asset: str
    targets: tuple[str, ...]

    @property
    def column(self) -> str | None:
        """The column, where it is a single one."""
        return self.columns[0] if len(self.columns) == 1 else None

    @property
    def expected(self) -> str:
        """What is asked for, as people say it."""
        targets = ", ".join(self.targets)
        if self.column:
            return f"in {self.asset}.{targets}"
        return f"({', '.join(self.columns)}) in {self.asset} ({targets})"


def read_references(given: Any) -> tuple[Reference, ...]:
    """The foreign keys that `references=` writes; raises DeclarationError where it writes none."""
    if not isinstance(given, Mapping) or not given:
        raise _unclear(given)
    return tuple(_reference(columns, targets) for columns, targets in given.items())


def _reference(columns: Any, targets: Any) -> Reference:
    own = (columns,) if isinstance(columns, str) else columns
    named = (targets,) if isinstance(targets, str) else targets
    if not isinstance(own, tuple) or not isinstance(named, tuple | list):
        raise _unclear({columns: targets})
    pairs = [each.split(".") for each in named if isinstance(each, str)]
    sound = all(len(pair) == 2 and all(pair) for pair in pairs)
    if not own or not sound or not all(isinstance(c, str) and c for c in own):
        raise _unclear({columns: targets})
    if len(pairs) != len(named) or len(own) != len(pairs) or len({a for a, _ in pairs}) != 1:
        raise _unclear({columns: targets})
    return Reference(own, pairs[0][0], tuple(column for _, column in pairs))


def _unclear(given: Any) -> DeclarationError:
    return DeclarationError(
        f"references={given!r} does not say which column is which",
        where="Gate",
        fix='write {"carrier": "airlines.carrier"}, or for several columns of one asset '
        '{("origin", "dest"): ("routes.origin", "routes.dest")}',
    )
