from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import duckdb
import pytest

from lineage.chronicle import NOON, PLAIN, Chronicle, declared, digest, reads, run_record
from millgate.errors import StoreError
from millgate.lineage import recorder
from millgate.lineage.catalog import VERSION
from millgate.lineage.fetch import roll_back
from millgate.model.record import Change, Decision, Declarations, Edge

DAY = "2013-01-01"


def rows(chronicle: Chronicle, query: str) -> list[tuple]:
    return chronicle.connection.execute(query).fetchall()


def production(chronicle: Chronicle) -> list[tuple]:
    return rows(
        chronicle,
        "SELECT asset, partition, materialization, promotion, judgement FROM lineage.production "
        "ORDER BY asset, partition",
    )


def promotions(chronicle: Chronicle) -> list[tuple]:
    return rows(
        chronicle,
        "SELECT promotion, kind, materialization, previous FROM lineage.promotions "
        "ORDER BY promotion",
    )


def quarantine(chronicle: Chronicle) -> list[tuple]:
    return rows(
        chronicle,
        "SELECT materialization, scope, status FROM lineage.quarantine "
        "ORDER BY quarantined_at, materialization",
    )


def test_a_version_enters_production(chronicle: Chronicle) -> None:
    made = chronicle.make("flights", DAY)
    assert production(chronicle) == [("flights", DAY, made.id, 1_000_000, made.id + 1)]
    assert promotions(chronicle) == [(1_000_000, "promote", made.id, None)]
    again = chronicle.make("flights", DAY, "other")
    assert production(chronicle) == [("flights", DAY, again.id, 2_000_000, again.id + 1)]
    assert promotions(chronicle)[1:] == [(2_000_000, "promote", again.id, made.id)]


def test_it_counts_from_the_commit_on(chronicle: Chronicle) -> None:
    made = chronicle.version("flights", DAY, created_at=NOON - timedelta(hours=9))
    early = chronicle.promotion(made, promoted_at=NOON - timedelta(hours=9))
    chronicle.commit(materializations=(made,), promotions=(early,))
    naive = NOON.replace(tzinfo=None)
    assert rows(chronicle, "SELECT since FROM lineage.production") == [(naive,)]
    assert rows(chronicle, "SELECT promoted_at FROM lineage.promotions") == [(naive,)]


def test_times_of_any_zone_are_kept_in_utc(chronicle: Chronicle) -> None:
    tokyo = timezone(timedelta(hours=9))
    moment = datetime(2025, 1, 1, 0, 30, tzinfo=tokyo)
    made = chronicle.version("flights", DAY, created_at=moment, window_start=moment)
    chronicle.commit(materializations=(made,))
    query = "SELECT created_at, window_start, window_end FROM lineage.materializations"
    utc = datetime(2024, 12, 31, 15, 30)
    assert rows(chronicle, query) == [(utc, utc, None)]


def test_a_split_promotes_and_quarantines(chronicle: Chronicle) -> None:
    made = chronicle.make("flights", DAY, failing=2)
    assert promotions(chronicle) == [(1_000_000, "split", made.id, None)]
    assert quarantine(chronicle) == [(made.id, "rows", "held")]
    assert rows(chronicle, "FROM lineage.failing") == []


def test_a_hold_leaves_production_alone(chronicle: Chronicle) -> None:
    made = chronicle.make("flights", DAY)
    before = production(chronicle)
    held = chronicle.hold("flights", DAY)
    assert production(chronicle) == before
    assert before[0][2] == made.id
    assert quarantine(chronicle) == [(held.id, "partition", "held")]


def test_a_newer_version_supersedes_what_waits(chronicle: Chronicle) -> None:
    split = chronicle.make("flights", DAY, failing=2)
    elsewhere = chronicle.make("flights", "2013-01-02", failing=1)
    held = chronicle.hold("flights", DAY)
    chronicle.make("flights", DAY, "repaired")
    assert quarantine(chronicle) == [
        (split.id, "rows", "superseded"),
        (elsewhere.id, "rows", "held"),
        (held.id, "partition", "superseded"),
    ]
    closed = "SELECT count(*) FROM lineage.quarantine WHERE decided_at IS NOT NULL"
    assert rows(chronicle, closed) == [(2,)]


def test_of_two_versions_in_one_commit_the_last_waits(chronicle: Chronicle) -> None:
    made = [chronicle.version("flights", DAY, location="quarantine") for _ in range(2)]
    judged = [chronicle.judged(m.id, "hold", 3) for m in made]
    entries = [chronicle.entry(m, j.id, "partition") for m, j in zip(made, judged, strict=True)]
    chronicle.commit(materializations=tuple(made), judged=tuple(judged), quarantined=tuple(entries))
    assert quarantine(chronicle) == [
        (made[0].id, "partition", "superseded"),
        (made[1].id, "partition", "held"),
    ]


def test_a_released_version_is_derived_from_the_refused(chronicle: Chronicle) -> None:
    raw = chronicle.observe("raw", "first")
    held = chronicle.hold("flights", DAY, inputs=reads(raw))
    released = chronicle.release(held, "checked")
    assert production(chronicle)[0] == (
        "flights",
        DAY,
        released.id,
        3_000_000,
        released.id + 1,
    )
    assert quarantine(chronicle) == [(held.id, "partition", "released")]
    edges = "SELECT upstream, kind FROM lineage.materialization_edges WHERE downstream = "
    assert sorted(rows(chronicle, edges + str(released.id))) == [
        (raw.id, "data"),
        (held.id, "derived"),
    ]
    decided = "SELECT actor, reason, decided_at FROM lineage.quarantine"
    moment = (NOON + timedelta(hours=2)).replace(tzinfo=None)
    assert rows(chronicle, decided) == [("ada", "checked", moment)]
    assert rows(chronicle, "FROM lineage.failing") == []
    assert rows(chronicle, "FROM lineage.stale") == []


def test_a_held_version_may_also_be_moved_as_it_is(chronicle: Chronicle) -> None:
    held = chronicle.hold("flights", DAY)
    chronicle.commit(
        decisions=(Decision(held.id, "released", NOON, "ada", "checked"),),
        promotions=(chronicle.promotion(held, "release", judgement=held.id + 1),),
        relocated={held.id: ("versions", "flights/new.parquet")},
    )
    where = "SELECT location, path FROM lineage.materializations"
    assert rows(chronicle, where) == [("versions", "flights/new.parquet")]
    assert production(chronicle)[0][2] == held.id
    assert rows(chronicle, "SELECT column_name FROM lineage.columns") == [
        ("carrier",),
        ("distance",),
    ]


def test_a_discarded_entry_stays_discarded(chronicle: Chronicle) -> None:
    held = chronicle.hold("flights", DAY)
    chronicle.discard(held, "the file was broken")
    chronicle.make("flights", DAY)
    assert quarantine(chronicle) == [(held.id, "partition", "discarded")]


@pytest.mark.parametrize("closed_before", [False, True])
def test_a_decision_needs_an_open_entry(chronicle: Chronicle, closed_before: bool) -> None:
    held = chronicle.hold("flights", DAY)
    if closed_before:
        chronicle.discard(held, "once")
    wrong = held if closed_before else replace(held, id=77)
    with pytest.raises(StoreError, match="no open quarantine entry"):
        chronicle.discard(wrong, "twice")
    assert [s for _, _, s in quarantine(chronicle)] == ["discarded" if closed_before else "held"]
    chronicle.make("flights", "2013-01-02")
    assert len(production(chronicle)) == 1


def test_a_withdrawal_is_an_entry_without_a_version(chronicle: Chronicle) -> None:
    made = chronicle.make("flights", DAY)
    chronicle.withdraw(made, "wrong airport")
    assert production(chronicle) == []
    assert promotions(chronicle)[1] == (2_000_000, "withdraw", None, made.id)
    at = "SELECT count(*) FROM lineage.live_at('2025-11-20 {}')"
    assert rows(chronicle, at.format("12:30")) == [(1,)]
    assert rows(chronicle, at.format("13:00")) == [(0,)]
    back = chronicle.make("flights", DAY)
    assert promotions(chronicle)[2] == (3_000_000, "promote", back.id, None)


def test_promotions_of_one_partition_in_one_commit_follow_each_other(
    chronicle: Chronicle,
) -> None:
    first, second = (chronicle.version("flights", DAY, d) for d in "ab")
    chronicle.commit(
        materializations=(first, second),
        promotions=(
            chronicle.promotion(first),
            chronicle.promotion(first, "withdraw", materialization=None),
            chronicle.promotion(second),
        ),
    )
    assert promotions(chronicle) == [
        (1_000_000, "promote", first.id, None),
        (1_000_001, "withdraw", None, first.id),
        (1_000_002, "promote", second.id, None),
    ]
    assert production(chronicle) == [("flights", DAY, second.id, 1_000_002, None)]


def test_a_source_that_is_observed_again(chronicle: Chronicle) -> None:
    first = chronicle.observe("raw", "first")
    second = chronicle.observe("raw", "second")
    assert promotions(chronicle) == [
        (1_000_000, "observe", first.id, None),
        (2_000_000, "observe", second.id, first.id),
    ]
    hashes = "SELECT materialization, content_hash::VARCHAR FROM lineage.source_files ORDER BY 1"
    assert [(m, h.replace("-", "")) for m, h in rows(chronicle, hashes)] == [
        (first.id, digest("first")),
        (second.id, digest("second")),
    ]
    fingerprints = (
        "SELECT DISTINCT code_fingerprint, input_fingerprint FROM lineage.materializations"
    )
    assert rows(chronicle, fingerprints) == [(None, None)]


def test_a_changed_gate_judges_again(chronicle: Chronicle) -> None:
    made = chronicle.make("flights", DAY)
    other = chronicle.make("flights", "2013-01-02")
    judged = chronicle.judge(made, "hold", 3, "stricter")
    in_force = "SELECT judgement FROM lineage.judgements WHERE in_force ORDER BY judgement"
    assert rows(chronicle, in_force) == [(other.id + 1,), (judged.id,)]
    assert [row[4] for row in production(chronicle)] == [judged.id, other.id + 1]
    failing = "SELECT partition, verdict, rejected_rows, rules FROM lineage.failing"
    assert rows(chronicle, failing) == [(DAY, "hold", 3, ["greater_than"])]
    chronicle.judge(made, "promote", 0, "milder")
    assert rows(chronicle, failing) == []


def test_a_judgement_that_is_not_in_force_changes_nothing(chronicle: Chronicle) -> None:
    made = chronicle.make("flights", DAY)
    judged = replace(chronicle.judged(made.id, "hold", 3, "draft"), in_force=False)
    before = production(chronicle)
    chronicle.commit(judged=(judged,))
    assert production(chronicle) == before
    in_force = "SELECT judgement FROM lineage.judgements WHERE in_force"
    assert rows(chronicle, in_force) == [(made.id + 1,)]


def test_check_results_keep_everything(chronicle: Chronicle) -> None:
    chronicle.make("flights", DAY, failing=2)
    assert rows(chronicle, "SELECT * EXCLUDE (judgement) FROM lineage.check_results") == [
        (
            "greater_than",
            "distance",
            "row",
            "error",
            False,
            2,
            10,
            None,
            "> 0",
            ["-1"],
            "distance > 0: 2 of 10 rows fail",
            None,
        )
    ]


def test_a_run_is_one_row_that_ends(chronicle: Chronicle) -> None:
    chronicle.make("flights", DAY)
    chronicle.run = chronicle.finished("succeeded", 0)
    chronicle.commit()
    assert rows(chronicle, "SELECT run, status, exit_status FROM lineage.runs") == [
        (1, "succeeded", 0)
    ]
    snapshots = "SELECT snapshot, run, command, actor, catalog_version FROM lineage.snapshots"
    assert rows(chronicle, snapshots) == [
        (1, 1, "materialize", "ada", VERSION),
        (2, 1, "materialize", "ada", VERSION),
    ]


def test_steps_and_attempts(chronicle: Chronicle) -> None:
    step = chronicle.step("flights", DAY, "failed", cause="input changed", cause_asset="raw")
    tried = chronicle.attempt(
        step, status="failed", error_type="KeyError", error="x", error_line="assets/a.py:3"
    )
    chronicle.commit(steps=(step,), attempts=(tried,))
    assert rows(chronicle, "FROM lineage.steps") == [
        (step.id, 1, "flights", DAY, "make", "input changed", "raw", None, "failed", None)
    ]
    found = "SELECT step, attempt, compute_s, error_type, error_line FROM lineage.attempts"
    assert rows(chronicle, found) == [(step.id, 1, 1.5, "KeyError", "assets/a.py:3")]


def test_declarations_are_replaced(chronicle: Chronicle) -> None:
    edge = Edge("raw", "flights", "data", "same key")
    raw = declared("raw", kind="source")
    chronicle.declare(raw, declared("flights"), declared("old"), edges=(edge,))
    chronicle.declare(raw, declared("flights", code="new"))
    listed = "SELECT asset, declared, snapshot FROM lineage.assets ORDER BY asset"
    assert rows(chronicle, listed) == [("flights", True, 2), ("old", False, 2), ("raw", True, 1)]
    assert rows(chronicle, "FROM lineage.asset_edges") == []
    chronicle.declare(raw, declared("flights", code="new"))
    assert rows(chronicle, listed)[1] == ("old", False, 2)
    chronicle.declare(raw, declared("flights", code="new"), declared("old"))
    assert rows(chronicle, listed) == [("flights", True, 2), ("old", True, 4), ("raw", True, 1)]


def test_nothing_is_declared(chronicle: Chronicle) -> None:
    chronicle.declare(declared("flights"))
    chronicle.commit(declarations=Declarations((), ()))
    assert rows(chronicle, "SELECT asset, declared FROM lineage.assets") == [("flights", False)]


def test_a_commit_without_declarations_leaves_them(chronicle: Chronicle) -> None:
    chronicle.declare(declared("flights"))
    chronicle.make("flights", DAY)
    assert rows(chronicle, "SELECT asset, declared FROM lineage.assets") == [("flights", True)]


def test_who_wrote_last(chronicle: Chronicle) -> None:
    chronicle.begin(2, millgate_version="0.9.1")
    chronicle.commit()
    assert rows(chronicle, "SELECT written_by FROM lineage.catalog") == [("0.9.1",)]


def test_all_or_nothing(chronicle: Chronicle) -> None:
    chronicle.make("flights", DAY)
    before = {
        name: rows(chronicle, f"FROM lineage.{name}")
        for (name,) in rows(
            chronicle, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'lineage'"
        )
    }
    made = chronicle.version("flights", "2013-01-02")
    broken = replace(run_record(2), actor=None)  # type: ignore[arg-type]
    change = Change(
        broken,
        "materialize",
        NOON,
        materializations=(made,),
        promotions=(chronicle.promotion(made),),
        declarations=Declarations((declared("new"),), ()),
    )
    with pytest.raises(StoreError, match="could not be recorded") as caught:
        recorder.record(chronicle.connection, change, 2)
    assert isinstance(caught.value.__cause__, duckdb.ConstraintException)
    assert {name: rows(chronicle, f"FROM lineage.{name}") for name in before} == before
    chronicle.make("flights", "2013-01-02")
    assert len(production(chronicle)) == 2


def test_a_commit_that_only_seems_to_succeed(
    chronicle: Chronicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = Change(chronicle.run, "materialize", NOON)
    with monkeypatch.context() as patch:
        patch.setattr(recorder, "commit", roll_back)
        with pytest.raises(StoreError, match="rolled back"):
            recorder.record(chronicle.connection, change, 1)
    recorder.record(chronicle.connection, change, 1)
    assert rows(chronicle, "SELECT snapshot FROM lineage.snapshots") == [(1,)]


def test_the_connection_is_left_clean(chronicle: Chronicle) -> None:
    chronicle.declare(declared("flights"))
    chronicle.hold("flights", DAY)
    made = chronicle.make("flights", DAY)
    chronicle.judge(made, "hold", 1, "stricter")
    left = "SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal"
    assert rows(chronicle, left) == []
    assert rows(chronicle, "SELECT table_name FROM duckdb_tables() WHERE temporary") == []


def test_a_thousand_partitions_in_one_commit(chronicle: Chronicle) -> None:
    made = [chronicle.version("flights", f"{n:05}", str(n)) for n in range(1000)]
    chronicle.commit(materializations=tuple(made), promotions=tuple(map(chronicle.promotion, made)))
    assert len(production(chronicle)) == len(promotions(chronicle)) == 1000
    assert promotions(chronicle)[-1][0] == 1_000_999
    assert rows(chronicle, "SELECT DISTINCT schema_hash::VARCHAR FROM lineage.materializations")[0][
        0
    ].replace("-", "") == (PLAIN.hash)
