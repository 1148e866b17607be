"""Versions as Parquet files, with their lineage in the footer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from millgate.errors import BadResult
from millgate.model.schema import Schema
from millgate.store.sql_text import literal
from millgate.store.streams import (
    IN_ORDER,
    Small,
    first_of,
    frame_of,
    frames_of,
    groups,
    is_small,
    is_table,
)
from millgate.store.types import TEXTUAL, schema_of

FOOTER_KEY = "millgate"
"""Key of the JSON document among the Parquet file's metadata."""

_COMPRESSION: Mapping[str, Any] = {"compression": "zstd", "compression_level": 1}

_ROW_GROUP = 1 << 17
"""Rows of a row group: with twice as many polars takes a twentieth more time to write a file."""

_DUCKDB_ROW_GROUP = 30 << 11
"""The same for DuckDB, which counts in vectors and keeps a row group for each of its threads."""

_WRITTEN: Mapping[str, Any] = {**_COMPRESSION, "row_group_size": _ROW_GROUP}
"""What polars is told of a file to write."""

_ROWS = "millgate_rows"
_PLAIN = re.compile(
    r"(BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|BLOB|DATE|TIME"
    r"|TIMESTAMP|TIMESTAMP_NS)(\[\])*"
)


class ParquetFile:
    """See `Storage`."""

    suffix = ".parquet"
    function = "read_parquet"
    options: tuple[str, ...] = ()
    is_faithful = True

    def write(
        self,
        result: Any,
        path: Path,
        metadata: Mapping[str, Any],
        like: Schema | None,
    ) -> None:
        footer = _footer(metadata)
        if is_table(result):
            result = frame_of(result)
        if isinstance(result, duckdb.DuckDBPyRelation) and _is_plain(result):
            _copy(result, path, footer)
        elif isinstance(result, pl.DataFrame):
            schema_of(result)
            if is_small(result):
                self.write_together([(result, path, metadata)])
            else:
                result.write_parquet(path, metadata=footer, **_WRITTEN)
        elif isinstance(result, pl.LazyFrame):
            schema_of(result)
            result.sink_parquet(path, metadata=footer, optimizations=IN_ORDER, **_WRITTEN)
        else:
            frames, _ = self.carried(result)
            first = first_of(frames)
            with self.filling(path, first, metadata, like) as add:
                for group in groups(first, frames):
                    add(group)

    def write_together(self, files: Sequence[Small]) -> None:
        with ExitStack() as opened:
            plans = []
            for frame, path, metadata in files:
                # polars opens no path as fast, and writes to what is open without asking Python.
                file = opened.enter_context(path.open("wb"))
                footer = _footer(metadata)
                plan = frame.lazy().sink_parquet(
                    file, metadata=footer, lazy=True, credential_provider=None, **_WRITTEN
                )
                plans.append(plan)
            pl.collect_all(plans, engine="in-memory", optimizations=IN_ORDER)

    def carried(self, result: Any) -> tuple[Iterator[pl.DataFrame], Schema | None]:
        if isinstance(result, duckdb.DuckDBPyRelation):
            _check_relation(result)
        return frames_of(result), None

    @contextmanager
    def filling(
        self,
        path: Path,
        first: pl.DataFrame,
        metadata: Mapping[str, Any],
        like: Schema | None,  # noqa: ARG002
    ) -> Iterator[Callable[[pl.DataFrame], None]]:
        import pyarrow.parquet as pq

        schema_of(first)
        arrow = first.head(0).to_arrow().schema
        with pq.ParquetWriter(path, arrow, **_COMPRESSION) as writer:
            yield lambda frame: writer.write_table(frame.to_arrow(), row_group_size=_ROW_GROUP)
            writer.add_key_value_metadata(_footer(metadata))

    def part(
        self,
        rows: pl.LazyFrame,
        flag: str,
        kept: Path,
        left: Path,
        metadata: Mapping[str, Any],
        like: Schema,  # noqa: ARG002
    ) -> None:
        footer = _footer(metadata)
        absent = {kept, left}

        def place(given: Any) -> Path:
            path = left if given.partition_keys.item() else kept
            absent.discard(path)
            return path.absolute()

        target = pl.PartitionBy(
            kept.parent.absolute(),
            key=flag,
            include_key=False,
            file_path_provider=place,
            approximate_bytes_per_file=None,
        )
        rows.sink_parquet(target, metadata=footer, optimizations=IN_ORDER, **_WRITTEN)
        for path in absent:
            rows.drop(flag).head(0).sink_parquet(path, metadata=footer, **_WRITTEN)

    def metadata(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(pl.read_parquet_metadata(path)[FOOTER_KEY])
        return found

    def scan(self, path: Path) -> pl.LazyFrame:
        return pl.scan_parquet(path, glob=False, hive_partitioning=False)

    def shape(self, path: Path) -> tuple[int, Schema]:
        rows = self.scan(path)
        return rows.select(pl.len()).collect().item(), schema_of(rows)

    def schema_of(
        self,
        columns: Mapping[str, pl.DataType],
        like: Schema | None = None,  # noqa: ARG002
    ) -> Schema:
        return schema_of(columns)


def _footer(metadata: Mapping[str, Any]) -> dict[str, str]:
    return {FOOTER_KEY: json.dumps(metadata)}


def _is_plain(relation: duckdb.DuckDBPyRelation) -> bool:
    """Whether DuckDB writes each column with the type that polars would write it with."""
    return all(_PLAIN.fullmatch(str(type_)) for type_ in relation.types)


def _copy(relation: duckdb.DuckDBPyRelation, path: Path, footer: dict[str, str]) -> None:
    """Let DuckDB write a relation, on all its threads."""
    metadata = ", ".join(f"{name}: {literal(value)}" for name, value in footer.items())
    relation.query(
        _ROWS,
        f"COPY (FROM {_ROWS}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd, "
        f"COMPRESSION_LEVEL {_COMPRESSION['compression_level']}, USE_TMP_FILE false, "
        f"ROW_GROUP_SIZE {_DUCKDB_ROW_GROUP}, KV_METADATA {{{metadata}}})",
    )


def _check_relation(relation: duckdb.DuckDBPyRelation) -> None:
    """Refuse what Arrow would carry as something else."""
    for name, type_ in zip(relation.columns, map(str, relation.types), strict=True):
        if type_ in TEXTUAL:
            raise BadResult(
                f"a column of type {type_} cannot be stored in Parquet",
                where=f"column {name!r}",
                fix='cast it, such as to VARCHAR, or declare the asset with storage="duckdb"',
            )
