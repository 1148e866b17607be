"""A new version from data that is there already: what is let in of what a gate had refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

import polars as pl

from millgate.execute.mill import Mill
from millgate.model.record import InputVersion, Materialization, Run
from millgate.model.schema import Schema
from millgate.store import digest, writing
from millgate.store.commit import Commit
from millgate.store.storage import STORAGES


def derive(
    mill: Mill,
    commit: Commit,
    run: Run,
    number: int,
    kind: Literal["released", "replayed"],
    refused: Materialization,
    frame: pl.LazyFrame,
    like: Schema,
) -> Materialization:
    """The version `number`, derived from the refused one, written and moved to its place.

    It was made by the code and from the inputs that the refused one was made by and from. `like`
    has the types of columns that a frame carries in another form.
    """
    storage = STORAGES[mill.assets[refused.asset].storage]
    staged = mill.layout.staged(run.id, number, storage.suffix)
    begun = replace(
        refused,
        id=number,
        run=run.id,
        step=None,
        kind=kind,
        derived_from=refused.id,
        location="versions",
        created_at=mill.clock(),
    )
    writing.write(frame, staged, footer_of(begun), like)
    rows, schema = storage.shape(staged)
    sums = storage.scan(staged).select(digest.expressions(schema))
    measured = sums.collect(engine="streaming")
    partition = mill.assets[refused.asset].partition(refused.partition)
    made = replace(
        begun,
        data_hash=digest.digest(measured.row(0, named=True), schema),
        schema=schema,
        rows=rows,
        bytes=staged.stat().st_size,
        path=mill.layout.version_path(partition, number, storage.suffix),
    )
    commit.move(staged, made.path, "versions")
    return made


def footer_of(version: Materialization) -> dict[str, Any]:
    """The lineage that the files of a derived version carry."""
    return {
        **footer(
            version.asset,
            version.partition,
            version.id,
            version.run,
            version.code_fingerprint,
            version.input_fingerprint,
            version.inputs,
        ),
        "kind": version.kind,
        "derived_from": version.derived_from,
    }


def footer(
    asset: str,
    partition: str,
    materialization: int,
    run: int,
    code_fingerprint: str,
    input_fingerprint: str,
    inputs: Iterable[InputVersion],
) -> dict[str, Any]:
    """The lineage that a file carries, so that files alone can tell what they are."""
    return {
        "asset": asset,
        "partition": partition,
        "materialization": materialization,
        "run": run,
        "code_fingerprint": code_fingerprint,
        "input_fingerprint": input_fingerprint,
        "inputs": [{**vars(version)} for version in inputs],
    }
