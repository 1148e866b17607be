"""What is remembered: one frozen record for each row of the lineage tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from millgate.model.alerting import Alert
from millgate.model.schema import Schema

Verdict = Literal["promote", "split", "hold"]
Location = Literal["versions", "quarantine", "external", "nowhere"]
PromotionKind = Literal["promote", "split", "release", "replay", "observe", "rollback", "withdraw"]
Outcome = Literal[
    "made", "unchanged", "judged", "held", "failed", "blocked", "refused", "cancelled"
]
RunStatus = Literal["running", "succeeded", "held", "failed", "cancelled", "died"]

_PER_RUN = 1_000_000


def materialization_id(run: int, ordinal: int) -> int:
    """The id of the `ordinal`-th materialization of a run."""
    return run * _PER_RUN + ordinal


def show_id(materialization: int) -> str:
    """
    >>> show_id(118_000_045)
    '118-45'
    """
    return f"{materialization // _PER_RUN}-{materialization % _PER_RUN}"


def read_id(text: str) -> int:
    """The id that `118-45` writes; ValueError if it writes none."""
    run, _, ordinal = text.partition("-")
    return materialization_id(int(run), int(ordinal))


@dataclass(frozen=True)
class SourceFile:
    """A file that a source observed; `content_hash` has 32 hexadecimal digits."""

    path: str
    bytes: int
    modified_at: datetime
    content_hash: str


@dataclass(frozen=True)
class InputVersion:
    """One version that a materialization was made from."""

    materialization: int
    asset: str
    partition: str
    data_hash: str
    pinned: bool = False
    role: Literal["data", "reference"] = "data"
    """What it was read for: to be made from, or to be judged against."""


@dataclass(frozen=True)
class Materialization:
    """One immutable version of one (asset, partition).

    `path` is relative to the folder that `location` names (`versions` and `quarantine`), or is
    the file itself (`external`). Hashes have 32 hexadecimal digits; times are aware UTC.
    """

    id: int
    asset: str
    partition: str
    window_start: datetime | None
    window_end: datetime | None
    run: int
    step: int | None
    kind: Literal["made", "observed", "released", "enforced", "replayed"]
    derived_from: int | None
    code_fingerprint: str
    input_fingerprint: str
    data_hash: str
    schema: Schema
    rows: int
    bytes: int
    location: Location
    path: str
    created_at: datetime
    inputs: tuple[InputVersion, ...] = ()
    files: tuple[SourceFile, ...] = ()
    needs_fingerprint: str = ""
    """Of how its inputs were declared; empty where that does not say which keys it needs."""


@dataclass(frozen=True)
class CheckResult:
    """One rule within a judgement.

    `kind` is `row` where the failing rows are known one by one, `frame` where the partition as a
    whole fails. `failing_rows` is None for a frame rule.
    """

    rule: str
    column_name: str | None
    kind: Literal["row", "frame"]
    severity: Literal["error", "warning"]
    passed: bool
    failing_rows: int | None
    total_rows: int
    observed: str | None = None
    expected: str | None = None
    sample: tuple[str, ...] = ()
    message: str = ""
    rule_fingerprint: str = ""


@dataclass(frozen=True)
class Judgement:
    """One gate applied to one materialization.

    `rejected_rows` counts distinct rows that fail at least one error rule.
    """

    gate_fingerprint: str
    verdict: Verdict
    rows: int
    rejected_rows: int
    results: tuple[CheckResult, ...]
    reference_fingerprint: str = ""
    """What the gate's references held, empty where it has none."""
    looked_at: tuple[int, ...] = ()
    """The versions on record that the gate looked at beside this one."""

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """The error rules that did not pass."""
        return tuple(r for r in self.results if not r.passed and r.severity == "error")


@dataclass(frozen=True)
class Judged:
    """A judgement as it is recorded: of which materialization, when, by which run."""

    id: int
    materialization: int
    judgement: Judgement
    judged_at: datetime
    run: int
    in_force: bool = True


@dataclass(frozen=True)
class Promotion:
    """One entry into production or, without a materialization, one leaving it.

    A rollback names the judgement that had let its version in; the one in force stays in force.
    What a gate adopted later took out or split names that judgement, and has a reason.
    """

    asset: str
    partition: str
    kind: PromotionKind
    materialization: int | None
    promoted_at: datetime
    run: int
    actor: str
    reason: str | None = None
    judgement: int | None = None


@dataclass(frozen=True)
class QuarantineEntry:
    """Held or rejected data; `scope` is `partition` for a hold and `rows` for a split."""

    materialization: int
    asset: str
    partition: str
    scope: Literal["partition", "rows"]
    rows: int
    bytes: int
    path: str
    quarantined_at: datetime
    judgement: int
    schema: Schema
    """Columns of the quarantined file, the reasons included."""


@dataclass(frozen=True)
class Decision:
    """What a person decided about a quarantine entry."""

    materialization: int
    status: Literal["released", "replayed", "discarded"]
    decided_at: datetime
    actor: str
    reason: str


@dataclass(frozen=True)
class Attempt:
    """One try of one step; durations in seconds."""

    step: int
    attempt: int
    status: Literal["succeeded", "failed"]
    started_at: datetime
    finished_at: datetime
    compute_s: float | None = None
    gate_s: float | None = None
    write_s: float | None = None
    peak_bytes: int | None = None
    error_type: str | None = None
    error: str | None = None
    error_line: str | None = None
    log_path: str | None = None


@dataclass(frozen=True)
class StepRecord:
    """One unit of a plan with its cause and its outcome."""

    id: int
    run: int
    asset: str
    partition: str
    action: str
    cause: str
    cause_asset: str | None
    cause_partition: str | None
    outcome: Outcome
    blocked_by: str | None = None


@dataclass(frozen=True)
class Run:
    """One invocation."""

    id: int
    command: str
    selection: str
    range_from: str | None
    range_to: str | None
    status: RunStatus
    started_at: datetime
    finished_at: datetime | None
    actor: str
    host: str
    code_version: str | None
    millgate_version: str
    resumes: int | None = None
    exit_status: int | None = None
    message: str | None = None


@dataclass(frozen=True)
class Change:
    """Everything that one commit enters, in one transaction."""

    run: Run
    command: str
    committed_at: datetime
    materializations: tuple[Materialization, ...] = ()
    judged: tuple[Judged, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    quarantined: tuple[QuarantineEntry, ...] = ()
    decisions: tuple[Decision, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    declarations: Declarations | None = None
    relocated: Mapping[int, tuple[Location, str]] = field(default_factory=dict)
    """New location and path of materializations that are on record already."""
    reopened: tuple[int, ...] = ()
    """Versions that went back into production, whose rejected rows wait for a decision again."""
    removal: Removal | None = None
    alerts: tuple[Alert, ...] = ()
    """Alerts that are new, or that were tried again."""
    actor: str | None = None
    """Who commits, where that is not who ran."""
    renaming: Renaming | None = None


@dataclass(frozen=True)
class Renaming:
    """An asset that has another name from a commit on, and what follows from its name."""

    old: str
    new: str
    code: tuple[tuple[str, str, str], ...]
    """Assets with code that differs in such names alone: its fingerprint before, and after."""
    inputs: Mapping[int, str]
    """New input fingerprints of versions that were made from it, by materialization."""


@dataclass(frozen=True)
class Removal:
    """What a commit stops naming, so that its files can go."""

    versions: tuple[int, ...] = ()
    entries: tuple[int, ...] = ()
    """Materializations whose closed quarantine entries lose their files."""
    logs: tuple[int, ...] = ()
    """Runs whose attempts lose their logs."""

    def __bool__(self) -> bool:
        return bool(self.versions or self.entries or self.logs)


@dataclass(frozen=True)
class Edge:
    """One upstream of one asset; `mapping` is text as a person would write it."""

    upstream: str
    downstream: str
    kind: Literal["data", "keys", "reference"]
    mapping: str


@dataclass(frozen=True)
class DeclaredAsset:
    """An asset or a source as it is declared now: a row of `lineage.assets`."""

    asset: str
    kind: Literal["asset", "source"]
    description: str
    owner: str | None
    asset_group: str
    tags: tuple[str, ...]
    dimensions: tuple[str, ...]
    grain: str | None
    time_zone: str | None
    first_key: str | None
    last_key: str | None
    code_fingerprint: str | None
    gate_fingerprint: str | None
    on_failure: str | None
    defined_in: str


@dataclass(frozen=True)
class Declarations:
    """Everything that is declared now: what a commit writes into `assets` and `asset_edges`."""

    assets: tuple[DeclaredAsset, ...]
    edges: tuple[Edge, ...]
    outside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Live keys that are no longer in the definition, of each asset of which it is known."""


@dataclass(frozen=True)
class LiveVersion:
    """A live version as views and readers need it: its key, file and schema."""

    partition: str
    materialization: int
    path: str
    schema: Schema
    rows: int = 0
