-- what needs attention?
SELECT asset, live, stale, failing, held, failed, blocked FROM lineage.health
WHERE stale + failing + held + failed + blocked > 0 ORDER BY asset;

-- what is stale, and why?
SELECT asset, partition, cause, cause_asset, cause_partition FROM lineage.stale
ORDER BY asset, partition;

-- what is live although today's gate refuses it?
SELECT asset, partition, rejected_rows, rules FROM lineage.failing ORDER BY asset, partition;

-- what waits in quarantine, and which checks refused it?
SELECT q.asset, q.partition, q.scope, q.rows, c.rule, c.failing_rows
FROM lineage.quarantine AS q JOIN lineage.check_results AS c ON c.judgement = q.judgement
WHERE q.status = 'held' AND NOT c.passed ORDER BY q.asset, q.partition, c.rule;

-- which rules reject most rows?
SELECT m.asset, c.rule, c.column_name, sum(c.failing_rows)::BIGINT AS failing_rows
FROM lineage.check_results AS c
JOIN lineage.judgements AS j ON j.judgement = c.judgement AND j.in_force
JOIN lineage.materializations AS m ON m.materialization = j.materialization
WHERE NOT c.passed GROUP BY ALL ORDER BY failing_rows DESC;

-- what share of the rows was rejected?
SELECT m.asset, sum(j.rejected_rows)::BIGINT AS rejected_rows,
    round(sum(j.rejected_rows) / sum(j.rows), 2) AS share
FROM lineage.judgements AS j
JOIN lineage.materializations AS m ON m.materialization = j.materialization
WHERE j.in_force GROUP BY m.asset ORDER BY m.asset;

-- what was live on a given day?
SELECT asset, partition, lineage.show_id(materialization) AS version, kind
FROM lineage.live_at('2025-11-20 20:00') WHERE asset <> 'raw' ORDER BY asset, partition;

-- who let what in, and why?
SELECT asset, partition, actor, reason, promoted_at FROM lineage.promotions
WHERE kind = 'release' ORDER BY promotion;

-- what left production, and when?
SELECT asset, partition, lineage.show_id(previous) AS version, reason, promoted_at
FROM lineage.promotions WHERE kind = 'withdraw' ORDER BY promotion;

-- what was this version made from?
SELECT t.asset, t.partition, lineage.show_id(t.materialization) AS version, f.path
FROM lineage.trace((SELECT materialization FROM lineage.production
    WHERE asset = 'delays' AND partition = '2013-01-01')) AS t
LEFT JOIN lineage.source_files AS f ON f.materialization = t.materialization
ORDER BY t.materialization;

-- which live partitions go back to the first state of a file?
SELECT u.asset, u.partition FROM lineage.used_in((SELECT min(materialization)
    FROM lineage.source_files WHERE path = 'data/raw.csv')) AS u
WHERE u.live ORDER BY u.asset, u.partition;

-- what depends on an asset?
SELECT asset, depth FROM lineage.downstream('raw') ORDER BY depth;

-- why was this partition made again?
SELECT s.run, s.action, s.cause, s.cause_asset, s.outcome FROM lineage.steps AS s
WHERE s.asset = 'flights' AND s.partition = '2013-01-01' ORDER BY s.step;

-- what is blocked, and by what?
SELECT asset, partition, blocked_by FROM lineage.stuck WHERE outcome = 'blocked';

-- which runs of the last day did not succeed, and how did they end?
SELECT run, status, actor, message FROM lineage.runs
WHERE started_at > lineage.ago(INTERVAL 1 DAY) AND status <> 'succeeded' ORDER BY run;

-- how long does a partition of each asset take?
SELECT s.asset, count(*) AS tries, median(t.compute_s) AS compute_s
FROM lineage.attempts AS t JOIN lineage.steps AS s ON s.step = t.step
WHERE t.status = 'succeeded' GROUP BY s.asset ORDER BY s.asset;

-- how much disk does each asset take?
SELECT asset, live_bytes, superseded_bytes, quarantine_bytes FROM lineage.storage ORDER BY asset;
