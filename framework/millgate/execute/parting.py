"""A judged partition as files: the rows that may go on, and those that may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from millgate.execute.order import Order, Refused
from millgate.execute.settle import Frame, Settled
from millgate.gate.evaluate import FAILING, Evaluation
from millgate.model.schema import Schema
from millgate.store import digest, reading, writing
from millgate.store.storage import storage_at


@dataclass(frozen=True)
class Parted:
    """The file of the rows that may go on, their data hash and schema, and what was refused.

    `accepted` is None for a hold, whose hash and schema are those of the whole.
    """

    accepted: Path | None
    data_hash: str
    schema: Schema
    refused: Refused | None


def part(
    settled: Sequence[Settled],
    evaluations: Sequence[Evaluation],
    orders: Sequence[Order],
    metadata: Sequence[Mapping[str, Any]],
) -> list[Parted]:
    """Each partition in the files that its verdict asks for, each of these with its `metadata`.

    What is there already is not written again, and where rows are split off a stream, one more
    reading of it writes both files.
    """
    each = list(zip(settled, evaluations, orders, metadata, strict=True))
    whole = [
        (given.frame, order.staged, carried)
        for given, evaluation, order, carried in each
        if given.file is None and isinstance(given.frame, pl.DataFrame) and not _changes(evaluation)
    ]
    if whole:
        writing.write_frames(*zip(*whole, strict=True))
    return [_parted(*one) for one in each]


def _changes(evaluation: Evaluation) -> bool:
    """Whether production gets other rows than came, if any."""
    return evaluation.judgement.verdict != "promote" or evaluation.reshapes


def _parted(
    settled: Settled, evaluation: Evaluation, order: Order, metadata: Mapping[str, Any]
) -> Parted:
    verdict = evaluation.judgement.verdict
    if verdict == "split":
        return _split(settled, evaluation, order, metadata)
    if verdict == "promote" and evaluation.reshapes:
        return Parted(*_reshaped(settled, evaluation, order, metadata), None)
    whole = digest.digest(evaluation.measured, settled.schema)
    if verdict == "promote":
        if settled.file is None and isinstance(settled.frame, pl.LazyFrame):
            writing.write(settled.frame, order.staged, metadata)
        return Parted(order.staged, whole, settled.schema, None)
    rejected = evaluation.rejected(settled.frame)
    rows = evaluation.judgement.rows
    refused = _refused(rejected, rows, order, metadata, settled.schema)
    return Parted(None, whole, settled.schema, refused)


def _split(
    settled: Settled, evaluation: Evaluation, order: Order, metadata: Mapping[str, Any]
) -> Parted:
    frame = settled.frame
    left = _beside(order, "left")
    if evaluation.reshapes:
        kept = _reshaped(settled, evaluation, order, metadata)
        rejected = evaluation.flagged(frame.lazy()).filter(FAILING).drop(FAILING)
    else:
        accepted = _beside(order, "accepted")
        if isinstance(frame, pl.DataFrame):
            failing = evaluation.failing
            writing.write(frame.filter(~failing), accepted, metadata, settled.schema)
            rejected = frame.filter(failing).lazy()
        else:
            flagged = evaluation.flagged(frame)
            writing.part(flagged, FAILING, accepted, left, metadata, settled.schema)
            rejected = reading.scan_version(left)
        values = digest.without(evaluation.measured, _measured(rejected, settled.schema))
        kept = accepted, digest.digest(values, settled.schema), settled.schema
    reasoned = evaluation.with_reasons(rejected)
    rows = evaluation.judgement.rejected_rows
    if order.waiting is not None:
        before = reading.scan_version(order.waiting)
        rows += before.select(pl.len()).collect().item()
        reasoned = pl.concat([before, reasoned], how="diagonal_relaxed")
    whole = reasoned.collect() if isinstance(frame, pl.DataFrame) else reasoned
    refused = _refused(whole, rows, order, metadata, settled.schema)
    left.unlink(missing_ok=True)
    return Parted(*kept, refused)


def _reshaped(
    settled: Settled, evaluation: Evaluation, order: Order, metadata: Mapping[str, Any]
) -> tuple[Path, str, Schema]:
    """The file of the accepted rows in the form that the schema gives them, its hash and schema."""
    frame = evaluation.accepted(settled.frame)
    path = _beside(order, "accepted")
    writing.write(frame, path, metadata, settled.schema)
    storage = storage_at(path)
    schema = storage.schema_of(frame.collect_schema(), settled.schema)
    in_memory = isinstance(frame, pl.DataFrame) and storage.is_faithful
    measured = _measured(frame.lazy() if in_memory else storage.scan(path), schema)
    return path, digest.digest(measured, schema), schema


def _measured(frame: pl.LazyFrame, schema: Schema) -> Mapping[str, Any]:
    return frame.select(digest.expressions(schema)).collect(engine="streaming").row(0, named=True)


def _refused(
    frame: Frame, rows: int, order: Order, metadata: Mapping[str, Any], like: Schema
) -> Refused:
    path = _beside(order, "refused")
    writing.write(frame, path, metadata, like)
    schema = storage_at(path).schema_of(frame.collect_schema(), like)
    return Refused(path, schema, rows, path.stat().st_size)


def _beside(order: Order, what: str) -> Path:
    return order.staged.with_suffix(f".{what}{order.staged.suffix}")
