"""Paths: one scheme for versions, quarantine and production, safe for any key."""

from pathlib import Path

import duckdb
import pytest

from millgate.model.dimension import Keys
from millgate.model.grain import Daily
from millgate.model.partition import Partition, Partitions
from millgate.store.layout import Layout

LAYOUT = Layout(Path("/p"), Path("/p/warehouse"), Path("/p/quarantine"))
MADE = 118_000_045


def partition(asset: str, **values: str) -> Partition:
    return Partition(asset, "/".join(values.values()), values, dict(values), None, None)


@pytest.mark.parametrize(
    ("of", "folder"),
    [
        (partition("planes"), "planes"),
        (partition("flights", date="2013-01-01"), "flights/date=2013-01-01"),
        (partition("f", date="2013-01-01", airport="EWR"), "f/date=2013-01-01/airport=EWR"),
        (partition("f", hour="2013-11-03T05:00Z"), "f/hour=2013-11-03T05%3A00Z"),
        (partition("f", region="a=b %&é"), "f/region=a%3Db%20%25%26%C3%A9"),
    ],
)
def test_a_partition_has_one_folder_everywhere(of: Partition, folder: str) -> None:
    assert LAYOUT.version_path(of, MADE) == f"{folder}/118-45.parquet"
    assert LAYOUT.quarantine_path(of, MADE) == f"{folder}/118-45"
    assert LAYOUT.production_folder(of) == Path("/p/warehouse/production", folder)


def test_a_model_partition_is_laid_out_in_the_order_of_its_dimensions() -> None:
    partitions = Partitions((Daily("2013-01-01"), Keys("EWR", "JFK", name="airport")))
    of = partitions.partition("flights", "2013-01-02/JFK")
    assert LAYOUT.version_path(of, MADE) == "flights/date=2013-01-02/airport=JFK/118-45.parquet"
    assert of in {partitions.partition("flights", "2013-01-02/JFK")}, "it can be a key of Links"


@pytest.mark.parametrize(
    "key", ["São Paulo & co", "100 %", "a+b", "x=y", "#1?", "2013-11-03T05:00Z"]
)
def test_duckdb_reads_the_key_back_from_the_path(tmp_path: Path, key: str) -> None:
    path = tmp_path / LAYOUT.version_path(partition("a", region=key), MADE)
    path.parent.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1 AS value) TO '{path}' (FORMAT parquet)")
        found = connection.execute(
            "SELECT region FROM read_parquet(?, hive_partitioning = true)", [str(path)]
        ).fetchall()
    assert found == [(key,)]


def test_a_snapshot_names_its_database_after_the_warehouse() -> None:
    assert LAYOUT.snapshot(42) == Path("/p/warehouse/snapshots/00000042/warehouse.duckdb")
    assert LAYOUT.snapshot(123_456_789).parent.name == "123456789"
    assert LAYOUT.draft.name == LAYOUT.database.name


def test_what_a_run_has_lies_under_its_number() -> None:
    assert LAYOUT.run_file(7) == Path("/p/warehouse/runs/7")
    assert LAYOUT.staged(7, 7_000_002) == LAYOUT.staging(7) / "7000002.parquet"
    assert LAYOUT.log_file(7, "planes", "", 1) == Path("/p/warehouse/logs/7/planes.1.log")
    log = LAYOUT.log_file(7, "flights", "2013-01-01/E W", 2)
    assert log == Path("/p/warehouse/logs/7/flights@2013-01-01%2FE%20W.2.log")


def test_a_log_of_a_long_key_has_a_name_that_fits_and_is_its_own() -> None:
    names = {LAYOUT.log_file(1, "a", "é" * 90 + last, 1).name for last in "xy"}
    assert len(names) == 2
    assert all(len(name) < 255 for name in names)
