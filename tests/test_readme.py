"""README.md is true: its examples run, and it names everything that a user can type or query.

`python tests/test_readme.py` writes the outputs of the console examples, the section on the lineage
tables and the one on pandera anew.
"""

from __future__ import annotations

import ast
import inspect
import io
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import click
import duckdb
import pytest

import millgate
from gate.pandera_table import pandera_offers
from millgate.cli.main import SECTIONS, cli, main
from millgate.cli.options import LOOKED, RAN
from millgate.configuration import Configuration
from millgate.lineage import catalog
from millgate.model.asset import Form
from millgate.project import ENVIRONMENT

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
ENVIRON = {"MILLGATE_ACTOR": "ann", "NO_COLOR": "1", "TZ": "UTC"}

_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*(?:\n> .*)*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_OF_THE_MOMENT = [
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+", "MOMENT"),
    (r"(\d{4}-\d\d-\d\d )?\d\d:\d\d \+00:00", "MOMENT"),
    (r"\b\d+ (d|h|min|s) ago", "AGO"),
    (r"\b\d+(\.\d+)? (ms|s|min)\b", "TOOK"),
    (r"(?<![\d-])\d{1,3}-\d{1,3}(?![\d-])", "VERSION"),
    (r"snapshot \d+", "snapshot N"),
    (r"\b\d+\.\d [KM]iB\b", "SIZE"),
    (r"by ann on \S+:", "by ann on HOST:"),
    (r"[ \t]+", " "),
    (r" $", ""),
]
"""What differs from one run to the next, and what widths follow from it."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what stands beside it (`file=`, `exit=`), its text."""

    language: str
    info: str
    text: str
    line: int

    @property
    def file(self) -> str | None:
        found = re.search(r"file=(\S+)", self.info)
        return found[1] if found else None

    @property
    def exit_status(self) -> int:
        found = re.search(r"exit=(\d+)", self.info)
        return int(found[1]) if found else 0


def blocks(text: str) -> list[Block]:
    return [
        Block(m[1], m[2], m[3], text[: m.start()].count("\n") + 1) for m in _BLOCK.finditer(text)
    ]


def section(title: str) -> str:
    """The text under a heading, up to the next of its depth or a higher one."""
    text = README.read_text(encoding="utf-8")
    match = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    assert match, f"README has no section {title!r}"
    rest = text[match.end() :]
    end = re.search(rf"^#{{1,{len(match[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def without_the_moment(text: str) -> list[str]:
    for pattern, replacement in _OF_THE_MOMENT:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text.strip("\n").split("\n")


class Tour:
    """A reader who does everything that README shows, in order, in one folder."""

    def __init__(self, start: Path) -> None:
        self.folder = start

    def follow(self, block: Block) -> list[tuple[str, str, str, int]]:
        """Do what a block says; of console blocks the commands, outputs and exit statuses."""
        if block.file is not None:
            file = self.folder / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            with chdir(self.folder), redirect_stdout(io.StringIO()):
                exec(compile(block.text, f"README.md:{block.line}", "exec"), {"__name__": "shown"})
        elif block.language == "sql":
            self._ask(block.text)
        elif block.language == "console":
            return [
                (m[1], m[2], *self.type(m[1].replace("\n> ", "\n")))
                for m in _COMMAND.finditer(block.text)
            ]
        return []

    def _ask(self, script: str) -> None:
        with chdir(self.folder), duckdb.connect() as connection:
            if "ATTACH" not in script:
                connection.execute("ATTACH 'warehouse/warehouse.duckdb' AS warehouse (READ_ONLY)")
                connection.execute("USE warehouse")
            for statement in connection.extract_statements(script):
                rows = connection.execute(statement).fetchall()
                if statement.type == duckdb.StatementType.SELECT:
                    assert rows, f"README shows a query that finds nothing: {statement.query}"

    def type(self, command: str) -> tuple[str, int]:
        words = shlex.split(command)
        if words[0] == "cd":
            self.folder = (self.folder / words[1]).resolve()
            return "", 0
        with chdir(self.folder):
            if words[0] == "millgate" and not {"|", ">"} & set(words):
                return _millgate(words[1:])
            return _shell(command)


def _millgate(arguments: list[str]) -> tuple[str, int]:
    """What a person sees on the terminal but for the progress, and the exit status."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(out), redirect_stderr(err):
        status = main(arguments)
    told = [stream.buffer.getvalue().decode() for stream in (out, err)]
    aside = told[1] if status == 2 else "".join(re.findall(r"^warning: .*\n", told[1], re.M))
    return told[0] + aside, status


def _shell(command: str) -> tuple[str, int]:
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join([beside, os.environ.get("PATH", "")])
    done = subprocess.run(
        ["bash", "-c", command], env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    return done.stdout + (done.stderr if done.returncode else ""), done.returncode


@contextmanager
def surroundings() -> Iterator[None]:
    """The environment in which README was written."""
    in_time = mock.patch("millgate.execute.commits._COMMIT_AFTER_S", 3600.0)
    with in_time, mock.patch.dict(os.environ, ENVIRON):
        os.environ.pop(ENVIRONMENT, None)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Tour]:
    with surroundings():
        yield Tour(tmp_path)


def test_everything_shown_works_and_looks_as_shown(reader):
    for block in blocks(README.read_text(encoding="utf-8")):
        shown = reader.follow(block)
        for command, output, told, _ in shown:
            place = f"README.md:{block.line}, {command}"
            if output.strip():
                assert without_the_moment(told) == without_the_moment(output), place
        statuses = [status for *_, status in shown]
        told_all = "".join(told for _, _, told, _ in shown)
        expected = [0] * (len(statuses) - 1) + [block.exit_status] if statuses else []
        assert statuses == expected, f"README.md:{block.line}\n{told_all}"


def test_the_assets_that_are_only_shown_can_be_made(reader):
    for block in blocks(README.read_text(encoding="utf-8")):
        if block.file is not None or block.text.startswith("$ millgate init"):
            reader.follow(block)
    for day in ("20250303", "20250304", "20250305"):
        file = reader.folder / "data" / "prices" / f"{day}.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_text("article,price\npen,1.5\nink,NA\n")
    told, status = reader.type("millgate materialize")
    assert status == 0, told


def test_a_moved_project_is_read_as_readme_says(reader):
    for command in ("millgate init shop", "cd shop", "millgate materialize"):
        reader.type(command)
    moved = reader.folder.rename(reader.folder.with_name("moved"))
    with duckdb.connect(moved / "warehouse" / "warehouse.duckdb", read_only=True) as warehouse:
        warehouse.execute("SET VARIABLE millgate_root = $root", {"root": str(moved)})
        assert warehouse.execute("SELECT count(*) FROM production.orders").fetchall() == [(14,)]
    reader.folder = moved
    assert "14" in reader.type("millgate sql 'SELECT count(*) FROM production.orders'")[0]


def test_a_source_that_is_read_otherwise_has_changed(reader):
    for command in ("millgate init shop", "cd shop", "millgate materialize"):
        reader.type(command)
    module = reader.folder / "assets" / "orders.py"
    read = 'source("data/orders.csv"'
    assert read in module.read_text()
    module.write_text(module.read_text().replace(read, f'{read}, null_values="FR"'))
    told, _ = reader.type("millgate plan orders")
    assert "input changed" in told


def test_the_tour_shows_something():
    shown = [b.language for b in blocks(README.read_text(encoding="utf-8"))]
    assert all(shown.count(language) >= 3 for language in ("console", "python", "sql"))


def _commands() -> list[tuple[str, click.Command]]:
    found = []
    for command in (c for commands in SECTIONS.values() for c in commands):
        if isinstance(command, click.Group):
            found += [(f"{command.name} {name}", c) for name, c in command.commands.items()]
        else:
            found.append((str(command.name), command))
    return found


def _options(command: click.Command) -> set[str]:
    return {o for p in command.params if isinstance(p, click.Option) for o in p.opts}


@pytest.mark.parametrize(("name", "command"), _commands(), ids=[n for n, _ in _commands()])
def test_every_command_is_documented_with_its_options(name, command):
    rows = re.findall(rf"^\| `millgate {name}(?: [^`]*)?` \|.*$", section("Commands"), re.MULTILINE)
    assert len(rows) == 1, f"millgate {name} has {len(rows)} rows"
    shared = {"--project", "--json", "--color"}
    named = set(re.findall(r"--[a-z-]+", rows[0]))
    assert named - shared == _options(command) - shared


def test_no_command_is_documented_that_is_not_there():
    rows = re.findall(
        r"^\| `millgate ([a-z]+(?: [a-z]+)?)\b[^`]*` \|", section("Commands"), re.MULTILINE
    )
    assert sorted(rows) == sorted(name for name, _ in _commands())


def test_options_of_every_command_are_documented():
    text = section("Commands")
    assert [option for option in _options(cli) if f"{option}" not in text] == []


def test_every_exit_status_is_documented():
    rows = {int(s) for s in re.findall(r"^\| (\d+) \|", section("Exit statuses"), re.MULTILINE)}
    assert rows == LOOKED.keys() | RAN.keys()


@pytest.mark.parametrize(
    ("title", "declared"),
    [
        ("Assets", millgate.asset),
        ("Sources", millgate.source),
        ("Gates", millgate.Gate),
        ("Retries and limits", millgate.Retry),
        ("Refreshing", millgate.Refresh),
        ("Mappings", millgate.Window),
        ("Partitions", millgate.Daily),
        ("Partitions", millgate.Keys),
    ],
)
def test_every_keyword_is_documented(title: str, declared: Callable[..., object]):
    names = [n for n in inspect.signature(declared).parameters if n not in ("fn", "listed")]
    text = section(title)
    assert [n for n in names if not re.search(rf"`\**{n}\b", text)] == []


def test_every_public_name_and_form_is_documented():
    text = README.read_text(encoding="utf-8")
    assert [n for n in millgate.__all__ if not re.search(rf"`@?{n}\b", text)] == []
    parameters = section("Parameters and results")
    assert [form.value for form in Form if form.value not in parameters] == []


def test_every_setting_is_documented():
    text = section("Configuration")
    assert [f.name for f in fields(Configuration) if f"`{f.name}`" not in text] == []
    assert f"`{ENVIRONMENT}`" in text


def lineage_tables() -> str:
    """The section on the lineage tables as the catalog's own comments have it."""
    lines = ["", "<!-- Written from the catalog's comments: python tests/test_readme.py -->", ""]
    with duckdb.connect() as connection:
        catalog.create(connection, Path("/project"))
        for kind, name, comment in connection.execute(_RELATIONS).fetchall():
            columns = connection.execute(_COLUMNS, [name]).fetchall()
            lines += [f"#### `lineage.{name}`", "", f"{_plain(kind)} {_plain(comment)}", ""]
            lines += ["| column | type | |", "|---|---|---|"]
            lines += [f"| `{c}` | {t} | {_plain(told)} |" for c, t, told in columns]
            lines.append("")
        lines += ["#### Macros", "", "| macro | gives |", "|---|---|"]
        for name, parameters, comment in connection.execute(_MACROS).fetchall():
            shown = ", ".join("max_depth := 1000" if p == "max_depth" else p for p in parameters)
            lines.append(f"| `lineage.{name}({shown})` | {_plain(comment)} |")
    return "\n".join([*lines, "", ""])


_RELATIONS = """
SELECT kind, name, comment FROM (
    SELECT 'Table.' AS kind, table_name AS name, comment, table_oid AS place
    FROM duckdb_tables() WHERE schema_name = 'lineage'
    UNION ALL
    SELECT CASE WHEN t.table_oid IS NULL THEN 'View.' ELSE 'Table.' END, v.view_name, v.comment,
        coalesce(t.table_oid, v.view_oid)
    FROM duckdb_views() v LEFT JOIN duckdb_tables() t
        ON t.schema_name = 'hot' AND t.table_name = v.view_name
    WHERE v.schema_name = 'lineage')
ORDER BY kind, place
"""
_COLUMNS = """
SELECT column_name, data_type, comment FROM duckdb_columns()
WHERE schema_name = 'lineage' AND table_name = ? ORDER BY column_index
"""
_MACROS = """
SELECT function_name, parameters, comment FROM duckdb_functions()
WHERE schema_name = 'lineage' ORDER BY function_type, function_name
"""


def _plain(comment: str) -> str:
    return comment.replace("<", "\\<").replace("|", "\\|")


WRITTEN = {
    "Every table, view and macro": lineage_tables,
    "What pandera offers": pandera_offers,
}
"""The sections that are written from elsewhere."""


@pytest.mark.parametrize("title", WRITTEN)
def test_what_is_written_from_elsewhere_is_as_it_is_there(title):
    assert section(title).strip() == WRITTEN[title]().strip(), (
        "write it anew: python tests/test_readme.py"
    )


def test_every_column_has_a_comment():
    assert " | None |" not in lineage_tables()


def test_everything_named_for_contributors_exists():
    text = section("Where do I change X")
    named = re.findall(r"`((?:framework|tests|assets|benchmarks)/[\w./*]*)`", text)
    assert len(named) > 20
    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []
    package = ROOT / "framework" / "millgate"
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    assert [room for room in rooms if f"framework/millgate/{room}/" not in text] == []


def test_every_make_target_exists():
    rules = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:^|`)make ([a-z]+)\b", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert {"demo", "test"} <= set(named)
    assert sorted(set(named) - set(rules)) == []


def test_links_lead_somewhere():
    text = README.read_text(encoding="utf-8")
    titles = re.findall(r"^#+ (.*)$", re.sub(_BLOCK, "", text), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}
    for link in re.findall(r"\]\((?!https:)([^)]+)\)", text):
        found = link[1:] in anchors if link.startswith("#") else (ROOT / link).exists()
        assert found, link


def test_python_in_readme_parses():
    for block in blocks(README.read_text(encoding="utf-8")):
        if block.language == "python":
            ast.parse(block.text)


def write_anew() -> None:
    """README with the outputs and the tables as they are now."""
    text = README.read_text(encoding="utf-8")
    for title, write in WRITTEN.items():
        text = text.replace(section(title), f"\n\n{write().strip()}\n\n")
    with TemporaryDirectory() as folder, surroundings():
        tour = Tour(Path(folder))
        README.write_text(_BLOCK.sub(lambda match: _shown_anew(tour, match), text), "utf-8")


def _shown_anew(tour: Tour, match: re.Match[str]) -> str:
    """A block with what its commands print now, where it shows an output at all."""
    commands = tour.follow(Block(match[1], match[2], match[3], 0))
    text = "".join(f"$ {c}\n{told if output.strip() else ''}" for c, output, told, _ in commands)
    return f"```{match[1]}{match[2]}\n{text or match[3]}```"


if __name__ == "__main__":
    write_anew()
