"""The demo as README runs it: a whole year, looked at with nothing but duckdb."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

REPOSITORY = Path(__file__).parents[2]
DAILY = ["busiest_routes_7d", "daily_delays", "flight_weather", "flights", "weather"]


def millgate(project: Path, *arguments: str) -> dict[str, Any]:
    """The JSON document that a command prints in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "millgate", "--json", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    assert document["exit"] == ran.returncode
    return document


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project after its whole year was backfilled."""
    project = tmp_path_factory.mktemp("demo")
    shutil.copytree(REPOSITORY / "assets", project / "assets")
    shutil.copy(REPOSITORY / "pyproject.toml", project)
    assert millgate(project, "backfill", "--all", "--yes")["exit"] in (0, 3)
    return project


def ask(project: Path, query: str) -> list[tuple[Any, ...]]:
    database = str((project / "warehouse" / "warehouse.duckdb").resolve())
    with duckdb.connect(database, read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_every_reported_flight_is_in_production_or_in_quarantine(year: Path) -> None:
    good, rejected = ask(
        year,
        "SELECT (SELECT count(*) FROM production.flights), "
        "(SELECT count(*) FROM quarantine.flights)",
    )[0]
    assert good + rejected == 336_776
    assert rejected == 8_259
    why = ask(
        year,
        "SELECT reason.rule, count(*) FROM quarantine.flights, "
        "unnest(quarantine_reasons) AS reasons(reason) GROUP BY ALL",
    )
    assert dict(why) == {"departed": 8_255, "flyable_speed": 4}


def test_every_day_is_live_and_none_is_held(year: Path) -> None:
    live = dict(ask(year, "SELECT asset, count(*) FROM lineage.production GROUP BY asset"))
    assert {name: live[name] for name in DAILY} == dict.fromkeys(DAILY, 365)
    assert live["monthly_punctuality"] == 12
    held = ask(year, "SELECT count(*) FROM lineage.quarantine WHERE scope = 'partition'")
    assert held == [(0,)]
    assert ask(year, "SELECT count(*) FROM production.weather WHERE date = '2013-12-31'") == [(0,)]


def test_every_input_stands_in_the_edges(year: Path) -> None:
    reads = dict(
        ask(
            year,
            """
            SELECT d.asset || ' < ' || u.asset, count(*) FROM lineage.materialization_edges e
            JOIN lineage.materializations u ON u.materialization = e.upstream
            JOIN lineage.materializations d ON d.materialization = e.downstream GROUP BY ALL
            """,
        )
    )
    assert reads["flights < all_flights"] == 365
    assert reads["flight_weather < flights"] == reads["flight_weather < weather"] == 365
    assert reads["monthly_punctuality < daily_delays"] == 365
    assert reads["busiest_routes_7d < flights"] == 7 * 365 - 21
    unread = ask(
        year,
        """
        SELECT asset FROM lineage.materializations m WHERE kind <> 'observed' AND NOT EXISTS (
            FROM lineage.materialization_edges e WHERE e.downstream = m.materialization
        )
        """,
    )
    assert unread == []


def test_production_prunes_by_its_partition_column(year: Path) -> None:
    plan = ask(year, "EXPLAIN ANALYZE FROM production.flights WHERE date = DATE '2013-02-09'")
    assert "Total Files Read: 1" in plan[0][1]


def test_a_second_backfill_plans_nothing(year: Path) -> None:
    before = ask(year, "SELECT max(snapshot) FROM lineage.snapshots")
    assert millgate(year, "plan")["data"]["steps"] == []
    assert millgate(year, "backfill", "--all", "--yes")["exit"] == 0
    assert ask(year, "SELECT max(snapshot) FROM lineage.snapshots") == before


def test_a_change_is_named_and_runs_only_what_it_reaches(year: Path) -> None:
    source = year / "assets" / "reports" / "monthly_punctuality.py"
    text = source.read_text(encoding="utf-8")
    source.write_text(f"# A comment that changes nothing.\n\n{text}", encoding="utf-8")
    assert millgate(year, "plan")["data"]["steps"] == []
    source = year / "assets" / "operations" / "weather.py"
    text = source.read_text(encoding="utf-8")
    assert ".filter(" in text
    source.write_text(text.replace(".filter(", ".filter(pl.lit(True)).filter(", 1), "utf-8")
    steps = millgate(year, "plan", "weather+@2013-03")["data"]["steps"]
    assert {(s["asset"], s["cause"]) for s in steps} == {
        ("weather", "code changed"),
        ("flight_weather", "input planned"),
    }
    done = millgate(year, "materialize", "weather+@2013-03", "--yes")["data"]
    made = ask(
        year,
        "SELECT asset, outcome, count(*) FROM lineage.steps "
        "WHERE run = (SELECT max(run) FROM lineage.runs) GROUP BY ALL ORDER BY ALL",
    )
    assert made == [("flight_weather", "unchanged", 31), ("weather", "made", 31)], done
