"""What a plan is made from: what is live and held, and what of it may have changed since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from millgate.lineage.fetch import digits, keys_table, many, offered, rows, texts
from millgate.model.state import Held, Live

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Expected:
    """The fingerprints that what is live of an asset has where nothing has changed."""

    asset: str
    code: str
    gate: str
    needs: str


def read_live(
    connection: duckdb.DuckDBPyConnection,
    assets: Collection[str] | None = None,
    keys: Collection[tuple[str, str]] = (),
) -> dict[str, dict[str, Live]]:
    """What is live, by asset and key: of all assets unless some are named, and of others `keys`."""
    live: dict[str, dict[str, Live]] = defaultdict(dict)
    wanted = _SOME if assets is not None else _ALL
    given = [] if assets is None else [list(assets)]
    with offered(connection, wanted_keys=keys_table(keys)):
        for asset, key, made_at, *values in many(connection, wanted + _LIVE, given):
            live[asset][key] = Live(made_at.replace(tzinfo=UTC), *values)
    return dict(live)


def read_held(
    connection: duckdb.DuckDBPyConnection, assets: Collection[str] | None = None
) -> dict[str, dict[str, Held]]:
    """What is held or discarded, by asset and key; of all assets unless some are named."""
    held: dict[str, dict[str, Held]] = defaultdict(dict)
    given = None if assets is None else list(assets)
    for asset, key, *values in many(connection, _HELD, [given]):
        held[asset][key] = Held(*values)
    return dict(held)


def live_keys(
    connection: duckdb.DuckDBPyConnection, assets: Collection[str]
) -> dict[str, frozenset[str]]:
    """The live keys of each asset that has some; assets with the same keys share one set."""
    alike: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for asset, *said in rows(connection, _KEY_SETS, [list(assets)]):
        alike[tuple(said)].append(asset)
    found: dict[str, set[str]] = {names[0]: set() for names in alike.values()}
    for asset, key in many(connection, _KEYS, [list(found)]):
        found[asset].add(key)
    sets = {names[0]: frozenset(found[names[0]]) for names in alike.values()}
    return {name: sets[names[0]] for names in alike.values() for name in names}


def doubtful_keys(
    connection: duckdb.DuckDBPyConnection, expected: Iterable[Expected]
) -> dict[str, frozenset[str]]:
    """Of each asset the live keys that may not be what would be made now; none of most.

    The others were made by the code, and judged by the gate, that are expected, from just what is
    live of their inputs now; and their gate refused nothing of them.
    """
    wanted = list(expected)
    table = texts(
        asset=[e.asset for e in wanted],
        code=[e.code for e in wanted],
        gate=[e.gate for e in wanted],
        needs=[e.needs for e in wanted],
    )
    found: dict[str, set[str]] = {e.asset: set() for e in wanted}
    with offered(connection, expected=table):
        for query in (_MADE_OTHERWISE, _JUDGED_OTHERWISE, _FROM_OTHER_INPUTS):
            for asset, key in many(connection, _EXPECTED + query):
                found[asset].add(key)
    return {name: frozenset(keys) for name, keys in found.items()}


_LIVE = f"""
SELECT p.asset, p.partition, m.created_at, p.materialization, {digits("m.code_fingerprint")},
    {digits("m.input_fingerprint")}, {digits("m.data_hash")},
    nullif({digits("j.gate_fingerprint")}, ''), j.verdict, m.location, m.path,
    coalesce(j.verdict <> 'promote' AND p.judgement IS DISTINCT FROM r.judgement, false) AS failing,
    {digits("j.reference_fingerprint")} AS reference_fingerprint
FROM wanted p
JOIN hot.materializations m ON m.materialization = p.materialization
JOIN hot.promotions r ON r.promotion = p.promotion
LEFT JOIN hot.judgements j ON j.judgement = p.judgement
ORDER BY p.asset, p.partition
"""

_ALL = "WITH wanted AS (FROM lineage.production)"

_SOME = """
WITH named AS (SELECT unnest(?::VARCHAR[]) AS asset),
wanted AS (
    FROM lineage.production WHERE asset IN (FROM named)
    UNION ALL FROM lineage.production p SEMI JOIN wanted_keys k
        ON k.asset = p.asset AND k.partition = p.partition
    WHERE p.asset NOT IN (FROM named))
"""

_HELD = f"""
SELECT q.asset, q.partition, q.materialization, {digits("m.code_fingerprint")},
    {digits("m.input_fingerprint")}, {digits("j.gate_fingerprint")},
    q.status = 'discarded' AS discarded,
    {digits("j.reference_fingerprint")} AS reference_fingerprint
FROM hot.quarantine q
JOIN hot.materializations m ON m.materialization = q.materialization
JOIN hot.judgements j ON j.judgement = q.judgement
WHERE ($1::VARCHAR[] IS NULL OR q.asset IN (SELECT unnest($1::VARCHAR[])))
    AND q.scope = 'partition' AND (q.status = 'held' OR q.status = 'discarded' AND NOT EXISTS (
        FROM hot.materializations n WHERE n.asset = q.asset AND n.partition = q.partition
            AND n.materialization > q.materialization))
ORDER BY q.asset, q.partition
"""

_KEY_SETS = """
SELECT asset, count(*), bit_xor(hash(partition)), sum(hash(partition, 1)::HUGEINT)
FROM lineage.production WHERE asset IN (SELECT unnest(?::VARCHAR[]))
GROUP BY asset ORDER BY asset
"""
"""Equal sets of keys have equal numbers here, and different ones do not but by a wonder."""

_KEYS = """
SELECT asset, partition FROM lineage.production WHERE asset IN (SELECT unnest(?::VARCHAR[]))
"""

_EXPECTED = """
WITH e AS MATERIALIZED (
    SELECT asset, code::UUID AS code, gate::UUID AS gate, needs::UUID AS needs FROM expected)
"""

_MADE_OTHERWISE = """
SELECT p.asset, p.partition FROM lineage.production p
JOIN (SELECT m.materialization FROM hot.materializations m JOIN e ON e.asset = m.asset
    WHERE m.code_fingerprint IS DISTINCT FROM e.code
        OR m.needs_fingerprint IS DISTINCT FROM e.needs) o
    ON o.materialization = p.materialization
"""

_JUDGED_OTHERWISE = """
SELECT p.asset, p.partition FROM lineage.production p JOIN e ON e.asset = p.asset
LEFT JOIN hot.judgements j ON j.judgement = p.judgement
WHERE j.gate_fingerprint IS DISTINCT FROM e.gate OR j.verdict IS DISTINCT FROM 'promote'
"""

_FROM_OTHER_INPUTS = """
, replaced AS (
    SELECT i.upstream, i.downstream FROM hot.materialization_edges i
    WHERE i.kind = 'data'
        AND NOT EXISTS (FROM lineage.production p WHERE p.materialization = i.upstream)),
read_by AS (
    SELECT r.upstream, p.asset, p.partition FROM replaced r
    JOIN lineage.production p ON p.materialization = r.downstream
    WHERE p.asset IN (SELECT asset FROM e))
SELECT DISTINCT r.asset, r.partition FROM read_by r
LEFT JOIN hot.materializations u ON u.materialization = r.upstream
LEFT JOIN lineage.production l ON l.asset = u.asset AND l.partition = u.partition
LEFT JOIN hot.materializations n ON n.materialization = l.materialization
WHERE n.materialization IS NULL OR n.data_hash IS DISTINCT FROM u.data_hash
"""
"""Another version of the same content is no other input."""
