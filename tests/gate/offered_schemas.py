"""What pandera lets be said of a whole frame, in a `DataFrameSchema`, a `Config` or a model."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Annotated, Any, Generic, Optional, TypeVar

import pandera.polars as pa
import polars as pl
from pandera.api.dataframe import model_components
from pandera.api.dataframe.model_config import BaseConfig
from pandera.api.parsers import Parser
from pandera.typing.polars import Series
from pydantic import BaseModel

from gate.pandera_offers import Group, Try, as_pandera, better, forms, model, refused

_A = {"a": (int, {})}
_AB = {"a": (int, {}), "b": (int, {})}
_ONE = pl.DataFrame({"a": [1, 2]})
_TWO = pl.DataFrame({"a": [1, 1], "b": [1, 2]})
_BAD = pl.DataFrame({"a": [1, None]})


def _options() -> set[str]:
    configured = {name for name in vars(BaseConfig) if not name.startswith("_")}
    return configured | set(inspect.signature(pa.DataFrameSchema).parameters)


def _columns(_: str) -> Iterable[Try]:
    yield from forms(_AB, _TWO, True)
    yield from forms(_AB, _ONE, False)
    yield from forms({}, _ONE, True)


def _checks(_: str) -> Iterable[Try]:
    check = pa.Check(lambda data: data.lazyframe.select(pl.col("a") <= pl.col("b")), name="order")
    schema = pa.DataFrameSchema(checks=check)
    return Try(schema, _TWO, True), Try(schema, _TWO.with_columns(a=pl.Series([1, 3])), False)


def _of_type(_: str) -> Iterable[Try]:
    yield from forms({"a": (str, {})}, _ONE, True, dtype=int)
    yield from forms({"a": (int, {})}, _ONE, False, dtype=str)
    yield from forms({}, _ONE, True, dtype=int)


def _coerced(_: str) -> Iterable[Try]:
    for coerce in (True, False):
        yield from forms(_A, _ONE.cast(pl.String), coerce, coerce=coerce)


def _strict(_: str) -> Iterable[Try]:
    for strict, passes in ((True, False), ("filter", True), (False, True)):
        yield from forms(_A, _TWO, passes, strict=strict)


def _ordered(_: str) -> Iterable[Try]:
    for ordered in (True, False):
        yield from forms(_AB, _TWO.select("b", "a"), not ordered, ordered=ordered)


def _unique(_: str) -> Iterable[Try]:
    yield from forms(_AB, _TWO, True, unique=["a", "b"])
    yield from forms(_AB, _TWO, False, unique="a")


def _several_unique(_: str) -> Iterable[Try]:
    frame = pl.DataFrame({"a": [1, 1, 2], "b": [1, 2, 2]})
    yield from forms(_AB, frame, False, unique=[["a"], ["b"]])


def _added(_: str) -> Iterable[Try]:
    columns = {"b": (int, {}), "a": (int, {"default": 1})}
    frame = pl.DataFrame({"b": [1, 2]})
    yield from forms(columns, frame, True, add_missing_columns=True)
    yield from forms(_AB, frame, False, add_missing_columns=True)


def _added_and_checked(_: str) -> Iterable[Try]:
    column = pa.Column(int, pa.Check.gt(0), default=-1)
    schema = pa.DataFrameSchema({"a": column}, add_missing_columns=True)
    yield Try(schema, pl.DataFrame({"b": [1, 2]}), False)


def _text(name: str) -> Iterable[Try]:
    value = {"x": "y"} if name == "metadata" else "told"
    yield from forms(_A, _ONE, True, **{name: value})
    yield from forms(_A, _BAD, False, **{name: value})


def _names_once(name: str) -> Iterable[Try]:
    yield from forms(_A, _ONE, True, **{name: True})
    yield from forms(_A, _BAD, False, **{name: True})


def _converted(name: str) -> Iterable[Try]:
    value = {"x": "y"} if name.endswith("kwargs") else "csv"
    made = model({"a": int}, {name: value})
    return Try(made, _ONE, True), Try(made, _BAD, False)


def _with(**options: Any) -> Any:
    return lambda _: pa.DataFrameSchema({"a": pa.Column(int)}, **options)


def _multiindex(name: str) -> Any:
    return model({"a": int}, {name: "a" if name == "multiindex_name" else not _default(name)})


def _default(name: str) -> bool:
    return bool(getattr(BaseConfig, name))


SCHEMAS = Group(
    "`pa.DataFrameSchema`, `Config`",
    _options,
    (
        as_pandera("columns", "", _columns),
        as_pandera("checks", "on the whole frame; several columns of results must all be true",
                   _checks),
        as_pandera("dtype", "of every column, whatever its own", _of_type),
        as_pandera("coerce", "", _coerced),
        as_pandera("strict", '`"filter"` too; every column that is too many is told', _strict),
        as_pandera("ordered", "", _ordered),
        as_pandera("unique", "one set of columns together; nulls repeat each other", _unique),
        better("unique", "several sets: each that fails is told (pandera tells the first)",
               _several_unique),
        as_pandera("add_missing_columns", "", _added),
        better("add_missing_columns", "what was added is checked too (pandera takes it unchecked)",
               _added_and_checked),
        as_pandera("unique_column_names", "polars has no other", _names_once),
        as_pandera("name title description metadata", "not shown", _text),
        as_pandera("from_format from_format_kwargs to_format to_format_kwargs to_format_buffer",
                   "without effect here", _converted),
        refused("index", _with(index=pa.Column(int))),
        refused("multiindex_name multiindex_coerce multiindex_unique multiindex_strict "
                "multiindex_ordered", _multiindex),
        refused("on_missing_columns", _with(on_missing_columns="warn")),
        refused("report_duplicates", _with(unique=["a"], report_duplicates="exclude_last")),
        refused("drop_invalid_rows", _with(drop_invalid_rows=True)),
        refused("parsers", _with(parsers=Parser(lambda data: data))),
    ),
)  # fmt: skip

_Any = TypeVar("_Any")


class _Base(pa.DataFrameModel):
    a: int = pa.Field(lt=9)

    @pa.check("a")
    def positive(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key) > 0)

    class Config:
        strict = True


class _Heir(_Base):
    b: int

    @pa.check("a")
    def positive(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key) > 1)


class _Open(pa.DataFrameModel, Generic[_Any]):
    a: _Any


def _decorated(name: str) -> Iterable[Try]:
    positive = lambda _, data: data.lazyframe.select(pl.col("a") > 0)  # noqa: E731
    decorate = pa.check("a") if name == "check" else pa.dataframe_check
    made = model({"a": int}, positive=decorate(positive))
    return Try(made, _ONE, True), Try(made, _ONE - 1, False)


def _by_pattern(_: str) -> Iterable[Try]:
    positive = lambda _, data: data.lazyframe.select(pl.col(data.key) > 0)  # noqa: E731
    made = model({"a": int, "ab": int, "b": int}, positive=pa.check("^a", regex=True)(positive))
    frame = pl.DataFrame({"a": [1, 1], "ab": [1, 1], "b": [-1, -1]})
    return Try(made, frame, True), Try(made, frame.with_columns(ab=pl.Series([1, -1])), False)


def _field(_: str) -> Iterable[Try]:
    made = model({"a": int}, a=pa.Field(gt=0))
    return Try(made, _ONE, True), Try(made, _ONE - 1, False)


def _inherited(_: str) -> Iterable[Try]:
    for a, passes in ([2, 3], True), ([1, 2], False), ([2, 9], False):
        yield Try(_Heir, pl.DataFrame({"a": a, "b": [1, 1]}), passes)
    yield Try(_Heir, pl.DataFrame({"a": [2, 3], "b": [1, 1], "c": [1, 1]}), False)


def _generic(_: str) -> Iterable[Try]:
    return Try(_Open[int], _ONE, True), Try(_Open[str], _ONE, False)


def _annotated(name: str) -> Iterable[Try]:
    if name == "a: Optional[int]":
        yield from (Try(model({"z": Optional[int]}), frame, True) for frame in (_ONE, _TWO))  # noqa: UP045
        yield Try(model({"a": Optional[int]}), _ONE.cast(pl.String), False)  # noqa: UP045
    elif name == "a: Series[int]":
        made = model({"a": Series[int]})
        yield from (Try(made, frame, frame is _ONE) for frame in (_ONE, _BAD))
    else:
        made = model({"a": Annotated[pl.Datetime, "ms", "UTC"]})
        for zone in ("UTC", None):
            frame = pl.DataFrame({"a": [0]}, schema={"a": pl.Datetime("ms", zone)})
            yield Try(made, frame, zone is not None)


def _named_checks(_: str) -> Iterable[Try]:
    made = model({"a": int}, {"greater_than": 0})
    return Try(made, _ONE, True), Try(made, _ONE - 1, False)


class _Row(BaseModel):
    a: int


def _parsed(name: str) -> Any:
    decorate = getattr(model_components, name)
    decorated = decorate("a") if name == "parser" else decorate
    return model({"a": int}, parsed=decorated(lambda _, data: data))


MODELS = Group(
    "`pa.DataFrameModel`",
    lambda: {
        name
        for name, made in vars(model_components).items()
        if inspect.isfunction(made) and made.__module__ == model_components.__name__
        and not name.startswith("_")
    },
    (
        as_pandera("Field", "", _field),
        as_pandera("check dataframe_check", "", _decorated),
        as_pandera('check("^a", regex=True)', "for the fields that begin so", _by_pattern),
        as_pandera("a: Optional[int]", "the column may be absent", _annotated),
        as_pandera("a: Series[int]", "", _annotated),
        as_pandera('a: Annotated[pl.Datetime, "ms", "UTC"]', "", _annotated),
        as_pandera("class Model(Base)", "fields, checks and `Config` are inherited; a method of "
                   "the same name takes the place of the earlier one", _inherited),
        as_pandera("class Model(Base, Generic[T])", "as `Model[int]`", _generic),
        refused("class Model(Base, Generic[T])", lambda _: _Open,
                "as `Model`, without its types"),
        as_pandera("Config: greater_than = 0", "any built-in check, of every column",
                   _named_checks),
        refused("Config: stric = True", lambda _: model({"a": int}, {"stric": True}),
                "an option that pandera does not have"),
        refused("parser dataframe_parser", _parsed,
                "pandera cannot run them on polars; do in the asset what the parser does"),
        refused("a: Base", lambda _: model({"a": _Base})),
        refused("a: list[Base]", lambda _: model({"a": list[_Base]}),
                "pandera does not take it either"),
        refused("class Model(pydantic.BaseModel)", lambda _: _Row,
                "declare its columns in a pa.DataFrameModel"),
    ),
)  # fmt: skip
