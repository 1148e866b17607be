"""Whatever an asset returns, as polars frames that come one after the other."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import duckdb
import polars as pl

from millgate.errors import BadResult

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 250_000
GROUP_BYTES = 128 << 20
"""Frames of a stream are gathered up to one of these before they are written."""

_SMALL_BYTES = 1 << 20
"""Of a frame that one thread writes in less time than it takes to share out the work."""

Small = tuple[pl.DataFrame, Path, Mapping[str, Any]]
"""Such a frame, the file that it is to be, and what that carries as metadata."""

IN_ORDER = pl.QueryOptFlags(check_order_observe=False)
"""polars 2.1 sees no order in `when(...).then(literal)`, and would pair its rows with others."""


def is_small(frame: pl.DataFrame) -> bool:
    """Whether it pays to write a frame by one thread, with other such frames."""
    return frame.estimated_size() <= _SMALL_BYTES


def is_storable(result: object) -> bool:
    """Whether a result can be stored: by its type, without looking into it."""
    known = (pl.DataFrame, pl.LazyFrame, duckdb.DuckDBPyRelation, Iterator)
    return isinstance(result, known) or is_table(result) or _is_reader(result)


def is_table(result: object) -> TypeGuard[pa.Table]:
    """Whether a result is a pyarrow Table."""
    return _is_arrow(result, "Table")


def _is_reader(result: object) -> TypeGuard[pa.RecordBatchReader]:
    return _is_arrow(result, "RecordBatchReader")


def _is_arrow(result: object, kind: str) -> bool:
    """Whether a result is of that class of pyarrow, whose import takes 30 MiB: who has one did.

    Another thread may be importing it, so that the class is not there yet.
    """
    known = getattr(sys.modules.get("pyarrow"), kind, None)
    return known is not None and isinstance(result, known)


def frames_of(result: Any) -> Iterator[pl.DataFrame]:
    """A result as frames; they are made as they are pulled, in the thread that pulls."""
    if isinstance(result, pl.DataFrame) or is_table(result):
        yield _as_frame(result)
        return
    if isinstance(result, pl.LazyFrame):
        yield pl.DataFrame(schema=result.collect_schema())
        yield from result.collect_batches(maintain_order=True, optimizations=IN_ORDER)
        return
    if isinstance(result, duckdb.DuckDBPyRelation):
        result = result.to_arrow_reader()
    if _is_reader(result):
        frames = frames_in(result)
        first = next(frames, None)
        yield frame_of(result.schema.empty_table()) if first is None else first
        yield from frames
        return
    for item in result:
        yield _as_frame(item)


def frames_in(batches: Iterable[pa.RecordBatch]) -> Iterator[pl.DataFrame]:
    """Each batch of Arrow as a frame."""
    import pyarrow as pa

    return (frame_of(pa.Table.from_batches([batch])) for batch in batches)


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
    if isinstance(item, pl.DataFrame):
        return item
    if isinstance(item, pl.LazyFrame):
        return item.collect(optimizations=IN_ORDER)
    if is_table(item):
        return frame_of(item)
    if _is_arrow(item, "RecordBatch"):
        return next(frames_in([item]))
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
    import pyarrow as pa

    parts = (type_.field(i).type for i in range(type_.num_fields))
    return pa.types.is_interval(type_) or pa.types.is_union(type_) or any(map(_is_foreign, parts))
