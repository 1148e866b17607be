"""Assets that read what is outside: made again by the clock, or once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conftest import Mill
from millgate.errors import DeclarationError
from millgate.model.refresh import Refresh

OUTSIDE = """
from pathlib import Path

import polars as pl

from millgate import Daily, Partition, Refresh, asset

outside = Path(__file__).parents[1] / "outside"
days = Daily("2024-01-01")


@asset(partitions=days, refresh=REFRESH)
def taken(partition: Partition) -> pl.DataFrame:
    return pl.DataFrame({"n": [int(outside.read_text())]})


@asset(partitions=days)
def used(taken: pl.LazyFrame) -> pl.LazyFrame:
    return taken
"""


def write(mill: Mill, refresh: str, n: int = 1) -> None:
    mill.write("assets/outside.py", OUTSIDE.replace("REFRESH", refresh))
    mill.write("outside", str(n))


def test_a_partition_is_due_until_its_window_is_long_closed(mill: Mill) -> None:
    write(mill, 'Refresh(every="6h", until="2d")')
    assert mill.run().exit_status == 0
    mill.now += timedelta(hours=5)
    assert mill.plan().steps == ()
    mill.now += timedelta(hours=2)
    assert mill.steps(mill.plan("taken")) == [
        ("taken@2024-01-04", "make", "refresh due"),
        ("taken@2024-01-05", "make", "refresh due"),
    ]
    report = mill.run()
    assert {str(d.step): d.outcome for d in report.done} == {
        "taken@2024-01-04": "made",
        "taken@2024-01-05": "made",
        "used@2024-01-04": "unchanged",
        "used@2024-01-05": "unchanged",
    }
    assert mill.plan().steps == ()
    mill.write("outside", "2")
    mill.now += timedelta(hours=7)
    assert len(mill.run().having("made")) == 4
    assert mill.sql("SELECT n FROM production.used ORDER BY date") == [(1,)] * 4 + [(2,)] * 2


def test_without_an_end_it_is_due_for_ever(mill: Mill) -> None:
    write(mill, 'Refresh("6h")')
    mill.run()
    mill.now += timedelta(hours=6)
    assert len(mill.plan("taken").steps) == 5


def test_what_is_never_refreshed_is_made_for_the_newest_key(mill: Mill) -> None:
    write(mill, '"never"')
    report = mill.run("taken")
    assert [str(d.step) for d in report.having("made")] == ["taken@2024-01-05"]
    write(mill, '"never"', n=2)
    mill.write("assets/outside.py", (mill.root / "assets/outside.py").read_text() + "\nx = 1\n")
    mill.now += timedelta(days=1)
    plan = mill.plan("taken")
    assert mill.steps(plan) == [("taken@2024-01-06", "make", "missing")]
    assert (plan.missed, plan.fresh) == ({"taken": 4}, {"taken": 1})
    assert [str(s) for s in mill.plan("taken@2024-01-02").steps] == []
    assert [str(s) for s in mill.plan("taken@2024-01-02", force=True).steps] == ["taken@2024-01-02"]
    made = mill.run("taken@2024-01-01..2024-01-02", "backfill").having("made")
    assert sorted(str(d.step) for d in made) == ["taken@2024-01-01", "taken@2024-01-02"]
    assert mill.plan("taken").missed == {"taken": 2}


def test_what_is_made_once_stays_where_its_code_changed(mill: Mill) -> None:
    write(mill, '"never"')
    mill.run("taken")
    mill.write(
        "assets/outside.py",
        (mill.root / "assets/outside.py").read_text().replace("int(", "1 + int("),
    )
    assert mill.plan("taken").steps == ()
    assert len(mill.plan("taken@2024-01-05", force=True).steps) == 1


def test_a_sql_header_takes_the_same(mill: Mill) -> None:
    mill.write("assets/a.sql", '-- refresh: Refresh(every="1d")\nSELECT 1 AS n')
    mill.write("assets/b.sql", '-- refresh: "never"\nSELECT 1 AS n')
    mill.run()
    mill.now += timedelta(days=1)
    assert mill.steps(mill.plan()) == [("a", "make", "refresh due")]


def test_what_is_no_refresh_is_refused(mill: Mill) -> None:
    write(mill, '"6h"')
    with pytest.raises(DeclarationError, match="is no Refresh"):
        mill.plan()
    with pytest.raises(DeclarationError, match="not a duration"):
        Refresh("often")
