from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from millgate.cli.show_asset import Shown, asset_data, asset_lines, described
from millgate.lineage.questions import AssetHealth
from millgate.model.asset import Asset, Env, Retry, Source
from millgate.model.dimension import Keys
from millgate.model.grain import Daily, Hourly, Monthly, Weekly
from millgate.model.partition import Partitions
from millgate.model.policy import Gate
from millgate.model.record import Edge
from millgate.model.schema import Column, Schema


@dataclass(frozen=True)
class StatedRule:
    name: str
    column: str | None
    expected: str | None
    severity: str = "error"


class Flight:
    """Stands for a schema, of which only the name is shown."""


FLIGHTS = Asset(
    name="flights",
    partitions=Partitions((Daily("2013-01-01", tz="America/New_York"),)),
    owner="operations",
    tags=frozenset({"gold", "core"}),
    group="air/base",
    description="Flights that left New York, one row each.",
    defined_in="assets/air/base/flights.py:12",
    gate=Gate(Flight, on_failure="split", max_rejected=0.6),
    retries=Retry(3),
    settings={"dsn": Env("ERP_DSN")},
)


HEALTH = AssetHealth(
    "flights", "asset", None, True, 7, "2013-01-07", None, 0, 0, held=1, failed=0, blocked=0
)


def shown(node=FLIGHTS, **more):
    given = {
        "reads": (Edge("all_flights", "flights", "data", "all of it"),),
        "read_by": ("daily_delays", "flight_weather"),
        "rules": (
            StatedRule("dtype", "origin", "String"),
            StatedRule("not_nullable", "origin", "not null"),
            StatedRule("isin", "origin", "in ['EWR', 'JFK']"),
            StatedRule("far", "distance", "A flight goes somewhere.", "warning"),
            StatedRule("dtype", "gate", "Int64"),
            StatedRule("gates", "gate", None),
            StatedRule("every_airport", None, "Some flight leaves every airport."),
        ),
        "columns": Schema((Column("origin", "VARCHAR"), Column("distance", "BIGINT"))),
        "health": HEALTH,
        **more,
    }
    return Shown(node, **given)


def test_an_asset():
    assert "\n".join(line.plain for line in asset_lines(shown(), 80)) == (
        "flights  asset\n"
        "Flights that left New York, one row each.\n"
        "\n"
        " defined in  assets/air/base/flights.py:12\n"
        " owner       operations\n"
        " group       air/base\n"
        " tags        core, gold\n"
        " partitions  daily from 2013-01-01 (America/New_York)\n"
        " gate        Flight, failing rows are split off unless more than 60 % fail\n"
        " retries     3\n"
        " settings    ERP_DSN\n"
        " live        7 partitions, the last 2013-01-07; 1 held\n"
        " read by     daily_delays, flight_weather\n"
        "\n"
        " made from    partitions\n"
        " all_flights  all of it\n"
        "\n"
        " column    type     checks\n"
        " origin    VARCHAR  not null, in ['EWR', 'JFK']\n"
        " distance  BIGINT   far (A flight goes somewhere.) (only a warning)\n"
        " gate      Int64    gates\n"
        "\n"
        " checks on the whole\n"
        " every_airport (Some flight leaves every airport.)\n"
        "Next: millgate status flights"
    )


def test_the_storage_is_named_where_it_is_another_one():
    assert "storage" not in "".join(map(str, asset_lines(shown(), None)))
    lines = list(map(str, asset_lines(shown(replace(FLIGHTS, storage="duckdb")), None)))
    assert " storage     duckdb files" in lines
    assert asset_data(shown(FLIGHTS))["storage"] == "parquet"


def test_a_source_that_nothing_reads():
    node = Source(name="raw", location="data/{date}.csv", defined_in="assets/raw.py:3")
    lines = asset_lines(shown(node, reads=(), read_by=(), rules=(), columns=None, health=None), 80)
    assert "\n".join(line.plain for line in lines) == (
        "raw  source\n"
        "\n"
        " defined in  assets/raw.py:3\n"
        " partitions  none\n"
        " location    data/{date}.csv\n"
        " live        nothing yet"
    )


@pytest.mark.parametrize(
    ("partitions", "expected"),
    [
        (Partitions(), "none"),
        (Hourly("2013-01-01"), "hourly from 2013-01-01 (UTC)"),
        (Weekly("2013-01-07", end="2013-02-04"), "weekly from 2013-01-07 to 2013-02-04 (UTC)"),
        (Monthly("2013-01", offset="14d"), "monthly from 2013-01 + 14d (UTC)"),
        (Keys(of="regions.region"), "region (the values of regions.region)"),
        (Keys(*"abcdefghij", name="letter"), "letter (a, b, c, d, e, f, g, h and 2 more)"),
    ],
)
def test_partitionings_in_words(partitions, expected):
    given = partitions if isinstance(partitions, Partitions) else Partitions((partitions,))
    assert described(given) == expected


def test_a_program_gets_names_of_the_tables():
    data = asset_data(shown())
    assert data["asset_group"] == "air/base"
    assert data["health"] == HEALTH
    assert data["checks"][2:3] == [
        {
            "rule": "isin",
            "column_name": "origin",
            "severity": "error",
            "expected": "in ['EWR', 'JFK']",
        }
    ]
