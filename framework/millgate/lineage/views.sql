-- Everyday answers. Views work wherever the file is attached; macros that read tables need
-- `USE <database>` first. Macro parameters never share a name with a column.
CREATE MACRO lineage.ago(span) AS make_timestamp(epoch_us(now())) - span;
COMMENT ON MACRO lineage.ago IS 'The moment that lies a span before now, in UTC like every time here: WHERE committed_at > lineage.ago(INTERVAL 1 DAY).';

CREATE MACRO lineage.show_id(id) AS (id // 1000000) || '-' || (id % 1000000);
COMMENT ON MACRO lineage.show_id IS 'A version, step or judgement as the command line shows it: 118-45.';

CREATE VIEW lineage.stays AS
SELECT promotion, asset, partition, kind, materialization, promoted_at AS valid_from,
    lead(promoted_at) OVER (PARTITION BY asset, partition ORDER BY promotion) AS valid_until,
    actor, reason, snapshot
FROM lineage.promotions;
COMMENT ON VIEW lineage.stays IS 'One row per stay in production, from valid_from up to but not including valid_until.';
COMMENT ON COLUMN lineage.stays.promotion IS 'Entry into production that began it.';
COMMENT ON COLUMN lineage.stays.asset IS 'Asset or source.';
COMMENT ON COLUMN lineage.stays.partition IS 'Partition key; empty if the asset is unpartitioned.';
COMMENT ON COLUMN lineage.stays.kind IS 'promote, split, release, replay, observe, rollback or withdraw.';
COMMENT ON COLUMN lineage.stays.materialization IS 'Version that was live; NULL while nothing was, after it left production.';
COMMENT ON COLUMN lineage.stays.valid_from IS 'When it began, in UTC.';
COMMENT ON COLUMN lineage.stays.valid_until IS 'When the next one began, in UTC; NULL for what is so now.';
COMMENT ON COLUMN lineage.stays.actor IS 'Who began it.';
COMMENT ON COLUMN lineage.stays.reason IS 'Why a person began it.';
COMMENT ON COLUMN lineage.stays.snapshot IS 'First snapshot that shows it.';

CREATE VIEW lineage.rolled_back AS
SELECT r.asset, r.partition, p.materialization, r.previous AS left_materialization,
    r.promoted_at AS rolled_back_at, r.actor, r.reason
FROM hot.promotions r
LEFT JOIN lineage.production p ON p.asset = r.asset AND p.partition = r.partition
JOIN (SELECT asset, partition, arg_max_null(materialization, promotion) AS returned
    FROM hot.promotions WHERE kind = 'rollback' GROUP BY asset, partition) l
    ON l.asset = r.asset AND l.partition = r.partition
WHERE r.kind = 'rollback' AND r.previous > coalesce(l.returned, -1)
    AND NOT EXISTS (FROM hot.promotions n WHERE n.asset = r.asset
        AND n.partition = r.partition AND n.promotion > r.promotion AND n.kind <> 'rollback'
        AND NOT (n.kind IN ('split', 'withdraw') AND n.judgement IS NOT NULL
            AND n.reason IS NOT NULL));
COMMENT ON VIEW lineage.rolled_back IS 'One row per version that a partition was rolled back from since a run last made it; a gate that is enforced on what came back makes nothing. It is not made again while code and inputs are those of such a version.';
COMMENT ON COLUMN lineage.rolled_back.asset IS 'Asset of the partition.';
COMMENT ON COLUMN lineage.rolled_back.partition IS 'Partition that was rolled back.';
COMMENT ON COLUMN lineage.rolled_back.materialization IS 'Version that is live; NULL if none is.';
COMMENT ON COLUMN lineage.rolled_back.left_materialization IS 'Version that it was rolled back from.';
COMMENT ON COLUMN lineage.rolled_back.rolled_back_at IS 'When that was, in UTC.';
COMMENT ON COLUMN lineage.rolled_back.actor IS 'Who did it.';
COMMENT ON COLUMN lineage.rolled_back.reason IS 'Why they did it.';

CREATE VIEW lineage.stale AS
WITH causes AS (
SELECT p.asset, p.partition, p.materialization, 'code changed' AS cause,
    NULL::VARCHAR AS cause_asset, NULL::VARCHAR AS cause_partition
FROM lineage.production p
JOIN hot.materializations m ON m.materialization = p.materialization
JOIN lineage.assets a ON a.asset = p.asset
WHERE a.declared AND a.kind = 'asset' AND a.code_fingerprint IS DISTINCT FROM m.code_fingerprint
UNION ALL
SELECT p.asset, p.partition, p.materialization,
    CASE WHEN l.materialization IS NULL THEN 'input left production' ELSE 'input changed' END,
    u.asset, u.partition
FROM lineage.production p
JOIN lineage.assets a ON a.asset = p.asset AND a.declared
JOIN hot.materialization_edges e ON e.downstream = p.materialization AND e.kind = 'data'
JOIN hot.materializations u ON u.materialization = e.upstream
LEFT JOIN lineage.production l ON l.asset = u.asset AND l.partition = u.partition
LEFT JOIN hot.materializations n ON n.materialization = l.materialization
WHERE n.data_hash IS DISTINCT FROM u.data_hash)
SELECT c.* FROM causes c
WHERE NOT EXISTS (FROM lineage.outside o WHERE o.asset = c.asset AND o.partition = c.partition)
    AND NOT EXISTS (FROM lineage.rolled_back b
    JOIN hot.materializations o ON o.materialization = b.left_materialization
    JOIN lineage.assets a ON a.asset = o.asset AND a.code_fingerprint = o.code_fingerprint
    WHERE b.asset = c.asset AND b.partition = c.partition AND NOT EXISTS (
        FROM hot.materialization_edges e
        JOIN hot.materializations u ON u.materialization = e.upstream
        LEFT JOIN lineage.production l ON l.asset = u.asset AND l.partition = u.partition
        LEFT JOIN hot.materializations n ON n.materialization = l.materialization
        WHERE e.downstream = b.left_materialization AND e.kind = 'data'
            AND n.data_hash IS DISTINCT FROM u.data_hash));
COMMENT ON VIEW lineage.stale IS 'One row per reason why a live partition is stale, as of the last commit: changes of code or source files since then, and inputs that a mapping would add, show in millgate plan. What a person rolled back from just that is not stale, nor is what is outside.';
COMMENT ON COLUMN lineage.stale.asset IS 'Asset of the stale partition.';
COMMENT ON COLUMN lineage.stale.partition IS 'Stale partition.';
COMMENT ON COLUMN lineage.stale.materialization IS 'Version that is live.';
COMMENT ON COLUMN lineage.stale.cause IS 'code changed, input changed or input left production.';
COMMENT ON COLUMN lineage.stale.cause_asset IS 'Input that changed; NULL where the code did.';
COMMENT ON COLUMN lineage.stale.cause_partition IS 'Partition of that input.';

CREATE VIEW lineage.failing AS
SELECT p.asset, p.partition, p.materialization, j.verdict, j.rejected_rows, j.judged_at,
    coalesce(list(DISTINCT c.rule ORDER BY c.rule) FILTER (WHERE c.rule IS NOT NULL), []) AS rules
FROM lineage.production p
JOIN hot.judgements j ON j.judgement = p.judgement AND j.verdict <> 'promote'
JOIN hot.promotions r ON r.promotion = p.promotion
LEFT JOIN hot.check_results c
    ON c.judgement = j.judgement AND NOT c.passed AND c.severity = 'error'
WHERE r.judgement IS DISTINCT FROM j.judgement
GROUP BY p.asset, p.partition, p.materialization, j.judgement, j.verdict, j.rejected_rows,
    j.judged_at;
COMMENT ON VIEW lineage.failing IS 'One row per live partition that a gate adopted after it entered refuses. What a split or a person let in is not failing.';
COMMENT ON COLUMN lineage.failing.asset IS 'Asset of the partition.';
COMMENT ON COLUMN lineage.failing.partition IS 'Partition that fails.';
COMMENT ON COLUMN lineage.failing.materialization IS 'Version that is live.';
COMMENT ON COLUMN lineage.failing.verdict IS 'What the gate would do now: split or hold.';
COMMENT ON COLUMN lineage.failing.rejected_rows IS 'Distinct rows that fail at least one error rule.';
COMMENT ON COLUMN lineage.failing.judged_at IS 'When it was judged, in UTC.';
COMMENT ON COLUMN lineage.failing.rules IS 'Error rules that did not pass.';

CREATE VIEW lineage.stuck AS
SELECT t.asset, t.partition, t.step, t.run, t.outcome, t.cause, t.blocked_by
FROM lineage.steps t
JOIN (SELECT max(step) AS step FROM lineage.steps WHERE outcome NOT IN ('cancelled', 'refused')
    GROUP BY asset, partition) l ON l.step = t.step
JOIN lineage.assets a ON a.asset = t.asset AND a.declared
LEFT JOIN lineage.production p ON p.asset = t.asset AND p.partition = t.partition
LEFT JOIN (SELECT DISTINCT asset, partition FROM lineage.stale) s
    ON s.asset = t.asset AND s.partition = t.partition
WHERE t.outcome IN ('failed', 'blocked') AND (p.asset IS NULL OR s.asset IS NOT NULL
    OR (t.outcome = 'failed'
        AND t.cause NOT IN ('missing', 'code changed', 'input changed', 'input planned')));
COMMENT ON VIEW lineage.stuck IS 'One row per partition whose last step failed or was blocked, unless what called for the step is gone: it is live and not stale.';
COMMENT ON COLUMN lineage.stuck.asset IS 'Asset of the partition.';
COMMENT ON COLUMN lineage.stuck.partition IS 'Partition that is stuck.';
COMMENT ON COLUMN lineage.stuck.step IS 'Its last step; lineage.attempts has the error of each try.';
COMMENT ON COLUMN lineage.stuck.run IS 'Run that planned the step.';
COMMENT ON COLUMN lineage.stuck.outcome IS 'failed or blocked.';
COMMENT ON COLUMN lineage.stuck.cause IS 'Why the step was planned or blocked.';
COMMENT ON COLUMN lineage.stuck.blocked_by IS 'Partition that stood in its way; NULL if it failed.';

CREATE VIEW lineage.health AS
SELECT a.asset, a.kind, a.owner, a.declared, coalesce(p.live, 0) AS live, p.newest,
    p.last_promoted_at, coalesce(s.stale, 0) AS stale, coalesce(b.rolled_back, 0) AS rolled_back,
    coalesce(o.outside, 0) AS outside, coalesce(f.failing, 0) AS failing,
    coalesce(q.held, 0) AS held, coalesce(t.failed, 0) AS failed, coalesce(t.blocked, 0) AS blocked
FROM lineage.assets a
LEFT JOIN (SELECT asset, count(*) AS live, max(partition) AS newest, max(since) AS last_promoted_at
    FROM lineage.production GROUP BY asset) p ON p.asset = a.asset
LEFT JOIN (SELECT asset, count(DISTINCT partition) AS stale
    FROM lineage.stale GROUP BY asset) s ON s.asset = a.asset
LEFT JOIN (SELECT asset, count(DISTINCT partition) AS rolled_back FROM lineage.rolled_back b
    WHERE NOT EXISTS (FROM lineage.stale s WHERE s.asset = b.asset AND s.partition = b.partition)
    GROUP BY asset) b ON b.asset = a.asset
LEFT JOIN (SELECT asset, count(*) AS outside FROM lineage.outside k
    WHERE EXISTS (FROM lineage.production l WHERE l.asset = k.asset AND l.partition = k.partition)
    GROUP BY asset) o ON o.asset = a.asset
LEFT JOIN (SELECT asset, count(*) AS failing FROM lineage.failing GROUP BY asset) f
    ON f.asset = a.asset
LEFT JOIN (SELECT asset, count(*) AS held FROM hot.quarantine
    WHERE status = 'held' AND scope = 'partition' GROUP BY asset) q ON q.asset = a.asset
LEFT JOIN (SELECT asset, count(*) FILTER (WHERE outcome = 'failed') AS failed,
        count(*) FILTER (WHERE outcome = 'blocked') AS blocked
    FROM lineage.stuck GROUP BY asset) t ON t.asset = a.asset;
COMMENT ON VIEW lineage.health IS 'One row per asset: how many of its partitions are live, stale, rolled back, outside, failing, held, failed and blocked.';
COMMENT ON COLUMN lineage.health.asset IS 'Asset or source.';
COMMENT ON COLUMN lineage.health.kind IS 'asset or source.';
COMMENT ON COLUMN lineage.health.owner IS 'Who answers for it.';
COMMENT ON COLUMN lineage.health.declared IS 'False once the declaration is gone.';
COMMENT ON COLUMN lineage.health.live IS 'Live partitions.';
COMMENT ON COLUMN lineage.health.newest IS 'Last live key.';
COMMENT ON COLUMN lineage.health.last_promoted_at IS 'When a partition last entered production, in UTC.';
COMMENT ON COLUMN lineage.health.stale IS 'Live partitions whose code or inputs changed, as lineage.stale knows them.';
COMMENT ON COLUMN lineage.health.rolled_back IS 'Partitions that stay as a person rolled them back, until code or inputs change.';
COMMENT ON COLUMN lineage.health.outside IS 'Live partitions whose key is no longer in the definition.';
COMMENT ON COLUMN lineage.health.failing IS 'Live partitions that today''s gate refuses.';
COMMENT ON COLUMN lineage.health.held IS 'Partitions whose newest version waits in quarantine.';
COMMENT ON COLUMN lineage.health.failed IS 'Partitions that are stuck because their last step failed.';
COMMENT ON COLUMN lineage.health.blocked IS 'Partitions that are stuck because their last step was blocked.';

CREATE VIEW lineage.storage AS
SELECT m.asset,
    coalesce(sum(m.bytes) FILTER (WHERE p.materialization IS NOT NULL), 0)::BIGINT AS live_bytes,
    coalesce(sum(m.bytes) FILTER (WHERE p.materialization IS NULL AND m.location = 'versions'), 0)
        ::BIGINT AS superseded_bytes,
    coalesce(any_value(q.bytes), 0)::BIGINT AS quarantine_bytes,
    count(*) FILTER (WHERE p.materialization IS NULL AND m.location = 'versions')
        AS superseded_versions
FROM lineage.materializations m
LEFT JOIN lineage.production p ON p.materialization = m.materialization
LEFT JOIN (SELECT k.asset, sum(k.bytes) AS bytes FROM lineage.quarantine k
    JOIN lineage.materializations v ON v.materialization = k.materialization
    WHERE v.removed_at IS NULL AND k.path <> '' AND (k.scope = 'rows' OR v.location = 'quarantine')
    GROUP BY k.asset) q ON q.asset = m.asset
WHERE m.removed_at IS NULL AND m.location IN ('versions', 'quarantine')
GROUP BY m.asset;
COMMENT ON VIEW lineage.storage IS 'One row per asset: the bytes of its files.';
COMMENT ON COLUMN lineage.storage.asset IS 'Asset that the files belong to.';
COMMENT ON COLUMN lineage.storage.live_bytes IS 'Bytes of live versions.';
COMMENT ON COLUMN lineage.storage.superseded_bytes IS 'Bytes of versions that were live once.';
COMMENT ON COLUMN lineage.storage.quarantine_bytes IS 'Bytes of held versions and rejected rows.';
COMMENT ON COLUMN lineage.storage.superseded_versions IS 'Number of versions that were live once.';

CREATE MACRO lineage.live_at(moment) AS TABLE
SELECT s.asset, s.partition, s.materialization, s.kind, s.actor, s.reason, s.valid_from
FROM lineage.stays s
WHERE s.valid_from <= moment::TIMESTAMP
    AND (s.valid_until IS NULL OR s.valid_until > moment::TIMESTAMP)
    AND s.materialization IS NOT NULL;
COMMENT ON MACRO TABLE lineage.live_at IS 'What was live at a moment, given in UTC: asset, partition, materialization, kind, actor, reason, valid_from.';

-- By key, so that an asset is followed once, where it is nearest: not once for each distance at
-- which paths reach it.
CREATE MACRO lineage.upstream(of_asset, max_depth := 1000) AS TABLE
WITH RECURSIVE w(asset, depth) USING KEY (asset) AS (
    SELECT DISTINCT e.upstream, 1 FROM lineage.asset_edges e WHERE e.downstream = of_asset
    UNION
    SELECT DISTINCT e.upstream, w.depth + 1 FROM lineage.asset_edges e JOIN w ON e.downstream = w.asset
    WHERE w.depth < max_depth AND e.upstream NOT IN (SELECT asset FROM recurring.w))
SELECT asset, depth FROM w;
COMMENT ON MACRO TABLE lineage.upstream IS 'What an asset is made from, directly and indirectly: asset, depth.';

CREATE MACRO lineage.downstream(of_asset, max_depth := 1000) AS TABLE
WITH RECURSIVE w(asset, depth) USING KEY (asset) AS (
    SELECT DISTINCT e.downstream, 1 FROM lineage.asset_edges e WHERE e.upstream = of_asset
    UNION
    SELECT DISTINCT e.downstream, w.depth + 1 FROM lineage.asset_edges e JOIN w ON e.upstream = w.asset
    WHERE w.depth < max_depth AND e.downstream NOT IN (SELECT asset FROM recurring.w))
SELECT asset, depth FROM w;
COMMENT ON MACRO TABLE lineage.downstream IS 'What is made from an asset, directly and indirectly: asset, depth.';

CREATE MACRO lineage.trace(of_materialization) AS TABLE
WITH RECURSIVE w(id) AS (
    SELECT of_materialization::BIGINT
    UNION
    SELECT e.upstream FROM lineage.materialization_edges e JOIN w ON e.downstream = w.id)
SELECT m.* FROM w JOIN lineage.materializations m ON m.materialization = w.id;
COMMENT ON MACRO TABLE lineage.trace IS 'A version and every version it was made from: the columns of lineage.materializations.';

CREATE MACRO lineage.used_in(of_materialization) AS TABLE
WITH RECURSIVE w(id) AS (
    SELECT of_materialization::BIGINT
    UNION
    SELECT e.downstream FROM lineage.materialization_edges e JOIN w ON e.upstream = w.id)
SELECT m.*, p.materialization IS NOT NULL AS live
FROM w JOIN lineage.materializations m ON m.materialization = w.id
LEFT JOIN lineage.production p ON p.materialization = m.materialization;
COMMENT ON MACRO TABLE lineage.used_in IS 'A version and every version made from it: the columns of lineage.materializations and whether it is live.';

CREATE MACRO lineage.downstream_columns(of_asset, of_column) AS TABLE
WITH RECURSIVE w(asset, column_name, kind, confidence) AS (
    SELECT e.downstream, c.column_name, e.kind, e.confidence
    FROM lineage.column_edges e
    JOIN lineage.columns c ON c.asset = e.downstream AND e.downstream_column IN (c.column_name, '*')
    WHERE e.upstream = of_asset AND e.upstream_column IN (of_column, '*')
    UNION
    SELECT e.downstream, c.column_name, CASE WHEN w.kind = 'value' THEN e.kind ELSE w.kind END,
        CASE WHEN w.confidence = 'exact' THEN e.confidence ELSE w.confidence END
    FROM w
    JOIN lineage.column_edges e ON e.upstream = w.asset AND e.upstream_column IN (w.column_name, '*')
    JOIN lineage.columns c
        ON c.asset = e.downstream AND e.downstream_column IN (c.column_name, '*'))
SELECT asset, column_name, list(DISTINCT kind ORDER BY kind) AS kinds,
    list(DISTINCT confidence ORDER BY confidence) AS confidence
FROM w GROUP BY asset, column_name;
COMMENT ON MACRO TABLE lineage.downstream_columns IS 'What is made from a column: asset, column_name, kinds, confidence. Empty until columns are traced.';
