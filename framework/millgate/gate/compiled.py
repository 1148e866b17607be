"""A gate compiled: what it declares, its fingerprint, and its judgement of a frame."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from millgate.errors import BadResult, GateError
from millgate.gate.binding import Binding, bind, declared_rules
from millgate.gate.contract import contract_judged
from millgate.gate.evaluate import RESERVED, Evaluation, evaluation_of
from millgate.gate.foreign_keys import with_references
from millgate.gate.gate_fingerprint import gate_fingerprint
from millgate.gate.inspection import (
    SMALL,
    Asked,
    Findings,
    Unreadable,
    coerce,
    inspect_frames,
    inspect_rest,
)
from millgate.gate.outcome import Rule
from millgate.gate.own_rules import own_rules
from millgate.gate.reasons import MASK_PREFIX
from millgate.gate.surroundings import Surroundings
from millgate.model.policy import Gate
from millgate.model.schema import Schema

if TYPE_CHECKING:
    from pandera.api.polars.container import DataFrameSchema

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def compile_gate(gate: Gate, asset: str) -> CompiledGate:
    """The compiled gate of an asset; raises GateError where its schema cannot be honoured."""
    schema = None
    if gate.schema is not None:  # only then is pandera imported, which takes a second
        from millgate.gate.refusing import schema_of

        schema = schema_of(gate.schema, asset)
    return CompiledGate(asset, gate, schema, gate_fingerprint(gate, schema), _declared(schema))


@dataclass(frozen=True, eq=False)
class Candidate:
    """A frame to be judged.

    `types` are those of its columns; `columns` are those that its accepted rows would have in
    production (see `CompiledGate.accepted_schema`), `live` those that production has now, None
    where there is nothing; without what is `around` the rules that need it are left out; `measure`
    are scalar expressions that are taken in the same pass.
    """

    frame: pl.DataFrame | pl.LazyFrame
    types: pl.Schema
    columns: Schema
    live: Schema | None
    around: Surroundings | None = None
    measure: Sequence[pl.Expr] = ()


@dataclass(frozen=True, eq=False)
class CompiledGate:
    """A gate that is ready to judge; `declared` has the types that its schema gives to columns.

    It may be used by several threads at once.
    """

    asset: str
    policy: Gate
    schema: DataFrameSchema | None
    fingerprint: str
    declared: Mapping[str, pl.DataType]
    _bindings: dict[tuple[tuple[str, pl.DataType], ...], Binding] = field(
        default_factory=dict, repr=False
    )

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule that the gate states, for showing it."""
        return (*declared_rules(self.schema), *own_rules(self.policy))

    def typed(self, frame: Frame) -> Frame:
        """`frame` with the declared type on each declared column that has only nulls."""
        untyped = {
            name: self.declared[name]
            for name, dtype in frame.lazy().collect_schema().items()
            if dtype == pl.Null and name in self.declared
        }
        return frame.cast(untyped) if untyped else frame  # type: ignore[arg-type]

    def accepted_schema(self, schema: pl.Schema) -> pl.Schema:
        """The schema of what the gate accepts from a frame with `schema`."""
        return self._bound(schema).shaped

    def shape(self, frame: Frame) -> Frame:
        """`frame` in the form of accepted rows, for rows that enter by a person's decision.

        Raises GateError where a value cannot be coerced: a null must not stand for it.
        """
        plan = frame.lazy()
        shaping, lost, failures = coerce(plan, self._bound(plan.collect_schema()).shaping)
        refused = [o.rule.column for o in lost if o.failing] + [f.column for f in failures]
        if refused:
            raise GateError(
                f"values of {refused[0]} cannot be coerced to the type that the schema gives it",
                where=f"the gate of {self.asset}",
                fix="correct them in the asset and materialize it again",
            )
        plan = shaping.apply(plan)
        return plan.collect() if isinstance(frame, pl.DataFrame) else plan

    def evaluate(
        self,
        frame: pl.DataFrame | pl.LazyFrame,
        *,
        columns: Schema,
        live: Schema | None,
        around: Surroundings | None = None,
        measure: Sequence[pl.Expr] = (),
    ) -> Evaluation:
        """The judgement of `frame`, and what is needed to part its rows.

        The other arguments and what is raised are those of `Candidate` and `evaluate_all`.
        """
        types = frame.collect_schema()
        (found,) = self.evaluate_all([Candidate(frame, types, columns, live, around, measure)])
        return found

    def evaluate_all(self, candidates: Iterable[Candidate]) -> list[Evaluation]:
        """The judgement of each candidate, with what is needed to part its rows.

        Small frames in memory are read together, but for those that look at references, which may
        be large: they are taken and judged one after the other. Every check that fails, breaks or
        cannot be run is part of a verdict; GateError is raised only where a frame itself cannot be
        read, BadResult where a column has a reserved name.
        """
        if self.policy.references:
            return [found for one in candidates for found in self._evaluated([one])]
        return self._evaluated(list(candidates))

    def _evaluated(self, candidates: Sequence[Candidate]) -> list[Evaluation]:
        try:
            alike = groupby(candidates, attrgetter("types"))
            asked = [each for types, group in alike for each in self._asked(types, group)]
            found = inspect_frames(asked)
            each = zip(candidates, asked, found, strict=True)
            return [self._evaluation(*one) for one in each]
        except Unreadable as error:
            raise GateError(
                f"the result cannot be read: {error}",
                where=f"the result of {self.asset}",
                fix="collect the result in the asset to see where it fails",
            ) from error

    def _asked(self, types: pl.Schema, candidates: Iterable[Candidate]) -> Iterator[Asked]:
        self._refuse_reserved(types)
        bound = self._bound(types)
        for candidate in candidates:
            frame, around, binding = candidate.frame, candidate.around, bound
            if around is not None and self.policy.references:
                binding = with_references(bound, self.policy, around)
            small = isinstance(frame, pl.DataFrame) and frame.height <= SMALL
            yield Asked(frame.lazy(), types, binding, candidate.measure, small)

    def _evaluation(self, candidate: Candidate, asked: Asked, found: Findings) -> Evaluation:
        broken = contract_judged(candidate.live, candidate.columns, self.policy, found.rows)
        rest = partial(inspect_rest, binding=asked.binding, small=asked.small)
        return evaluation_of(
            self.policy, self.fingerprint, found, broken, asked.frame, candidate.around, rest
        )

    def _bound(self, schema: pl.Schema) -> Binding:
        key = tuple(schema.items())
        binding = self._bindings.get(key)
        if binding is None:
            binding = self._bindings.setdefault(key, bind(self.schema, schema))
        return binding

    def _refuse_reserved(self, schema: pl.Schema) -> None:
        for name in schema.names():
            if name.casefold() in RESERVED or name.startswith(MASK_PREFIX):
                raise BadResult(
                    f"the column name {name!r} is reserved for quarantine",
                    where=f"the result of {self.asset}",
                    fix="rename the column",
                )


def _declared(schema: DataFrameSchema | None) -> dict[str, pl.DataType]:
    """The polars type of each column that the schema types and names."""
    declared: dict[str, pl.DataType] = {}
    columns: dict[str, Any] = {} if schema is None else schema.columns
    for name, column in columns.items():
        dtype: Any = (schema and schema.dtype) or column.dtype
        if column.regex or dtype is None:
            continue
        with contextlib.suppress(TypeError):  # such as pl.List without its inner type
            declared[name] = _instance(dtype.type)
    return declared


def _instance(dtype: Any) -> Any:
    return dtype() if inspect.isclass(dtype) else dtype
