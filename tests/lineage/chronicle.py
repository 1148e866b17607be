"""Changes written down shortly, and a catalog in a file to record them in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import duckdb

from millgate.lineage import catalog, recorder
from millgate.model.record import (
    Attempt,
    Change,
    CheckResult,
    Decision,
    Declarations,
    DeclaredAsset,
    Edge,
    InputVersion,
    Judged,
    Judgement,
    Materialization,
    Promotion,
    QuarantineEntry,
    Run,
    SourceFile,
    StepRecord,
    materialization_id,
)
from millgate.model.schema import Column, Schema

NOON = datetime(2025, 11, 20, 12, tzinfo=UTC)
PLAIN = Schema((Column("carrier", "VARCHAR"), Column("distance", "BIGINT")))
REASONS = "STRUCT(rule VARCHAR, column_name VARCHAR, value VARCHAR)[]"


def digest(text: str) -> str:
    """32 hexadecimal digits for a text."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def new_catalog(file: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a new catalog, in the format that old clients read."""
    connection = attached(file)
    catalog.create(connection, Path("/projects/flights"))
    return connection


def attached(file: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a catalog as a commit has it: attached, under another name."""
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{file}' AS draft (STORAGE_VERSION 'v1.0.0')")
    connection.execute("USE draft")
    return connection


def run_record(number: int, **changed: object) -> Run:
    run = Run(
        id=number,
        command="materialize",
        selection="flights",
        range_from=None,
        range_to=None,
        status="running",
        started_at=NOON,
        finished_at=None,
        actor="ada",
        host="mill",
        code_version="0123456789ab",
        millgate_version="0.1.0",
    )
    return replace(run, **changed)  # type: ignore[arg-type]


def result(
    rule: str = "greater_than", failing: int | None = 0, total: int = 10, **changed: object
) -> CheckResult:
    row = CheckResult(
        rule=rule,
        column_name="distance",
        kind="row",
        severity="error",
        passed=not failing,
        failing_rows=failing,
        total_rows=total,
        expected="> 0",
        sample=("-1",) if failing else (),
        message=f"distance > 0: {failing} of {total} rows fail",
    )
    return replace(row, **changed)  # type: ignore[arg-type]


def declared(asset: str, code: str = "code", gate: str = "gate", **changed) -> DeclaredAsset:
    made = changed.get("kind", "asset") == "asset"
    row = DeclaredAsset(
        asset=asset,
        kind="asset",
        description="",
        owner=None,
        asset_group="",
        tags=(),
        dimensions=("date",),
        grain="date",
        time_zone="UTC",
        first_key="2013-01-01",
        last_key="2013-12-31",
        code_fingerprint=digest(code) if made else None,
        gate_fingerprint=digest(gate) if made else None,
        on_failure="hold" if made else None,
        defined_in=f"assets/{asset}.py:3",
    )
    return replace(row, **changed)


@dataclass
class Chronicle:
    """A catalog that things happen in, commit by commit, an hour apart."""

    connection: duckdb.DuckDBPyConnection
    run: Run = field(default_factory=lambda: run_record(1))
    snapshot: int = 0
    now: datetime = NOON
    ordinal: int = 0

    def next_id(self) -> int:
        self.ordinal += 1
        return materialization_id(self.run.id, self.ordinal)

    def begin(self, number: int, **changed: object) -> None:
        """Another run."""
        self.run, self.ordinal = run_record(number, started_at=self.now, **changed), 0

    def finished(self, status: str, exit_status: int) -> Run:
        """The run as it is when it is over."""
        return replace(self.run, status=status, finished_at=self.now, exit_status=exit_status)

    def version(self, asset: str, key: str, data: str = "data", **changed) -> Materialization:
        row = Materialization(
            id=self.next_id(),
            asset=asset,
            partition=key,
            window_start=None,
            window_end=None,
            run=self.run.id,
            step=None,
            kind="made",
            derived_from=None,
            code_fingerprint=digest("code"),
            input_fingerprint=digest("input"),
            data_hash=digest(data),
            schema=PLAIN,
            rows=10,
            bytes=1000,
            location="versions",
            path=f"{asset}/date={key}/{self.run.id}-{self.ordinal}.parquet",
            created_at=self.now,
        )
        return replace(row, **changed)

    def judged(self, of: int, verdict: str = "promote", failing: int = 0, gate: str = "gate"):
        judgement = Judgement(digest(gate), verdict, 10, failing, (result(failing=failing),))
        return Judged(self.next_id(), of, judgement, self.now, self.run.id)

    def promotion(self, made: Materialization, kind: str = "promote", **changed) -> Promotion:
        row = Promotion(
            made.asset, made.partition, kind, made.id, self.now, self.run.id, self.run.actor
        )
        return replace(row, **changed)

    def entry(self, made: Materialization, judgement: int, scope: str, rows: int = 10):
        schema = Schema((*made.schema, Column("quarantine_reasons", REASONS)))
        path = f"{made.asset}/date={made.partition}/{self.run.id}-{made.id % 10**6}/rows.parquet"
        return QuarantineEntry(
            made.id,
            made.asset,
            made.partition,
            scope,
            rows,
            100 * rows,
            path,
            self.now,
            judgement,
            schema,
        )

    def commit(self, **parts) -> int:
        """Record a change; the next one is an hour later."""
        self.snapshot += 1
        change = Change(self.run, self.run.command, self.now, **parts)
        recorder.record(self.connection, change, self.snapshot)
        self.now += timedelta(hours=1)
        return self.snapshot

    def declare(self, *assets: DeclaredAsset, edges: tuple[Edge, ...] = ()) -> int:
        return self.commit(declarations=Declarations(assets, edges))

    def make(self, asset: str, key: str, data: str = "data", failing: int = 0, **changed):
        """Promote a version, splitting off `failing` of its rows."""
        made = self.version(asset, key, data, **changed)
        verdict = "split" if failing else "promote"
        judged = self.judged(made.id, verdict, failing)
        refused = (self.entry(made, judged.id, "rows", failing),) if failing else ()
        self.commit(
            materializations=(made,),
            judged=(judged,),
            promotions=(self.promotion(made, verdict, judgement=judged.id),),
            quarantined=refused,
            steps=(self.step(asset, key, "made"),),
        )
        return made

    def hold(self, asset: str, key: str, data: str = "bad", **changed):
        """Hold a version as a whole."""
        path = f"{asset}/date={key}/held/rows.parquet"
        made = self.version(asset, key, data, location="quarantine", path=path, **changed)
        judged = self.judged(made.id, "hold", 3)
        self.commit(
            materializations=(made,),
            judged=(judged,),
            quarantined=(self.entry(made, judged.id, "partition"),),
            steps=(self.step(asset, key, "held"),),
        )
        return made

    def observe(self, source: str, content: str, key: str = ""):
        """Observe a source's one file."""
        path = f"data/{source}.csv"
        file = SourceFile(path, 123, NOON, digest(content))
        made = self.version(
            source,
            key,
            content,
            kind="observed",
            code_fingerprint="",
            input_fingerprint="",
            schema=Schema(()),
            rows=0,
            location="external",
            path=path,
            files=(file,),
        )
        self.commit(materializations=(made,), promotions=(self.promotion(made, "observe"),))
        return made

    def judge(self, of: Materialization, verdict: str, failing: int, gate: str) -> Judged:
        """Judge a live version by a changed gate."""
        judged = self.judged(of.id, verdict, failing, gate)
        self.commit(judged=(judged,), steps=(self.step(of.asset, of.partition, "judged"),))
        return judged

    def release(self, refused: Materialization, reason: str, data: str = "released"):
        """Release what was refused: a new version, judged and let in all the same."""
        made = self.version(
            refused.asset,
            refused.partition,
            data,
            kind="released",
            derived_from=refused.id,
            inputs=refused.inputs,
        )
        judged = self.judged(made.id, "hold", 3)
        self.commit(
            materializations=(made,),
            judged=(judged,),
            decisions=(Decision(refused.id, "released", self.now, self.run.actor, reason),),
            promotions=(self.promotion(made, "release", reason=reason, judgement=judged.id),),
        )
        return made

    def discard(self, refused: Materialization, reason: str) -> None:
        self.commit(
            decisions=(Decision(refused.id, "discarded", self.now, self.run.actor, reason),)
        )

    def withdraw(self, live: Materialization, reason: str) -> None:
        gone = self.promotion(live, "withdraw", materialization=None, reason=reason)
        self.commit(promotions=(gone,))

    def step(self, asset: str, key: str, outcome: str, **changed) -> StepRecord:
        number = materialization_id(self.run.id, 500_000 + self.snapshot)
        row = StepRecord(number, self.run.id, asset, key, "make", "missing", None, None, outcome)
        return replace(row, **changed)

    def attempt(self, step: StepRecord, number: int = 1, **changed) -> Attempt:
        row = Attempt(
            step.id, number, "succeeded", self.now, self.now + timedelta(seconds=2), 1.5, 0.3, 0.2
        )
        return replace(row, **changed)


def reads(*made: Materialization, pinned: bool = False) -> tuple[InputVersion, ...]:
    """Versions as inputs of another."""
    return tuple(InputVersion(m.id, m.asset, m.partition, m.data_hash, pinned) for m in made)
