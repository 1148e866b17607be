"""Whatever an asset returns, as polars frames that come one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from millgate.errors import BadResult

GROUP_ROWS = 250_000
GROUP_BYTES = 128 << 20
"""Frames of a stream are gathered up to one of these before they are written."""

IN_ORDER = pl.QueryOptFlags(check_order_observe=False)
"""polars 2.1 sees no order in `when(...).then(literal)`, and would pair its rows with others."""


def is_storable(result: object) -> bool:
    """Whether a result can be stored: by its type, without looking into it."""
    return isinstance(
        result,
        pl.DataFrame
        | pl.LazyFrame
        | pa.Table
        | pa.RecordBatchReader
        | duckdb.DuckDBPyRelation
        | Iterator,
    )


def frames_of(result: Any) -> Iterator[pl.DataFrame]:
    """A result as frames; they are made as they are pulled, in the thread that pulls."""
    match result:
        case pl.DataFrame() | pa.Table():
            yield _as_frame(result)
            return
        case pl.LazyFrame():
            yield pl.DataFrame(schema=result.collect_schema())
            yield from result.collect_batches(maintain_order=True, optimizations=IN_ORDER)
            return
        case duckdb.DuckDBPyRelation():
            result = result.to_arrow_reader()
    if isinstance(result, pa.RecordBatchReader):
        empty = True
        for batch in result:
            empty = False
            yield frame_of(pa.Table.from_batches([batch]))
        if empty:
            yield frame_of(result.schema.empty_table())
        return
    for item in result:
        yield _as_frame(item)


def first_of(frames: Iterator[pl.DataFrame]) -> pl.DataFrame:
    """The first frame, which says what the columns are; BadResult where there is none."""
    first = next(frames, None)
    if first is None:
        raise BadResult(
            "the asset yielded no frame, so its columns are not known",
            where="the asset's result",
            fix="yield an empty frame with its columns and types where there are no rows",
        )
    return first


def groups(first: pl.DataFrame, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The frames gathered into larger ones; BadResult where one differs from the first."""
    gathered, rows, size = [first], first.height, first.estimated_size()
    for frame in frames:
        if frame.schema != first.schema:
            raise _differs(frame.schema, first.schema)
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            yield pl.concat(gathered)
            gathered, rows, size = [], 0, 0
        gathered.append(frame)
        rows += frame.height
        size += frame.estimated_size()
    yield pl.concat(gathered)


def _differs(schema: pl.Schema, first: pl.Schema) -> BadResult:
    names = [n for n in {**first, **schema} if first.get(n) != schema.get(n)]
    name = names[0] if names else next(iter(schema), "")
    what = (
        f"{schema.get(name, 'missing')} in a later frame and {first.get(name, 'missing')} in the "
        "first"
        if names
        else "in another place in a later frame"
    )
    return BadResult(
        f"the yielded frames differ: column {name!r} is {what}",
        where=f"column {name!r}",
        fix="yield frames of one schema: select and cast the columns before yielding",
    )


def _as_frame(item: Any) -> pl.DataFrame:
    match item:
        case pl.DataFrame():
            return item
        case pl.LazyFrame():
            return item.collect(optimizations=IN_ORDER)
        case pa.Table():
            return frame_of(item)
        case pa.RecordBatch():
            return frame_of(pa.Table.from_batches([item]))
    kind = type(item)
    raise BadResult(
        f"the asset yielded a {kind.__module__}.{kind.__qualname__}".replace("builtins.", ""),
        where="the asset's result",
        fix="yield polars frames or pyarrow tables",
    )


def frame_of(table: pa.Table) -> pl.DataFrame:
    """An Arrow table in polars; raises BadResult, naming the column, for a type polars has not."""
    # polars panics on an empty column of such a type, so it must not see one.
    for field in table.schema:
        if _is_foreign(field.type):
            raise BadResult(
                f"a column of Arrow type {field.type} cannot be stored",
                where=f"column {field.name!r}",
                fix="cast it to a type that Parquet and polars share, such as text or a number",
            )
    try:
        return pl.DataFrame(table)
    except pl.exceptions.PolarsError as error:
        raise BadResult(
            f"polars cannot read the Arrow table: {error}",
            where=", ".join(f"{field.name}: {field.type}" for field in table.schema),
            fix="cast its columns to types that Parquet and polars share",
        ) from error


def _is_foreign(type_: pa.DataType) -> bool:
    parts = (type_.field(i).type for i in range(type_.num_fields))
    return pa.types.is_interval(type_) or pa.types.is_union(type_) or any(map(_is_foreign, parts))
