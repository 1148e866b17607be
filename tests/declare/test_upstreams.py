from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from millgate.declare.decorator import asset
from millgate.declare.origin import source
from millgate.declare.upstreams import read_upstream, settle
from millgate.errors import DeclarationError
from millgate.model.asset import Asset, Declared, Form, Input
from millgate.model.dimension import Horizon
from millgate.model.mapping import Window
from millgate.model.partition import Partition, Partitions

raw = source("raw.csv", name="raw")
unnamed = source("later.csv")


@asset
def orders() -> None: ...


class Sundays:
    of = orders

    def keys(
        self, partition: Partition, upstream: Partitions, horizon: Horizon
    ) -> Iterable[str]: ...


class Mondays:
    def keys(
        self, partition: Partition, upstream: Partitions, horizon: Horizon
    ) -> Iterable[str]: ...


sundays, mondays = Sundays(), Mondays()


def named(target: Declared) -> str:
    return target.name or "later"


@pytest.mark.parametrize(
    ("upstream", "inputs"),
    [
        (None, [("x", "x", None)]),
        ([], [("x", "x", None)]),
        (["x"], [("x", "x", None)]),
        (("x",), [("x", "x", None)]),
        ({"x": "orders"}, [("x", "orders", None)]),
        ({"x": orders}, [("x", "orders", None)]),
        ({"x": raw}, [("x", "raw", None)]),
        ({"x": unnamed}, [("x", "later", None)]),
        ({"x": None}, [("x", "x", None)]),
        ({"x": Window(-6, 0)}, [("x", "x", Window(-6, 0))]),
        ({"x": Window(-6, 0, of="orders")}, [("x", "orders", Window(-6, 0))]),
        ({"x": Window(0, 0, of=orders, pinned=True)}, [("x", "orders", Window(pinned=True))]),
        ({"x": Window(-1, 0, of=unnamed)}, [("x", "later", Window(-1, 0))]),
        ({"x": {"EU": ["DE", "FR"], "US": "US"}}, [("x", "x", {"EU": ["DE", "FR"], "US": "US"})]),
        ({"x": {"date": Window(-1, 0)}}, [("x", "x", {"date": Window(-1, 0)})]),
        ({"x": sundays}, [("x", "orders", sundays)]),
        ({"x": mondays}, [("x", "x", mondays)]),
    ],
)
def test_inputs(upstream: Any, inputs: list[tuple[str, str, object]]) -> None:
    @asset(upstream=upstream)
    def made(x): ...

    settled = settle(made, named)
    assert [(i.parameter, i.upstream, i.mapping) for i in settled] == inputs
    assert all(type(i.upstream) is str and type(i.parameter) is str for i in settled)


def test_form_of_the_parameter() -> None:
    @asset(upstream={"x": "orders"})
    def made(x: pl.DataFrame | None): ...

    assert made.inputs == (Input("x", "orders", None, Form.FRAME, optional=True),)


def test_further_upstreams_go_to_tables() -> None:
    @asset(upstream=["x", orders, "y", unnamed])
    def made(x, **tables: pl.DataFrame): ...

    assert made.tables_parameter == "tables"
    assert settle(made, named) == (
        Input("x", "x", None, Form.LAZY),
        Input("orders", "orders", None, Form.FRAME),
        Input("y", "y", None, Form.FRAME),
        Input("later", "later", None, Form.FRAME),
    )


def test_mapped_further_upstreams_go_to_tables() -> None:
    @asset(upstream={"week": Window(-6, 0, of="orders"), "x": "raw"})
    def made(x, **tables): ...

    assert [(i.parameter, i.upstream) for i in made.inputs] == [("x", "raw"), ("week", "orders")]


def test_a_listed_source_without_a_name_is_the_parameter_of_its_name() -> None:
    @asset(upstream=[unnamed])
    def made(later: pl.DataFrame): ...

    assert settle(made, named) == (Input("later", "later", None, Form.FRAME),)


def test_a_listed_source_without_a_name_that_nothing_receives() -> None:
    @asset(upstream=[unnamed])
    def made(late): ...

    with pytest.raises(DeclarationError, match="names later, which the function does not") as e:
        settle(replace(made, defined_in="assets/x.py:1"), named)
    assert e.value.where == "assets/x.py:1"
    assert "did you mean late?" in e.value.fix


def declare(upstream: Any) -> Asset:
    @asset(upstream=upstream)
    def made(x, partition: Partition, limit: int = 3): ...

    return made


@pytest.mark.parametrize(
    ("upstream", "what"),
    [
        ("x", "upstream='x' is no list or dict"),
        (3, "upstream=3 is no list or dict"),
        (orders, "is no list or dict"),
        ([3], "3 is no upstream"),
        ([""], "'' is no upstream"),
        ([Window(-6, 0)], "is no upstream"),
        ({3: "x"}, "3 in upstream= is no parameter's name"),
        ({"x": 3}, "is no mapping"),
        ({"x": Mondays}, "is no mapping"),
        ({"x": {}}, "the dict for x maps neither"),
        ({"x": {"EU": 3}}, "the dict for x maps neither"),
        ({"x": {3: "EU"}}, "the dict for x maps neither"),
        ({"x": {"EU": "DE", "date": Window()}}, "the dict for x maps neither"),
        ({"x": {"date": Window(of="orders")}}, "a Window for one dimension of x"),
        ({"y": "orders"}, "upstream= names y, which the function does not receive"),
        (["y"], "upstream= names y, which the function does not receive"),
        (["partition"], "the parameter partition takes no upstream"),
        ({"limit": "orders"}, "the parameter limit takes no upstream"),
    ],
)
def test_refused(upstream: Any, what: str) -> None:
    with pytest.raises(DeclarationError) as raised:
        declare(upstream)
    assert what in raised.value.what
    assert __file__ in raised.value.where
    assert raised.value.fix


def test_nothing_given() -> None:
    assert read_upstream(None, "x.py:1") == ()
