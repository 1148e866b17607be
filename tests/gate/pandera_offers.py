"""What pandera offers on polars as rows of README's tables, each with what tries it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandera.polars as pa
import polars as pl
import pytest

from gate.gate_answer import evaluate
from gate.pandera_answer import report
from millgate.errors import GateError

Answer = Literal["as pandera", "better", "refused"]
Options = Mapping[str, Any]
Tries = Callable[[str], Iterable["Try"]]


@dataclass(frozen=True)
class Try:
    """A schema on a frame, and whether Millgate lets it pass; of a refused schema only that."""

    schema: Any
    frame: pl.DataFrame
    passes: bool = False


@dataclass(frozen=True)
class Offer:
    """A row: pandera's names for what it offers, Millgate's answer, and what README says of it.

    `tries` gives the proof of the answer for each of the names. Of what is refused README says what
    Millgate says, unless that is long.
    """

    names: tuple[str, ...]
    answer: Answer
    says: str
    tries: Tries

    @property
    def told(self) -> str:
        refusal = self.answer == "refused" and not self.says
        return self.refusal(self.names[0]) if refusal else self.says

    def refusal(self, name: str) -> str:
        """What Millgate says as it refuses the schema that is tried, and what to do."""
        (one,) = self.tries(name)
        return _refusal(one.schema)

    def disagreements(self, name: str) -> list[str]:
        """For each frame that is tried where Millgate and pandera differ, empty where nowhere."""
        return [_disagreement(one) for one in self.tries(name)]


@dataclass(frozen=True)
class Group:
    """A table: its title, the names that pandera itself has there, and the rows.

    A row may show what has no name of its own, such as `list[Base]`.
    """

    title: str
    names: Callable[[], set[str]]
    offers: tuple[Offer, ...]

    def table(self) -> Iterator[str]:
        """The lines of the table in README."""
        yield from (f"| {self.title} | here | |", "|---|---|---|")
        for offer in self.offers:
            names = ", ".join(f"`{name}`" for name in offer.names)
            yield f"| {names} | {offer.answer} | {offer.told} |"


def as_pandera(names: str, says: str, tries: Tries) -> Offer:
    return Offer(_several(names), "as pandera", says, tries)


def better(names: str, says: str, tries: Tries) -> Offer:
    return Offer(_several(names), "better", says, tries)


def refused(names: str, make: Callable[[str], Any], says: str = "") -> Offer:
    return Offer(_several(names), "refused", says, lambda name: [Try(make(name), pl.DataFrame())])


def _several(names: str) -> tuple[str, ...]:
    """Names in a row: what is no name of pandera's own stands alone."""
    words = tuple(names.split())
    return words if all(word.isidentifier() for word in words) else (names,)


def model(annotations: Options, config: Options | None = None, **body: Any) -> Any:
    """A pandera model of these fields, options and methods."""
    made = {"__annotations__": dict(annotations), "__module__": __name__, **body}
    return type("Model", (pa.DataFrameModel,), made | {"Config": type("Config", (), config or {})})


def forms(
    columns: Mapping[str, tuple[Any, Options]], frame: pl.DataFrame, passes: bool, **options: Any
) -> Iterator[Try]:
    """The same schema in both forms: columns of a DataFrameSchema, and fields of a model."""
    described = {name: pa.Column(dtype, **given) for name, (dtype, given) in columns.items()}
    yield Try(pa.DataFrameSchema(described, **options), frame, passes)
    places = {f"field_{place}": name for place, name in enumerate(columns)}
    annotations = {place: columns[name][0] for place, name in places.items()}
    fields = {place: pa.Field(alias=name, **columns[name][1]) for place, name in places.items()}
    yield Try(model(annotations, options, **fields), frame, passes)


def column(dtype: Any, values: Any, passes: bool, **options: Any) -> Iterator[Try]:
    """One column `a` in both forms."""
    yield from forms({"a": (dtype, options)}, pl.DataFrame({"a": values}), passes)


def checked(check: Any, values: Any, passes: bool, dtype: Any = int, **options: Any) -> Try:
    """One column `a` with a check."""
    schema = pa.DataFrameSchema({"a": pa.Column(dtype, check, **options)})
    return Try(schema, pl.DataFrame({"a": values}), passes)


def _refusal(schema: Any) -> str:
    with pytest.raises(GateError) as raised:
        evaluate(schema, pl.DataFrame())
    return f"{raised.value.what}; {raised.value.fix}"


def _disagreement(one: Try) -> str:
    evaluation = evaluate(one.schema, one.frame)
    assert (evaluation.judgement.verdict == "promote") == one.passes, evaluation.judgement
    told = report(one.schema, one.frame)
    if told == "passes":
        if not one.passes:
            return "pandera lets it pass"
        shaped = one.schema.validate(one.frame, lazy=True)
        accepted = evaluation.accepted(one.frame)
        same = accepted.equals(shaped) or accepted.rows() == shaped.rows()  # objects equal in rows
        return "" if same and accepted.schema == shaped.schema else f"{accepted}, not {shaped}"
    if isinstance(told, str):
        return f"pandera ends with {told}"
    blamed = sorted({row for row, _ in told if row is not None})
    ours = evaluation.failing.arg_true().to_list()
    if one.passes:
        return "pandera does not let it pass"
    return "" if blamed == ours else f"rows {ours}, not {blamed}"
