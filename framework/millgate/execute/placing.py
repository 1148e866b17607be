"""Where the files of what a run made go: into versions, or to quarantine with their reasons."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from millgate.execute.order import Product, Refused
from millgate.model.partition import Partition
from millgate.model.record import Judged, Location, Materialization, QuarantineEntry, show_id
from millgate.store.commit import Commit
from millgate.store.layout import REPORT, ROWS, Layout


@dataclass(frozen=True)
class Finished:
    """A product with the judgement's number, ready to be entered."""

    partition: Partition
    product: Product
    judged: Judged


@dataclass(frozen=True)
class Placed:
    """A product whose place is known: the materialization there, and what was refused of it."""

    finished: Finished
    made: Materialization
    entry: QuarantineEntry | None

    @property
    def partition(self) -> Partition:
        return self.finished.partition


def placed(layout: Layout, finished: Finished) -> Placed:
    """Where a product will be."""
    product, partition = finished.product, finished.partition
    made = product.materialization
    location: Location = "versions" if product.accepted else "quarantine"
    entry = None
    if product.refused is not None:
        entry = entry_of(layout, partition, made, location, finished.judged, product.refused)
    if product.accepted is not None:
        path = layout.version_path(partition, made.id, product.accepted.suffix)
        return Placed(finished, replace(made, location=location, path=path), entry)
    assert entry is not None
    made = replace(made, location=location, path=entry.path, bytes=entry.bytes)
    return Placed(finished, made, entry)


def move(commit: Commit, entering: Iterable[Placed], stop: threading.Event) -> None:
    """Bring the files of what enters to their places, until `stop` is set."""
    for each in entering:
        if stop.is_set():
            return
        product = each.finished.product
        if each.entry is not None and product.refused is not None:
            move_refused(commit, each.entry, each.made, each.finished.judged, product.refused)
        if product.accepted is not None:
            commit.move(product.accepted, each.made.path, "versions")


def entry_of(
    layout: Layout,
    partition: Partition,
    made: Materialization,
    location: Location,
    judged: Judged,
    refused: Refused,
) -> QuarantineEntry:
    """The entry of the refused rows of a version: all of them where it is in quarantine itself."""
    folder = layout.quarantine_path(partition, made.id)
    return QuarantineEntry(
        made.id,
        made.asset,
        made.partition,
        "partition" if location == "quarantine" else "rows",
        refused.rows,
        refused.bytes,
        f"{folder}/{ROWS}{refused.path.suffix}",
        judged.judged_at,
        judged.id,
        refused.schema,
    )


def move_refused(
    commit: Commit, entry: QuarantineEntry, made: Materialization, judged: Judged, refused: Refused
) -> None:
    """Bring refused rows to their place in quarantine, and put the report beside them."""
    commit.move(refused.path, entry.path, "quarantine")
    folder, _, _ = entry.path.rpartition("/")
    commit.write_report(f"{folder}/{REPORT}", _report(made, judged))


def _report(made: Materialization, judged: Judged) -> str:
    """The judgement as JSON, for who finds the folder without the catalog."""
    judgement = judged.judgement
    return json.dumps(
        {
            "asset": made.asset,
            "partition": made.partition,
            "materialization": show_id(made.id),
            "verdict": judgement.verdict,
            "rows": judgement.rows,
            "rejected_rows": judgement.rejected_rows,
            "data_hash": made.data_hash,
            "failed": [asdict(result) for result in judgement.failed],
        },
        indent=2,
    )
