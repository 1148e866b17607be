"""A warehouse that another version of Millgate left: every command reads, a run migrates."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from conftest import Mill
from lineage.test_migration import AGED, contents
from millgate.cli.main import main
from millgate.lineage import catalog
from millgate.lineage.catalog import VERSION

READING = [
    ("plan", "total"),
    ("status",),
    ("why", "orders@2024-01-03"),
    ("runs",),
    ("sql", "SELECT live FROM lineage.health WHERE asset = 'orders'"),
    ("sql", "--as-of", "snapshot:1", "SELECT * FROM production.total"),
    ("show", "orders"),
    ("lineage", "total"),
    ("quarantine", "list"),
    ("rollback", "orders@2024-01-03", "--to", "snapshot:1", "--dry-run"),
    ("vacuum", "--dry-run"),
    ("doctor",),
]


def change(mill: Mill, statements: str) -> Path:
    """Write to the current snapshot, as no Millgate does."""
    snapshot = (mill.root / "warehouse" / "warehouse.duckdb").resolve()
    snapshot.chmod(0o644)
    with duckdb.connect(str(snapshot)) as connection:
        connection.execute(statements)
    snapshot.chmod(0o444)
    return snapshot


def millgate(mill: Mill, *arguments: str) -> int:
    return main(["--project", str(mill.root), *arguments])


@pytest.fixture
def old(shop: Mill) -> Mill:
    """A warehouse whose catalog is of the version before this one."""
    shop.run()
    change(shop, AGED.replace("INSERT INTO lineage.snapshots", "-- "))
    return shop


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_command_that_reads_works_and_changes_nothing(
    old: Mill, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    snapshot = (old.root / "warehouse" / "warehouse.duckdb").resolve()
    before = snapshot.read_bytes()
    assert millgate(old, *command) == 0, capsys.readouterr()
    assert snapshot.read_bytes() == before
    assert snapshot == (old.root / "warehouse" / "warehouse.duckdb").resolve()
    assert capsys.readouterr().out


def test_an_export_is_of_this_version(old: Mill, tmp_path: Path) -> None:
    file = tmp_path / "handed_on.duckdb"
    assert millgate(old, "export", "duckdb", str(file)) == 0
    with duckdb.connect(str(file), read_only=True) as connection:
        assert connection.execute("SELECT version FROM lineage.catalog").fetchall() == [(VERSION,)]
        assert connection.execute("SELECT amount FROM production.total").fetchall() == [(300,)]


def test_the_next_commit_migrates_and_readers_keep_what_they_have(old: Mill) -> None:
    path = str((old.root / "warehouse" / "warehouse.duckdb").resolve())
    with duckdb.connect(path, read_only=True) as reader:
        assert millgate(old, "materialize", "orders@2024-01-03", "--force") == 0
        (version,) = reader.execute("SELECT version FROM lineage.catalog").fetchall()
        assert version == (VERSION - 1,)
        assert reader.execute("SELECT amount FROM production.total").fetchall() == [(300,)]
    found = "SELECT version, (SELECT count(*) FROM lineage.alerts) FROM lineage.catalog"
    assert old.sql(found) == [(VERSION, 0)]
    assert old.sql("SELECT live FROM lineage.health WHERE asset = 'orders'") == [(5,)]
    assert not old.plan("orders").steps
    assert old.open().examine() == []
    path = str((old.root / "warehouse" / "warehouse.duckdb").resolve())
    with duckdb.connect(path, read_only=True) as migrated, duckdb.connect() as fresh:
        catalog.create(fresh, old.root)
        named, wanted = ([(k, n, c) for k, n, _, c in contents(of)] for of in (migrated, fresh))
        assert named == wanted


NEWER = "UPDATE lineage.catalog SET version = 99, written_by = '9.9'"
UNREADABLE = f"{NEWER}, min_reader = 99"


@pytest.mark.parametrize(
    "command",
    [
        ("materialize", "orders@2024-01-03", "--force"),
        ("rollback", "orders@2024-01-03", "--to", "previous", "--reason", "x", "--yes"),
        ("vacuum", "--yes"),
    ],
    ids=" ".join,
)
def test_an_older_millgate_writes_nothing(
    shop: Mill, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    shop.run()
    shop.run("orders", first="2024-01-03", last="2024-01-03", force=True)
    snapshot = change(shop, NEWER)
    before = snapshot.read_bytes()
    capsys.readouterr()
    assert millgate(shop, *command) != 0
    told = capsys.readouterr().err
    assert "catalog version 99, which this Millgate cannot write" in told
    assert "pip install 'millgate>=9.9'" in told
    assert (shop.root / "warehouse" / "warehouse.duckdb").resolve() == snapshot
    assert snapshot.read_bytes() == before
    assert millgate(shop, "status") == 0


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_what_cannot_be_read_is_said_in_three_lines(
    shop: Mill, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    shop.run()
    change(shop, UNREADABLE)
    capsys.readouterr()
    assert millgate(shop, *command) != 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "error: the warehouse has catalog version 99, which this Millgate cannot read"
    ) or lines[0].endswith("cannot write")
    assert [line.split()[0] for line in lines] == ["error:", "at", "fix"]
