"""The gate's policy: which schema judges a partition, and what a failure leads to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from millgate.errors import DeclarationError

OnFailure = Literal["hold", "split", "warn"]
Contract = Literal["widen", "any"]


@dataclass(frozen=True)
class Gate:
    """What stands between staging and production.

    `schema` is a pandera `DataFrameModel` class or `DataFrameSchema` for polars. `on_failure`
    says what a failing row leads to: `hold` keeps the whole partition out, `split` lets the good
    rows pass unless more than `max_rejected` (a share from 0 to 1) fail, `warn` records and lets
    pass. A failure that is not a row's own (a missing or wrongly typed column, a check that
    raises, an aggregate check) always holds. `contract="widen"` holds a partition that loses,
    narrows or retypes a column that production has; `"any"` lets it in.
    """

    schema: Any = None
    on_failure: OnFailure = "hold"
    max_rejected: float | None = None
    contract: Contract = "widen"

    def __post_init__(self) -> None:
        self._one_of("on_failure", get_args(OnFailure))
        self._one_of("contract", get_args(Contract))
        if self.max_rejected is not None and self.on_failure != "split":
            raise DeclarationError(
                "max_rejected has a meaning only where bad rows are split off",
                where=f"Gate(on_failure={self.on_failure!r})",
                fix='add on_failure="split" or leave max_rejected out',
            )
        if self.max_rejected is not None and not 0 <= self.max_rejected <= 1:
            raise DeclarationError(
                f"max_rejected={self.max_rejected!r} is not a share of the rows",
                where="Gate",
                fix="give a number from 0 to 1, such as max_rejected=0.05",
            )

    def _one_of(self, option: str, allowed: tuple[str, ...]) -> None:
        if getattr(self, option) not in allowed:
            raise DeclarationError(
                f"{option}={getattr(self, option)!r} is not an option of Gate",
                where="Gate",
                fix=f"choose one of {', '.join(map(repr, allowed))}",
            )
