"""Help: it is quick, complete, and says what the exit statuses mean."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from millgate.cli.main import SECTIONS, cli, main

HEAVY = {"polars", "pandera", "duckdb", "pyarrow", "pandas", "numpy"}


def leaves(command: click.Command, path: tuple[str, ...] = ()):
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path


COMMANDS = sorted(leaves(cli))


def test_help_imports_nothing_heavy():
    script = (
        "import sys\n"
        "from millgate.cli.main import main\n"
        "assert main(['--help']) == 0\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    assert "materialize" in done.stdout


def test_a_command_line_is_read_with_little_more_than_click():
    script = (
        "import sys, click\n"
        "before = set(sys.modules)\n"
        "import millgate.__main__\n"
        "added = set(sys.modules) - before\n"
        "print('millgate.cli.main' in added, sorted(added & {'pathlib', 'traceback', 'json'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "True []", done.stderr


CHECKED = """
import pandera.polars as pa
import polars as pl
from millgate import Gate, asset


@asset(gate=Gate(pa.DataFrameSchema({"a": pa.Column(int)})))
def checked(one: pl.LazyFrame) -> pl.LazyFrame:
    return one.cast({"a": pl.Int64})
"""


PLAIN = """
import polars as pl
from millgate import asset


@asset
def one() -> pl.DataFrame:
    return pl.DataFrame({"a": [1]})
"""

OTHER_COMMANDS = {
    f"millgate.execute.{name}"
    for name in ("doctor", "handover", "past", "replay", "rollback", "telling", "trial", "vacuum")
}


@pytest.mark.parametrize(
    ("assets", "unneeded"),
    [
        ({"one.sql": "SELECT 1 AS a"}, {"pandera", "pyarrow", "tenacity"} | OTHER_COMMANDS),
        ({"one.sql": "SELECT 1 AS a", "checked.py": CHECKED}, {"pyarrow", "tenacity"}),
        ({"one.py": PLAIN}, {"millgate.declare.sql_file", "millgate.declare.syntax", "pandera"}),
    ],
)
def test_a_run_does_without_what_it_does_not_use(
    tmp_path: Path, assets: dict[str, str], unneeded: set[str]
):
    (tmp_path / "pyproject.toml").write_text('[tool.millgate]\nname = "light"\n')
    (tmp_path / "assets").mkdir()
    for name, text in assets.items():
        (tmp_path / "assets" / name).write_text(text)
    script = (
        "import sys\n"
        "from millgate.cli.main import main\n"
        "assert main(['materialize']) == 0\n"
        f"print(sorted({unneeded!r} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert f"{len(assets)} made" in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_command_is_there():
    assert [" ".join(path) for path in COMMANDS] == sorted(
        [
            "init",
            "list",
            "show",
            "plan",
            "materialize",
            "backfill",
            "resume",
            "check",
            "status",
            "why",
            "runs",
            "logs",
            "retire",
            "rollback",
            "rename",
            "sql",
            "lineage",
        ]
        + [f"quarantine {verb}" for verb in ("list", "show", "replay", "release", "discard")]
        + ["alerts list", "alerts test", "export duckdb", "gate diff", "vacuum", "doctor"]
    )


def test_the_overview_names_every_command(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for section, commands in SECTIONS.items():
        assert f"{section}:" in shown
        assert all(f"  {command.name}" in shown for command in commands)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_documents_its_exit_statuses(capsys, path):
    assert main([*path, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Exit status:" in shown
    statuses = [line.split()[0] for line in shown.partition("Exit status:")[2].splitlines()[1:]]
    assert statuses[0] == "0"
    assert "2" in statuses
    assert "--json" in shown
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_nothing_given_is_wrong_usage(capsys):
    assert main([]) == 2
    assert "Usage: millgate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["runs", "x"], "runs"),
        (["quarantine", "release", "orders@2025-03-04"], "quarantine release"),
        (["quarantine", "lst"], "quarantine"),
        (["nope"], ""),
    ],
)
def test_a_document_on_wrong_usage_names_the_command_without_its_arguments(
    capsys, arguments, command
):
    assert main([*arguments, "--json"]) == 2
    shown = json.loads(capsys.readouterr().out)
    assert shown["command"] == command
    assert shown["error"]["code"] == "usage"
