"""What quarantine holds, as frames that can be judged again."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from millgate.errors import StoreError
from millgate.execute.mill import Mill
from millgate.execute.standing import Standing
from millgate.gate.evaluate import Evaluation
from millgate.gate.reasons import REASONS
from millgate.lineage.refusals import QuarantineRow
from millgate.model.partition import label
from millgate.model.schema import Schema
from millgate.store import reading, types
from millgate.store.storage import storage_at


def refused_rows(mill: Mill, entry: QuarantineRow) -> pl.LazyFrame:
    """The rows of an entry as they came, before the gate gave them its form."""
    path = check_there(mill.layout.quarantine / entry.path, entry.asset, entry.partition)
    return reading.scan_version(path).drop(REASONS)


def judge_held(
    standing: Standing, entry: QuarantineRow, live: Schema | None
) -> tuple[pl.LazyFrame, Evaluation]:
    """The rows of a held partition, and what today's gate makes of them beside what is `live`."""
    mill = standing.mill
    gate = mill.gates[entry.asset]
    frame = refused_rows(mill, entry)
    storage = storage_at(entry.path)
    _, came = storage.shape(mill.layout.quarantine / entry.path)
    columns = storage.schema_of(gate.accepted_schema(frame.collect_schema()), came)
    around = standing.around(mill.assets[entry.asset], entry.partition, entry.quarantined_at)
    return frame, gate.evaluate(frame, columns=columns, live=live, around=around)


def together(kept: pl.LazyFrame, rejected: pl.LazyFrame) -> pl.LazyFrame:
    """A partition as it was before it was split: the rows that were let in, then the others.

    The gate may have coerced, added or dropped columns of the rows it let in; here they have the
    columns of those it did not.
    """
    have = kept.collect_schema()
    columns = [
        (types.exactly(name) if name in have else pl.lit(None).alias(name)).cast(dtype)
        for name, dtype in rejected.collect_schema().items()
    ]
    return pl.concat([kept.select(columns), rejected])


def check_there(path: Path, asset: str, key: str) -> Path:
    """The path; StoreError where the file is gone."""
    if not path.is_file():
        raise StoreError(
            f"a file of {label(asset, key)} is gone", where=str(path), fix="millgate doctor"
        )
    return path
