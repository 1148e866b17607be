"""A change as the rows that its commit writes: one frame for each table of the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import polars as pl

from millgate.model.record import (
    Change,
    Declarations,
    Judged,
    Materialization,
    Promotion,
    QuarantineEntry,
)
from millgate.model.schema import Schema

_TYPES: Mapping[str, pl.DataType] = {
    **dict.fromkeys(("attempt", "exit_status", "partitions", "position", "tries"), pl.Int32()),
    **dict.fromkeys(("in_force", "passed"), pl.Boolean()),
    **dict.fromkeys(("compute_s", "gate_s", "write_s"), pl.Float64()),
    **dict.fromkeys(("dimensions", "partition_keys", "sample", "tags"), pl.List(pl.String)),
    **dict.fromkeys(("bytes", "failing_rows", "peak_bytes", "rejected_rows"), pl.Int64()),
    **dict.fromkeys(("derived_from", "judgement", "materialization", "previous"), pl.Int64()),
    **dict.fromkeys(("promotion", "resumes", "rows", "run", "snapshot", "step"), pl.Int64()),
    **dict.fromkeys(("alert", "total_rows"), pl.Int64()),
}
"""Types of the columns that hold neither text nor a time."""

_MATERIALIZATIONS = (
    "materialization=id asset partition window_start window_end run step kind derived_from "
    "code_fingerprint input_fingerprint needs_fingerprint data_hash schema_hash=schema.hash rows "
    "bytes location path created_at"
)
_JUDGEMENTS = (
    "judgement=id materialization gate_fingerprint=judgement.gate_fingerprint "
    "verdict=judgement.verdict rows=judgement.rows rejected_rows=judgement.rejected_rows judged_at "
    "run in_force reference_fingerprint=judgement.reference_fingerprint"
)
_CHECK_RESULTS = (
    "rule column_name kind severity passed failing_rows total_rows observed expected sample "
    "message rule_fingerprint"
)
_QUARANTINE = (
    "materialization asset partition scope rows bytes path schema_hash=schema.hash quarantined_at "
    "judgement"
)
_RUNS = (
    "run=id command selection range_from range_to status started_at finished_at actor host "
    "code_version millgate_version resumes exit_status message"
)
_STEPS = "step=id run asset partition action cause cause_asset cause_partition outcome blocked_by"
_ATTEMPTS = (
    "step attempt status started_at finished_at compute_s gate_s write_s peak_bytes error_type "
    "error error_line log_path"
)
_ALERTS = (
    "alert channel event severity asset partitions partition_keys message run raised_at status "
    "sent_at tries last_error"
)
_ASSETS = (
    "asset kind description owner asset_group tags dimensions grain time_zone first_key last_key "
    "code_fingerprint gate_fingerprint on_failure defined_in"
)


def added_rows(change: Change) -> dict[str, pl.DataFrame]:
    """The rows that a change only adds, by table; no table without rows."""
    made = change.materializations
    results = [(j.id, r) for j in change.judged for r in j.judgement.results]
    files = [(m.id, f) for m in made for f in m.files]
    beside = [(j.id, upstream) for j in change.judged for upstream in j.judgement.looked_at]
    tables = {
        "materializations": _table(_columns(_MATERIALIZATIONS, made)),
        "materialization_edges": _edges(made),
        "source_files": _table(
            {"materialization": [id_ for id_, _ in files]},
            _columns("path bytes modified_at content_hash", [f for _, f in files]),
        ),
        "judgements": _table(_columns(_JUDGEMENTS, change.judged)),
        "judgement_edges": _ids(
            {"judgement": [id_ for id_, _ in beside], "upstream": [id_ for _, id_ in beside]}
        ),
        "check_results": _table(
            {"judgement": [id_ for id_, _ in results]},
            _columns(_CHECK_RESULTS, [r for _, r in results]),
        ),
        "steps": _table(_columns(_STEPS, change.steps)),
        "attempts": _table(_columns(_ATTEMPTS, change.attempts)),
    }
    return {name: rows for name, rows in tables.items() if rows.height}


def run_rows(change: Change) -> pl.DataFrame:
    """The row of the run."""
    return _table(_columns(_RUNS, [change.run]))


def schema_rows(schemas: Iterable[Schema]) -> pl.DataFrame:
    """One row for each column of each distinct schema."""
    distinct = {schema.hash: schema for schema in schemas}
    found = [(h, i, c) for h, schema in distinct.items() for i, c in enumerate(schema, 1)]
    return _table(
        {"schema_hash": [h for h, _, _ in found], "position": [i for _, i, _ in found]},
        _columns("column_name=name type", [c for _, _, c in found]),
    )


def promotion_rows(
    numbered: Sequence[tuple[int, Promotion, int | None]], promoted_at: datetime, snapshot: int
) -> pl.DataFrame:
    """Promotions with their number and the version that was live before."""
    promotions = [p for _, p, _ in numbered]
    return _table(
        {
            "promotion": [number for number, _, _ in numbered],
            "previous": [previous for _, _, previous in numbered],
            "promoted_at": [utc(promoted_at)] * len(promotions),
            "snapshot": [snapshot] * len(promotions),
        },
        _columns("asset partition kind materialization run actor reason judgement", promotions),
    )


def quarantine_rows(entries: Sequence[QuarantineEntry], statuses: Sequence[str]) -> pl.DataFrame:
    """Quarantine entries, each with its status."""
    return _table({"status": statuses}, _columns(_QUARANTINE, entries))


def declaration_rows(declarations: Declarations) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of `assets` and `asset_edges`."""
    edges = _columns("upstream downstream kind mapping", declarations.edges)
    return _table(_columns(_ASSETS, declarations.assets)), _table(edges)


def alert_rows(change: Change) -> pl.DataFrame:
    """The alerts that are new or were tried again."""
    return _table(_columns(_ALERTS, change.alerts))


def relocated_rows(change: Change) -> pl.DataFrame:
    """New location and path by materialization."""
    places = change.relocated.values()
    return _table(
        {
            "materialization": list(change.relocated),
            "location": [location for location, _ in places],
            "path": [path for _, path in places],
        }
    )


def utc(moment: datetime) -> datetime:
    """An aware time as the catalog holds it: in UTC, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def rejudged(change: Change) -> list[Judged]:
    """Judgements in force of versions that were on record before."""
    new = {m.id for m in change.materializations}
    return [j for j in change.judged if j.in_force and j.materialization not in new]


def _edges(made: Sequence[Materialization]) -> pl.DataFrame:
    """Inputs, and the version that a released one was put together from."""
    found: list[tuple[int, int, str]] = [
        (i.materialization, m.id, "pinned" if i.pinned else i.role) for m in made for i in m.inputs
    ]
    found += [(m.derived_from, m.id, "derived") for m in made if m.derived_from is not None]
    upstream, downstream, kind = zip(*found, strict=True) if found else ((), (), ())
    ids = _ids({"upstream": upstream, "downstream": downstream})
    return ids.with_columns(pl.Series("kind", kind, pl.String))


def _ids(columns: Mapping[str, Sequence[int]]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int64))


def _columns(names: str, found: Sequence[object]) -> dict[str, Sequence[Any]]:
    """Values by column; `column=attribute` where the attribute is called otherwise."""
    columns: dict[str, Sequence[Any]] = {}
    for given in names.split():
        column, _, attribute = given.partition("=")
        values = map(attrgetter(attribute or column), found)
        if column.endswith(("_at", "_start", "_end")):
            columns[column] = [None if v is None else utc(v) for v in values]
        elif column.endswith(("_hash", "_fingerprint")):
            columns[column] = [v or None for v in values]
        else:
            columns[column] = list(values)
    return columns


def _table(*parts: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    columns = {name: values for part in parts for name, values in part.items()}
    return pl.DataFrame(columns, schema={name: _type(name) for name in columns})


def _type(column: str) -> pl.DataType:
    time = column.endswith(("_at", "_start", "_end"))
    return pl.Datetime("us") if time else _TYPES.get(column, pl.String())
