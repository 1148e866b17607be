"""What a commit remembers: one change, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from millgate.errors import StoreError
from millgate.lineage.catalog import VERSION
from millgate.lineage.columns import UNKNOWN, refresh_columns, write_schemas
from millgate.lineage.fetch import commit, ids_table, insert, keys_table, offered, roll_back, rows
from millgate.lineage.renames import rename
from millgate.lineage.rows import (
    added_rows,
    alert_rows,
    declaration_rows,
    promotion_rows,
    quarantine_rows,
    rejudged,
    relocated_rows,
    run_rows,
    utc,
)
from millgate.model.record import Change, Promotion
from millgate.model.schema import Schema

if TYPE_CHECKING:
    import duckdb

_PER_SNAPSHOT = 1_000_000
"""Promotions are numbered snapshot x this + ordinal: rising by commit, without counting."""


def record(connection: duckdb.DuckDBPyConnection, change: Change, snapshot: int) -> None:
    """Enter a change in one transaction; StoreError, and nothing entered, if that fails.

    A promotion counts from `change.committed_at` on, because no reader sees it before.
    """
    import duckdb

    try:
        connection.execute("BEGIN TRANSACTION")
        _enter(connection, change, snapshot)
        commit(connection)
        # COMMIT has been seen to return although it had rolled back.
        kept = rows(connection, "SELECT 1 FROM hot.snapshots WHERE snapshot = ?", [snapshot])
    except duckdb.Error as error:
        roll_back(connection)
        raise _not_recorded(str(error), snapshot) from error
    except BaseException:
        roll_back(connection)
        raise
    if not kept:
        raise _not_recorded("the transaction was rolled back", snapshot)


def _enter(connection: duckdb.DuckDBPyConnection, change: Change, snapshot: int) -> None:
    if change.declarations is not None:
        _replace_declarations(connection, change, snapshot)
    if change.renaming is not None:
        rename(connection, change, change.renaming, snapshot)
    write_schemas(
        connection,
        [m.schema for m in change.materializations] + [e.schema for e in change.quarantined],
    )
    _overrule_judgements(connection, change)
    for name, table in added_rows(change).items():
        insert(connection, name, table)
    _relocate(connection, change)
    _remove(connection, change)
    _decide(connection, change)
    _supersede(connection, change)
    _quarantine(connection, change)
    _follow_rollbacks(connection, change)
    _promote(connection, change, snapshot)
    _alert(connection, change)
    _write_run(connection, change)
    _write_snapshot(connection, change, snapshot)


def _replace_declarations(
    connection: duckdb.DuckDBPyConnection, change: Change, snapshot: int
) -> None:
    """Write what is declared now; a row that says what it said before is left alone."""
    assert change.declarations is not None
    assets, edges = declaration_rows(change.declarations)
    names = ", ".join(assets.columns)
    with offered(connection, declared_assets=assets, declared_edges=edges):
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE changed_assets AS "
            "SELECT * REPLACE (code_fingerprint::UUID AS code_fingerprint, "
            "gate_fingerprint::UUID AS gate_fingerprint) FROM declared_assets "
            f"EXCEPT SELECT {names} FROM lineage.assets WHERE declared"
        )
        connection.execute(
            "DELETE FROM lineage.assets WHERE asset IN (SELECT asset FROM changed_assets)"
        )
        connection.execute(
            "INSERT INTO lineage.assets BY NAME "
            "SELECT *, true AS declared, ?::BIGINT AS snapshot FROM changed_assets",
            [snapshot],
        )
        connection.execute("DROP TABLE changed_assets")
        connection.execute(
            "UPDATE lineage.assets SET declared = false, snapshot = ? "
            "WHERE declared AND asset NOT IN (SELECT asset FROM declared_assets)",
            [snapshot],
        )
        connection.execute("DELETE FROM lineage.asset_edges")
        connection.execute("INSERT INTO lineage.asset_edges BY NAME SELECT * FROM declared_edges")
    _write_outside(connection, change.declarations.outside)


def _write_outside(
    connection: duckdb.DuckDBPyConnection, outside: Mapping[str, tuple[str, ...]]
) -> None:
    connection.execute(
        "DELETE FROM lineage.outside WHERE list_contains(?::VARCHAR[], asset)", [list(outside)]
    )
    keys = {(asset, key) for asset, keys in outside.items() for key in keys}
    if keys:
        with offered(connection, outside_keys=keys_table(keys)):
            connection.execute("INSERT INTO lineage.outside BY NAME FROM outside_keys")


def _overrule_judgements(connection: duckdb.DuckDBPyConnection, change: Change) -> None:
    """Put judgements on versions that were judged before in the place of the older ones."""
    newer = rejudged(change)
    if not newer:
        return
    ids = ids_table([j.materialization for j in newer])
    with offered(connection, rejudged=ids):
        connection.execute(
            "UPDATE hot.judgements SET in_force = false "
            "WHERE in_force AND materialization IN (SELECT id FROM rejudged)"
        )
    numbers = ids.with_columns(judgement=pl.Series([j.id for j in newer]))
    with offered(connection, rejudged=numbers):
        connection.execute(
            "UPDATE lineage.production SET judgement = r.judgement FROM rejudged r "
            "WHERE production.materialization = r.id"
        )


def _relocate(connection: duckdb.DuckDBPyConnection, change: Change) -> None:
    if change.relocated:
        with offered(connection, relocated=relocated_rows(change)):
            connection.execute(
                "UPDATE hot.materializations SET location = r.location, path = r.path "
                "FROM relocated r WHERE materializations.materialization = r.materialization"
            )


def _remove(connection: duckdb.DuckDBPyConnection, change: Change) -> None:
    """Name no longer what is about to be removed."""
    if not change.removal:
        return
    now = utc(change.committed_at)
    entries, runs = ids_table(change.removal.entries), ids_table(change.removal.logs)
    gone = ids_table(change.removal.versions)
    with offered(connection, gone=gone, emptied=entries, silenced=runs):
        connection.execute(
            "UPDATE hot.materializations SET removed_at = ? WHERE materialization IN "
            "(SELECT id FROM gone) OR location = 'quarantine' "
            "AND materialization IN (SELECT id FROM emptied)",
            [now],
        )
        connection.execute(
            "UPDATE hot.quarantine SET path = '' WHERE materialization IN (SELECT id FROM emptied)"
        )
        connection.execute(
            "UPDATE hot.attempts SET log_path = NULL WHERE log_path IS NOT NULL AND step IN "
            "(SELECT step FROM hot.steps WHERE run IN (SELECT id FROM silenced))"
        )


def _decide(connection: duckdb.DuckDBPyConnection, change: Change) -> None:
    """Close the entries that a person decided about."""
    for decision in change.decisions:
        closed = rows(
            connection,
            "UPDATE hot.quarantine SET status = ?, decided_at = ?, actor = ?, reason = ? "
            "WHERE materialization = ? AND status = 'held' RETURNING 1",
            [
                decision.status,
                utc(decision.decided_at),
                decision.actor,
                decision.reason,
                decision.materialization,
            ],
        )
        if not closed:
            raise StoreError(
                f"no open quarantine entry of materialization {decision.materialization}",
                where="lineage.quarantine",
                fix="millgate quarantine list shows what is open",
            )


def _supersede(connection: duckdb.DuckDBPyConnection, change: Change) -> None:
    """Close open entries of partitions that have a newer version now."""
    newer = {
        (m.asset, m.partition)
        for m in change.materializations
        if m.kind != "observed" and m.location != "nowhere"
    }
    newer |= {(e.asset, e.partition) for e in change.quarantined}
    if newer:
        with offered(connection, newer=keys_table(newer)):
            connection.execute(
                "UPDATE hot.quarantine SET status = 'superseded', decided_at = ?, actor = ? "
                "FROM newer n WHERE status = 'held' "
                "AND quarantine.asset = n.asset AND quarantine.partition = n.partition",
                [utc(change.committed_at), change.run.actor],
            )


def _quarantine(connection: duckdb.DuckDBPyConnection, change: Change) -> None:
    if not change.quarantined:
        return
    newest = {(m.asset, m.partition): m.id for m in change.materializations}
    statuses = [
        "held"
        if newest.get((e.asset, e.partition), e.materialization) == e.materialization
        else "superseded"
        for e in change.quarantined
    ]
    insert(connection, "quarantine", quarantine_rows(change.quarantined, statuses))


def _promote(connection: duckdb.DuckDBPyConnection, change: Change, snapshot: int) -> None:
    """Enter promotions in their order and make `production` say what is live after the last."""
    if not change.promotions:
        return
    keys = keys_table({(p.asset, p.partition) for p in change.promotions})
    with offered(connection, promoted=keys):
        gone = rows(
            connection,
            "DELETE FROM lineage.production USING promoted n WHERE production.asset = n.asset "
            "AND production.partition = n.partition "
            "RETURNING production.asset, production.partition, production.materialization",
        )
    live: dict[tuple[str, str], int | None] = {(a, p): m for a, p, m in gone}
    numbered: list[tuple[int, Promotion, int | None]] = []
    for ordinal, promotion in enumerate(change.promotions):
        key = promotion.asset, promotion.partition
        numbered.append((snapshot * _PER_SNAPSHOT + ordinal, promotion, live.get(key)))
        live[key] = promotion.materialization
    table = promotion_rows(numbered, change.committed_at, snapshot)
    insert(connection, "promotions", table)
    insert(
        connection,
        "production",
        table,
        "SELECT asset, partition, materialization, promotion, promoted_at AS since, judgement "
        "FROM (FROM added QUALIFY promotion = max(promotion) OVER (PARTITION BY asset, partition)) "
        "WHERE materialization IS NOT NULL",
    )
    if _rollbacks(change):
        _keep_judgements(connection, snapshot)
    refresh_columns(connection, _entered(change))


def _alert(connection: duckdb.DuckDBPyConnection, change: Change) -> None:
    """Enter alerts in the place of what was on record of them."""
    if not change.alerts:
        return
    alerts = alert_rows(change)
    with offered(connection, tried=alerts):
        connection.execute(
            "DELETE FROM lineage.alerts USING tried t "
            "WHERE alerts.alert = t.alert AND alerts.channel = t.channel"
        )
    insert(connection, "alerts", alerts)


def _rollbacks(change: Change) -> list[Promotion]:
    return [p for p in change.promotions if p.kind == "rollback"]


def _follow_rollbacks(connection: duckdb.DuckDBPyConnection, change: Change) -> None:
    """Close the rejected rows of versions that are rolled back, open those of what comes back."""
    back = {(p.asset, p.partition) for p in _rollbacks(change)}
    if back:
        with offered(connection, back=keys_table(back), reopened=ids_table(change.reopened)):
            connection.execute(
                "UPDATE hot.quarantine SET status = 'superseded', decided_at = ?, actor = ? "
                "FROM back b WHERE status = 'held' AND scope = 'rows' "
                "AND quarantine.asset = b.asset AND quarantine.partition = b.partition",
                [utc(change.committed_at), change.run.actor],
            )
            connection.execute(
                "UPDATE hot.quarantine SET status = 'held', decided_at = NULL, actor = NULL "
                "FROM reopened r WHERE quarantine.materialization = r.id"
            )


def _keep_judgements(connection: duckdb.DuckDBPyConnection, snapshot: int) -> None:
    """Let the judgement in force of a version stay so when the version comes back."""
    connection.execute(
        "UPDATE lineage.production SET judgement = j.judgement FROM hot.judgements j "
        "WHERE production.promotion >= ? AND j.in_force "
        "AND j.materialization = production.materialization",
        [snapshot * _PER_SNAPSHOT],
    )


def _entered(change: Change) -> dict[str, set[Schema]]:
    """The schemas that this change brings into production, by asset."""
    made = {m.id: m.schema for m in change.materializations}
    entered: dict[str, set[Schema]] = defaultdict(set)
    for promotion in change.promotions:
        if promotion.kind != "observe":
            schemas = entered[promotion.asset]
            if promotion.materialization is not None:
                schemas.add(made.get(promotion.materialization, UNKNOWN))
    return entered


def _write_run(connection: duckdb.DuckDBPyConnection, change: Change) -> None:
    connection.execute("DELETE FROM hot.runs WHERE run = ?", [change.run.id])
    insert(connection, "runs", run_rows(change))


def _write_snapshot(connection: duckdb.DuckDBPyConnection, change: Change, snapshot: int) -> None:
    run, actor = change.run, change.actor or change.run.actor
    connection.execute(
        "INSERT INTO hot.snapshots VALUES (?, ?, ?, ?, ?, ?)",
        [snapshot, utc(change.committed_at), run.id, change.command, actor, VERSION],
    )
    connection.execute(
        "UPDATE lineage.catalog SET written_by = ?, duckdb_version = version() "
        "WHERE (written_by, duckdb_version) IS DISTINCT FROM (?, version())",
        [run.millgate_version, run.millgate_version],
    )


def _not_recorded(why: str, snapshot: int) -> StoreError:
    return StoreError(
        f"the lineage of snapshot {snapshot} could not be recorded: {why.splitlines()[0]}",
        where="the draft of the snapshot; production is as it was",
        fix="see that there is space on the disk, and run again",
    )
