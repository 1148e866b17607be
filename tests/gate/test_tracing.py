from __future__ import annotations

import contextlib

import pandera.backends.polars.builtin_checks  # noqa: F401  (registers what is called)
import pandera.polars as pa
import polars as pl
import pytest

from millgate.gate.tracing import trace

A = pl.col("a")


def swallowing(data):
    with contextlib.suppress(Exception):
        data.lazyframe.collect()
    return data.lazyframe.select(pl.lit(True))


def other_frame(data):
    data.lazyframe.select(pl.lit(True))
    return pl.LazyFrame({"x": [True]})


def asking_its_type(data):
    assert isinstance(data.lazyframe, pl.LazyFrame)
    return data.lazyframe.select(pl.col(data.key) > 0)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (pa.Check.gt(0), [A.gt(0)]),
        (pa.Check.in_range(1, 2), [A.ge(1).and_(A.le(2))]),
        (pa.Check.str_matches("x"), [A.str.contains("^x")]),
        (pa.Check(lambda d: d.lazyframe.select("a")), [A]),
        (pa.Check(lambda d: d.lazyframe.select([A > 0, A < 9])), [A > 0, A < 9]),
        (pa.Check(lambda d: d.lazyframe.select(ok=A > 0)), [A > 0]),
        (pa.Check(lambda d, least: d.lazyframe.select(least < A), least=3), [A > 3]),
        (pa.Check(asking_its_type), [A > 0]),
    ],
)
def test_the_expression_of_a_check(check, expected):
    found = trace(check, "a")
    assert found is not None
    assert [str(e) for e in found] == [str(e) for e in expected]


@pytest.mark.parametrize(
    "check",
    [
        pa.Check(lambda value: value > 0, element_wise=True),
        pa.Check.unique_values_eq([1]),
        pa.Check(lambda _: True),
        pa.Check(lambda d: d.lazyframe.collect().lazy().select(A > 0)),
        pa.Check(lambda d: d.lazyframe.with_columns(b=A).select(A > 0)),
        pa.Check(lambda d: d.lazyframe.select(A > 0).select(A)),
        pa.Check(lambda d: d.lazyframe.select(1)),
        pa.Check(lambda d: d.lazyframe.select()),
        pa.Check(lambda d: d.lazyframe),
        pa.Check(lambda d: pl.concat([d.lazyframe, d.lazyframe])),
        pa.Check(lambda _: 1 / 0),
        pa.Check(swallowing),
        pa.Check(other_frame),
    ],
)
def test_anything_but_one_select_is_opaque(check):
    assert trace(check, "a") is None
