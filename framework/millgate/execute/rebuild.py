"""Rebuild: where every snapshot is lost, what the files alone still tell."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from millgate.errors import MillgateError, StoreError
from millgate.execute.archiving import record, take_in_found
from millgate.execute.committing import committing, rebuild_views
from millgate.execute.declarations import declarations
from millgate.execute.mill import Mill
from millgate.execute.running import open_run, started
from millgate.model.record import (
    Change,
    CheckResult,
    InputVersion,
    Judged,
    Judgement,
    Location,
    Materialization,
    Promotion,
    PromotionKind,
    QuarantineEntry,
    Run,
    read_id,
)
from millgate.model.schema import Schema
from millgate.store import reading, version_file
from millgate.store.layout import REPORT
from millgate.store.links import is_served
from millgate.store.storage import stored_below
from millgate.store.version_file import VersionFile

GONE = (
    "runs and their steps, earlier snapshots and promotions, what was live before, decisions "
    "about quarantine, and the check results of what passed"
)
"""History that no file holds, or only in part: what left the catalog for files is taken in."""

_UNKNOWN_GATE = "0" * 32
_KINDS: Mapping[str, PromotionKind] = {"released": "release", "replayed": "replay"}
"""How versions of these kinds enter production."""


@dataclass(frozen=True)
class _Made:
    """A version as its file tells of it; `read` is what stands in its footer."""

    version: Materialization
    file: Path


def rebuild(mill: Mill) -> int:
    """Publish a first snapshot of what is live, from what, and what is held; its number.

    What `production/` serves is live, or where it serves nothing at all the newest version of
    each partition. Today's gate judges it, since no file says how it was judged.
    """
    served = dict(_served(mill))
    names = _Names(mill.assets, served)
    made = list(_versions(mill, names))
    live = _live(served, [m.version for m in made])
    mill.warehouse.forget_link()
    with open_run(mill, "doctor --repair", "") as opened, committing(mill) as commit:
        run = replace(
            started(mill, opened),
            status="succeeded",
            finished_at=mill.clock(),
            exit_status=0,
            message=f"rebuilt from files; gone: {GONE}",
        )
        change = _change(mill, run, made, live, names)
        record(commit, mill, change)
        take_in_found(commit, mill.layout)
        rebuild_views(commit.connection, mill, mill.assets)
        return commit.publish()


class _Names:
    """What the asset of a file is called now; its footer has the name that it was made under."""

    def __init__(self, declared: Collection[str], served: Mapping[Path, Mapping[str, Any]]) -> None:
        self._declared = declared
        self._of_version: dict[int, str] = {}
        self._renamed: dict[str, str] = {}
        for link, said in served.items():
            name = link.parts[0]
            self._of_version[said["materialization"]] = name
            if said["asset"] != name and said["asset"] not in declared:
                self._renamed[said["asset"]] = name

    def of(self, materialization: int, said: str) -> str:
        """The name now of what a footer calls `said`."""
        known = said if said in self._declared else self._renamed.get(said, said)
        return self._of_version.get(materialization, known)


def _versions(mill: Mill, names: _Names) -> Iterator[_Made]:
    for file in stored_below(mill.layout.versions):
        try:
            found = version_file.look_at(file)
            made = _materialization(mill, found, file, "versions", names)
            data_hash = version_file.data_hash(file, found.schema)
        except (MillgateError, LookupError):
            # Not a version of a declared asset: it stays where it is, and is told of as an orphan.
            continue
        yield _Made(replace(made, data_hash=data_hash), file)


def _materialization(
    mill: Mill, found: VersionFile, file: Path, location: Location, names: _Names
) -> Materialization:
    """The record of a file; LookupError if its footer or its asset is not known."""
    said = found.footer
    name = names.of(said["materialization"], said["asset"])
    partition = mill.assets[name].partition(said["partition"])
    top = mill.layout.versions if location == "versions" else mill.layout.quarantine
    return Materialization(
        id=said["materialization"],
        asset=partition.asset,
        partition=partition.key,
        window_start=partition.start,
        window_end=partition.end,
        run=said["run"],
        step=None,
        kind=said.get("kind") or ("released" if said.get("derived_from") else "made"),
        derived_from=said.get("derived_from"),
        code_fingerprint=said["code_fingerprint"],
        input_fingerprint=said.get("input_fingerprint", ""),
        data_hash="",
        schema=found.schema,
        rows=found.rows,
        bytes=file.stat().st_size,
        location=location,
        path=str(file.relative_to(top)),
        created_at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
        inputs=tuple(_input(given, names) for given in said.get("inputs", ())),
    )


def _input(given: Mapping[str, Any], names: _Names) -> InputVersion:
    read = InputVersion(**given)
    return replace(read, asset=names.of(read.materialization, read.asset))


def _served(mill: Mill) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """What the file of each link under `production/` says of itself."""
    for link in filter(is_served, stored_below(mill.layout.production)):
        try:
            said = version_file.look_at(link).footer
        except StoreError:
            continue
        if {"asset", "partition", "materialization"} <= said.keys():
            yield link.relative_to(mill.layout.production), said


def _live(
    served: Mapping[Path, Mapping[str, Any]], versions: Iterable[Materialization]
) -> dict[tuple[str, str], int]:
    newest = {(v.asset, v.partition): v.id for v in sorted(versions, key=lambda v: v.id)}
    links = {
        (link.parts[0], said["partition"]): said["materialization"] for link, said in served.items()
    }
    return links or newest


def _change(
    mill: Mill,
    run: Run,
    made: list[_Made],
    live: Mapping[tuple[str, str], int],
    names: _Names,
) -> Change:
    held = list(_reports(mill, names))
    refused = {entry.materialization: judged for _, entry, judged in held}
    versions = {m.version.id: m.version for m in made}
    for version, _, _ in held:
        versions.setdefault(version.id, version)
    now = mill.clock()
    judged = dict(refused)
    for one in made:
        if live.get((one.version.asset, one.version.partition)) == one.version.id:
            judged.setdefault(one.version.id, _judged(mill, one, run, now))
    entered = [v for v in versions.values() if live.get((v.asset, v.partition)) == v.id]
    known = _inputs(mill, versions, run, now)
    observed = [m for m in known if m.kind == "observed"]
    return Change(
        run=run,
        command=run.command,
        committed_at=now,
        materializations=tuple(sorted([*known, *versions.values()], key=lambda m: m.id)),
        judged=tuple(judged.values()),
        promotions=(
            *(
                Promotion(m.asset, m.partition, "observe", m.id, now, run.id, run.actor)
                for m in sorted(observed, key=lambda m: m.id)
            ),
            *(_promotion(v, run, now, judged.get(v.id)) for v in entered),
        ),
        quarantined=tuple(entry for _, entry, _ in held),
        declarations=declarations(mill),
    )


def _promotion(
    version: Materialization, run: Run, now: datetime, judged: Judged | None
) -> Promotion:
    let_in = judged is not None and judged.judgement.verdict != "hold"
    return Promotion(
        version.asset,
        version.partition,
        _KINDS.get(version.kind, "promote"),
        version.id,
        now,
        run.id,
        run.actor,
        "rebuilt from files",
        judged.id if judged is not None and let_in else None,
    )


def _judged(mill: Mill, one: _Made, run: Run, now: datetime) -> Judged:
    gate = mill.gates[one.version.asset]
    frame = reading.scan_version(one.file)
    found = gate.evaluate(frame, columns=one.version.schema, live=None)
    return Judged(one.version.id, one.version.id, found.judgement, now, run.id)


def _inputs(
    mill: Mill, versions: Mapping[int, Materialization], run: Run, now: datetime
) -> list[Materialization]:
    """What versions were made from and no file is left of: sources, and what vacuum removed."""
    lost = {
        given.materialization: given
        for version in versions.values()
        for given in version.inputs
        if given.materialization not in versions
    }
    return [
        Materialization(
            id=id_,
            asset=given.asset,
            partition=given.partition,
            window_start=None,
            window_end=None,
            run=run.id,
            step=None,
            kind="made" if given.asset in mill.assets else "observed",
            derived_from=None,
            code_fingerprint="",
            input_fingerprint="",
            data_hash=given.data_hash,
            schema=Schema(()),
            rows=0,
            bytes=0,
            location="nowhere" if given.asset in mill.assets else "external",
            path="",
            created_at=now,
        )
        for id_, given in lost.items()
    ]


def _reports(
    mill: Mill, names: _Names
) -> Iterator[tuple[Materialization, QuarantineEntry, Judged]]:
    """What `quarantine/` holds, the oldest first, as each report tells it."""
    for report in sorted(mill.layout.quarantine.rglob(REPORT)):
        try:
            rows = next(iter(stored_below(report.parent)))
            said = json.loads(report.read_text(encoding="utf-8"))
            found = version_file.look_at(rows)
            version = _materialization(mill, found, rows, "quarantine", names)
        except (MillgateError, LookupError, ValueError, OSError, StopIteration):
            continue
        version = replace(version, data_hash=said["data_hash"])
        judged = _told(said, version)
        scope = "partition" if said["verdict"] == "hold" else "rows"
        entry = QuarantineEntry(
            version.id,
            version.asset,
            version.partition,
            scope,  # type: ignore[arg-type]
            version.rows,
            version.bytes,
            version.path,
            version.created_at,
            judged.id,
            found.schema,
        )
        yield version, entry, judged


def _told(said: Mapping[str, Any], version: Materialization) -> Judged:
    results = tuple(
        CheckResult(**{**result, "sample": tuple(result["sample"])}) for result in said["failed"]
    )
    judgement = Judgement(
        _UNKNOWN_GATE, said["verdict"], said["rows"], said["rejected_rows"], results
    )
    id_ = read_id(said["materialization"])
    return Judged(id_, id_, judgement, version.created_at, version.run)
