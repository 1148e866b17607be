"""Commands while somebody has the current snapshot open for writing, or wrote to it and died."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from attack.outside_view import look
from conftest import Edit, Mill
from strangers import stranger_in


@pytest.fixture
def stranger(shop: Mill, edit: Edit) -> Iterator[subprocess.Popen[str]]:
    """Who holds the current snapshot read-write, and dies when it gets a line."""
    shop.run()
    edit("assets/revenue.sql", "sum(amount)", "2 * sum(amount)")
    shop.run()
    edit("assets/revenue.sql", "2 * sum(amount)", "3 * sum(amount)")
    database = shop.root / "warehouse" / "warehouse.duckdb"
    harm = "DROP VIEW production.orders; DELETE FROM lineage.production"
    with stranger_in(database, harm) as process:
        yield process


COMMANDS = [
    ("status", 0, ""),
    ("plan", 0, "code changed"),
    ("sql SELECT|sum(amount)|AS|s|FROM|production.orders", 0, "300"),
    ("sql SELECT|sum(amount)|AS|s|FROM|production.revenue --as-of snapshot:1", 0, "300"),
    ("materialize revenue@2024-01-01..2024-01-05 --yes", 0, "5 made"),
    ("vacuum --keep 0s --yes", 0, "superseded"),
    ("rollback revenue --to previous --reason why --yes", 0, ""),
    ("doctor", 1, "can be written to"),
    ("doctor --repair", 0, "mended"),
    ("why orders@2024-01-03", 0, ""),
    ("runs", 0, ""),
]


@pytest.mark.parametrize("dies", [False, True], ids=["lock", "stray WAL"])
@pytest.mark.parametrize(("command", "status", "told"), COMMANDS, ids=[c for c, _, _ in COMMANDS])
def test_every_command_works_and_says_so(
    shop: Mill,
    stranger: subprocess.Popen[str],
    command: str,
    status: int,
    told: str,
    dies: bool,
) -> None:
    if dies:
        stranger.communicate("\n")
    words = [word.replace("|", " ") for word in command.split()]
    done = subprocess.run(
        [sys.executable, "-m", "millgate", *words],
        cwd=shop.root,
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == status, said
    assert told in said
    # What was is always asked from a copy, which is nothing to tell of.
    assert ("private copy" in said) == ("--as-of" not in command)
    if command.startswith(("materialize", "vacuum", "rollback", "doctor --repair")):
        # What the stranger did to its own snapshot is in none that follows.
        (shop.root / "warehouse/snapshots/00000002/warehouse.duckdb").chmod(0o444)
        seen = look(shop.root)
        assert seen is not None
        assert {one.asset for one in seen.live} == {"orders", "revenue", "total"}
