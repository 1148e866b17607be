"""What is wrong with a project is told in three lines, exits non-zero, and changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Mill

GOOD = """
import polars as pl
from millgate import Daily, asset, source

raw = source("data/raw.csv")

@asset(partitions=Daily("2024-01-01", end="2024-01-03"))
def numbers(raw: pl.LazyFrame) -> pl.LazyFrame:
    return raw
"""
HEAD = "import polars as pl\nfrom millgate import Daily, asset, source\n\n"

PROJECTS = {
    "cycle": (
        {
            "assets/a.py": HEAD
            + "@asset\ndef a(b): return b\n\n@asset\ndef b(c): return c\n\n"
            + "@asset\ndef c(a): return a\n"
        },
        ["plan"],
        "a → c → b → a",
    ),
    "unknown upstream": (
        {"assets/a.py": HEAD + "@asset\ndef flights(): ...\n\n@asset\ndef b(flihgts): ...\n"},
        ["materialize"],
        "did you mean flights?",
    ),
    "two of one name": (
        {"assets/a.py": HEAD + "@asset\ndef a(): ...\n", "assets/b/a.sql": "SELECT 1 AS n"},
        ["plan"],
        "assets/b/a.sql",
    ),
    "wrong partition key": (
        {"assets/a.py": GOOD},
        ["materialize", "numbers@2024-02-01"],
        "2024-01-01 to 2024-01-03",
    ),
    "a key that is none": ({"assets/a.py": GOOD}, ["backfill", "numbers@yesterday"], "yesterday"),
    "bad return type": (
        {"assets/a.py": HEAD + "@asset\ndef a():\n    return {'n': 1}\n"},
        ["materialize"],
        "a returned a dict",
    ),
    "SQL syntax error": (
        {"assets/a.sql": "-- Numbers.\nSELECT 1 AS\nFROM range(3"},
        ["plan"],
        "assets/a.sql:3",
    ),
    "SQL that reads a file": (
        {"assets/a.sql": "SELECT * FROM 'data/raw.csv'"},
        ["plan"],
        "declare it as a source",
    ),
    "missing file": (
        {"assets/a.py": GOOD.replace("raw.csv", "gone.csv")},
        ["materialize"],
        "data/gone.csv does not exist",
    ),
    "mistyped header": (
        {"assets/a.sql": "-- partition: Daily('2024-01-01')\nSELECT 1 AS n"},
        ["plan"],
        "partitions",
    ),
    "a module that raises": (
        {"assets/a.py": "import polars\n\nraise ValueError('not today')\n"},
        ["list"],
        "assets/a.py:3",
    ),
    "an unknown setting": (
        {"pyproject.toml": '[tool.millgate]\nwarehous = "x"\n'},
        ["list"],
        "did you mean warehouse?",
    ),
    "a limit of nothing": (
        {"pyproject.toml": '[tool.millgate]\nlimits = {"api" = 0}\n'},
        ["list"],
        'write limits = {"api" = 2}',
    ),
    "a channel that is no URL": (
        {"pyproject.toml": '[tool.millgate]\n[[tool.millgate.alerts]]\nto = ["#ops"]\n'},
        ["list"],
        "give a list of text, such as",
    ),
    "alerts of an unknown asset": (
        {
            "assets/a.py": GOOD,
            "pyproject.toml": "[tool.millgate]\n[[tool.millgate.alerts]]\n"
            'to = ["env:X"]\nselect = "nubmers"\n',
        },
        ["materialize"],
        "did you mean numbers?",
    ),
    "unknown asset": ({"assets/a.py": GOOD}, ["plan", "nubmers"], "did you mean numbers?"),
}


def millgate(mill: Mill, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "millgate", *arguments],
        cwd=mill.root,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", PROJECTS)
def test_three_lines(mill: Mill, name: str) -> None:
    files, arguments, said = PROJECTS[name]
    mill.write("data/raw.csv", "n\n1\n")
    for path, text in files.items():
        mill.write(path, text)
    ran = millgate(mill, *arguments)
    told = ran.stdout + ran.stderr
    assert ran.returncode in (1, 2, 3), told
    assert said in told
    assert "Traceback" not in told
    lines = [line.strip() for line in told.splitlines()]
    at = next(i for i, line in enumerate(lines) if line.startswith("error: "))
    assert [line.split()[0] for line in lines[at + 1 : at + 3]] == ["at", "fix"], told
    if ran.returncode != 1:
        assert len(ran.stderr.splitlines()) == 3, told
        assert not (mill.root / "warehouse" / "warehouse.duckdb").exists()
    if (mill.root / "warehouse" / "warehouse.duckdb").exists():
        assert mill.sql("SELECT count(*) FROM lineage.production") == [(0,)]


AS_SOMEBODY_ELSE = """
import os, sys
from millgate.cli.main import main
main(["materialize", "--dry-run"])  # so that every module is imported while it can be read
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
sys.exit(main())
"""


def refused_to_somebody_else(mill: Mill) -> list[str]:
    """The three lines that a person without rights to the project is told."""
    ran = subprocess.run(
        [sys.executable, "-c", AS_SOMEBODY_ELSE, "materialize"],
        cwd=mill.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in (1, 2), ran.stdout + ran.stderr
    return ran.stderr.splitlines()[-3:]


def open_to_all(folder: Path) -> None:
    """Let everybody read a folder, and go through those of pytest that it is in."""
    for each in (folder, *folder.parents):
        each.chmod(each.stat().st_mode | 0o555)
        if each.name.startswith("pytest-of-"):
            break


def test_an_unwritable_warehouse(mill: Mill) -> None:
    mill.write("data/raw.csv", "n\n1\n")
    mill.write("assets/a.py", GOOD)
    (mill.root / "warehouse").mkdir(mode=0o555)
    open_to_all(mill.root)
    first, where, fix = refused_to_somebody_else(mill)
    assert first.startswith("error: cannot ")
    assert str(mill.root / "warehouse") in where
    assert fix.startswith("  fix  let this user write to ")
    assert list((mill.root / "warehouse").iterdir()) == []


def test_an_unreadable_project(mill: Mill) -> None:
    mill.write("data/raw.csv", "n\n1\n")
    mill.write("assets/a.py", GOOD)
    open_to_all(mill.root)
    (mill.root / "pyproject.toml").chmod(0)
    if os.geteuid():
        pytest.skip("who owns it could not read it either")
    first, where, fix = refused_to_somebody_else(mill)
    assert first == "error: pyproject.toml cannot be read: Permission denied"
    assert str(mill.root / "pyproject.toml") in where
    assert fix.startswith("  fix  let this user read it")
