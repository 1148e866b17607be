from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from millgate.declare.parameters import Received, read_parameters
from millgate.errors import DeclarationError
from millgate.model.asset import Env, Form
from millgate.model.partition import Partition


def test_every_form() -> None:
    def f(
        plain,
        anything: Any,
        lazy: pl.LazyFrame,
        frame: pl.DataFrame,
        table: pa.Table,
        reader: pa.RecordBatchReader,
        relation: duckdb.DuckDBPyRelation,
        path: Path,
        maybe: pl.DataFrame | None,
        *,
        named: pl.LazyFrame,
    ): ...

    assert read_parameters(f, "x.py:1").upstreams == {
        "plain": Received(Form.LAZY),
        "anything": Received(Form.LAZY),
        "lazy": Received(Form.LAZY),
        "frame": Received(Form.FRAME),
        "table": Received(Form.TABLE),
        "reader": Received(Form.READER),
        "relation": Received(Form.RELATION),
        "path": Received(Form.PATH),
        "maybe": Received(Form.FRAME, optional=True),
        "named": Received(Form.LAZY),
    }


def test_what_is_no_upstream() -> None:
    def f(
        orders, when: Partition, dsn: str = Env("DSN"), limit: int = 3, **tables: pl.DataFrame
    ) -> str: ...

    parameters = read_parameters(f, "x.py:1")
    assert list(parameters.upstreams) == ["orders"]
    assert parameters.partition == "when"
    assert parameters.tables == ("tables", Received(Form.FRAME))
    assert parameters.settings == {"dsn": Env("DSN")}
    assert parameters.taken == {"dsn", "limit"}
    assert parameters.names == {"orders", "when", "dsn", "limit"}
    assert parameters.returns_sql


def test_adjacent_partitions() -> None:
    def f(orders, days: list[Partition]) -> pl.DataFrame: ...

    parameters = read_parameters(f, "x.py:1")
    assert (parameters.partition, parameters.takes_many) == ("days", True)
    assert list(parameters.upstreams) == ["orders"]


def test_a_partition_with_a_default_is_given_nevertheless() -> None:
    def f(partition: Partition | None = None) -> pl.DataFrame: ...

    parameters = read_parameters(f, "x.py:1")
    assert parameters.partition == "partition"
    assert not parameters.upstreams
    assert not parameters.returns_sql


def positional(orders, /): ...
def any_number(*orders): ...
def an_integer(orders: int): ...
def a_string(orders: str): ...
def two_forms(orders: pl.LazyFrame | pl.DataFrame): ...
def sequence(partitions: Sequence[Partition]): ...
def any_length(partitions: tuple[Partition, ...]): ...
def keyed(partitions: dict[Partition, str]): ...
def tables(**tables: int): ...
def twice(a: Partition, b: Partition): ...
def both(a: Partition, b: list[Partition]): ...


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (positional, "the parameter orders, / cannot be given by name"),
        (any_number, "the parameter *orders cannot be given by name"),
        (an_integer, "nothing can be given to the parameter orders: int"),
        (a_string, "nothing can be given to the parameter orders: str"),
        (two_forms, "the parameter orders: polars.LazyFrame | polars.DataFrame"),
        (sequence, "Sequence[millgate.Partition] is not how adjacent partitions are received"),
        (any_length, "is not how adjacent partitions are received"),
        (keyed, "nothing can be given to the parameter partitions"),
        (tables, "nothing can be given to the parameter tables: int"),
        (twice, "the parameters a and b both ask for the partition"),
        (both, "the parameters a and b both ask for the partition"),
    ],
)
def test_refused(function: Callable[..., Any], what: str) -> None:
    with pytest.raises(DeclarationError) as raised:
        read_parameters(function, "x.py:1")
    assert what in raised.value.what
    assert raised.value.where == "x.py:1"


def test_the_fix_lists_what_is_possible() -> None:
    with pytest.raises(DeclarationError) as raised:
        read_parameters(an_integer, "x.py:1")
    for form in Form:
        assert form.value in raised.value.fix
    assert "Partition" in raised.value.fix
