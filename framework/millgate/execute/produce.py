"""Partitions from their inputs to judged versions in staging."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from time import perf_counter
from typing import Any

import polars as pl

from millgate.execute.at_hand import AtHand
from millgate.execute.compute import compute, use_processors
from millgate.execute.deriving import footer
from millgate.execute.order import Batch, Order, Product
from millgate.execute.parting import Parted, part
from millgate.execute.settle import Settled, check_strays, settle, strays
from millgate.execute.sources import check_unchanged
from millgate.execute.standing import surroundings
from millgate.execute.turns import at_work, in_turn, judging
from millgate.gate.compiled import Candidate, CompiledGate
from millgate.gate.contract import breaks_contract
from millgate.gate.evaluate import Evaluation
from millgate.model.record import Judgement, Materialization
from millgate.model.schema import Schema
from millgate.store import digest, reading
from millgate.store.storage import Storage, storage_at


def produce(batch: Batch, gate: CompiledGate, clock: Callable[[], datetime]) -> tuple[Product, ...]:
    """The partitions of a batch: computed as one, each judged by itself and written to staging.

    A result that is in memory is judged there and written once. One that streams is written
    first and judged in a scan of what was written; it is written again only if rows leave it.
    What computing took is shared out evenly, and what waiting for its turn took is left out.
    """
    footers = [_footer(order) for order in batch.orders]
    began = perf_counter()
    with at_work():
        result = compute(batch)
        computing_s = perf_counter() - began
        with in_turn(batch, result):
            began = perf_counter()
            use_processors()
            settled = settle(result, batch, gate.declared, footers)
            check_unchanged(batch.sources, batch.asset.name)
            computing_s += perf_counter() - began
            share_s, now = computing_s / len(settled), clock()
            with judging(each.file for each in settled):
                made = judge_settled(settled, batch.orders, gate, now, footers, share_s)
    if batch.at_hand is not None:
        _keep(batch.at_hand, settled, batch.orders, made)
    return made


def _keep(
    at_hand: AtHand, settled: Sequence[Settled], orders: Sequence[Order], made: Sequence[Product]
) -> None:
    """Have at hand what was written as it was in memory."""
    for given, order, product in zip(settled, orders, made, strict=True):
        as_it_was = given.file is None and product.accepted == order.staged
        if as_it_was and isinstance(given.frame, pl.DataFrame):
            at_hand.keep(order.staged, given.frame)


def judge_settled(
    settled: Sequence[Settled],
    orders: Sequence[Order],
    gate: CompiledGate,
    now: datetime,
    metadata: Sequence[Mapping[str, Any]],
    compute_s: float,
) -> tuple[Product, ...]:
    """Computed partitions, judged and in the files that their verdicts ask for.

    What judging and writing took is shared out evenly.
    """
    began = perf_counter()
    evaluations = _judged(settled, orders, gate, now)
    judged = perf_counter()
    parted = part(settled, evaluations, orders, metadata)
    gate_s, write_s = (taken / len(settled) for taken in (judged - began, perf_counter() - judged))
    return tuple(
        Product(
            _made(order, now, evaluation.judgement, files),
            evaluation.judgement,
            files.accepted,
            files.refused,
            compute_s=compute_s,
            gate_s=gate_s,
            write_s=write_s,
        )
        for order, evaluation, files in zip(orders, evaluations, parted, strict=True)
    )


def _judged(
    settled: Sequence[Settled], orders: Sequence[Order], gate: CompiledGate, now: datetime
) -> list[Evaluation]:
    """What the gate makes of each partition."""
    schemas = _accepted_schemas(settled, gate, storage_at(orders[0].staged))
    found = gate.evaluate_all(
        Candidate(
            given.frame,
            given.columns,
            columns,
            order.live_schema,
            surroundings(order, now),
            [*digest.expressions(given.schema), *strays(given.schema, order)],
        )
        for given, order, columns in zip(settled, orders, schemas, strict=True)
    )
    for evaluation, given, order in zip(found, settled, orders, strict=True):
        check_strays(evaluation.measured, given.frame, order)
    return found


def _made(
    order: Order, created_at: datetime, judgement: Judgement, parted: Parted
) -> Materialization:
    accepted = parted.accepted
    enforced = order.live if order.step.action == "enforce" else None
    return Materialization(
        id=order.materialization,
        asset=order.asset.name,
        partition=order.partition.key,
        window_start=order.partition.start,
        window_end=order.partition.end,
        run=order.run,
        step=order.step_id,
        kind="enforced" if enforced else "made",
        derived_from=enforced.materialization if enforced else None,
        code_fingerprint=order.code_fingerprint,
        input_fingerprint=order.input_fingerprint,
        data_hash=parted.data_hash,
        schema=parted.schema,
        rows=_rows(judgement),
        bytes=accepted.stat().st_size if accepted else 0,
        location="versions" if accepted else "quarantine",
        path="",
        created_at=created_at,
        inputs=order.read,
        needs_fingerprint="" if enforced else order.needs_fingerprint,
    )


def enforce(order: Order, gate: CompiledGate, clock: Callable[[], datetime]) -> Product | Judgement:
    """What today's gate leaves of the live version, and what it refuses; a judgement if nothing.

    The accepted rows are a version of their own, made from what the live one was made from. Rows
    that were split from the live one before wait on together with those split off now.
    """
    assert order.live is not None
    began = perf_counter()
    metadata = _footer(order)
    metadata |= {"kind": "enforced", "derived_from": order.live.materialization}
    file = order.live.files[0]
    live = reading.scan_version(file)
    settled = Settled(live, live.collect_schema(), order.live.schema, file)
    measure = digest.expressions(settled.schema)
    around = surroundings(order, order.live.made_at)
    evaluation = gate.evaluate(
        settled.frame, columns=settled.schema, live=None, around=around, measure=measure
    )
    (columns,) = _accepted_schemas([settled], gate, storage_at(order.staged))
    if evaluation.judgement.verdict == "promote":
        return evaluation.judgement
    if breaks_contract(order.live_schema, columns, gate.policy):
        evaluation = gate.evaluate(
            settled.frame,
            columns=columns,
            live=order.live_schema,
            around=around,
            measure=measure,
        )
    judged = perf_counter()
    (parted,) = part([settled], [evaluation], [order], [metadata])
    return Product(
        _made(order, clock(), evaluation.judgement, parted),
        evaluation.judgement,
        parted.accepted,
        parted.refused,
        compute_s=0.0,
        gate_s=judged - began,
        write_s=perf_counter() - judged,
    )


def judge_again(order: Order, gate: CompiledGate) -> Judgement:
    """Today's judgement of the live version."""
    assert order.live is not None
    live = order.live
    frame = reading.scan_version(live.files[0])
    around = surroundings(order, live.made_at)
    return gate.evaluate(frame, columns=live.schema, live=None, around=around).judgement


def _accepted_schemas(
    settled: Sequence[Settled], gate: CompiledGate, storage: Storage
) -> list[Schema]:
    """The columns that production would get of each: a gate may coerce, drop or add some."""
    found: list[Schema] = []
    for (columns, schema), alike in groupby(settled, attrgetter("columns", "schema")):
        accepted = gate.accepted_schema(columns)
        stored = schema if accepted == columns else storage.schema_of(accepted, schema)
        found += [stored for _ in alike]
    return found


def _footer(order: Order) -> dict[str, Any]:
    return footer(
        order.asset.name,
        order.partition.key,
        order.materialization,
        order.run,
        order.code_fingerprint,
        order.input_fingerprint,
        order.read,
    )


def _rows(judgement: Judgement) -> int:
    """Rows of the version itself: without the rejected ones where they were split off."""
    return judgement.rows - (judgement.rejected_rows if judgement.verdict == "split" else 0)
