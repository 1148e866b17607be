from __future__ import annotations

import pathlib
import typing  # noqa: F401
from collections.abc import Callable, Iterator
from inspect import Parameter
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, Optional, Union

import polars as pl
import pytest

from millgate.declare.annotation import Scope, spelled
from millgate.model.partition import Partition

if TYPE_CHECKING:
    import duckdb as dd  # noqa: F401
    import pyarrow  # noqa: F401
    from polars import DataFrame as Frame  # noqa: F401
    from pyarrow import RecordBatchReader  # noqa: F401

    from millgate import Partition as Slice  # noqa: F401

Alias = pl.LazyFrame


def here() -> None: ...


@pytest.mark.parametrize(
    ("annotation", "shown"),
    [
        (Parameter.empty, ""),
        (Any, ""),
        ("Any", ""),
        ("typing.Any", ""),
        (pl.LazyFrame, "polars.LazyFrame"),
        ("pl.LazyFrame", "polars.LazyFrame"),
        ("Alias", "polars.LazyFrame"),
        ("Frame", "polars.DataFrame"),
        ("dd.DuckDBPyRelation", "duckdb.DuckDBPyRelation"),
        ("pyarrow.Table", "pyarrow.Table"),
        ("RecordBatchReader", "pyarrow.RecordBatchReader"),
        (pathlib.Path, "pathlib.Path"),
        ("pathlib.Path", "pathlib.Path"),
        (Partition, "millgate.Partition"),
        ("Slice", "millgate.Partition"),
        (str, "str"),
        ("str", "str"),
        (None, "None"),
        (pl.LazyFrame | None, "polars.LazyFrame | None"),
        ("pl.LazyFrame | None", "polars.LazyFrame | None"),
        ("None | Frame", "polars.DataFrame | None"),
        (Optional[pl.LazyFrame], "polars.LazyFrame | None"),  # noqa: UP045
        ("Optional[Frame]", "polars.DataFrame | None"),
        ("typing.Optional['Frame']", "polars.DataFrame | None"),
        (Optional["pl.LazyFrame"], "polars.LazyFrame | None"),
        (Union[pl.LazyFrame, pl.DataFrame], "polars.LazyFrame | polars.DataFrame"),  # noqa: UP007
        ("Union[pl.LazyFrame, None]", "polars.LazyFrame | None"),
        (Annotated[pl.LazyFrame, "of a day"], "polars.LazyFrame"),
        ("Annotated[pl.LazyFrame, 'of a day']", "polars.LazyFrame"),
        (list[Partition], "list[millgate.Partition]"),
        ("list[Slice]", "list[millgate.Partition]"),
        ("list['Slice']", "list[millgate.Partition]"),
        (Iterator[pl.DataFrame], "collections.Iterator[polars.DataFrame]"),
        ("nobody.Knows", "nobody.Knows"),
        ("int if x else str", "int if x else str"),
        ("not python!", "not python!"),
    ],
)
def test_spelled(annotation: object, shown: str) -> None:
    assert str(spelled(annotation, Scope(here))) == shown


def test_names_of_the_enclosing_function() -> None:
    import pyarrow as arrow

    def closed_over(_table: arrow.Table) -> object:
        return arrow.Table

    def imported_by_its_factory(table: arrow.Table) -> None: ...

    for function in (closed_over, imported_by_its_factory):
        assert str(spelled("arrow.Table", Scope(function))) == "pyarrow.Table"


def test_the_original_of_a_wrapped_function() -> None:
    module = ModuleType("elsewhere")
    exec("import polars as p\ndef f(x: 'p.LazyFrame'): ...", vars(module))

    def wrapper() -> None: ...

    wrapper.__wrapped__ = module.f  # type: ignore[attr-defined]
    assert str(spelled("p.LazyFrame", Scope(wrapper))) == "polars.LazyFrame"


def test_a_function_without_a_file() -> None:
    names: dict[str, Callable[..., Any]] = {}
    exec("def f(x: 'gone.Frame'): ...", names)
    assert str(spelled("gone.Frame", Scope(names["f"]))) == "gone.Frame"
