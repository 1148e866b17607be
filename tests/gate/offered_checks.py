"""pandera's built-in checks, and what can be said of a check."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pandera.polars as pa
import polars as pl

from gate.pandera_offers import Group, Try, as_pandera, better, checked, refused

_ROWS = pl.col("a") > 0


def _builtin() -> set[str]:
    """The built-in checks that pandera has a function for on polars."""
    registered = pa.Check.CHECK_FUNCTION_REGISTRY.items()
    return {name for name, known in registered if pa.PolarsData in known._function_registry}


def _arguments(of: Any) -> set[str]:
    return set(inspect.signature(of).parameters)


def _compares(good: list[Any], bad: list[Any], *arguments: Any, **named: Any) -> Any:
    """Tries of a built-in check that passes the first rows and fails some of the second."""

    def tries(name: str) -> Iterable[Try]:
        check = getattr(pa.Check, name)(*arguments, **named)
        dtype = type(good[0])
        return checked(check, good, True, dtype), checked(check, bad, False, dtype)

    return tries


def _with(function: Any, good: list[Any], bad: list[Any], **options: Any) -> Iterable[Try]:
    check = pa.Check(function, **{"name": "stated", **options})
    return checked(check, good, True), checked(check, bad, False)


def _select(expression: Any) -> Any:
    return lambda data: data.lazyframe.select(expression)


def _told(name: str) -> Iterable[Try]:
    return _with(_select(_ROWS), [1, 2], [1, -1], **{name: "positive"})


def _without_effect(value: Any) -> Any:
    return lambda name: _with(_select(_ROWS), [1, 2], [1, -1], **{name: value})


def _missing(_: str) -> Iterable[Try]:
    for ignore_na in (True, False):
        check = pa.Check.gt(0, ignore_na=ignore_na)
        yield checked(check, [1, None], ignore_na, nullable=True)


def _warning(_: str) -> Iterable[Try]:
    yield checked(pa.Check.gt(0, raise_warning=True), [1, -1], True)
    raising = pa.Check(lambda data: data.lazyframe.no_such_thing, raise_warning=True)
    yield checked(raising, [1, 1], False)


def _bounded(name: str, greater: bool) -> Iterable[Try]:
    check, given = getattr(pa.Check, name)(2.0), {"dtype": float, "nullable": True}
    within, beyond = ([3.0, 4.0], [1.0, 3.0]) if greater else ([0.0, 1.0], [1.0, 3.0])
    yield checked(check, within, True, **given)
    yield checked(check, beyond, False, **given)
    yield checked(check, [*within, float("nan")], greater, **given)
    yield checked(check, [2.0, 2.0], name.endswith("equal_to"), **given)


def _look_ahead(name: str) -> Any:
    return pa.DataFrameSchema({"a": pa.Column(str, getattr(pa.Check, name)("(?=a)"))})


_BUILTIN = [
    as_pandera("equal_to", "`eq`; a null passes unless `ignore_na=False`, as in all of these",
               _compares([1, 1], [1, 2], 1)),
    as_pandera("not_equal_to", "`ne`", _compares([2, 3], [1, 2], 1)),
    as_pandera("greater_than greater_than_or_equal_to", "`gt`, `ge`; a NaN passes",
               lambda name: _bounded(name, True)),
    as_pandera("less_than less_than_or_equal_to", "`lt`, `le`; a NaN fails",
               lambda name: _bounded(name, False)),
    as_pandera("in_range", "`between`; either end may be left out of it",
               _compares([1, 2], [2, 3], 1, 3, include_max=False)),
    as_pandera("isin", "", _compares(["x", "y"], ["x", "z"], ["x", "y"])),
    as_pandera("notin", "", _compares(["z", "w"], ["x", "z"], ["x", "y"])),
    as_pandera("str_startswith", "a text, no pattern", _compares(["x.", "x.y"], ["xy"], "x.")),
    as_pandera("str_endswith", "a text, no pattern", _compares([".x", "y.x"], ["yx"], ".x")),
    as_pandera("str_length", "in characters", _compares(["é", "ab"], ["", "abc"], 1, 2)),
    as_pandera("unique_values_eq", "judges the partition as a whole",
               _compares(["x", "y"], ["x", "x"], ["x", "y"])),
    better("str_matches", "from the start, for every alternative of `a\\|b` (pandera makes "
           "`^a\\|b` of it) and with the flags of a compiled pattern",
           _compares(["a", "by"], ["xb"], "a|b")),
    better("str_contains", "with the flags of a compiled pattern, which pandera drops",
           _compares(["xA", "xa"], ["b", "a"], re.compile("A", re.IGNORECASE))),
    refused("str_matches str_contains", _look_ahead),
]  # fmt: skip

CHECKS = Group("built-in check", _builtin, tuple(_BUILTIN))


def _one_value(_: str) -> Iterable[Try]:
    mean = _select(pl.col("a").mean() < 3)
    return _with(mean, [1, 2], [1, 9])


def _another_height(_: str) -> Iterable[Try]:
    check = pa.Check(_select(pl.col("a").drop_nulls() > 0), name="known")
    yield checked(check, [None, 1, 1], True, nullable=True)
    yield checked(check, [None, 1, -1], False, nullable=True)


def _plain_false(_: str) -> Iterable[Try]:
    checks = [pa.Check(lambda _: False, name="never"), pa.Check.gt(0)]
    return [checked(checks, [1, -1], False)]


def _refuse_groups(_: str) -> Any:
    check = pa.Check(_select(_ROWS), groupby="b", groups=["x"], name="each_group")
    return pa.DataFrameSchema({"a": pa.Column(int, check), "b": pa.Column(str)})


def _shown_apart(_: str) -> Iterable[Try]:
    check = pa.Check.gt(0, n_failure_cases=1)
    yield checked(check, [1, 2], True)
    yield checked(check, [-1, 1, -2], False)


def _given(_: str) -> Iterable[Try]:
    at_least = lambda data, least: data.lazyframe.select(pl.col(data.key) >= least)  # noqa: E731
    return _with(at_least, [2, 3], [1, 2], least=2)


def _each(_: str) -> Iterable[Try]:
    return _with(lambda value: value > 0, [1, 2], [1, -1], element_wise=True)


OPTIONS = Group(
    "`pa.Check`",
    lambda: _arguments(pa.Check),
    (
        as_pandera("check_fn", "as many results as rows: each row is judged",
                   lambda _: _with(_select(_ROWS), [1, 2], [1, -1])),
        better("check_fn", "one result for all rows: holds, and blames no row (pandera blames the "
               "first)", _one_value),
        better("check_fn", "another number of results: holds unless all are true, and blames no "
               "row (pandera blames wrong ones)", _another_height),
        better("check_fn", "`False`: holds, and failing rows of other checks are told beside it "
               "(pandera breaks off)", _plain_false),
        as_pandera("element_wise", "row by row in Python: slow", _each),
        as_pandera("check_kwargs", "handed to the function", _given),
        as_pandera("ignore_na", "", _missing),
        as_pandera("raise_warning", "recorded with the severity `warning`; a check that raises is "
                   "an error all the same", _warning),
        better("n_failure_cases", "all failing rows are counted and rejected; up to five values "
               "are shown in any case", _shown_apart),
        as_pandera("name error description", "shown with the result", _told),
        as_pandera("title", "not shown", _told),
        as_pandera("statistics", "without effect here", _without_effect({"least": 0})),
        as_pandera("native determined_by_unique", "without effect here", _without_effect(True)),
        as_pandera("strategy constraint", "without effect here", _without_effect(datetime)),
        refused("groupby groups", _refuse_groups),
    ),
)  # fmt: skip
