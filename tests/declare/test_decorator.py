from __future__ import annotations

import functools
from typing import Any

import polars as pl
import pytest

from millgate.declare.decorator import asset
from millgate.errors import DeclarationError
from millgate.model.asset import Asset, Env, Form, Input, Retry
from millgate.model.grain import Daily
from millgate.model.partition import Partition, Partitions
from millgate.model.policy import Gate


def test_bare() -> None:
    @asset
    def orders(raw: pl.DataFrame) -> pl.DataFrame:
        """Orders of the shop.

        One row each.
        """
        return raw.head(1)

    assert isinstance(orders, Asset)
    assert orders.name == "orders"
    assert orders.kind == "asset"
    assert orders.description == "Orders of the shop.\n\nOne row each."
    assert orders.inputs == (Input("raw", "raw", None, Form.FRAME),)
    assert orders.partitions == Partitions()
    assert orders.gate == Gate()
    assert orders.retries == Retry(times=0)
    line = test_bare.__code__.co_firstlineno + 1
    assert orders.defined_in == f"{__file__}:{line}"


def test_every_keyword() -> None:
    days, gate = Daily("2013-01-01"), Gate(on_failure="warn")

    @asset(
        name="sales",
        partitions=days,
        upstream={"raw": "raw_orders"},
        gate=gate,
        retries=Retry(3),
        owner="ops",
        tags=["daily"],
        version="2",
    )
    def orders(raw, day: Partition, dsn: str = Env("DSN"), **tables) -> str: ...

    assert orders.name == "sales"
    assert orders.partitions == Partitions((days,))
    assert orders.inputs == (Input("raw", "raw_orders"),)
    assert orders.gate is gate
    assert orders.retries == Retry(3)
    assert orders.owner == "ops"
    assert orders.tags == {"daily"}
    assert orders.version == "2"
    assert orders.partition_parameter == "day"
    assert orders.tables_parameter == "tables"
    assert orders.settings == {"dsn": Env("DSN")}
    assert orders.returns_sql


def test_it_stays_callable() -> None:
    @asset(partitions=Daily("2013-01-01"))
    def orders(raw: pl.DataFrame, partition: Partition) -> pl.DataFrame:
        return raw.filter(pl.col("day") == partition.key)

    raw = pl.DataFrame({"day": ["2013-01-01", "2013-01-02"]})
    assert orders(raw, orders.partition("2013-01-02")).height == 1


def test_a_decorated_function() -> None:
    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return call

    @asset
    @logged
    def orders(raw: pl.DataFrame): ...

    assert orders.name == "orders"
    assert orders.inputs == (Input("raw", "raw", None, Form.FRAME),)
    assert orders.defined_in.startswith(__file__)


def test_generators_of_frames() -> None:
    @asset
    def orders(raw):
        yield raw

    assert orders.inputs == (Input("raw", "raw"),)


async def asynchronous(): ...
async def asynchronous_generator():
    yield


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (asynchronous, "asynchronous is asynchronous"),
        (asynchronous_generator, "asynchronous_generator is asynchronous"),
        ("orders", "@asset got 'orders', which is no function"),
        (Daily("2013-01-01"), "which is no function"),
        (dict, "which is no function"),
        (functools.partial(print), "which is no function"),
        (lambda: None, "'<lambda>' cannot name an asset"),
        (asset(name="orders")(lambda: None), "orders is an asset already"),
    ],
)
def test_refused(function: Any, what: str) -> None:
    with pytest.raises(DeclarationError) as raised:
        asset(function)
    assert what in raised.value.what
    assert raised.value.where.startswith(__file__)


@pytest.mark.parametrize(
    ("keywords", "what"),
    [
        ({"name": "Orders"}, "'Orders' cannot name"),
        ({"partitions": "daily"}, "partitions='daily' is no partitioning"),
        ({"gate": "strict"}, "gate='strict' is no Gate"),
        ({"retries": "many"}, "retries='many' is no Retry"),
        ({"owner": 3}, "owner=3 is no text"),
        ({"tags": "daily"}, "tags='daily' is no list"),
        ({"version": 2}, "version=2 is no text"),
    ],
)
def test_refused_keywords(keywords: dict[str, Any], what: str) -> None:
    with pytest.raises(DeclarationError) as raised:

        @asset(**keywords)
        def orders(): ...

    assert what in raised.value.what
    assert raised.value.where.startswith(f"{__file__}:")
