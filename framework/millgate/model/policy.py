"""The gate's policy: which schema judges a partition, and what a failure leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from millgate.errors import DeclarationError, did_you_mean
from millgate.model.bounds import Comparison, check_recent, check_rows, read_compare
from millgate.model.foreign import Reference, References, read_references
from millgate.model.known_options import known_only

OnFailure = Literal["hold", "split", "warn"]
Contract = Literal["strict", "widen", "any"]
Severity = Literal["error", "warning"]

OWN_RULES = ("max_rejected", "contract", "rows", "recent", "references", "compare")
"""The rules that are Gate's own: each has the name of its option."""


@known_only
@dataclass(frozen=True)
class Gate:
    """What stands between staging and production.

    `schema` is a pandera `DataFrameModel` class or `DataFrameSchema` for polars. `on_failure`
    says what a failing row leads to: `hold` keeps the whole partition out, `split` lets the good
    rows pass unless more than `max_rejected` (a share from 0 to 1) fail, `warn` records and lets
    pass. A failure that is not a row's own (a missing or wrongly typed column, a check that
    raises, an aggregate check) always holds.

    `contract="widen"` holds a partition that loses, narrows or retypes a column that production
    has, `"strict"` one whose columns differ from production's in any way, order included; `"any"`
    lets it in. `rows` bounds the rows that production would get, as `(least, most)` with None for
    no bound. `recent` says for a time column how long before the end of the partition's window
    its newest value may lie, such as `{"departed_at": "6h"}`. `references` names the columns
    whose values another asset or source must have, such as `{"carrier": "airlines.carrier"}`; a
    null refers to nothing and passes. `compare` bounds the rows by those of the partition before,
    such as `{"rows": (0.5, 2.0)}`, or by the mean of a `Window` of earlier ones. `warn` names
    rules of these that are only recorded where they fail.
    """

    schema: Any = None
    on_failure: OnFailure = "hold"
    max_rejected: float | None = None
    contract: Contract = "widen"
    rows: tuple[int | None, int | None] | None = None
    recent: Mapping[str, str] | None = None
    references: References | None = None
    compare: Mapping[str, Sequence[Any]] | None = None
    warn: Sequence[str] = ()

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
        if self.rows is not None:
            check_rows(self.rows)
        if self.recent is not None:
            check_recent(self.recent)
        if self.references is not None:
            read_references(self.references)
        if self.compare is not None:
            read_compare(self.compare)
        self._check_warn()

    @property
    def foreign_keys(self) -> tuple[Reference, ...]:
        return read_references(self.references) if self.references else ()

    @property
    def comparison(self) -> Comparison | None:
        return read_compare(self.compare) if self.compare else None

    def severity(self, rule: str) -> Severity:
        """What a failure of one of Gate's own rules is."""
        return "warning" if rule in self.warn else "error"

    def _one_of(self, option: str, allowed: tuple[str, ...]) -> None:
        if getattr(self, option) not in allowed:
            raise DeclarationError(
                f"{option}={getattr(self, option)!r} is not an option of Gate",
                where="Gate",
                fix=f"choose one of {', '.join(map(repr, allowed))}",
            )

    def _check_warn(self) -> None:
        if isinstance(self.warn, str) or not isinstance(self.warn, Sequence):
            raise DeclarationError(
                f"warn={self.warn!r} is not a list of rules",
                where="Gate",
                fix='write their names in a list, such as warn=["rows"]',
            )
        for name in self.warn:
            if name not in OWN_RULES:
                raise DeclarationError(
                    f"warn={list(self.warn)!r} names {name!r}, which is no rule of Gate's own",
                    where="Gate",
                    fix=did_you_mean(
                        str(name),
                        OWN_RULES,
                        f"they are {', '.join(OWN_RULES)}; "
                        "a check of pandera takes raise_warning=True",
                    ),
                )
