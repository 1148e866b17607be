"""Dagster: runs in this process on a persistent SQLite instance in OUT/.dagster.

    python dagster_peer.py w1 OUT [--days 100]         a run for each partition
    python dagster_peer.py w1_range OUT [--days 100]   one run for all (BackfillPolicy.single_run)
    python dagster_peer.py w2 SOURCE OUT [--days 31]   a run for each day, a blocking asset check

An I/O manager writes one Parquet file for each partition, as its manual shows. At the end W2 makes
the aggregate of the first rejected day alone, and prints what came of that.
"""

import os
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)
from raw_polars import aggregated, failures
from raw_polars import cleaned as cleaned_rows
from work import ASSETS, FIRST, called, days, first_rows, write

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class PolarsParquet(dg.ConfigurableIOManager):
    root: str

    def path_of(self, asset: dg.AssetKey, partition: str) -> Path:
        return Path(self.root, asset.path[-1], f"{partition}.parquet")

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        path = self.path_of(context.asset_key, context.partition_key)
        path.parent.mkdir(exist_ok=True)
        obj.write_parquet(path)

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        return pl.read_parquet(self.path_of(context.asset_key, context.partition_key))


class PolarsParquetRange(PolarsParquet):
    """Several partitions in one run: a frame for each key."""

    def handle_output(self, context: dg.OutputContext, obj: dict[str, pl.DataFrame]) -> None:
        Path(self.root, context.asset_key.path[-1]).mkdir(exist_ok=True)
        for partition, frame in obj.items():
            frame.write_parquet(self.path_of(context.asset_key, partition))

    def load_input(self, context: dg.InputContext) -> dict[str, pl.DataFrame]:
        keys = context.asset_partition_keys
        return {key: pl.read_parquet(self.path_of(context.asset_key, key)) for key in keys}


def instance_in(out: Path) -> dg.DagsterInstance:
    """A persistent instance that sends no telemetry."""
    write(out, {".dagster/dagster.yaml": "telemetry:\n  enabled: false\n"})
    os.environ["DAGSTER_HOME"] = str(out / ".dagster")
    return dg.DagsterInstance.get()


def daily(count: int) -> dg.DailyPartitionsDefinition:
    return dg.DailyPartitionsDefinition(str(FIRST), end_date=str(FIRST + timedelta(days=count)))


def rows_of(key: str) -> pl.DataFrame:
    return pl.DataFrame(first_rows(date.fromisoformat(key)))


def linked(count: int) -> list[dg.AssetsDefinition]:
    """The chain of W1."""
    partitions = daily(count)

    @dg.asset(name="a0", partitions_def=partitions)
    def first(context: dg.AssetExecutionContext) -> pl.DataFrame:
        return rows_of(context.partition_key)

    def link(number: int) -> dg.AssetsDefinition:
        @dg.asset(
            name=f"a{number}",
            ins={"frame": dg.AssetIn(f"a{number - 1}")},
            partitions_def=partitions,
        )
        def follow(frame: pl.DataFrame) -> pl.DataFrame:
            return frame.with_columns(v=pl.col("v") + 1)

        return follow

    return [first, *map(link, range(1, ASSETS))]


def linked_range(count: int) -> list[dg.AssetsDefinition]:
    """The chain of W1 where one run makes all partitions."""
    options = {"partitions_def": daily(count), "backfill_policy": dg.BackfillPolicy.single_run()}

    @dg.asset(name="a0", **options)
    def first(context: dg.AssetExecutionContext) -> dict[str, pl.DataFrame]:
        return {key: rows_of(key) for key in context.partition_keys}

    def link(number: int) -> dg.AssetsDefinition:
        @dg.asset(name=f"a{number}", ins={"frames": dg.AssetIn(f"a{number - 1}")}, **options)
        def follow(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
            return {key: frame.with_columns(v=pl.col("v") + 1) for key, frame in frames.items()}

        return follow

    return [first, *map(link, range(1, ASSETS))]


def check_recorded(instance: dg.DagsterInstance, count: int) -> None:
    last = dg.AssetKey(f"a{ASSETS - 1}")
    assert len(instance.get_materialized_partitions(last)) == count


def chain(out: Path, count: int) -> None:
    """W1, a run for each partition."""
    instance, assets = instance_in(out), linked(count)
    resources = {"io_manager": PolarsParquet(root=str(out))}
    for day in days(count):
        done = dg.materialize(
            assets,
            partition_key=str(day),
            instance=instance,
            resources=resources,
            run_config=QUIET,
        )
        assert done.success
    check_recorded(instance, count)


def chain_range(out: Path, count: int) -> None:
    """W1, one run for all partitions."""
    instance = instance_in(out)
    done = dg.materialize(
        linked_range(count),
        instance=instance,
        resources={"io_manager": PolarsParquetRange(root=str(out))},
        run_config=QUIET,
        tags={
            ASSET_PARTITION_RANGE_START_TAG: str(days(count)[0]),
            ASSET_PARTITION_RANGE_END_TAG: str(days(count)[-1]),
        },
    )
    assert done.success
    check_recorded(instance, count)


def month(source: Path, out: Path, count: int) -> None:
    """W2."""
    instance, partitions = instance_in(out), daily(count)

    @dg.asset(partitions_def=partitions)
    def cleaned(context: dg.AssetExecutionContext) -> pl.DataFrame:
        return cleaned_rows(f"{source}/{context.partition_key}.parquet")

    @dg.asset_check(asset=cleaned, blocking=True, partitions_def=partitions)
    def cleaned_ok(cleaned: pl.DataFrame) -> dg.AssetCheckResult:
        found = failures(cleaned)
        return dg.AssetCheckResult(passed=not found, metadata=found)

    @dg.asset(partitions_def=partitions)
    def daily_agg(cleaned: pl.DataFrame) -> pl.DataFrame:
        return aggregated(cleaned)

    def run(day: date, selection: list[str] | None = None) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            [cleaned, cleaned_ok, daily_agg],
            selection=selection,
            partition_key=str(day),
            instance=instance,
            raise_on_error=False,
            resources={"io_manager": PolarsParquet(root=str(out))},
            run_config=QUIET,
        )

    rejected = [day for day in days(count) if not run(day).success]
    for day in rejected:
        print(day, "rejected")
    if rejected:
        again = run(rejected[0], ["daily_agg"])
        print("the aggregate of", rejected[0], "alone:", "made" if again.success else "refused")


if __name__ == "__main__":
    called(w1=chain, w1_range=chain_range, w2=month)
