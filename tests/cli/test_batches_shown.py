"""Batches as the command line tells of them, and the command that checks them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from conftest import Mill
from millgate.cli.main import main

Told = Callable[..., tuple[int, str]]

SALES = """
import polars as pl

from millgate import Daily, Partition, asset


@asset(partitions=Daily("2024-01-01", end="2024-01-05"))
def sales(partition: Partition) -> pl.DataFrame:
    day = partition["date"].day
    return pl.DataFrame({"shop": ["a", "b"], "amount": [day, 2 * day]})


@asset(partitions=Daily("2024-01-01", end="2024-01-05", batch=4))
def failing(sales: pl.DataFrame, partitions: list[Partition]) -> pl.DataFrame:
    print("not the answer")
    raise ValueError(f"no {len(partitions)}")
"""
DAILY = """
-- Sales of a shop and a day.
-- partitions: Daily("2024-01-01", end="2024-01-05", batch=4)
SELECT date, shop, sum(amount)::BIGINT AS amount FROM sales GROUP BY ALL
"""
RANKED = """
-- Ranks the rows of a day, as long as it is alone.
-- partitions: Daily("2024-01-01", end="2024-01-05", batch=4)
SELECT date, shop, row_number() OVER (ORDER BY date, shop) AS place FROM sales
"""


@pytest.fixture
def told(mill: Mill, capsys: pytest.CaptureFixture[str]) -> Told:
    """The status and the output of a command, on a project with batches."""
    mill.write("assets/sales.py", SALES)
    mill.write("assets/daily.sql", DAILY)
    mill.write("assets/ranked.sql", RANKED)
    mill.run("sales")

    def tell(*arguments: str) -> tuple[int, str]:
        status = main(["--project", str(mill.root), *arguments])
        said = capsys.readouterr()
        return status, said.out or said.err

    return tell


def data(answer: tuple[int, str]) -> Any:
    return json.loads(answer[1])["data"]


def test_the_plan_is_one_line_for_a_range_and_tells_of_batches(told: Told) -> None:
    status, said = told("plan", "daily")
    assert status == 0
    assert "make    daily  2024-01-01..2024-01-05  5  missing\n" in said
    assert "5 to make (4 of them in 1 batch), 0 to judge" in said
    assert data(told("plan", "daily", "--json"))["batches"] == [
        {"asset": "daily", "first": "2024-01-01", "last": "2024-01-04", "steps": 4}
    ]


def test_an_asset_shows_its_batches(told: Told) -> None:
    _, said = told("show", "daily")
    assert "daily from 2024-01-01 to 2024-01-05 (UTC) in batches of 4" in said


def test_a_failed_batch_is_one_line_of_the_report(told: Told) -> None:
    status, said = told("materialize", "failing@..2024-01-04")
    assert status == 1
    assert "failing@2024-01-01..2024-01-04 failed:\n" in said
    assert "failed  failing@2024-01-01..2024-01-04  ValueError: no 4\n" in said
    _, said = told("logs", "2")
    assert said.count("not the answer") == 1
    assert said.startswith("failing@2024-01-01..2024-01-04  run 2, attempt 1, ")


def test_batches_that_are_the_same(told: Told) -> None:
    told("materialize", "daily")
    before = told("runs")
    status, said = told("check", "daily", "--batches")
    assert (status, said) == (
        0,
        "3 partitions: the same one by one and as batches. Nothing was recorded.\n",
    )
    named = data(told("check", "daily@2024-01-01..2024-01-02", "--batches", "--json"))
    assert [each["partition"] for each in named["partitions"]] == ["2024-01-01", "2024-01-02"]
    assert named["differences"] == []
    assert told("runs") == before


def test_rows_that_a_batch_makes_otherwise_are_shown(told: Told) -> None:
    status, said = told("check", "--batches", "ranked@..2024-01-02")
    assert status == 3
    assert said == (
        " ranked@2024-01-02  4 rows differ\n"
        "   alone       date=2024-01-02, shop=a, place=1\n"
        "   alone       date=2024-01-02, shop=b, place=2\n"
        "   in a batch  date=2024-01-02, shop=a, place=3\n"
        "   in a batch  date=2024-01-02, shop=b, place=4\n"
        "\n"
        "1 of 2 partitions are not the same in a batch. Nothing was recorded.\n"
    )
    (difference,) = data(told("check", "--batches", "ranked@..2024-01-02", "--json"))["differences"]
    assert difference["partition"] == "2024-01-02"
    assert difference["alone"][0] == "date=2024-01-02, shop=a, place=1"


@pytest.mark.parametrize(
    ("target", "status", "what", "fix"),
    [
        ("sales", 2, "nothing of sales is computed in batches", "batch=31"),
        ("daily@2024-01-05", 2, "no two adjacent partitions of daily can be made", "make what"),
        ("failing", 1, "failing@2024-01-02 failed: ValueError: no 1", "correct it there"),
    ],
)
def test_nothing_to_compare(told: Told, target: str, status: int, what: str, fix: str) -> None:
    found, said = told("check", "--batches", target)
    assert found == status
    assert what in said
    assert fix in said
