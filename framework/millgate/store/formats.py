"""One reader for each kind of source file, whoever asks for the rows."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from millgate.errors import DeclarationError, StepFailed, did_you_mean
from millgate.model.asset import Source
from millgate.store.types import exactly

_PACKED = (".gz", ".zst", ".zlib")
_FORMATS: Mapping[str, str] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
    ".arrow": "ipc",
    ".feather": "ipc",
    ".ipc": "ipc",
}
_NOT_IN_CSV = (pl.Binary, pl.Duration)


def scan_file(source: Source, path: Path) -> pl.LazyFrame:
    """The rows of one file of a source, its columns typed by `types=` where it has them.

    The kind of file follows from its suffix, or from the option `format`. Raises StepFailed if
    the file cannot be understood. What was found out about its columns holds until it changes, so
    that the steps that read it share that.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise unreadable(source, path, error) from error
    return _scan(source, path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=256)
def _scan(source: Source, path: Path, _size: int, _modified: int) -> pl.LazyFrame:
    options = dict(source.options)
    kind = options.pop("format", None) or _kind(source, path)
    types = _declared_types(source)
    try:
        frame = _scanner(kind, source)(path, options, types)
        return _typed(frame, types(frame.collect_schema().names()))
    except (pl.exceptions.PolarsError, OSError, UnicodeError, ValueError) as error:
        raise unreadable(source, path, error) from error


def unreadable(source: Source, path: Path, error: Exception) -> StepFailed:
    """The error of a file that is not what its source says."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return StepFailed(
        f"{path.name} cannot be read: {first}",
        where=f"source {source.name} ({source.defined_in}), {path}",
        fix="check the file, or give the source types= or reader options such as null_values=",
    )


Types = Callable[[list[str]], dict[str, pl.DataType]]
"""The declared types of those columns that a file has."""

_Scanner = Callable[[Path, dict[str, Any], Types], pl.LazyFrame]


def _kind(source: Source, path: Path) -> str:
    name = path.name.lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    kind = _FORMATS.get(Path(name).suffix)
    if kind is None:
        raise DeclarationError(
            f"no reader for {path.name}",
            where=f"source {source.name} ({source.defined_in})",
            fix='give the source format="csv", "parquet", "ndjson", "json" or "ipc", or annotate '
            "the parameter as pathlib.Path and read it yourself",
        )
    return kind


def _scanner(kind: str, source: Source) -> _Scanner:
    def scan(path: Path, options: dict[str, Any], types: Types) -> pl.LazyFrame:
        match kind:
            case "csv" | "tsv":
                _check_options(options, pl.scan_csv, source)
                return _scan_csv(
                    path, {"separator": "\t", **options} if kind == "tsv" else options, types
                )
            case "parquet":
                _check_options(options, pl.scan_parquet, source)
                return pl.scan_parquet(
                    path, **{"glob": False, "hive_partitioning": False, **options}
                )
            case "ndjson":
                _check_options(options, pl.scan_ndjson, source)
                return pl.scan_ndjson(path, **{"infer_schema_length": None, **options})
            case "json":
                _check_options(options, pl.read_json, source)
                return pl.read_json(path, **{"infer_schema_length": None, **options}).lazy()
            case "ipc":
                _check_options(options, pl.scan_ipc, source)
                return pl.scan_ipc(path, **{"glob": False, **options})
        raise DeclarationError(
            f"format={kind!r} is not a kind of file that sources have",
            where=f"source {source.name} ({source.defined_in})",
            fix=did_you_mean(
                kind, _FORMATS.values(), "kinds: csv, tsv, parquet, ndjson, json, ipc"
            ),
        )

    return scan


def _scan_csv(path: Path, options: dict[str, Any], types: Types) -> pl.LazyFrame:
    """A CSV file; what has no declared type is inferred from all of its rows."""
    header = pl.scan_csv(path, **{**options, "glob": False, "infer_schema": False, "n_rows": 0})
    names = header.collect_schema().names()
    overrides = {
        name: pl.String() if isinstance(dtype, _NOT_IN_CSV) else dtype
        for name, dtype in types(names).items()
    }
    known = {**overrides, **dict(options.get("schema_overrides") or {})}
    infer = 0 if known.keys() >= set(names) else None
    given = {"glob": False, "infer_schema_length": infer, **options, "schema_overrides": known}
    return pl.scan_csv(path, **given)


def _check_options(options: Mapping[str, Any], reader: Callable[..., Any], source: Source) -> None:
    known = inspect.signature(reader).parameters
    for option in options:
        if option not in known or option.startswith("_"):
            raise DeclarationError(
                f"source {source.name} has an option {option!r} that its reader does not know",
                where=source.defined_in or f"source {source.name}",
                fix=did_you_mean(option, known, f"options are those of polars.{reader.__name__}"),
            )


def _declared_types(source: Source) -> Types:
    """What `types=` (a pandera model or schema) says of each column."""
    model = source.types
    if model is None:
        return lambda _: {}
    schema = model.to_schema() if hasattr(model, "to_schema") else model
    columns = [(n, c) for n, c in schema.columns.items() if c.dtype is not None]

    def of(names: list[str]) -> dict[str, pl.DataType]:
        found: dict[str, pl.DataType] = {}
        for pattern, column in columns:
            dtype = column.dtype.type
            dtype = dtype() if isinstance(dtype, type) else dtype
            matching = [
                n for n in names if n == pattern or (column.regex and re.search(pattern, n))
            ]
            found |= dict.fromkeys(matching, dtype)
        return found

    return of


def _typed(frame: pl.LazyFrame, types: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    found = frame.collect_schema()
    casts = [_cast(n, found[n], dtype) for n, dtype in types.items() if found[n] != dtype]
    return frame.with_columns(casts) if casts else frame


def _cast(name: str, found: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    column = exactly(name)
    if isinstance(found, pl.String):
        match wanted:
            case pl.Datetime():
                zone = wanted.time_zone
                return column.str.to_datetime(time_unit=wanted.time_unit, time_zone=zone)
            case pl.Date():
                return column.str.to_date()
            case pl.Time():
                return column.str.to_time()
    return column.cast(wanted)
