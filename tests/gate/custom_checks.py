"""Checks of every form that a user may write: what they return, how high it is, what they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
import polars.selectors as cs


@dataclass(frozen=True)
class Custom:
    """A check's function; `whole` says that it gives one value for any frame."""

    name: str
    function: Callable[..., Any]
    whole: bool = False
    element_wise: bool = False


def selecting(make: Callable[[pl.Expr], pl.Expr]) -> Callable[..., Any]:
    """The usual form: one expression on the column."""
    return lambda data: data.lazyframe.select(make(pl.col(data.key)))


def collected(make: Callable[[pl.Expr], pl.Expr]) -> Callable[..., Any]:
    """The same out of reach of tracing."""
    return lambda data: data.lazyframe.collect().lazy().select(make(pl.col(data.key)))


def added(data: Any) -> pl.LazyFrame:
    return data.lazyframe.with_columns(ok=pl.col(data.key).is_not_null()).select("ok")


def as_frame(data: Any) -> pl.DataFrame:
    return data.lazyframe.select(pl.col(data.key).is_not_null()).collect()


def raising(_data: Any) -> pl.LazyFrame:
    raise ValueError("no such luck")


def raising_late(data: Any) -> pl.LazyFrame:
    def explode(_series: pl.Series) -> pl.Series:
        raise ValueError("later")

    return data.lazyframe.select(pl.col(data.key).map_batches(explode, pl.Boolean))


def each_short(value: Any) -> bool:
    return len(str(value)) < 3


def each_raises(value: Any) -> bool:
    raise KeyError(value)


def each_none(value: Any) -> bool | None:
    return None if len(str(value)) > 2 else len(str(value)) > 1


def raising_on_rows(data: Any) -> pl.LazyFrame:
    def explode(series: pl.Series) -> pl.Series:
        if len(series):
            raise ValueError("rows")
        return series.is_null()

    return data.lazyframe.select(pl.col(data.key).map_batches(explode, pl.Boolean))


def selecting_twice(data: Any) -> pl.LazyFrame:
    data.lazyframe.select(pl.col(data.key).is_not_null())
    return data.lazyframe.select(pl.col(data.key).is_null())


def selecting_for_nothing(data: Any) -> bool:
    data.lazyframe.select(pl.col(data.key).is_null())
    return True


def undaunted(data: Any) -> pl.LazyFrame:
    try:
        read = data.lazyframe.collect() is not None
    except:  # noqa: E722
        read = False
    found = pl.col(data.key).is_null()
    return data.lazyframe.select(found if read else ~found)


def nothing_in(data: Any) -> pl.LazyFrame:
    return data.lazyframe.filter(False).select(pl.col(data.key).is_null())


def with_argument(data: Any, least: int) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key).count() >= least)


CUSTOM = (
    Custom("known", selecting(lambda c: c.is_not_null())),
    Custom("unknown", selecting(lambda c: c.is_null())),
    Custom("not_known_late", collected(lambda c: c.is_null().not_())),
    Custom("undecided", selecting(lambda c: pl.when(c.is_null()).then(pl.lit(False)))),
    Custom("decided", selecting(lambda c: pl.when(c.is_not_null()).then(c.is_null()))),
    Custom("undecided_late", collected(lambda c: pl.when(c.is_null()).then(pl.lit(False)))),
    Custom("first", selecting(lambda c: c.is_first_distinct())),
    Custom("twice", selecting(lambda c: c.is_duplicated())),
    Custom("neighbours", selecting(lambda c: c.shift().ne_missing(c))),
    Custom("few_alike", selecting(lambda c: pl.len().over(c) < 3)),
    Custom("place", lambda data: data.lazyframe.select(pl.int_range(pl.len()) < 4)),
    Custom("negated", selecting(lambda c: ~(c.is_null() | c.is_duplicated()))),
    Custom("mapped", selecting(lambda c: c.map_batches(lambda s: s.is_not_null(), pl.Boolean))),
    Custom("added", added),
    Custom("as_frame", as_frame),
    Custom("raising", raising),
    Custom("raising_late", raising_late),
    Custom("raising_on_rows", raising_on_rows),
    Custom("number", selecting(lambda c: c.cast(pl.String).str.to_integer(strict=True) > 0)),
    Custom("selecting_twice", selecting_twice),
    Custom("selecting_for_nothing", selecting_for_nothing, whole=True),
    Custom("undaunted", undaunted),
    Custom("as_the_last", selecting(lambda c: c.is_null() == pl.last().is_null())),
    Custom("true", lambda _: True, whole=True),
    Custom("false", lambda _: False, whole=True),
    Custom("few", selecting(lambda c: c.n_unique() < 4), whole=True),
    Custom("some_known", selecting(lambda c: c.is_not_null().any()), whole=True),
    Custom("half_known", selecting(lambda c: c.null_count() * 2 <= pl.len()), whole=True),
    Custom("some_rows", lambda data: data.lazyframe.select(pl.len()).collect().item() > 0, True),
    Custom("rows_late", collected(lambda c: c.len() > 1), whole=True),
    Custom("null", lambda data: data.lazyframe.select(pl.lit(None, pl.Boolean)), whole=True),
    Custom("no", lambda data: data.lazyframe.select(pl.lit(False)), whole=True),
    Custom("shorter", selecting(lambda c: c.drop_nulls().is_duplicated())),
    Custom("shorter_late", collected(lambda c: c.drop_nulls().is_duplicated())),
    Custom("nothing_in", nothing_in),
    Custom("each_short", each_short, element_wise=True),
    Custom("each_none", each_none, element_wise=True),
    Custom("each_raises", each_raises, element_wise=True),
)

FRAME = (
    Custom("all_known", lambda data: data.lazyframe.select(pl.all().is_not_null())),
    Custom(
        "one_null", lambda data: data.lazyframe.select(pl.sum_horizontal(pl.all().is_null()) < 2)
    ),
    Custom(
        "named",
        lambda data: data.lazyframe.select(
            x=pl.first().is_not_null(), y=pl.last().is_duplicated().not_()
        ),
    ),
    Custom("with_length", lambda data: data.lazyframe.select(pl.first().is_null(), pl.len() < 3)),
    Custom("rows_known", lambda data: data.lazyframe.select(pl.len() > 1), whole=True),
    Custom("numbers", lambda data: data.lazyframe.select(cs.numeric() >= 0)),
    Custom(
        "listed", lambda data: data.lazyframe.select([pl.first().is_null(), pl.last().is_null()])
    ),
    Custom("distinct", lambda data: data.lazyframe.select(pl.struct(pl.all()).is_first_distinct())),
    Custom("late", lambda data: data.lazyframe.collect().lazy().select(pl.all().is_not_null())),
    Custom("filled", lambda data: data.lazyframe.drop_nulls().select(pl.first().is_null())),
    Custom("frame_raises", raising),
    Custom("frame_false", lambda _: False, whole=True),
    Custom("each_value", each_short, element_wise=True),
    Custom("missing", lambda data: data.lazyframe.select(pl.col("no such column") > 0)),
)
