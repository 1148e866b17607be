"""Steps and runs that end in ways nobody would choose."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import Mill
from millgate.errors import StoreError
from millgate.store.files import Files

FATAL = {
    "import sys; sys.exit(0)": "SystemExit: 0",
    "raise KeyboardInterrupt": "KeyboardInterrupt: KeyboardInterrupt",
    "raise type('Panic', (BaseException,), {})('out of bounds')": "Panic: out of bounds",
    "raise ValueError(chr(0xD800))": "ValueError: \\ud800",
    "raise type('Mute', (Exception,), {'__str__': lambda s: 1 / 0})()": "Mute: its text cannot be",
}


@pytest.mark.parametrize("statement", FATAL)
def test_whatever_a_step_raises_is_the_failure_of_that_step(mill: Mill, statement: str) -> None:
    mill.write(
        "assets/two.py",
        f"""
        import polars as pl
        from millgate import asset

        @asset
        def bad() -> pl.DataFrame:
            {statement}

        @asset
        def good() -> pl.DataFrame:
            return pl.DataFrame({{"n": [1]}})
        """,
    )
    report = mill.run()
    assert {d.step.asset: d.outcome for d in report.done} == {"bad": "failed", "good": "made"}
    assert report.having("failed")[0].message.startswith(FATAL[statement])
    assert mill.sql("FROM production.good") == [(1,)]
    assert mill.sql("SELECT status FROM lineage.runs") == [("failed",)]


def test_a_step_cannot_close_the_terminal(mill: Mill) -> None:
    mill.write(
        "assets/a.py",
        """
        import sys
        import polars as pl
        from millgate import asset

        @asset
        def a() -> pl.DataFrame:
            sys.stdout.close()
            sys.stderr.close()
            return pl.DataFrame({"n": [1]})
        """,
    )
    assert mill.run().exit_status == 0
    print("still here")


def test_a_warehouse_outside_the_project_keeps_what_steps_print(mill: Mill) -> None:
    elsewhere = mill.root.parent / "elsewhere"
    text = f'[tool.millgate]\nwarehouse = "{elsewhere}"\n'
    (mill.root / "pyproject.toml").write_text(text, encoding="utf-8")
    mill.write(
        "assets/a.py",
        """
        import polars as pl
        from millgate import asset

        @asset
        def a() -> pl.DataFrame:
            print("hello")
            return pl.DataFrame({"n": [1]})
        """,
    )
    assert mill.run().exit_status == 0
    (log,) = (elsewhere / "logs").rglob("*.log")
    assert log.read_text(encoding="utf-8") == "hello\n"


def test_a_run_that_cannot_commit_is_on_record_as_died_with_its_reason(
    shop: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.run("orders@2024-01-01")

    def full(_files: Files, _source: Path | int, target: Path) -> None:
        raise StoreError("no space is left", where=str(target), fix="free some")

    with monkeypatch.context() as patch:
        patch.setattr(Files, "copy", full)
        with pytest.raises(StoreError, match="no space"):
            shop.run()
    assert [info.last_words for info in shop.open().runs_dead()] == ["no space is left"]
    shop.run()
    assert shop.sql("SELECT run, status, message FROM lineage.runs ORDER BY run") == [
        (1, "succeeded", None),
        (2, "died", "no space is left"),
        (3, "succeeded", None),
    ]


def test_the_second_signal_ends_a_run_whose_step_does_not(mill: Mill) -> None:
    mill.write(
        "assets/endless.py",
        """
        import time
        from pathlib import Path
        from millgate import asset

        @asset
        def endless() -> None:
            Path("begun").touch()
            time.sleep(600)
        """,
    )
    command = [sys.executable, "-m", "millgate", "materialize"]
    child = subprocess.Popen(command, cwd=mill.root, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (mill.root / "begun").exists() and time.monotonic() < deadline:
        assert child.poll() is None
    child.send_signal(signal.SIGTERM)
    while child.poll() is None and time.monotonic() < deadline:
        child.send_signal(signal.SIGINT)
        time.sleep(0.1)
    _, told = child.communicate(timeout=10)
    assert child.returncode == 130
    assert b"Traceback" not in told
    assert not mill.open().runs_alive()
