"""Whatever an asset returns, as one Parquet file with its lineage in the footer."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from millgate.errors import BadResult, StoreError
from millgate.store.types import schema_of

FOOTER_KEY = "millgate"
"""Key of the JSON document among the Parquet file's metadata."""

_COMPRESSION: Mapping[str, Any] = {"compression": "zstd", "compression_level": 1}
_GROUP_ROWS = 250_000
_GROUP_BYTES = 128 << 20
"""Frames of a stream are gathered up to one of these before they are written."""

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}
_TOLD = re.compile(r"\(os error (\d+)\)")
"""How polars says the number of an error of the operating system."""


def is_storable(result: object) -> bool:
    """Whether `write` takes a result: by its type, without looking into it."""
    return isinstance(
        result,
        pl.DataFrame
        | pl.LazyFrame
        | pa.Table
        | pa.RecordBatchReader
        | duckdb.DuckDBPyRelation
        | Iterator,
    )


def write(result: Any, path: Path, metadata: Mapping[str, Any]) -> None:
    """Write a result to `path`, with `metadata` as JSON in the footer.

    What streams is streamed: LazyFrames, readers, relations and iterators of frames need not fit
    in memory. The file appears whole or not at all, and may replace one that `result` reads.
    Raises BadResult for what cannot be stored and StoreError where the disk refuses; what the
    user's own iterator or plan raises passes unchanged.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refusing(path, error) from error
    try:
        _write(result, part, {FOOTER_KEY: json.dumps(metadata)})
        os.replace(part, path)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if _is_of_disk(error, part):
            raise _refusing(path, error) from error
        raise


def _is_of_disk(error: BaseException, part: Path) -> bool:
    """Whether an error is of the file being written, not of what is being read to write it."""
    told = _TOLD.search(str(error)) if isinstance(error, pl.exceptions.PolarsError) else None
    number = int(told[1]) if told else getattr(error, "errno", None)
    return number in _DISK or (isinstance(error, OSError) and str(part) in str(error))


def _refusing(path: Path, error: BaseException) -> StoreError:
    return StoreError(
        f"{path.name} cannot be written: {str(error).splitlines()[0]}",
        where=str(path.parent),
        fix="free space there, or check that it can be written to",
    )


def _write(result: Any, path: Path, metadata: dict[str, str]) -> None:
    if isinstance(result, pa.Table):
        result = frame_of(result)
    if isinstance(result, pl.DataFrame):
        schema_of(result)
        result.write_parquet(path, metadata=metadata, **_COMPRESSION)
    elif isinstance(result, pl.LazyFrame):
        schema_of(result)
        result.sink_parquet(path, metadata=metadata, **_COMPRESSION)
    else:
        _write_stream(_frames(result), path, metadata)


def _write_stream(frames: Iterator[pl.DataFrame], path: Path, metadata: dict[str, str]) -> None:
    """Write frames as they come, pulled in this thread: the code that makes them may need it."""
    first = next(frames, None)
    if first is None:
        raise BadResult(
            "the asset yielded no frame, so its columns are not known",
            where="the asset's result",
            fix="yield an empty frame with its columns and types where there are no rows",
        )
    schema_of(first)
    arrow = first.head(0).to_arrow().schema
    with pq.ParquetWriter(path, arrow, **_COMPRESSION) as writer:
        for group in _groups(first, frames):
            writer.write_table(group.to_arrow(), row_group_size=_GROUP_ROWS)
        writer.add_key_value_metadata(metadata)


def _groups(first: pl.DataFrame, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    gathered, rows, size = [first], first.height, first.estimated_size()
    for frame in frames:
        if frame.schema != first.schema:
            raise _differs(frame.schema, first.schema)
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
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


def _frames(result: Any) -> Iterator[pl.DataFrame]:
    """A stream as polars frames, one after the other."""
    if isinstance(result, duckdb.DuckDBPyRelation):
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


def _as_frame(item: Any) -> pl.DataFrame:
    match item:
        case pl.DataFrame():
            return item
        case pl.LazyFrame():
            return item.collect()
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


def read_footer(path: Path) -> dict[str, Any]:
    """What `write` was given as metadata, from the file alone."""
    try:
        found: dict[str, Any] = json.loads(pl.read_parquet_metadata(path)[FOOTER_KEY])
    except (OSError, KeyError, pl.exceptions.PolarsError, ValueError) as error:
        raise StoreError(
            "the file has no lineage in its footer",
            where=str(path),
            fix="it was not written by Millgate, or is damaged: millgate status shows what is live",
        ) from error
    return found
