"""Retries, errors from the user's own line, output per attempt, settings and their secrets."""

from __future__ import annotations

import pytest

from conftest import Mill
from millgate.errors import DeclarationError, MissingSetting
from millgate.model.asset import Retry

FLAKY = """
import logging
from pathlib import Path

import polars as pl

from millgate import Env, Retry, asset

tries = Path(__file__).parent.parent / "tries"


@asset(retries=Retry(2, delay="0s", jitter=False))
def flaky() -> pl.DataFrame:
    count = int(tries.read_text()) if tries.exists() else 0
    tries.write_text(str(count + 1))
    print("try", count + 1)
    logging.getLogger("shop").warning("about to fail")
    if count < 2:
        raise ConnectionError("no answer")
    return pl.DataFrame({"n": [1]})


@asset
def sound() -> pl.DataFrame:
    return pl.DataFrame({"n": [2]})
"""


def test_a_step_is_tried_as_often_as_declared(mill: Mill) -> None:
    mill.write("assets/flaky.py", FLAKY)
    assert mill.run().exit_status == 0
    rows = mill.sql("""
        SELECT attempt, status, error_type FROM lineage.attempts
        JOIN lineage.steps USING (step) WHERE asset = 'flaky' ORDER BY attempt
    """)
    assert rows == [
        (1, "failed", "ConnectionError"),
        (2, "failed", "ConnectionError"),
        (3, "succeeded", None),
    ]


def test_what_an_attempt_prints_and_logs_is_kept(
    mill: Mill, capsys: pytest.CaptureFixture[str]
) -> None:
    mill.write("assets/flaky.py", FLAKY)
    mill.run()
    text = mill.open().log_file(1, "flaky", "", 2).read_text()
    assert text.startswith("try 2\n")
    assert "WARNING shop: about to fail" in text
    assert capsys.readouterr().out == ""


def test_one_failure_stops_only_what_depends_on_it(mill: Mill) -> None:
    mill.write("assets/flaky.py", FLAKY.replace("count < 2", "True"))
    mill.write("assets/after.sql", "FROM flaky")
    report = mill.run()
    assert report.exit_status == 1
    assert {str(d.step): d.outcome for d in report.done} == {
        "flaky": "failed",
        "after": "blocked",
        "sound": "made",
    }


def test_an_error_is_told_from_the_users_line(mill: Mill) -> None:
    mill.write("assets/flaky.py", FLAKY.replace("count < 2", "True"))
    (failed,) = mill.run().having("failed")
    assert failed.message == "ConnectionError: no answer"
    first, *_, last = failed.detail.splitlines()
    assert first == '  File "assets/flaky.py", line 18, in flaky'
    assert last == "ConnectionError: no answer"
    assert mill.sql("SELECT DISTINCT error_line FROM lineage.attempts WHERE error_line <> ''") == [
        ("assets/flaky.py:18",)
    ]


SECRET = """
import polars as pl
from millgate import Env, asset

@asset
def erp(dsn: str = Env("TRIAL_DSN")) -> pl.DataFrame:
    print("connecting to", dsn)
    raise RuntimeError(f"cannot reach {dsn}")
"""


def test_a_missing_setting_stops_the_run_before_it_begins(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRIAL_DSN", raising=False)
    mill.write("assets/erp.py", SECRET)
    with pytest.raises(MissingSetting, match="erp needs the environment variable TRIAL_DSN"):
        mill.run()
    assert not (mill.root / "warehouse" / "warehouse.duckdb").exists()


def test_secrets_are_masked_everywhere(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAL_DSN", "db://hunter2")
    mill.write("assets/erp.py", SECRET)
    (failed,) = mill.run().having("failed")
    assert failed.message == "RuntimeError: cannot reach ***TRIAL_DSN***"
    for file in mill.root.rglob("*"):
        if file.is_file() and file.suffix in (".log", ".duckdb"):
            assert b"hunter2" not in file.read_bytes(), file


@pytest.mark.parametrize("raised", ["SystemExit(2)", "pl.exceptions.PanicException('no')"])
def test_what_is_no_exception_fails_only_its_step(mill: Mill, raised: str) -> None:
    mill.write("assets/flaky.py", FLAKY.replace("count < 2", "True"))
    mill.write(
        "assets/leaving.py",
        f"""
        import polars as pl
        from millgate import asset

        @asset
        def leaving() -> pl.DataFrame:
            raise {raised}
        """,
    )
    report = mill.run()
    outcomes = {str(d.step): d.outcome for d in report.done}
    assert outcomes == {"flaky": "failed", "leaving": "failed", "sound": "made"}
    kind = raised.partition("(")[0].rpartition(".")[2]
    assert mill.sql("SELECT error_type FROM lineage.attempts WHERE error_type = $1", kind)


@pytest.mark.parametrize(
    ("on", "tries"),
    [
        ("ConnectionError", 3),
        ("(OSError,)", 3),
        ('("ValueError", "ConnectionError")', 3),
        ('["builtins.OSError"]', 3),
        ("(KeyError, 'HTTPError')", 1),
    ],
)
def test_only_the_named_exceptions_are_tried_again(mill: Mill, on: str, tries: int) -> None:
    mill.write("assets/flaky.py", FLAKY.replace("jitter=False", f"jitter=False, on={on}"))
    assert mill.run("flaky").exit_status == (0 if tries == 3 else 1)
    assert mill.sql("SELECT count(*) FROM lineage.attempts") == [(tries,)]


@pytest.mark.parametrize("on", [(int,), (3,), [ConnectionError()]])
def test_what_is_no_exception_is_refused(on: object) -> None:
    with pytest.raises(DeclarationError, match="does not name exceptions"):
        Retry(on=on)  # type: ignore[arg-type]
