"""A commit beside the steps that go on: what it waits for, what it refuses, how it fails."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import Mill
from millgate.cli.main import main
from millgate.errors import StoreError
from millgate.execute import committing
from millgate.lineage import catalog
from millgate.store.files import Files

CHAIN = """
from pathlib import Path

import polars as pl

from millgate import asset

here = Path(__file__).parents[1]


@asset
def one() -> pl.DataFrame:
    return pl.DataFrame({"n": [int((here / "n").read_text())]})


@asset
def two(one: pl.DataFrame) -> pl.DataFrame:
    (here / "two").touch()
    return one


@asset
def three(two: pl.DataFrame) -> pl.DataFrame:
    (here / "three").touch()
    return two
"""

OTHER = """
import polars as pl

from millgate import asset


@asset
def other() -> pl.DataFrame:
    return pl.DataFrame({"m": [7]})
"""

DAYS = """
import polars as pl

from millgate import Daily, Partition, asset


@asset(partitions=Daily("2012-01-01", end="2012-04-09", batch=100))
def days(partitions: list[Partition]) -> pl.DataFrame:
    return pl.DataFrame({"date": [partition["date"] for partition in partitions]})
"""

STEPS = "SELECT asset, outcome FROM lineage.steps WHERE run = (SELECT max(run) FROM lineage.runs)"


@pytest.fixture
def chain(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> Mill:
    """Three assets in a row; a commit is due whenever something is there."""
    monkeypatch.setattr("millgate.execute.commits._COMMIT_AFTER_S", 0.0)
    mill.write("assets/chain.py", CHAIN)
    mill.write("n", "1")
    return mill


def appears(file: Path) -> bool:
    deadline = time.monotonic() + 20
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return file.exists()


def test_steps_go_on_during_a_commit(chain: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    enter, seen = committing.enter, []

    def slowly(mill: Any, group: committing.Group, *others: Any) -> committing.Entered:
        if not seen:
            assert [f.partition.asset for f in group.finished] == ["one"]
            seen.append(appears(chain.root / "three"))
        return enter(mill, group, *others)

    monkeypatch.setattr("millgate.execute.runner.enter", slowly)
    assert chain.run(workers=1).exit_status == 0
    assert seen == [True]
    assert chain.sql("SELECT count(*) FROM lineage.snapshots") == [(2,)]
    assert chain.sql("FROM production.three") == [(1,)]


def test_what_was_made_from_what_a_commit_refuses_is_made_again(
    chain: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.run()
    for name in ("two", "three"):
        (chain.root / name).unlink()
    chain.write("n", "2")
    enter, refused = committing.enter, []

    def late(*arguments: Any) -> committing.Entered:
        if not refused:
            assert appears(chain.root / "three")
            arguments[4]["one", ""] = None
        entered = enter(*arguments)
        refused.append(dict(entered.refused))
        return entered

    monkeypatch.setattr("millgate.execute.runner.enter", late)
    report = chain.run(force=True, workers=1)
    assert report.exit_status == 0
    assert refused[0] == {("one", ""): 1}
    assert ("two", "refused") in chain.sql(STEPS)
    assert chain.sql("FROM production.three") == [(2,)]
    assert {str(done.step): done.outcome for done in report.done} == dict.fromkeys(
        ("one", "two", "three"), "made"
    )


def test_a_commit_that_fails_ends_the_run_though_steps_go_on(
    chain: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:

        def full(*_arguments: Any) -> committing.Entered:
            assert appears(chain.root / "two")
            raise StoreError("no space left", where="warehouse", fix="free some")

        patched.setattr("millgate.execute.runner.enter", full)
        with pytest.raises(StoreError, match="no space left"):
            chain.run(workers=1)
    assert chain.sql("SELECT status, message FROM lineage.runs") == [("failed", "no space left")]
    assert chain.run().exit_status == 0
    assert chain.sql("FROM production.three") == [(1,)]


def test_a_second_interrupt_that_a_library_turns_into_its_error_is_still_one(
    chain: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> committing.Entered:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise StoreError("the lineage could not be recorded", where="draft", fix="run again")

    with monkeypatch.context() as patched:
        patched.setattr("millgate.execute.runner.enter", broken)
        patched.setattr("millgate.execute.commits._COMMIT_AFTER_S", 60.0)
        with pytest.raises(KeyboardInterrupt):
            chain.run("one")
    assert chain.sql("SELECT status, exit_status FROM lineage.runs") == [("cancelled", 130)]


@pytest.fixture
def made_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads in which a catalog was made."""
    create, threads = catalog.create, []

    def noted(*arguments: Any, **options: Any) -> catalog.CatalogFormat:
        threads.append(threading.current_thread().name.partition("_")[0])
        return create(*arguments, **options)

    monkeypatch.setattr(catalog, "create", noted)
    return threads


def test_the_first_catalog_is_made_beside_what_a_run_begins_with(
    chain: Mill, made_in: list[str]
) -> None:
    assert chain.run(workers=1).exit_status == 0
    assert chain.run(force=True).exit_status == 0
    assert made_in == ["millgate-catalog"]
    assert chain.sql("SELECT version FROM lineage.catalog") == [(catalog.VERSION,)]


def test_who_only_looks_makes_no_catalog(
    chain: Mill, made_in: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(chain.root)
    assert chain.plan().steps
    assert main(["materialize", "--dry-run"]) == 0
    assert made_in == []
    assert not (chain.root / "warehouse").exists()


@pytest.mark.parametrize(
    "error", [duckdb.IOException("no memory"), StoreError("no", where="memory", fix="run again")]
)
def test_where_nothing_could_be_prepared_the_commit_does_it(
    chain: Mill, made_in: list[str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    create = catalog.create

    def failing(*arguments: Any, **options: Any) -> catalog.CatalogFormat:
        if threading.current_thread().name.startswith("millgate-catalog"):
            raise error
        return create(*arguments, **options)

    monkeypatch.setattr(catalog, "create", failing)
    assert chain.run().exit_status == 0
    assert len(made_in) == 1
    assert chain.sql("FROM production.three") == [(1,)]


def test_a_commit_that_is_broken_off_moves_no_further(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    mill.write("assets/days.py", DAYS)
    bring, brought = Files.bring, []

    def slowly(files: Files, source: Path, target: Path) -> None:
        bring(files, source, target)
        brought.append(target)
        time.sleep(0.02)

    def broken(*_: Any) -> None:
        while not brought:
            time.sleep(0.001)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Files, "bring", slowly)
        patched.setattr("millgate.execute.committing.record", broken)
        with pytest.raises(KeyboardInterrupt):
            mill.run()
    assert 0 < len(brought) < 50
    assert not any(target.exists() for target in brought)
    assert not (mill.root / "warehouse" / "production").exists()


def test_what_was_prepared_is_of_no_use_once_another_run_was_first(
    chain: Mill, made_in: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.write("assets/other.py", OTHER)
    enter, others = committing.enter, ["other"]

    def second(*arguments: Any) -> committing.Entered:
        if others:
            others.pop()
            assert chain.run("other").exit_status == 0
        return enter(*arguments)

    monkeypatch.setattr("millgate.execute.runner.enter", second)
    assert chain.run("one+", workers=1).exit_status == 0
    assert made_in == ["millgate-catalog"] * 2
    assert chain.sql("FROM production.other, production.three") == [(7, 1)]
    assert [
        run for (run,) in chain.sql("SELECT DISTINCT run FROM lineage.snapshots ORDER BY run")
    ] == [1, 2]
