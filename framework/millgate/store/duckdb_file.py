"""Versions as DuckDB files: the rows in the table `data`, their lineage in the table `lineage`.

Some types of such a table no frame has: rows pass in and out of it as frames that carry them in
another form, and both ways lose nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from polars.io.plugins import register_io_source

from millgate.errors import BadResult
from millgate.model.schema import UNTYPED, Column, Schema
from millgate.store.layout import log_beside
from millgate.store.snapshots import STORAGE_VERSION
from millgate.store.sql_text import exact_path, literal
from millgate.store.streams import Small, first_of, frames_in, frames_of, groups
from millgate.store.types import (
    TEXTUAL,
    WIDE,
    exactly,
    is_untyped,
    polars_type,
    quoted,
    schema_of,
)

TABLE = "data"
_BATCH_ROWS = 100_000
_SMALL_BYTES = 4 << 20
"""Below this a file has blocks of 16 kB: with those of 256 kB, three rows take 0.8 MB."""
_UNKNOWN = "ENUM('millgate: untyped')"
"""The type of a column without one; all other columns of enumerations are stored as text."""
_MONTHS = "an interval has months"
_REFUSED = ("UNION", "VARIANT", "GEOMETRY")


class DuckDBFile:
    """See `Storage`."""

    suffix = ".duckdb"
    function = "read_duckdb"
    options: tuple[str, ...] = (f"table_name = '{TABLE}'",)
    is_faithful = False

    def write(
        self, result: Any, path: Path, metadata: Mapping[str, Any], like: Schema | None
    ) -> None:
        frames, own = self.carried(result)
        first = first_of(frames)
        gathered = groups(first, frames)
        group = next(gathered)
        with self.filling(path, group, metadata, own or like) as add:
            for each in chain([group], gathered):
                add(each)

    def write_together(self, files: Sequence[Small]) -> None:
        for frame, path, metadata in files:
            self.write(frame, path, metadata, None)

    def carried(self, result: Any) -> tuple[Iterator[pl.DataFrame], Schema | None]:
        if isinstance(result, duckdb.DuckDBPyRelation):
            return _carried_relation(result)
        return frames_of(result), None

    @contextmanager
    def filling(
        self, path: Path, first: pl.DataFrame, metadata: Mapping[str, Any], like: Schema | None
    ) -> Iterator[Callable[[pl.DataFrame], None]]:
        stored = self.schema_of(first.schema, like)
        columns = _columns(stored, first.schema)
        path.unlink(missing_ok=True)
        small = first.estimated_size() < _SMALL_BYTES
        options = f"STORAGE_VERSION '{STORAGE_VERSION}'{', BLOCK_SIZE 16384' if small else ''}"
        with closing(duckdb.connect()) as connection:
            connection.execute(f"ATTACH {literal(str(path))} AS stored ({options})")
            connection.execute("BEGIN")
            _create(connection, metadata)
            connection.execute(f"CREATE TABLE stored.{TABLE} ({columns})")
            yield lambda frame: _insert(connection, frame, stored)
            connection.execute("COMMIT")
            connection.execute("DETACH stored")
        if log_beside(path).exists():
            raise OSError(f"{path} has a log that is not empty")

    def part(
        self,
        rows: pl.LazyFrame,
        flag: str,
        kept: Path,
        left: Path,
        metadata: Mapping[str, Any],
        like: Schema,
    ) -> None:
        for path, wanted in ((kept, ~pl.col(flag)), (left, pl.col(flag))):
            self.write(rows.filter(wanted).drop(flag), path, metadata, like)

    def metadata(self, path: Path) -> dict[str, Any]:
        with _connected() as connection:
            rows = connection.execute(f"FROM {self._reading(path, 'lineage')}").fetchall()
        return {name: json.loads(value) for name, value in rows}

    def scan(self, path: Path) -> pl.LazyFrame:
        sql = f"FROM {self._reading(path, TABLE)}"
        return scan_sql(sql, self._schema(path))

    def shape(self, path: Path) -> tuple[int, Schema]:
        with _connected() as connection:
            counted = f"SELECT count(*) FROM {self._reading(path, TABLE)}"
            rows = int(connection.execute(counted).fetchall()[0][0])
        return rows, self._schema(path)

    def schema_of(self, columns: Mapping[str, pl.DataType], like: Schema | None = None) -> Schema:
        known = like.types if like is not None else {}
        native = {
            name: known[name]
            if known.get(name) in TEXTUAL and isinstance(dtype, pl.String)
            else WIDE.get(dtype.base_type())
            for name, dtype in columns.items()
        }
        plain = {name: dtype for name, dtype in columns.items() if native[name] is None}
        others = schema_of(plain).types
        schema_of(dict.fromkeys(columns, pl.Null()))
        return Schema(tuple(Column(n, native[n] or others[n]) for n in columns))

    def _schema(self, path: Path) -> Schema:
        with _connected() as connection:
            relation = connection.sql(f"FROM {self._reading(path, TABLE)}")
            carried, like = _carried_relation(relation.limit(0))
            return self.schema_of(first_of(carried).schema, like)

    def _reading(self, path: Path, table: str) -> str:
        # Nothing is attached, so a name of a folder such as `date=2013` says nothing here.
        file = literal(exact_path(str(path)))
        return f"{self.function}([{file}], hive_partitioning = false, table_name = '{table}')"


def scan_sql(sql: str, schema: Schema) -> pl.LazyFrame:
    """What a query over files answers, in its order; it runs anew each time rows are wanted.

    `schema` is that of the query; types that frames have not are carried in another form.
    """
    types = {column.name: polars_type(column.type) for column in schema}

    def source(
        wanted: list[str] | None,
        predicate: pl.Expr | None,
        rows: int | None,
        batch_rows: int | None,
    ) -> Iterator[pl.DataFrame]:
        columns = [c for c in schema if wanted is None or c.name in wanted] or list(schema)[:1]
        query = f"SELECT {', '.join(_carried(c) for c in columns)} FROM ({sql})"
        if rows is not None:
            query += f" LIMIT {rows}"
        with _connected() as connection:
            reader = connection.sql(query).to_arrow_reader(batch_rows or _BATCH_ROWS)
            for batch in frames_in(reader):
                frame = _uncarried(batch, columns)
                frame = frame.cast({c.name: types[c.name] for c in columns})
                yield frame if predicate is None else frame.filter(predicate)

    return register_io_source(source, schema=types, is_pure=True)


def _connected() -> closing[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    # Several threads hand out rows in the order in which they come to them.
    connection.execute("SET threads = 1; SET TimeZone = 'UTC'")
    return closing(connection)


def _create(connection: duckdb.DuckDBPyConnection, metadata: Mapping[str, Any]) -> None:
    connection.execute("CREATE TABLE stored.lineage (name VARCHAR, value VARCHAR)")
    rows = [[name, json.dumps(value)] for name, value in metadata.items()]
    if rows:
        connection.executemany("INSERT INTO stored.lineage VALUES (?, ?)", rows)


def _columns(stored: Schema, frame: Mapping[str, pl.DataType]) -> str:
    for name, dtype in frame.items():
        if is_untyped(dtype) and not isinstance(dtype, pl.Null):
            raise BadResult(
                f"column {name!r} is {dtype}, whose inner type is not known",
                where=f"column {name!r}",
                fix="cast it, such as to pl.List(pl.Int64)",
            )
    types = (_UNKNOWN if c.type == UNTYPED else c.type for c in stored)
    return ", ".join(f"{quoted(c.name)} {t}" for c, t in zip(stored, types, strict=True))


def _insert(connection: duckdb.DuckDBPyConnection, frame: pl.DataFrame, stored: Schema) -> None:
    """Append rows, each carried form turned into what it stands for."""
    values = ", ".join(_restored(quoted(f"c{i}"), c) for i, c in enumerate(stored))
    plain = frame.select(_plain(c).alias(f"c{i}") for i, c in enumerate(stored))
    connection.register("arriving", plain.to_arrow())
    try:
        connection.execute(f"INSERT INTO stored.{TABLE} SELECT {values} FROM arriving")
    except duckdb.ConversionException as error:
        raise BadResult(
            f"a value cannot be stored: {str(error).splitlines()[0]}",
            where=", ".join(f"{c.name}: {c.type}" for c in stored),
            fix="cast the column in the asset to a type that holds all of its values",
        ) from error
    finally:
        connection.unregister("arriving")


def _plain(column: Column) -> pl.Expr:
    """A column of a frame in a type that Arrow has too."""
    value = exactly(column.name)
    if column.type in ("HUGEINT", "UHUGEINT"):
        return value.cast(pl.String)
    return value.dt.total_microseconds() if column.type == "INTERVAL" else value


def _restored(value: str, column: Column) -> str:
    """SQL that makes the stored value of a plain one."""
    if column.type == "INTERVAL":
        return f"to_microseconds({value})"
    return f"CAST({value} AS {_UNKNOWN if column.type == UNTYPED else column.type})"


def _carried(column: Column) -> str:
    """SQL that gives a stored column the form in which a frame carries it, under its name."""
    name = quoted(column.name)
    value = name
    if column.type in TEXTUAL or column.type in ("HUGEINT", "UHUGEINT"):
        value = f"CAST({name} AS VARCHAR)"
    elif column.type == "INTERVAL":
        months = f"datepart('year', {name}) <> 0 OR datepart('month', {name}) <> 0"
        value = f"CASE WHEN {months} THEN error('{_MONTHS}') ELSE epoch_us({name}) END"
    elif column.type == _UNKNOWN:
        value = "NULL"
    return f"{value} AS {name}"


def _uncarried(frame: pl.DataFrame, columns: Iterable[Column]) -> pl.DataFrame:
    """The frame with what arrived as text or number in the type that stands for it."""
    types = {c.name: polars_type(c.type) for c in columns if c.type in WIDE.values()}
    return frame.with_columns(
        exactly(n).cast(pl.Duration("us") if isinstance(t, pl.Duration) else t)
        for n, t in types.items()
    )


def _carried_relation(
    relation: duckdb.DuckDBPyRelation,
) -> tuple[Iterator[pl.DataFrame], Schema]:
    """The rows of a relation as frames, and the types that these cannot tell."""
    columns = [
        Column(name, str(type_))
        for name, type_ in zip(relation.columns, relation.types, strict=True)
    ]
    for column in columns:
        if column.type.startswith(_REFUSED):
            raise BadResult(
                f"a column of type {column.type} cannot be stored",
                where=f"column {column.name!r}",
                fix="cast it to VARCHAR, or give each of its parts a column of its own",
            )
    carried = relation.project(", ".join(map(_carried, columns)))
    return _uncarried_frames(carried, columns), Schema(tuple(columns))


def _uncarried_frames(
    relation: duckdb.DuckDBPyRelation, columns: Sequence[Column]
) -> Iterator[pl.DataFrame]:
    try:
        for frame in frames_of(relation):
            yield _uncarried(frame, columns)
    except duckdb.Error as error:
        if _MONTHS not in str(error):
            raise
        intervals = ", ".join(c.name for c in columns if c.type == "INTERVAL")
        raise BadResult(
            "an interval of months cannot be stored: how long it is depends on the date",
            where=f"column {intervals}",
            fix="keep the number of months in a column of its own",
        ) from error
