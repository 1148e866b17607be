"""What a plan need not look at is what looking at it would call fresh, whatever happened before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from conftest import Mill
from millgate.errors import MillgateError
from millgate.execute import outset as module
from millgate.model.asset import Asset
from millgate.model.going_back import Destination
from millgate.model.request import Request
from millgate.model.step import Plan
from millgate.plan.narrowing import Narrowing
from millgate.project import Project

SEEDS = range(40) if os.environ.get("MILLGATE_SOAK") else [None]
DAYS = [f"2024-01-0{day}" for day in range(2, 6)]

ASSETS = """
import pandera.polars as pa
import polars as pl

from millgate import Daily, Gate, Keys, Monthly, Partition, Refresh, Window, asset, source

FACTOR = {factor}
days = Daily("{start}")


class Number(pa.DataFrameModel):
    value: int = pa.Field(le={most})


raw = source("data/raw.csv")
dated = source("data/{{date}}.csv", partitions=days)


@asset(partitions=days, gate=Gate(Number))
def numbers(raw: pl.LazyFrame, partition: Partition) -> pl.LazyFrame:
    return raw.filter(pl.col("day") == partition.key).select(pl.col("value") * FACTOR)


@asset(partitions=days, gate=Gate(Number, on_failure="split"))
def parts(dated: pl.LazyFrame) -> pl.LazyFrame:
    return dated.select("value")


@asset(partitions=days, upstream={{"some": Window({first}, 0, of="numbers")}})
def running(some: pl.LazyFrame) -> pl.LazyFrame:
    return some.select(pl.col("value").sum())


@asset(partitions=Monthly("2023-12"), upstream={{"some": Window(None, 0, of="parts")}})
def monthly(some: pl.LazyFrame) -> pl.LazyFrame:
    return some.select(pl.col("value").sum())


@asset
def total(running: pl.LazyFrame) -> pl.LazyFrame:
    return running.select(pl.col("value").sum())


@asset(partitions=days, upstream={{"numbers": None, "before": Window(-1, -1, of="sums")}})
def sums(numbers: pl.LazyFrame, before: pl.LazyFrame | None) -> pl.LazyFrame:
    return numbers.select(pl.col("value").sum())


@asset(partitions=days, version="1", upstream={{"x": "{x}", "y": "{y}"}})
def swapped(x: pl.LazyFrame, y: pl.LazyFrame) -> pl.LazyFrame:
    return x.select(pl.col("value").max())


@asset(
    partitions=days,
    upstream={{"x": Window(0, 0, of="numbers", pinned=True), "parts": None}},
)
def pinning(x: pl.LazyFrame, parts: pl.LazyFrame) -> pl.LazyFrame:
    return parts.select("value")


@asset(
    partitions=days,
    upstream={{"x": Window(0, 0, of="parts"), "y": Window(0, 0, of="parts", pinned=True)}},
)
def both(x: pl.LazyFrame, y: pl.LazyFrame) -> pl.LazyFrame:
    return x.select("value")


@asset(partitions=Keys("a", "b", name="side") * days)
def sides(numbers: pl.LazyFrame, partition: Partition) -> pl.LazyFrame:
    return numbers.select("value")


@asset(partitions=days, gate=Gate(references={{"value": "numbers.value"}}, on_failure="warn"))
def checked(running: pl.LazyFrame) -> pl.LazyFrame:
    return running.select("value")


@asset(partitions=days, refresh=Refresh(every="1d", until="2d"))
def clocked(partition: Partition) -> pl.LazyFrame:
    return pl.LazyFrame({{"value": [1]}})


@asset(partitions=days)
def after_clock(clocked: pl.LazyFrame, checked: pl.LazyFrame) -> pl.LazyFrame:
    return clocked.select("value")


@asset(partitions=days, refresh="never")
def once(numbers: pl.LazyFrame) -> pl.LazyFrame:
    return numbers.select("value")
"""


@dataclass
class Life:
    """A project to which things happen."""

    mill: Mill
    values: dict[str, list[int]] = field(default_factory=dict)
    code: dict[str, object] = field(
        default_factory=lambda: {
            "factor": 1,
            "most": 50,
            "first": -1,
            "x": "numbers",
            "y": "parts",
            "start": DAYS[0],
        }
    )

    def begin(self) -> None:
        for number, day in enumerate(DAYS):
            self.values[day] = [number, number + 1]
            self.mill.write(f"data/{day}.csv", f"value\n{number}\n{number + 20}\n")
        self.write()
        self.mill.run("", "backfill", everything=True)

    def write(self) -> None:
        rows = [f"{day},{value}\n" for day, values in self.values.items() for value in values]
        self.mill.write("data/raw.csv", "day,value\n" + "".join(rows))
        self.mill.write("assets/life.py", ASSETS.format(**self.code))

    def happen(self, action: str, *given: Any) -> None:
        """Let one thing happen; what is refused did not."""
        with suppress(MillgateError):
            getattr(self, action)(*given)

    def work(self, target: str, *options: str) -> None:
        self.mill.run(target, **dict.fromkeys(options, True))

    def rows(self, day: str, value: int) -> None:
        """The one file of all days changes, for one day."""
        self.values[day] = [value, 7]
        self.write()

    def file(self, day: str, value: int | None) -> None:
        """The file of a day changes, or goes."""
        file = self.mill.root / "data" / f"{day}.csv"
        if value is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(f"value\n{value}\n5\n", encoding="utf-8")

    def change(self, name: str, value: object) -> None:
        """The code, a gate, a mapping, the names of two parameters or the definition change."""
        self.code[name] = value
        self.code["y"] = "parts" if self.code["x"] == "numbers" else "numbers"
        self.write()

    def wait(self, hours: int) -> None:
        self.mill.now += timedelta(hours=hours)

    def back(self, asset: str, day: str) -> None:
        project = self.mill.open()
        previous = Destination.parse("previous", None)
        project.roll_back(project.propose_rollback(f"{asset}@{day}", previous), reason="r")

    def decide(self, asset: str, day: str, verb: str) -> None:
        getattr(self.mill.open(), verb)(asset, day, reason="r")


SCRIPT: list[tuple[Any, ...]] = [
    ("rows", DAYS[1], 9),
    ("work", "numbers"),
    ("change", "factor", 2),
    ("work", ""),
    ("change", "x", "parts"),
    ("change", "first", -2),
    ("work", "running or swapped"),
    ("change", "most", 20),
    ("work", ""),
    ("work", "", "enforce"),
    ("file", DAYS[2], None),
    ("file", DAYS[0], 60),
    ("work", "parts"),
    ("decide", "parts", DAYS[0], "release"),
    ("back", "numbers", DAYS[1]),
    ("change", "start", DAYS[1]),
    ("wait", 25),
]
"""Everything that can happen, once."""


def drawn(random: Random) -> Iterator[tuple[Any, ...]]:
    """Things that happen at random."""
    for _ in range(25):
        asset, day = random.choice(["numbers", "parts", "running", "sums"]), random.choice(DAYS)
        target = random.choice(["", "numbers", "+total", "parts+", f"*@{day}", "sides", asset])
        options = [o for o in ("force", "enforce", "retry_held") if random.random() < 0.2]
        yield random.choice(
            [
                ("work", target, *options),
                ("work", target),
                ("rows", day, random.choice([1, 2, 60])),
                ("file", day, random.choice([1, 2, 60, None])),
                ("change", "factor", random.choice([1, 2])),
                ("change", "most", random.choice([1, 50, 100])),
                ("change", "first", random.choice([-1, -2])),
                ("change", "x", random.choice(["parts", "numbers"])),
                ("change", "start", random.choice(DAYS[:2])),
                ("wait", random.choice([1, 25])),
                ("back", asset, day),
                ("decide", asset, day, random.choice(["release", "discard"])),
            ]
        )


REQUESTS = [
    Request("plan"),
    Request("plan", "running+"),
    Request("plan", f"*@{DAYS[1]}..{DAYS[2]}"),
    Request("plan", "sums or sides or after_clock"),
    Request("plan", "", force=True),
    Request("plan", "numbers+", enforce=True),
    Request("plan", "", retry_held=True, retry_rolled_back=True),
    Request("backfill", f"total or sums@{DAYS[3]}"),
]


def both_ways(
    project: Project, request: Request, monkeypatch: pytest.MonkeyPatch
) -> list[Plan | str]:
    """The plan as it is made, and as it is made by looking at every partition."""
    made: list[Plan | str] = []
    for exact in (False, True):
        with monkeypatch.context() as patch:
            if exact:
                patch.setattr(module, "doubtful_keys", lambda *_: {})
            try:
                made.append(project.propose(request))
            except MillgateError as error:
                made.append(str(error))
    return made


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_is_what_looking_at_everything_would_give(
    seed: int | None, mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    life, story = Life(mill), list[tuple[Any, ...]]()
    life.begin()
    for event in SCRIPT if seed is None else drawn(Random(seed)):
        story.append(event)
        life.happen(*event)
        project = mill.open()
        for request in REQUESTS:
            narrow, exact = both_ways(project, request, monkeypatch)
            assert narrow == exact, (story, request)


def test_what_is_unchanged_is_not_looked_at(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    life, looked_at = Life(mill), dict[str, set[str]]()
    life.begin()
    loose = Narrowing.loose

    def noted(self: Narrowing, asset: Asset, *given: Any) -> Any:
        looked_at[asset.name] = set(loose(self, asset, *given))
        return looked_at[asset.name]

    life.rows(DAYS[1], 9)
    life.work("numbers")
    monkeypatch.setattr(Narrowing, "loose", noted)
    mill.plan("swapped or running or sides or pinning or parts")
    assert looked_at == {
        "swapped": {DAYS[1]},
        "running": {DAYS[1], DAYS[2]},
        "sides": {f"a/{DAYS[1]}", f"b/{DAYS[1]}"},
        "pinning": set(),
        "parts": set(),
    }
