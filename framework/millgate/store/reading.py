"""Versions and source files in the form that a parameter asks for.

Frames have the columns of all versions, each with the type that holds the values of all, and the
partition columns. A type of polars' own (a time zone, an Enum) is kept where the versions agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import duckdb
import polars as pl

from millgate.errors import BadResult, DeclarationError
from millgate.model.asset import Form, Source
from millgate.model.dimension import KeyValue
from millgate.model.partition import Partition, Partitions
from millgate.model.schema import TEXT, Column, Schema, united
from millgate.store.duckdb_file import scan_sql
from millgate.store.formats import scan_file, unreadable
from millgate.store.parquet_file import ParquetFile
from millgate.store.storage import Storage, storage_at
from millgate.store.types import duckdb_type, exactly, polars_type, quoted, schema_of, sure_types
from millgate.store.views import (
    exact_path,
    literal,
    own_names,
    select_list,
    with_dimensions,
)

if TYPE_CHECKING:
    import pyarrow as pa

Version = tuple[Path, Partition, Schema]
"""A file, its partition, and its schema on record."""

Connect = Callable[[], duckdb.DuckDBPyConnection]
"""Gives the connection that reads what only DuckDB can read, or makes it, which takes a while."""

_LITTLE = 1 << 20
"""Bytes of several files that are read at once."""

_LAZY_RUNS = 64
"""polars plans a concatenation in time that grows with the square of its parts."""


def scan_version(path: Path) -> pl.LazyFrame:
    """The rows of one version as they were written."""
    return storage_at(path).scan(path)


def read_versions(
    versions: Sequence[Version],
    form: Form,
    union: Schema,
    partitions: Partitions,
    connect: Connect,
    frames: Mapping[Path, pl.DataFrame] = MappingProxyType({}),
) -> Any:
    """Versions, in the order given, as one frame; empty and typed where there are none.

    `union` is the schema of the asset: its columns come first, in its order, also those that none
    of these versions has. `frames` has the rows of all of the files where they are in memory still.
    """
    schema = united([union, *{v[2]: None for v in versions}])
    if form is Form.PATH:
        raise DeclarationError(
            "an asset's partition is not received as a Path",
            where=str(versions[0][1]) if versions else "an input",
            fix="annotate the parameter as a frame; only sources are files of their own",
        )
    if form is Form.RELATION:
        return _relation(versions, with_dimensions(schema, partitions), connect())
    if _as_text(versions, schema):
        # The texts are then those that the view shows.
        relation = _relation(versions, with_dimensions(schema, partitions), connect())
        return in_form(relation.pl().lazy(), form, connect)
    return in_form(_scan(versions, schema, partitions, frames), form, connect)


def read_source(
    source: Source,
    files: Sequence[tuple[Path, Partition]],
    form: Form,
    connect: Connect,
) -> Any:
    """The files of a source, in the order given, as one frame; or the Path of the only one.

    Files with other columns or types are widened to the columns and types of all. A partition
    column is added where the file has none of that name.
    """
    if form is Form.PATH:
        return _only_path(source, files)
    if not files:
        return None
    scans = [scan_file(source, path) for path, _ in files]
    if form is Form.RELATION and (relation := _source_relation(source, files, scans, connect())):
        return relation
    for place, (_, partition) in enumerate(files):
        frame = scans[place]
        names = {n.casefold() for n in frame.collect_schema().names()}
        added = {d: v for d, v in partition.columns.items() if d not in names}
        scans[place] = frame.with_columns(**_literals(added)) if added else frame
    if len(scans) > _LAZY_RUNS:
        scans = [pl.concat(pl.collect_all(scans), how="diagonal_relaxed").lazy()]
    frame = scans[0] if len(scans) == 1 else pl.concat(scans, how="diagonal_relaxed")
    try:
        return in_form(frame, form, connect)
    except pl.exceptions.PolarsError as error:
        raise unreadable(source, files[0][0], error) from error


def in_form(frame: pl.LazyFrame, form: Form, connect: Connect) -> Any:
    """A lazy frame in the form that a parameter asks for."""
    match form:
        case Form.LAZY:
            return frame
        case Form.FRAME:
            return frame.collect()
        case Form.TABLE:
            return _for_arrow(frame).collect().to_arrow()
        case Form.READER:
            return _reader(_for_arrow(frame))
        case Form.RELATION:
            return connect().from_arrow(frame.collect().to_arrow())
    raise ValueError(form)


def _source_relation(
    source: Source,
    files: Sequence[tuple[Path, Partition]],
    scans: Sequence[pl.LazyFrame],
    connection: duckdb.DuckDBPyConnection,
) -> duckdb.DuckDBPyRelation | None:
    """Parquet files of one schema as DuckDB reads them, where it types their columns as polars.

    So they need not fit in memory, and columns that a query does not use are not read.
    """
    frames = [tuple(scan.collect_schema().items()) for scan in scans]
    readable = source.types is None and not source.options and len(set(frames)) == 1
    if not readable or any(path.suffix.lower() != ParquetFile.suffix for path, _ in files):
        return None
    try:
        schema = schema_of(dict(frames[0]))
    except BadResult:
        return None
    names = own_names(schema)
    missing = [d for d in files[0][1].columns if d.casefold() not in names]
    if missing and len(files) > 1 and "file_index" in names:
        return None
    keys = (f"{_key_sql([p.columns[d] for _, p in files])} AS {quoted(d)}" for d in missing)
    paths = ", ".join(literal(exact_path(str(path))) for path, _ in files)
    listed = f"{ParquetFile.function}([{paths}], hive_partitioning = false)"
    relation = connection.sql(f"SELECT {', '.join(['*', *keys])} FROM {listed}")
    found = zip(relation.columns, map(str, relation.types), strict=True)
    alike = list(found)[: len(schema.types)] == list(schema.types.items())
    return relation if alike else None


def _only_path(source: Source, files: Sequence[tuple[Path, Partition]]) -> Path:
    if len(files) != 1:
        raise DeclarationError(
            f"a parameter that is a Path would receive {len(files)} files of {source.name}",
            where=source.defined_in or f"source {source.name}",
            fix="annotate it as a frame, or map it to one key",
        )
    return files[0][0]


def _for_arrow(frame: pl.LazyFrame) -> pl.LazyFrame:
    """A frame whose integers of 128 bits, which Arrow has not, are decimals of 38 digits."""
    wide = [n for n, t in frame.collect_schema().items() if t in (pl.Int128, pl.UInt128)]
    if not wide:
        return frame
    return frame.with_columns(exactly(name).cast(pl.Decimal(38, 0)) for name in wide)


def _reader(frame: pl.LazyFrame) -> pa.RecordBatchReader:
    import pyarrow as pa

    schema = pl.DataFrame(schema=frame.collect_schema()).to_arrow().schema

    def batches() -> Iterator[pa.RecordBatch]:
        for part in frame.collect_batches():
            yield from part.to_arrow().cast(schema).to_batches()

    return pa.RecordBatchReader.from_batches(schema, batches())


def _literals(columns: Mapping[str, KeyValue]) -> dict[str, pl.Expr]:
    return {n: pl.lit(v, dtype=_key_type(v)).alias(n) for n, v in columns.items()}


def _key_type(value: KeyValue) -> pl.DataType:
    if isinstance(value, datetime):
        return pl.Datetime("us")
    return pl.Date() if isinstance(value, date) else pl.String()


def _as_text(versions: Iterable[Version], schema: Schema) -> bool:
    """Whether a column is VARCHAR only because no other type holds all of its values."""
    text = {c.name.casefold() for c in schema if c.type == TEXT}
    return any(
        column.type not in (TEXT, "NULL") and column.name.casefold() in text
        for schema in {v[2]: None for v in versions}
        for column in schema
    )


def _scan(
    versions: Sequence[Version],
    schema: Schema,
    partitions: Partitions,
    frames: Mapping[Path, pl.DataFrame],
) -> pl.LazyFrame:
    """A lazy frame over versions whose types widen without becoming text."""
    columns = with_dimensions(schema, partitions)
    if not versions:
        return pl.LazyFrame(schema={c.name: polars_type(c.type) for c in columns})
    if not all(storage_at(path).is_faithful for path, _, _ in versions):
        return scan_sql(_sql(versions, columns), columns)
    if len(versions) == 1 and versions[0][2] == schema:
        # Nothing to agree on: the file need not be opened to plan its scan.
        path, partition, _ = versions[0]
        missing = {d: v for d, v in partition.columns.items() if d not in schema.types}
        frame = frames[path].lazy() if frames else scan_version(path)
        return frame.with_columns(_literals(missing).values()) if missing else frame
    found = [
        frames[path].schema if frames else sure_types(own) or scan_version(path).collect_schema()
        for path, _, own in versions
    ]
    wanted = {c.name: _wanted(c, found) for c in schema}
    wanted |= {d.name: polars_type(d.column_type) for d in partitions}
    wanted = {c.name: wanted[c.name] for c in columns}
    runs = [
        [i for i, _ in run]
        for _, run in groupby(enumerate(found), key=lambda pair: tuple(pair[1].items()))
    ]
    scans = [_scan_run([versions[i] for i in run], found[run[0]], wanted, frames) for run in runs]
    if len(scans) > _LAZY_RUNS:
        return pl.concat(pl.collect_all(scans)).lazy()
    return scans[0] if len(scans) == 1 else pl.concat(scans)


def _wanted(column: Column, found: Sequence[pl.Schema]) -> pl.DataType:
    """The polars type of a column: that of all files where they agree, else DuckDB's."""
    folded = column.name.casefold()
    natives = {dtype for s in found for name, dtype in s.items() if name.casefold() == folded}
    if len(natives) == 1:
        native = natives.pop()
        if duckdb_type(native) == column.type:
            return native
    return polars_type(column.type)


def _scan_run(
    run: Sequence[Version],
    found: pl.Schema,
    wanted: Mapping[str, pl.DataType],
    frames: Mapping[Path, pl.DataFrame],
) -> pl.LazyFrame:
    """One scan of adjacent files of one schema, with the `wanted` columns."""
    frame, present, keys = _with_keys(run, found, frames)
    own = {name.casefold(): name for name in found}
    changed = dict(keys)
    for name, dtype in wanted.items():
        mine = own.get(name.casefold())
        if name in keys or name in present[len(found) :]:
            continue
        if mine is None:
            changed[name] = pl.lit(None, dtype=dtype).alias(name)
        elif mine != name or found[mine] != dtype:
            changed[name] = exactly(mine).cast(dtype).alias(name)
    if list(dict.fromkeys([*present, *changed])) == list(wanted):
        return frame.with_columns(changed.values()) if changed else frame
    return frame.select(changed.get(name, exactly(name)) for name in wanted)


def _with_keys(
    run: Sequence[Version], found: pl.Schema, frames: Mapping[Path, pl.DataFrame]
) -> tuple[pl.LazyFrame, list[str], dict[str, pl.Expr]]:
    """The scan of files, its columns, and the partition columns to be added to it."""
    paths = [path for path, _, _ in run]
    keys = [partition.columns for _, partition, _ in run]
    missing = [d for d in keys[0] if d not in found]
    if frames:
        parts = [frames[path] for path in paths]
        if missing:
            added = [_literals({d: key[d] for d in missing}).values() for key in keys]
            parts = [part.with_columns(new) for part, new in zip(parts, added, strict=True)]
        return pl.concat(parts).lazy(), [*found, *missing], {}
    if len(run) == 1 or not missing:
        frame = pl.scan_parquet(_contents(paths), glob=False, hive_partitioning=False)
        return frame, [*found], _literals({d: keys[0][d] for d in missing})
    types = {d: _key_type(value) for d, value in keys[0].items()}
    if all(_is_hive(path, partition) for path, partition, _ in run):
        frame = pl.scan_parquet(paths, glob=False, hive_partitioning=True, hive_schema=types)
        return frame, [*found, *missing], {}
    file = "file"
    while file in found or file in types:
        file = "_" + file
    frame = pl.scan_parquet(paths, glob=False, hive_partitioning=False, include_file_paths=file)
    names = pl.Series([str(path) for path in paths])
    each = {d: pl.Series([key[d] for key in keys], dtype=types[d]) for d in missing}
    looked_up = {d: pl.col(file).replace_strict(names, k).alias(d) for d, k in each.items()}
    return frame, [*found, file], looked_up


def _contents(paths: Sequence[Path]) -> list[Path] | list[bytes]:
    """The files, or what is in them where that is little: polars needs several threads for each
    file that it opens itself, and a third more processor time."""
    if len(paths) > 1 and sum(path.stat().st_size for path in paths) <= _LITTLE:
        return [path.read_bytes() for path in paths]
    return list(paths)


def _is_hive(path: Path, partition: Partition) -> bool:
    """Whether the folders of a path say its key and nothing else."""
    said = [part.partition("=") for part in path.parts if "=" in part]
    return {name: unquote(value) for name, _, value in said} == partition.values and len(
        said
    ) == len(partition.values)


def _relation(
    versions: Sequence[Version], columns: Schema, connection: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyRelation:
    """A relation over versions, by the SQL of the views but with the keys as constants."""
    if not versions:
        return connection.sql(f"SELECT {select_list(columns, {})} WHERE false")
    return connection.sql(_sql(versions, columns))


def _sql(versions: Sequence[Version], columns: Schema) -> str:
    """A query over versions, in the order given."""
    runs = [list(run) for _, run in groupby(versions, key=_kind)]
    if "file_index" in own_names(columns):
        runs = [[version] for run in runs for version in run]
    return "\nUNION ALL\n".join(_select(run, columns) for run in runs)


def _kind(version: Version) -> tuple[Storage, Schema]:
    return storage_at(version[0]), version[2]


def _select(run: Sequence[Version], columns: Schema) -> str:
    """One SELECT over files of one kind and schema."""
    storage = storage_at(run[0][0])
    keys = [partition.columns for _, partition, _ in run]
    special = {d: _key_sql([key[d] for key in keys]) for d in keys[0]}
    values = select_list(columns, own_names(run[0][2]), special)
    paths = ", ".join(literal(exact_path(str(path))) for path, _, _ in run)
    options = ", ".join((f"[{paths}]", "hive_partitioning = false", *storage.options))
    return f"SELECT {values} FROM {storage.function}({options})"


def _key_sql(values: Sequence[KeyValue]) -> str:
    """The key of each row's file."""
    if len(values) == 1:
        return _constant(values[0])
    return f"[{', '.join(map(_constant, values))}][(file_index + 1)::BIGINT]"


def _constant(value: KeyValue) -> str:
    if isinstance(value, datetime):
        return f"TIMESTAMP {literal(value.isoformat(sep=' '))}"
    return f"DATE {literal(value.isoformat())}" if isinstance(value, date) else literal(value)
