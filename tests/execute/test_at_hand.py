"""What a run has just made is handed on in memory where it is small, and comes to the same."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from conftest import Mill
from millgate.execute import at_hand
from millgate.execute.at_hand import AtHand
from millgate.store import reading

SMALL = pl.DataFrame({"n": [1, 2], "s": ["a", None]})

CHAIN = """
from typing import Annotated

import polars as pl

from millgate import Daily, Gate, Partition, Window, asset

days = Daily("2012-01-01", end="2012-01-12", batch={batch})


@asset(partitions=days)
def one(partitions: list[Partition]) -> pl.DataFrame:
    made = pl.DataFrame({{"date": [p["date"] for p in partitions]}})
    return made.with_columns(n=pl.col("date").dt.day(), s=pl.col("date").dt.strftime("%a"))


@asset(partitions=days)
def greedy(one: pl.DataFrame, partitions: list[Partition]) -> pl.DataFrame:
    one.drop_in_place("s")
    one.insert_column(0, pl.Series("m", [7] * one.height))
    return one


@asset(partitions=days)
def two(one: pl.LazyFrame, partitions: list[Partition]) -> pl.LazyFrame:
    return one.with_columns(pl.col("n") * 2)


@asset(partitions=Daily("2012-01-01", end="2012-01-12"))
def keyless(one: pl.DataFrame) -> pl.DataFrame:
    return one.select("n", "s")


@asset(partitions=Daily("2012-01-03", end="2012-01-12"))
def recent(keyless: Annotated[pl.DataFrame, Window(-2, 0)]) -> pl.DataFrame:
    return keyless.group_by("s", "date").agg(pl.col("n").sum()).sort("s").rename({{"date": "day"}})


@asset
def total(keyless: pl.LazyFrame, greedy: pl.LazyFrame, two: pl.DataFrame) -> pl.DataFrame:
    joined = keyless.join(greedy, on="n").collect()
    return joined.join(two, on="date").sort("date")
"""

HASHES = (
    "SELECT asset, partition, data_hash FROM lineage.production "
    "JOIN lineage.materializations USING (materialization, asset, partition) ORDER BY ALL"
)
BY_SQL = "SELECT date, sum(n) AS n FROM one GROUP BY date"


@pytest.mark.parametrize("batch", [None, 5])
def test_a_run_that_reads_everything_again_makes_the_same(
    mill: Mill, batch: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CHAIN.format(batch=batch)
    if batch is None:
        text = text.replace('[p["date"] for p in partitions]', '[partition["date"]]')
        text = text.replace("partitions: list[Partition]", "partition: Partition")
    mill.write("assets/chain.py", text)
    mill.write("assets/by_sql.sql", BY_SQL)
    names = ("one", "greedy", "two", "keyless", "recent", "total", "by_sql")
    found = []
    for reads in (False, True):
        if reads:
            monkeypatch.setattr(AtHand, "all_of", lambda *_: {})
        report = mill.run(force=reads)
        assert report.exit_status == 0, report
        found.append({name: mill.sql(f"FROM production.{name} ORDER BY ALL") for name in names})
        found[-1]["hashes"] = mill.sql(HASHES)
    assert found[0] == found[1]


def test_no_file_is_opened_for_what_is_at_hand(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    mill.write("assets/chain.py", CHAIN.format(batch=5))

    def opened(*_: object, **__: object) -> pl.LazyFrame:
        raise AssertionError("a file is read")

    monkeypatch.setattr(reading, "scan_version", opened)
    monkeypatch.setattr(reading.pl, "scan_parquet", opened)
    assert mill.run("one+", force=True).exit_status == 0


def test_the_oldest_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(SMALL.write_ipc_stream(None).getvalue())
    monkeypatch.setattr(at_hand, "_LIMIT_BYTES", 3 * size)
    kept, files = AtHand(), [Path(str(number)) for number in range(4)]
    for file in files:
        kept.keep(file, SMALL)
    assert not kept.all_of(files)
    assert not kept.all_of(files[:1])
    assert list(kept.all_of(files[1:])) == files[1:]
    kept.keep(files[1], SMALL)
    assert list(kept.all_of(files[1:])) == files[1:]


def test_only_small_ones_are_kept_and_what_is_written_again_is_new() -> None:
    kept, file = AtHand(), Path("a")
    kept.keep(file, SMALL)
    kept.keep(file, SMALL.head(1))
    assert_frame_equal(kept.all_of([file])[file], SMALL.head(1))
    kept.keep(file, pl.DataFrame({"n": range(1_000_000)}))
    assert not kept.all_of([file])


def test_what_one_does_to_a_frame_another_does_not_see() -> None:
    kept, file = AtHand(), Path("a")
    kept.keep(file, SMALL)
    taken = kept.all_of([file])[file]
    taken.drop_in_place("s")
    taken.extend(taken.clone())
    assert_frame_equal(kept.all_of([file])[file], SMALL)
