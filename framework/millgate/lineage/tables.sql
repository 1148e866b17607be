-- The tables of the catalog. Written with STORAGE_VERSION 'v1.0.0' they open in DuckDB 1.3 and
-- newer. No primary or foreign keys: their indexes cost six times the size of the data.
-- Times are UTC and end in _at, hashes are 128 bits, enumerations are text, and an unpartitioned
-- asset has the partition '', never NULL.
--
-- The tables in the schema hot are those that grow with what is done. lineage.<table> shows the rows
-- of each together with those that were moved to files of history.
CREATE SCHEMA lineage;
CREATE SCHEMA hot;
CREATE SCHEMA production;
CREATE SCHEMA quarantine;

CREATE TABLE lineage.catalog (
    version INTEGER NOT NULL, min_reader INTEGER NOT NULL, project UUID NOT NULL,
    root VARCHAR NOT NULL, written_by VARCHAR NOT NULL, duckdb_version VARCHAR NOT NULL
);
COMMENT ON TABLE lineage.catalog IS 'One row: which format this catalog has and which project it belongs to.';
COMMENT ON COLUMN lineage.catalog.version IS 'Version of the tables; a newer Millgate migrates them in its first commit.';
COMMENT ON COLUMN lineage.catalog.min_reader IS 'Oldest version of the tables that a reader must understand to read this catalog.';
COMMENT ON COLUMN lineage.catalog.project IS 'Identity of the project, drawn at random when its catalog was made.';
COMMENT ON COLUMN lineage.catalog.root IS 'Folder of the project when the production views were last built.';
COMMENT ON COLUMN lineage.catalog.written_by IS 'Version of Millgate that made the last commit.';
COMMENT ON COLUMN lineage.catalog.duckdb_version IS 'Version of DuckDB that made the last commit.';

CREATE TABLE hot.snapshots (
    snapshot BIGINT NOT NULL, committed_at TIMESTAMP NOT NULL, run BIGINT NOT NULL,
    command VARCHAR NOT NULL, actor VARCHAR NOT NULL, catalog_version INTEGER NOT NULL
);
CREATE VIEW lineage.snapshots AS FROM hot.snapshots;
COMMENT ON VIEW lineage.snapshots IS 'One row per commit. Each made a new immutable state of the whole warehouse.';
COMMENT ON COLUMN lineage.snapshots.snapshot IS 'Number of the snapshot, rising by commit.';
COMMENT ON COLUMN lineage.snapshots.committed_at IS 'When the commit was made, in UTC.';
COMMENT ON COLUMN lineage.snapshots.run IS 'Run that made the commit.';
COMMENT ON COLUMN lineage.snapshots.command IS 'Command of that run.';
COMMENT ON COLUMN lineage.snapshots.actor IS 'Who made the commit.';
COMMENT ON COLUMN lineage.snapshots.catalog_version IS 'Version of the tables that the commit wrote.';

CREATE TABLE lineage.history_files (
    table_name VARCHAR NOT NULL, path VARCHAR NOT NULL, row_count BIGINT NOT NULL,
    bytes BIGINT NOT NULL, snapshot BIGINT NOT NULL, column_names VARCHAR[] NOT NULL
);
COMMENT ON TABLE lineage.history_files IS 'One row per file of rows that no plan or commit needs: lineage.<table> shows them with the others.';
COMMENT ON COLUMN lineage.history_files.table_name IS 'Table that the rows belong to.';
COMMENT ON COLUMN lineage.history_files.path IS 'Parquet file, relative to warehouse/history.';
COMMENT ON COLUMN lineage.history_files.row_count IS 'Number of rows in it.';
COMMENT ON COLUMN lineage.history_files.bytes IS 'Size of it.';
COMMENT ON COLUMN lineage.history_files.snapshot IS 'First snapshot that reads it.';
COMMENT ON COLUMN lineage.history_files.column_names IS 'Columns that the table had then.';

CREATE TABLE lineage.assets (
    asset VARCHAR NOT NULL, kind VARCHAR NOT NULL, description VARCHAR NOT NULL, owner VARCHAR,
    asset_group VARCHAR NOT NULL, tags VARCHAR[] NOT NULL, dimensions VARCHAR[] NOT NULL,
    grain VARCHAR, time_zone VARCHAR, first_key VARCHAR, last_key VARCHAR,
    code_fingerprint UUID, gate_fingerprint UUID, on_failure VARCHAR,
    defined_in VARCHAR NOT NULL, declared BOOLEAN NOT NULL, snapshot BIGINT NOT NULL
);
COMMENT ON TABLE lineage.assets IS 'One row per asset or source that is or was declared, as of the last run.';
COMMENT ON COLUMN lineage.assets.asset IS 'Name of the asset; its rows are in production.<asset>.';
COMMENT ON COLUMN lineage.assets.kind IS 'asset (made by Millgate) or source (made elsewhere and observed).';
COMMENT ON COLUMN lineage.assets.description IS 'The docstring or the SQL comment; empty if there is none.';
COMMENT ON COLUMN lineage.assets.owner IS 'Who answers for it, NULL if nobody is named.';
COMMENT ON COLUMN lineage.assets.asset_group IS 'Folder below assets/ that declares it; empty at the top.';
COMMENT ON COLUMN lineage.assets.tags IS 'Tags, sorted.';
COMMENT ON COLUMN lineage.assets.dimensions IS 'Partition columns in the order in which they make up a key; empty if unpartitioned.';
COMMENT ON COLUMN lineage.assets.grain IS 'Grain of the time dimension: hour, date, week or month; NULL if there is none.';
COMMENT ON COLUMN lineage.assets.time_zone IS 'Time zone that the windows of the time dimension follow.';
COMMENT ON COLUMN lineage.assets.first_key IS 'First key of the time dimension.';
COMMENT ON COLUMN lineage.assets.last_key IS 'Last key of the time dimension that was complete at the commit.';
COMMENT ON COLUMN lineage.assets.code_fingerprint IS 'Hash of the code as declared; NULL for a source.';
COMMENT ON COLUMN lineage.assets.gate_fingerprint IS 'Hash of the gate as declared; NULL for a source.';
COMMENT ON COLUMN lineage.assets.on_failure IS 'What a failing row leads to: hold, split or warn; NULL for a source.';
COMMENT ON COLUMN lineage.assets.defined_in IS 'File and line of the declaration, relative to the project.';
COMMENT ON COLUMN lineage.assets.declared IS 'False once the declaration is gone; what is live of it stays.';
COMMENT ON COLUMN lineage.assets.snapshot IS 'Snapshot that last changed this row.';

CREATE TABLE lineage.asset_edges (
    upstream VARCHAR NOT NULL, downstream VARCHAR NOT NULL, kind VARCHAR NOT NULL,
    mapping VARCHAR NOT NULL
);
COMMENT ON TABLE lineage.asset_edges IS 'One row per upstream of a declared asset.';
COMMENT ON COLUMN lineage.asset_edges.upstream IS 'Asset or source that is read.';
COMMENT ON COLUMN lineage.asset_edges.downstream IS 'Asset that is made from it.';
COMMENT ON COLUMN lineage.asset_edges.kind IS 'data (its rows are read), keys (its values are the partition keys) or reference (the gate looks at it: its values are those asked for, or it is compared with).';
COMMENT ON COLUMN lineage.asset_edges.mapping IS 'Which upstream partitions a partition needs, as a person would write it.';

CREATE TABLE lineage.outside (asset VARCHAR NOT NULL, partition VARCHAR NOT NULL);
COMMENT ON TABLE lineage.outside IS 'One row per live partition whose key is no longer in the definition of its asset, as of the last run that selected it. It stays live, is not made again, and millgate retire takes it out.';
COMMENT ON COLUMN lineage.outside.asset IS 'Asset of the partition.';
COMMENT ON COLUMN lineage.outside.partition IS 'Its key.';

CREATE TABLE lineage.renames (
    old_name VARCHAR NOT NULL, new_name VARCHAR NOT NULL, renamed_at TIMESTAMP NOT NULL,
    snapshot BIGINT NOT NULL, run BIGINT NOT NULL, actor VARCHAR NOT NULL
);
COMMENT ON TABLE lineage.renames IS 'One row per asset that was given another name. All that is remembered of it stands under the new one.';
COMMENT ON COLUMN lineage.renames.old_name IS 'What it was called before.';
COMMENT ON COLUMN lineage.renames.new_name IS 'What it was called from then on.';
COMMENT ON COLUMN lineage.renames.renamed_at IS 'When the commit made it so, in UTC.';
COMMENT ON COLUMN lineage.renames.snapshot IS 'First snapshot that shows it.';
COMMENT ON COLUMN lineage.renames.run IS 'Run that did it.';
COMMENT ON COLUMN lineage.renames.actor IS 'Who did it.';

CREATE TABLE lineage.columns (
    asset VARCHAR NOT NULL, column_name VARCHAR NOT NULL, position INTEGER NOT NULL,
    type VARCHAR NOT NULL
);
COMMENT ON TABLE lineage.columns IS 'One row per column that an asset returned: of all that is live, or was when it was last live. Partition columns that Millgate adds stand in lineage.assets.dimensions.';
COMMENT ON COLUMN lineage.columns.asset IS 'Asset that has the column.';
COMMENT ON COLUMN lineage.columns.column_name IS 'Name of the column.';
COMMENT ON COLUMN lineage.columns.position IS 'Place of the column, counted from 1.';
COMMENT ON COLUMN lineage.columns.type IS 'DuckDB type that holds the values of every live partition.';

CREATE TABLE lineage.column_edges (
    upstream VARCHAR NOT NULL, upstream_column VARCHAR NOT NULL, downstream VARCHAR NOT NULL,
    downstream_column VARCHAR NOT NULL, kind VARCHAR NOT NULL, confidence VARCHAR NOT NULL
);
COMMENT ON TABLE lineage.column_edges IS 'One row per column that a column is made from. Empty until columns are traced.';
COMMENT ON COLUMN lineage.column_edges.upstream IS 'Asset that has the column that is read.';
COMMENT ON COLUMN lineage.column_edges.upstream_column IS 'Column that is read; * for any.';
COMMENT ON COLUMN lineage.column_edges.downstream IS 'Asset that has the column that is made.';
COMMENT ON COLUMN lineage.column_edges.downstream_column IS 'Column that is made; * for any.';
COMMENT ON COLUMN lineage.column_edges.kind IS 'How it is used: value, filter, join, group, order or window.';
COMMENT ON COLUMN lineage.column_edges.confidence IS 'How sure this is: exact, conservative or opaque.';

CREATE TABLE hot.runs (
    run BIGINT NOT NULL, command VARCHAR NOT NULL, selection VARCHAR NOT NULL, range_from VARCHAR,
    range_to VARCHAR, status VARCHAR NOT NULL, started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP, actor VARCHAR NOT NULL, host VARCHAR NOT NULL, code_version VARCHAR,
    millgate_version VARCHAR NOT NULL, resumes BIGINT, exit_status INTEGER, message VARCHAR
);
CREATE VIEW lineage.runs AS FROM hot.runs;
COMMENT ON VIEW lineage.runs IS 'One row per invocation that committed something.';
COMMENT ON COLUMN lineage.runs.run IS 'Number of the run, never used twice.';
COMMENT ON COLUMN lineage.runs.command IS 'Command that was given: materialize, backfill, quarantine release, ...';
COMMENT ON COLUMN lineage.runs.selection IS 'What it was asked for, as it was written: T and the options that choose partitions.';
COMMENT ON COLUMN lineage.runs.range_from IS 'First key of the range it was asked for, NULL if none was given.';
COMMENT ON COLUMN lineage.runs.range_to IS 'Last key of that range, included.';
COMMENT ON COLUMN lineage.runs.status IS 'running, succeeded, held (something is held or blocked), failed, cancelled or died.';
COMMENT ON COLUMN lineage.runs.started_at IS 'When it started, in UTC.';
COMMENT ON COLUMN lineage.runs.finished_at IS 'When it finished, in UTC; NULL while it runs and for a run that died.';
COMMENT ON COLUMN lineage.runs.actor IS 'Who started it.';
COMMENT ON COLUMN lineage.runs.host IS 'Machine it ran on.';
COMMENT ON COLUMN lineage.runs.code_version IS 'Commit of the project''s own repository, NULL if it has none.';
COMMENT ON COLUMN lineage.runs.millgate_version IS 'Version of Millgate.';
COMMENT ON COLUMN lineage.runs.resumes IS 'Run that it finishes, NULL for a run of its own.';
COMMENT ON COLUMN lineage.runs.exit_status IS 'Exit status of the command, NULL while it runs and for a run that died.';
COMMENT ON COLUMN lineage.runs.message IS 'The first failure in one line, NULL if nothing failed.';

CREATE TABLE hot.steps (
    step BIGINT NOT NULL, run BIGINT NOT NULL, asset VARCHAR NOT NULL, partition VARCHAR NOT NULL,
    action VARCHAR NOT NULL, cause VARCHAR NOT NULL, cause_asset VARCHAR, cause_partition VARCHAR,
    outcome VARCHAR NOT NULL, blocked_by VARCHAR
);
CREATE VIEW lineage.steps AS FROM hot.steps;
COMMENT ON VIEW lineage.steps IS 'One row per partition that a run planned, with why and with what came of it.';
COMMENT ON COLUMN lineage.steps.step IS 'Number of the step: run x 1,000,000 + ordinal.';
COMMENT ON COLUMN lineage.steps.run IS 'Run that planned it.';
COMMENT ON COLUMN lineage.steps.asset IS 'Asset of the step.';
COMMENT ON COLUMN lineage.steps.partition IS 'Partition key of the step; empty if the asset is unpartitioned.';
COMMENT ON COLUMN lineage.steps.action IS 'What was planned: make, judge (again, by a changed gate), enforce (what it says of what is live) or blocked.';
COMMENT ON COLUMN lineage.steps.cause IS 'Why: missing, forced, code changed, input changed, gate changed, failing, held upstream, ...';
COMMENT ON COLUMN lineage.steps.cause_asset IS 'Input that the cause speaks of, NULL if none.';
COMMENT ON COLUMN lineage.steps.cause_partition IS 'Partition of that input.';
COMMENT ON COLUMN lineage.steps.outcome IS 'made, unchanged (its inputs came out as they were), judged, held, failed, blocked, refused (another run was first) or cancelled.';
COMMENT ON COLUMN lineage.steps.blocked_by IS 'What stood in the way of a blocked or refused step: a partition or a run.';

CREATE TABLE hot.attempts (
    step BIGINT NOT NULL, attempt INTEGER NOT NULL, status VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL, finished_at TIMESTAMP NOT NULL, compute_s DOUBLE, gate_s DOUBLE,
    write_s DOUBLE, peak_bytes BIGINT, error_type VARCHAR, error VARCHAR, error_line VARCHAR,
    log_path VARCHAR
);
CREATE VIEW lineage.attempts AS FROM hot.attempts;
COMMENT ON VIEW lineage.attempts IS 'One row per try of a step.';
COMMENT ON COLUMN lineage.attempts.step IS 'Step that was tried.';
COMMENT ON COLUMN lineage.attempts.attempt IS 'Number of the try, counted from 1.';
COMMENT ON COLUMN lineage.attempts.status IS 'succeeded or failed.';
COMMENT ON COLUMN lineage.attempts.started_at IS 'When the try started, in UTC.';
COMMENT ON COLUMN lineage.attempts.finished_at IS 'When the try ended, in UTC.';
COMMENT ON COLUMN lineage.attempts.compute_s IS 'Seconds in the asset''s own code.';
COMMENT ON COLUMN lineage.attempts.gate_s IS 'Seconds judging the result.';
COMMENT ON COLUMN lineage.attempts.write_s IS 'Seconds writing the result.';
COMMENT ON COLUMN lineage.attempts.peak_bytes IS 'Largest memory of the process in the try, where it is known.';
COMMENT ON COLUMN lineage.attempts.error_type IS 'Type of the exception of a failed try.';
COMMENT ON COLUMN lineage.attempts.error IS 'Message of the exception.';
COMMENT ON COLUMN lineage.attempts.error_line IS 'File and line in the project that raised it.';
COMMENT ON COLUMN lineage.attempts.log_path IS 'What the try printed and logged, relative to the project; NULL if nothing.';

CREATE TABLE hot.materializations (
    materialization BIGINT NOT NULL, asset VARCHAR NOT NULL, partition VARCHAR NOT NULL,
    window_start TIMESTAMP, window_end TIMESTAMP, run BIGINT NOT NULL, step BIGINT,
    kind VARCHAR NOT NULL, derived_from BIGINT, code_fingerprint UUID, input_fingerprint UUID,
    needs_fingerprint UUID, data_hash UUID, schema_hash UUID NOT NULL, rows BIGINT NOT NULL, bytes BIGINT NOT NULL,
    location VARCHAR NOT NULL, path VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL,
    removed_at TIMESTAMP
);
CREATE VIEW lineage.materializations AS FROM hot.materializations;
COMMENT ON VIEW lineage.materializations IS 'One row per immutable version of a partition, whether it entered production or not.';
COMMENT ON COLUMN lineage.materializations.materialization IS 'Number of the version: run x 1,000,000 + ordinal, shown as 118-45 by lineage.show_id.';
COMMENT ON COLUMN lineage.materializations.asset IS 'Asset or source it is a version of.';
COMMENT ON COLUMN lineage.materializations.partition IS 'Partition key; empty if the asset is unpartitioned.';
COMMENT ON COLUMN lineage.materializations.window_start IS 'Start of the partition''s window in UTC, NULL without a time dimension.';
COMMENT ON COLUMN lineage.materializations.window_end IS 'End of the window in UTC, not included.';
COMMENT ON COLUMN lineage.materializations.run IS 'Run that made it.';
COMMENT ON COLUMN lineage.materializations.step IS 'Step that made it; NULL where no step did.';
COMMENT ON COLUMN lineage.materializations.kind IS 'made (computed), observed (what a source held), released (accepted rows and released ones together), replayed (what of refused data passed when it was judged again) or enforced (what a gate adopted later left of a live version, or refused of it as a whole).';
COMMENT ON COLUMN lineage.materializations.derived_from IS 'Version that a released, replayed or enforced one was taken from.';
COMMENT ON COLUMN lineage.materializations.code_fingerprint IS 'Hash of the code that made it; NULL for a source.';
COMMENT ON COLUMN lineage.materializations.input_fingerprint IS 'Hash of the content of its inputs; NULL for a source.';
COMMENT ON COLUMN lineage.materializations.needs_fingerprint IS 'Hash of how its inputs were declared, which says what keys it needs; NULL where that depends on more, and where nothing was computed.';
COMMENT ON COLUMN lineage.materializations.data_hash IS 'Hash of its rows in any order, of all its files for a source.';
COMMENT ON COLUMN lineage.materializations.schema_hash IS 'Its columns: see lineage.schemas.';
COMMENT ON COLUMN lineage.materializations.rows IS 'Number of rows; 0 for a source, whose files are not counted.';
COMMENT ON COLUMN lineage.materializations.bytes IS 'Size of its files.';
COMMENT ON COLUMN lineage.materializations.location IS 'versions, quarantine, external (the files of a source) or nowhere.';
COMMENT ON COLUMN lineage.materializations.path IS 'File, relative to warehouse/versions or quarantine; for a source its first file.';
COMMENT ON COLUMN lineage.materializations.created_at IS 'When it was made, in UTC.';
COMMENT ON COLUMN lineage.materializations.removed_at IS 'When its file was removed, in UTC; NULL while it is there.';

CREATE TABLE hot.materialization_edges (
    upstream BIGINT NOT NULL, downstream BIGINT NOT NULL, kind VARCHAR NOT NULL
);
CREATE VIEW lineage.materialization_edges AS FROM hot.materialization_edges;
COMMENT ON VIEW lineage.materialization_edges IS 'One row per version that a version was made from.';
COMMENT ON COLUMN lineage.materialization_edges.upstream IS 'Version that was read.';
COMMENT ON COLUMN lineage.materialization_edges.downstream IS 'Version that was made.';
COMMENT ON COLUMN lineage.materialization_edges.kind IS 'data (its changes are followed), pinned (they are not), reference (its gate looks at it: a change judges again) or derived (a released, replayed or enforced version from the one it was taken from).';

CREATE TABLE lineage.schemas (
    schema_hash UUID NOT NULL, position INTEGER NOT NULL, column_name VARCHAR NOT NULL,
    type VARCHAR NOT NULL
);
COMMENT ON TABLE lineage.schemas IS 'One row per column of each distinct list of columns that a version or a quarantined file has.';
COMMENT ON COLUMN lineage.schemas.schema_hash IS 'Hash of the names, types and order of the columns.';
COMMENT ON COLUMN lineage.schemas.position IS 'Place of the column, counted from 1.';
COMMENT ON COLUMN lineage.schemas.column_name IS 'Name of the column.';
COMMENT ON COLUMN lineage.schemas.type IS 'DuckDB type of the column.';

CREATE TABLE hot.source_files (
    materialization BIGINT NOT NULL, path VARCHAR NOT NULL, bytes BIGINT NOT NULL,
    modified_at TIMESTAMP NOT NULL, content_hash UUID NOT NULL
);
CREATE VIEW lineage.source_files AS FROM hot.source_files;
COMMENT ON VIEW lineage.source_files IS 'One row per file that a version of a source consists of.';
COMMENT ON COLUMN lineage.source_files.materialization IS 'Version of the source.';
COMMENT ON COLUMN lineage.source_files.path IS 'Path of the file.';
COMMENT ON COLUMN lineage.source_files.bytes IS 'Size of the file.';
COMMENT ON COLUMN lineage.source_files.modified_at IS 'When the file was last modified, in UTC.';
COMMENT ON COLUMN lineage.source_files.content_hash IS 'Hash of its content.';

CREATE TABLE hot.judgements (
    judgement BIGINT NOT NULL, materialization BIGINT NOT NULL, gate_fingerprint UUID NOT NULL,
    verdict VARCHAR NOT NULL, rows BIGINT NOT NULL, rejected_rows BIGINT NOT NULL,
    judged_at TIMESTAMP NOT NULL, run BIGINT NOT NULL, in_force BOOLEAN NOT NULL,
    reference_fingerprint UUID
);
CREATE VIEW lineage.judgements AS FROM hot.judgements;
COMMENT ON VIEW lineage.judgements IS 'One row per gate applied to a version.';
COMMENT ON COLUMN lineage.judgements.judgement IS 'Number of the judgement: run x 1,000,000 + ordinal.';
COMMENT ON COLUMN lineage.judgements.materialization IS 'Version that was judged.';
COMMENT ON COLUMN lineage.judgements.gate_fingerprint IS 'Hash of the gate that judged it.';
COMMENT ON COLUMN lineage.judgements.verdict IS 'promote, split (good rows go on, bad rows to quarantine) or hold.';
COMMENT ON COLUMN lineage.judgements.rows IS 'Rows that were judged.';
COMMENT ON COLUMN lineage.judgements.rejected_rows IS 'Distinct rows that fail at least one error rule.';
COMMENT ON COLUMN lineage.judgements.judged_at IS 'When it was judged, in UTC.';
COMMENT ON COLUMN lineage.judgements.run IS 'Run that judged it.';
COMMENT ON COLUMN lineage.judgements.in_force IS 'True for the newest judgement of each version.';
COMMENT ON COLUMN lineage.judgements.reference_fingerprint IS 'Hash of what the gate looked at beside the version: what it refers to or compares with. NULL if that is nothing.';

CREATE TABLE hot.check_results (
    judgement BIGINT NOT NULL, rule VARCHAR NOT NULL, column_name VARCHAR, kind VARCHAR NOT NULL,
    severity VARCHAR NOT NULL, passed BOOLEAN NOT NULL, failing_rows BIGINT,
    total_rows BIGINT NOT NULL, observed VARCHAR, expected VARCHAR, sample VARCHAR[] NOT NULL,
    message VARCHAR NOT NULL, rule_fingerprint UUID
);
CREATE VIEW lineage.check_results AS FROM hot.check_results;
COMMENT ON VIEW lineage.check_results IS 'One row per rule within a judgement.';
COMMENT ON COLUMN lineage.check_results.judgement IS 'Judgement that the rule is part of.';
COMMENT ON COLUMN lineage.check_results.rule IS 'Name of the rule, such as isin, not_nullable or the name of a check.';
COMMENT ON COLUMN lineage.check_results.column_name IS 'Column that the rule is about, NULL for a rule on the whole frame.';
COMMENT ON COLUMN lineage.check_results.kind IS 'row (failing rows are known one by one) or frame (the partition as a whole fails).';
COMMENT ON COLUMN lineage.check_results.severity IS 'error or warning.';
COMMENT ON COLUMN lineage.check_results.passed IS 'Whether the rule passed.';
COMMENT ON COLUMN lineage.check_results.failing_rows IS 'Rows that fail this rule, NULL for a frame rule. A row may fail several rules.';
COMMENT ON COLUMN lineage.check_results.total_rows IS 'Rows that were judged.';
COMMENT ON COLUMN lineage.check_results.observed IS 'What was seen, as text.';
COMMENT ON COLUMN lineage.check_results.expected IS 'What the rule asks for, as text.';
COMMENT ON COLUMN lineage.check_results.sample IS 'Up to five distinct failing values, as text.';
COMMENT ON COLUMN lineage.check_results.message IS 'The result in one sentence.';
COMMENT ON COLUMN lineage.check_results.rule_fingerprint IS 'Hash of the rule as it was written then; NULL where that is not known any more.';

CREATE TABLE hot.judgement_edges (judgement BIGINT NOT NULL, upstream BIGINT NOT NULL);
CREATE VIEW lineage.judgement_edges AS FROM hot.judgement_edges;
COMMENT ON VIEW lineage.judgement_edges IS 'One row per version that a gate looked at beside the one that it judged: what that refers to, or is compared with.';
COMMENT ON COLUMN lineage.judgement_edges.judgement IS 'The judgement.';
COMMENT ON COLUMN lineage.judgement_edges.upstream IS 'Version that it looked at.';

CREATE TABLE lineage.production (
    asset VARCHAR NOT NULL, partition VARCHAR NOT NULL, materialization BIGINT NOT NULL,
    promotion BIGINT NOT NULL, since TIMESTAMP NOT NULL, judgement BIGINT
);
COMMENT ON TABLE lineage.production IS 'One row per live partition: what production.<asset> shows now.';
COMMENT ON COLUMN lineage.production.asset IS 'Asset or source.';
COMMENT ON COLUMN lineage.production.partition IS 'Partition key; empty if the asset is unpartitioned.';
COMMENT ON COLUMN lineage.production.materialization IS 'Version that is live.';
COMMENT ON COLUMN lineage.production.promotion IS 'Entry into production that made it live.';
COMMENT ON COLUMN lineage.production.since IS 'When it became live, in UTC.';
COMMENT ON COLUMN lineage.production.judgement IS 'Judgement in force on the live version; NULL for a source.';

CREATE TABLE hot.promotions (
    promotion BIGINT NOT NULL, asset VARCHAR NOT NULL, partition VARCHAR NOT NULL,
    kind VARCHAR NOT NULL, materialization BIGINT, previous BIGINT, promoted_at TIMESTAMP NOT NULL,
    snapshot BIGINT NOT NULL, run BIGINT NOT NULL, actor VARCHAR NOT NULL, reason VARCHAR,
    judgement BIGINT
);
CREATE VIEW lineage.promotions AS FROM hot.promotions;
COMMENT ON VIEW lineage.promotions IS 'One row per entry into production and per withdrawal from it; nothing is ever removed.';
COMMENT ON COLUMN lineage.promotions.promotion IS 'Number of the entry, rising in the order of commits.';
COMMENT ON COLUMN lineage.promotions.asset IS 'Asset or source.';
COMMENT ON COLUMN lineage.promotions.partition IS 'Partition key; empty if the asset is unpartitioned.';
COMMENT ON COLUMN lineage.promotions.kind IS 'promote, split, release (by a person), replay (refused data that passed when it was judged again), observe (a source), rollback or withdraw.';
COMMENT ON COLUMN lineage.promotions.materialization IS 'Version that became live; NULL where the partition left production: by a withdrawal, or a rollback to a time before it.';
COMMENT ON COLUMN lineage.promotions.previous IS 'Version that was live before, NULL if none was.';
COMMENT ON COLUMN lineage.promotions.promoted_at IS 'When the commit made it so, in UTC.';
COMMENT ON COLUMN lineage.promotions.snapshot IS 'First snapshot that shows it.';
COMMENT ON COLUMN lineage.promotions.run IS 'Run that did it.';
COMMENT ON COLUMN lineage.promotions.actor IS 'Who did it.';
COMMENT ON COLUMN lineage.promotions.reason IS 'Why a person did it; NULL where the gate decided.';
COMMENT ON COLUMN lineage.promotions.judgement IS 'Judgement that let it in (of a rollback: at first), or that a release overruled; NULL for a source.';

CREATE TABLE hot.quarantine (
    materialization BIGINT NOT NULL, asset VARCHAR NOT NULL, partition VARCHAR NOT NULL,
    scope VARCHAR NOT NULL, rows BIGINT NOT NULL, bytes BIGINT NOT NULL, path VARCHAR NOT NULL,
    schema_hash UUID NOT NULL, status VARCHAR NOT NULL, quarantined_at TIMESTAMP NOT NULL,
    decided_at TIMESTAMP, actor VARCHAR, reason VARCHAR, judgement BIGINT NOT NULL
);
CREATE VIEW lineage.quarantine AS FROM hot.quarantine;
COMMENT ON VIEW lineage.quarantine IS 'One row per version that was held as a whole or had rows rejected.';
COMMENT ON COLUMN lineage.quarantine.materialization IS 'Version that was refused, or that rows were rejected from.';
COMMENT ON COLUMN lineage.quarantine.asset IS 'Asset of the version.';
COMMENT ON COLUMN lineage.quarantine.partition IS 'Partition key; empty if the asset is unpartitioned.';
COMMENT ON COLUMN lineage.quarantine.scope IS 'partition (all of it is held) or rows (only the rejected rows are here).';
COMMENT ON COLUMN lineage.quarantine.rows IS 'Rows in the quarantined file.';
COMMENT ON COLUMN lineage.quarantine.bytes IS 'Size of that file.';
COMMENT ON COLUMN lineage.quarantine.path IS 'Where that file was put, relative to quarantine/; empty once vacuum has removed it.';
COMMENT ON COLUMN lineage.quarantine.schema_hash IS 'Columns of that file, the reasons included: see lineage.schemas.';
COMMENT ON COLUMN lineage.quarantine.status IS 'held (open, shown by quarantine.<asset>), released, replayed (judged again, and in production), discarded, or superseded by a newer version of the partition.';
COMMENT ON COLUMN lineage.quarantine.quarantined_at IS 'When it was refused, in UTC.';
COMMENT ON COLUMN lineage.quarantine.decided_at IS 'When it was closed, in UTC; NULL while it is open.';
COMMENT ON COLUMN lineage.quarantine.actor IS 'Who closed it; NULL while it is open.';
COMMENT ON COLUMN lineage.quarantine.reason IS 'Why a person closed it; NULL where nobody did.';
COMMENT ON COLUMN lineage.quarantine.judgement IS 'Judgement that refused it.';

CREATE TABLE lineage.alerts (
    alert BIGINT NOT NULL, channel VARCHAR NOT NULL, event VARCHAR NOT NULL,
    severity VARCHAR NOT NULL, asset VARCHAR NOT NULL, partitions INTEGER NOT NULL,
    partition_keys VARCHAR[] NOT NULL, message VARCHAR NOT NULL, run BIGINT NOT NULL,
    raised_at TIMESTAMP NOT NULL, status VARCHAR NOT NULL, sent_at TIMESTAMP,
    tries INTEGER NOT NULL, last_error VARCHAR
);
COMMENT ON TABLE lineage.alerts IS 'One row per alert and channel: what people were told, or are yet to be told. Empty until alerts are configured.';
COMMENT ON COLUMN lineage.alerts.alert IS 'Number of the alert, the same for all its channels.';
COMMENT ON COLUMN lineage.alerts.channel IS 'Where it goes: env:NAME, or the beginning of the URL or the name of the command, with a few digits that tell two of them apart. Never the URL itself.';
COMMENT ON COLUMN lineage.alerts.event IS 'failed, held, late or released.';
COMMENT ON COLUMN lineage.alerts.severity IS 'error (failed, held) or warning (late, released).';
COMMENT ON COLUMN lineage.alerts.asset IS 'Asset it is about.';
COMMENT ON COLUMN lineage.alerts.partitions IS 'Number of partitions it is about.';
COMMENT ON COLUMN lineage.alerts.partition_keys IS 'Keys of these partitions, in order.';
COMMENT ON COLUMN lineage.alerts.message IS 'Why, in one line.';
COMMENT ON COLUMN lineage.alerts.run IS 'Run that brought it about; for late the newest run at that time.';
COMMENT ON COLUMN lineage.alerts.raised_at IS 'When it was first tried to tell, in UTC.';
COMMENT ON COLUMN lineage.alerts.status IS 'sent, or waiting for the next run to send it.';
COMMENT ON COLUMN lineage.alerts.sent_at IS 'When it was sent, in UTC; NULL while it is waiting.';
COMMENT ON COLUMN lineage.alerts.tries IS 'How often sending was tried.';
COMMENT ON COLUMN lineage.alerts.last_error IS 'Why the last try failed; NULL if it did not.';
