"""The views that serve what is live and what is in quarantine, as SQL text.

A view lists its files exactly: one call for each kind of file and distinct schema, so that no
file is read by the types of another, with every column cast to the type that holds all. File names
are packed into one string, which takes a third of the space of a list of literals and binds in half
the time.
Types are such that DuckDB 1.3 reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from millgate.errors import StoreError
from millgate.model.dimension import Dimension
from millgate.model.partition import Partitions
from millgate.model.record import LiveVersion
from millgate.model.schema import TEXT, UNTYPED, Column, Schema, united
from millgate.store.sql_text import exact_path as exact_path
from millgate.store.sql_text import literal as literal
from millgate.store.storage import storage_at
from millgate.store.types import quoted as quoted

REASONS = Column(
    "quarantine_reasons", 'STRUCT("rule" VARCHAR, "column_name" VARCHAR, "value" VARCHAR)[]'
)
MATERIALIZATION = Column("quarantine_materialization", "BIGINT")
ROOT_VARIABLE = "millgate_root"
"""`SET VARIABLE millgate_root = '...'` lets the views read a project that was copied elsewhere."""

_LISTED = re.compile(r"\bread_(?:parquet|duckdb)\((.*?), \(?hive_partitioning = ", re.DOTALL)


def production_view(
    asset: str,
    partitions: Partitions,
    versions: Sequence[LiveVersion],
    folder: Path,
    known: Schema | None = None,
    *,
    root: Path | None = None,
) -> list[str]:
    """Statements that make `production.<asset>` show the live versions.

    `folder` is what their paths are relative to, `root` the project's, `known` the schema to
    show where nothing is live. Columns come in the newest version's order, the partition columns
    last unless the asset returns them.
    """
    view = f"production.{quoted(asset)}"
    schema = with_dimensions(_newest_first(versions) if versions else known, partitions)
    if not versions:
        return _empty(view, schema) if known is not None else [f"DROP VIEW IF EXISTS {view}"]
    files = _Files(folder, root, partitions)
    arms = [_arm(schema, group, files, partitions) for group in _alike(versions)]
    return [_create(view, arms)]


def quarantine_view(
    asset: str,
    partitions: Partitions,
    refused: Sequence[LiveVersion],
    folder: Path,
    known: Schema | None = None,
    *,
    root: Path | None = None,
) -> list[str]:
    """Statements that make `quarantine.<asset>` show the refused rows with their reasons.

    The arguments are those of `production_view`; `refused` has the files of the open entries. The
    column `quarantine_materialization` says which version a row was refused from.
    """
    view = f"quarantine.{quoted(asset)}"
    seen = _newest_first(refused) if refused else known or Schema(())
    rows = Schema(tuple(c for c in seen if c.name not in (REASONS.name, MATERIALIZATION.name)))
    rows = with_dimensions(rows, partitions)
    schema = Schema((*rows, REASONS, MATERIALIZATION))
    if not refused:
        return _empty(view, schema)
    files = _Files(folder, root, partitions)
    arms = [_arm(schema, g, files, partitions, _ids(schema)) for g in _alike(refused)]
    return [_create(view, arms)]


def file_list(folder: Path, paths: Sequence[str], root: Path) -> str:
    """Files below a folder of the project at `root`, as the list that `read_parquet` takes."""
    return _Files(folder, root, Partitions(())).sql(paths)


def listed_files(view: str) -> list[str]:
    """The files that a view reads, from its SQL as DuckDB tells it."""
    import duckdb

    listed = _LISTED.findall(view)
    if not listed:
        return []
    with duckdb.connect() as connection:
        # So is a lambda told that was stored in the format that DuckDB 1.x reads.
        connection.execute("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")
        found = [connection.execute(f"SELECT unnest({files})").fetchall() for files in listed]
    return [path for group in found for (path,) in group]


def dropped_views(asset: str) -> list[str]:
    """Statements that take the views of an asset away."""
    return [f"DROP VIEW IF EXISTS {s}.{quoted(asset)}" for s in ("production", "quarantine")]


def with_dimensions(schema: Schema | None, partitions: Partitions) -> Schema:
    """A schema with the partition columns: in their place if it has them, otherwise last."""
    columns = {c.name.casefold(): c for c in schema or ()}
    columns |= {d.name: Column(d.name, d.column_type) for d in partitions}
    return Schema(tuple(columns.values()))


def select_list(
    schema: Schema, own: Mapping[str, str], special: Mapping[str, str] | None = None
) -> str:
    """Every column of `schema` as SQL: read under its `own` name and cast, or null if it has none.

    `own` has the names by their case-folded form; `special` gives the SQL of some columns.
    """
    return ", ".join(
        f"{_value(column, own, special or {})} AS {quoted(column.name)}" for column in schema
    )


def own_names(schema: Schema) -> dict[str, str]:
    """The names of a schema by their case-folded form."""
    return {c.name.casefold(): c.name for c in schema}


def _value(column: Column, own: Mapping[str, str], special: Mapping[str, str]) -> str:
    if column.name in special:
        return special[column.name]
    name = own.get(column.name.casefold())
    type_ = TEXT if column.type == UNTYPED else column.type
    return f"CAST({'NULL' if name is None else quoted(name)} AS {type_})"


def _newest_first(versions: Iterable[LiveVersion]) -> Schema:
    ordered = sorted(versions, key=lambda version: -version.materialization)
    return united({version.schema: None for version in ordered})


def _alike(versions: Iterable[LiveVersion]) -> list[list[LiveVersion]]:
    """The versions that one call reads: files of one kind with one schema."""
    groups: dict[tuple[str, Schema], list[LiveVersion]] = {}
    for version in versions:
        kind = storage_at(version.path).suffix
        groups.setdefault((kind, version.schema), []).append(version)
    return list(groups.values())


def _create(view: str, arms: Sequence[str]) -> str:
    return f"CREATE OR REPLACE VIEW {view} AS\n" + "\nUNION ALL\n".join(arms)


def _empty(view: str, schema: Schema) -> list[str]:
    return [_create(view, [f"SELECT {select_list(schema, {})} WHERE false"])]


def _arm(
    schema: Schema,
    group: Sequence[LiveVersion],
    files: _Files,
    partitions: Partitions,
    more: Mapping[str, tuple[str, str]] | None = None,
) -> str:
    """One SELECT over the files of one kind and schema."""
    storage = storage_at(group[0].path)
    options = [f"hive_partitioning = {'true' if partitions.dimensions else 'false'}"]
    if partitions.dimensions:
        types = ", ".join(f"{literal(d.name)}: {_hive_type(d)}" for d in partitions)
        options.append(f"hive_types = {{{types}}}")
    special = {d.name: _hive_value(d) for d in partitions}
    for name, (value, option) in (more or {}).items():
        special[name] = value
        options.append(option)
    values = select_list(schema, own_names(group[0].schema), special)
    paths = files.sql([version.path for version in group])
    arguments = ", ".join((paths, *options, *storage.options))
    return f"SELECT {values}\nFROM {storage.function}({arguments})"


def _hive_type(dimension: Dimension) -> str:
    # DuckDB 1.x does not read `05:00Z` as the time of a TIMESTAMP.
    return TEXT if dimension.column_type == "TIMESTAMP" else dimension.column_type


def _hive_value(dimension: Dimension) -> str:
    name = quoted(dimension.name)
    if dimension.column_type == "TIMESTAMP":
        return f"CAST(replace({name}, 'Z', ':00') AS TIMESTAMP)"
    return name


def _ids(schema: Schema) -> dict[str, tuple[str, str]]:
    """The materialization of each row, from its file's folder: `.../118-45/rows.parquet`."""
    name = "file"
    while name in own_names(schema):
        name = "_" + name
    folder = f"string_split({quoted(name)}, '/')[-2]"
    run, ordinal = (f"CAST(split_part({folder}, '-', {i}) AS BIGINT)" for i in (1, 2))
    return {MATERIALIZATION.name: (f"{run} * 1000000 + {ordinal}", f"filename = {literal(name)}")}


class _Files:
    """Lists of files below one folder, as SQL."""

    def __init__(self, folder: Path, root: Path | None, partitions: Partitions) -> None:
        self._check(folder, partitions)
        if root is not None and folder.is_relative_to(root):
            below = folder.relative_to(root)
            given = f"CAST(getvariable({literal(ROOT_VARIABLE)}) AS VARCHAR)"
            variable = rf"regexp_replace({given}, '([\[*?])', '[\1]', 'g')"
            self._base = f"coalesce({variable}, {literal(exact_path(str(root)))})"
            self._prefix = "/" + exact_path(f"{below}/")
        else:
            self._base, self._prefix = literal(exact_path(str(folder))), "/"

    @staticmethod
    def _check(folder: Path, partitions: Partitions) -> None:
        for part in folder.parts:
            name, equals, _ = part.partition("=")
            if equals and name in partitions.names:
                raise StoreError(
                    f"DuckDB would take the folder {part} for the partition column {name}",
                    where=str(folder),
                    fix=f"move the project, or give the dimension another name than {name}",
                )

    def sql(self, paths: Sequence[str]) -> str:
        """A list of files, packed where there are several."""
        if len(paths) == 1 or any(" " in path for path in paths):
            listed = (f"{self._base} || {literal(self._prefix + path)}" for path in paths)
            return f"[{', '.join(listed)}]"
        start = _beginning(paths)
        start = start[: max(start.rfind("/"), start.rfind("=")) + 1]
        end = _beginning([path[::-1] for path in paths])[::-1]
        end = end[end.find("/") :] if "/" in end else end[end.find(".") :]
        packed = " ".join(path[len(start) : len(path) - len(end)] for path in paths)
        each = f"{self._base} || {literal(self._prefix + start)} || x || {literal(end)}"
        return f"list_transform(string_split({literal(packed)}, ' '), lambda x: {each})"


def _beginning(texts: Sequence[str]) -> str:
    """What all texts begin with."""
    first, last = min(texts), max(texts)
    differ = (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return first[: next(differ, len(first))]
