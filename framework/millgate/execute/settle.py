"""Whatever an asset returned, as a frame that can be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from millgate.errors import BadResult
from millgate.execute.order import Batch, Order
from millgate.model.asset import Asset
from millgate.model.dimension import Dimension
from millgate.model.schema import Schema
from millgate.store import types, writing
from millgate.store.splitting import Target, split
from millgate.store.storage import storage_at
from millgate.store.streams import frame_of, is_storable, is_table

Frame = pl.DataFrame | pl.LazyFrame


@dataclass(frozen=True)
class Settled:
    """A result as a frame: in memory, or a scan of the `file` it was written to.

    `columns` are those of the frame, `schema` is how they are stored.
    """

    frame: Frame
    columns: pl.Schema
    schema: Schema
    file: Path | None


def settle(
    result: Any, batch: Batch, declared: Mapping[str, Any], metadata: Sequence[Mapping[str, Any]]
) -> list[Settled]:
    """The result as a frame with typed columns for each partition; streams go to their files first.

    `metadata` is what the file of each partition carries. A column of nothing but nulls takes its
    type from the gate's schema or from the live versions. Raises BadResult for what cannot be
    stored.
    """
    if is_table(result):
        result = frame_of(result)
    along = batch.asset.partitions.batched
    if not is_storable(result):
        raise _unstorable(result, batch.asset)
    if along is None:
        (order,), (carried,) = batch.orders, metadata
        parts: Sequence[tuple[Frame, Path | None]] = [_as_frame(result, order, carried)]
        _check_names(list(parts[0][0].collect_schema()), order)
    else:
        parts = _split(result, along, batch, metadata)
    each = zip(parts, batch.orders, metadata, strict=True)
    first = _settled(*next(each), declared)
    if first.frame is parts[0][0] and first.file is None:  # then so it is for all: one was split
        return [first, *(replace(first, frame=frame) for frame, _ in parts[1:])]
    return [first, *(_settled(*one, declared) for one in each)]


def _settled(
    part: tuple[Frame, Path | None],
    order: Order,
    metadata: Mapping[str, Any],
    declared: Mapping[str, Any],
) -> Settled:
    frame, file = part
    columns, storage = frame.collect_schema(), storage_at(order.staged)
    untyped = [name for name, dtype in columns.items() if types.is_untyped(dtype)]
    if untyped:
        frame = frame.with_columns(
            types.exactly(name).cast(_type_of(name, order, declared)) for name in untyped
        )
        columns, file = frame.collect_schema(), None
    _check_partition_columns(columns, order)
    if file is None and not storage.is_faithful:
        writing.write(frame, order.staged, metadata)
        frame, file = storage.scan(order.staged), order.staged
        columns = frame.collect_schema()
    schema = storage.shape(file)[1] if file else storage.schema_of(columns)
    return Settled(frame, columns, schema, file)


def _as_frame(result: Any, order: Order, metadata: Mapping[str, Any]) -> tuple[Frame, Path | None]:
    if isinstance(result, pl.DataFrame):
        return result, None
    storage = storage_at(order.staged)
    if isinstance(result, pl.LazyFrame) and not storage.is_faithful:
        return result, None
    writing.write(result, order.staged, metadata)
    return storage.scan(order.staged), order.staged


def _split(
    result: Any, along: Dimension, batch: Batch, metadata: Sequence[Mapping[str, Any]]
) -> Sequence[tuple[Frame, Path | None]]:
    """The frame of each partition, with its file where it is written."""
    first = batch.orders[0]

    def check(columns: pl.Schema) -> None:
        _check_names(list(columns), first)
        if along.name not in columns:
            raise _unsplittable(along, batch)
        if not types.is_untyped(columns[along.name]):
            _check_partition_columns(columns, first)

    targets = {
        order.partition[along.name]: Target(order.staged, carried)
        for order, carried in zip(batch.orders, metadata, strict=True)
    }
    frames = split(result, along.name, targets, check, batch.asset.defined_in)
    if frames is not None:
        return [(frame, None) for frame in frames]
    files = [order.staged for order in batch.orders]
    return [(storage_at(file).scan(file), file) for file in files]


def _unsplittable(along: Dimension, batch: Batch) -> BadResult:
    return BadResult(
        f"the result of {batch} has no column {along.name}, which says what is of which partition",
        where=batch.asset.defined_in,
        fix=f"return the column {along.name} too, grouped by it where rows are grouped; "
        "or leave batch= out",
    )


def _unstorable(result: Any, asset: Asset) -> BadResult:
    return BadResult(
        f"{asset.name} returned {_described(result)}",
        where=asset.defined_in,
        fix="return a polars frame, a pyarrow Table or RecordBatchReader, a DuckDB relation, "
        "or an iterator of frames",
    )


def _described(result: Any) -> str:
    if result is None:
        return "None: did it forget to return?"
    kind = type(result)
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _check_names(names: list[str], order: Order) -> None:
    """Refuse what SQL would not tell apart, among the columns and the partition columns."""
    if not names:
        raise BadResult(
            f"{order.asset.name} returned a frame without columns",
            where=order.asset.defined_in,
            fix="return an empty frame with its columns and types where there are no rows",
        )
    seen = {dimension.casefold(): dimension for dimension in order.partition.values}
    for name in names:
        twin = seen.setdefault(name.casefold(), name)
        if twin != name:
            raise BadResult(
                f"the columns {twin!r} and {name!r} are one name in SQL",
                where=order.asset.defined_in,
                fix="rename one of them in the asset",
            )
        if not name.strip():
            raise BadResult(
                "a column has no name",
                where=order.asset.defined_in,
                fix="name every column in the asset",
            )


def _type_of(name: str, order: Order, declared: Mapping[str, Any]) -> pl.DataType:
    if name in declared:
        dtype: pl.DataType = declared[name]
        return dtype
    live = order.live_schema.types.get(name) if order.live_schema else None
    if live is None:
        raise BadResult(
            f"column {name!r} has only nulls and no type",
            where=order.asset.defined_in,
            fix=f"cast it, such as pl.col({name!r}).cast(pl.String), or declare it in the gate",
        )
    return types.polars_type(live)


def _check_partition_columns(columns: Mapping[str, pl.DataType], order: Order) -> None:
    for dimension in order.asset.partitions:
        dtype = columns.get(dimension.name)
        if dtype is not None and types.duckdb_type(dtype) != dimension.column_type:
            raise BadResult(
                f"column {dimension.name!r} is {dtype}, where the partition column of "
                f"{order.asset.name} is {dimension.column_type}",
                where=order.asset.defined_in,
                fix=f"cast it to {types.polars_type(dimension.column_type)}, "
                "or leave it out: Millgate adds it",
            )


def strays(columns: Schema, order: Order) -> list[pl.Expr]:
    """For each partition column that the frame has, the number of rows of another key.

    What a batch was split by needs no looking at.
    """
    along = order.asset.partitions.batched
    return [
        types.exactly(name).ne_missing(pl.lit(value)).sum().alias(f"{name}@strays")
        for name, value in order.partition.columns.items()
        if name in columns.types and (along is None or name != along.name)
    ]


def check_strays(measured: Mapping[str, Any], frame: Frame, order: Order) -> None:
    """Raise BadResult, showing the values, if rows belong to another partition."""
    for name, value in order.partition.columns.items():
        count = measured.get(f"{name}@strays")
        if count:
            others = frame.lazy().select(name).filter(pl.col(name).ne_missing(pl.lit(value)))
            shown = others.unique().head(3).collect().to_series().to_list()
            raise BadResult(
                f"{count:,} rows of {order.step} have {name} = {', '.join(map(str, shown))}",
                where=order.asset.defined_in,
                fix=f"keep only the rows of {order.partition.key}, such as "
                f"frame.filter(pl.col({name!r}) == partition[{name!r}])",
            )
