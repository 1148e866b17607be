"""Commits that fail or are killed at any of their file calls."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from millgate.errors import StoreError
from millgate.store.files import Files
from millgate.store.layout import Layout
from millgate.store.warehouse import Warehouse
from store.faulty_files import (
    AFTER_FIRST,
    AFTER_SECOND,
    FailingFiles,
    first,
    layout_of,
    linked,
    live_files,
    materialize,
    python,
    second,
    served,
    tree,
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return layout_of(tmp_path)


@pytest.mark.parametrize(
    ("number", "lasting"),
    [(errno.ENOSPC, False), (errno.EIO, True)],
    ids=["full once", "broken from then on"],
)
def test_a_failing_file_call_leaves_the_last_snapshot(
    layout: Layout, number: int, lasting: bool
) -> None:
    """Each call of a commit fails once; each failure is told and harms nothing."""
    sound = Warehouse(layout, Files())
    first(sound)
    at, serving, current = 0, AFTER_FIRST, 1
    while True:
        at += 1
        files = FailingFiles(at, number, lasting=lasting)
        try:
            second(Warehouse(layout, files), run=1 + at)
        except StoreError as error:
            problem = error
        else:
            break
        assert os.strerror(number) in problem.what
        assert len(str(problem).splitlines()) == 3
        assert problem.__cause__ is not None
        if "is published, but then" in problem.what:
            current += 1
            serving = AFTER_SECOND
        assert sound.current() == current
        assert served(layout.database) == serving
        if sound.links_behind:
            assert sound.mend_links(live_files(sound), current)
        assert linked(layout) == serving
        leftovers = [p for p in tree(layout.versions) if f"/{1 + at}-" in p]
        assert "is published" in problem.what or lasting or not leftovers
        if serving is AFTER_SECOND:
            materialize(sound, 1000 + at, AFTER_FIRST, withdrawn=(4,))
            serving, current = AFTER_FIRST, current + 1
    assert at > 40, "every call had its turn"
    assert served(layout.database) == linked(layout) == AFTER_SECOND


KILLER = """
import json, os, subprocess, sys
from pathlib import Path
from millgate.store.files import Files
from millgate.store.warehouse import Warehouse
from store.faulty_files import DyingFiles, first, layout_of, second

base = Path(sys.argv[1])


def child(act):
    if (pid := os.fork()) == 0:
        act()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


assert child(lambda: first(Warehouse(layout_of(base / "0"), Files()))) == 0
roots, at, status = [], 0, 9
while status:
    assert status == 9, status
    at += 1
    root = base / str(at)
    subprocess.run(["cp", "-a", base / "0", root], check=True)
    files = DyingFiles(at)
    status = child(lambda: second(Warehouse(layout_of(root), files)))
    roots.append(str(root))
print(json.dumps(roots))
"""

PLAIN_READER = """
import json, os, sys
import duckdb
found = {}
for root in json.load(sys.stdin):
    os.chdir(f"{root}/warehouse")
    with duckdb.connect(os.path.realpath("warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute("SELECT day(date), value FROM production.flights").fetchall()
        last = connection.execute("SELECT max(snapshot) FROM lineage.snapshots").fetchone()[0]
        found[root] = [last, dict(rows)]
assert "millgate" not in sys.modules
print(json.dumps(found))
"""


def test_a_process_killed_at_any_file_call_leaves_a_whole_snapshot(tmp_path: Path) -> None:
    roots = python(KILLER, tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", PLAIN_READER],
        input=roots,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(ran.stdout)
    in_order = [
        (last, {int(number): value for number, value in rows.items()})
        for last, rows in (found[root] for root in json.loads(roots))
    ]
    old, new = (1, AFTER_FIRST), (2, AFTER_SECOND)
    swap = in_order.index(new)
    assert swap > 40
    assert in_order == [old] * swap + [new] * (len(in_order) - swap)
    assert len(in_order) > swap + 6
    for at, (last, rows) in enumerate(in_order, 1):
        warehouse = Warehouse(layout_of(tmp_path / str(at)), Files())
        mends(warehouse, last, rows)
        if at % 4 == 0 or abs(at - swap) < 6:
            finishes(warehouse, last)


def mends(warehouse: Warehouse, last: int, rows: dict[int, int]) -> None:
    """The next run puts the links right."""
    if warehouse.links_behind:
        assert warehouse.mend_links(live_files(warehouse), last)
    assert linked(warehouse.layout) == rows
    assert not warehouse.links_behind


def finishes(warehouse: Warehouse, last: int) -> None:
    """The next run commits as if nothing had happened."""
    second(warehouse, run=3)
    layout = warehouse.layout
    assert served(layout.database) == linked(layout) == AFTER_SECOND
    assert sorted(p.name for p in layout.snapshots.iterdir()) == [
        f"{number:08}" for number in range(1, last + 2)
    ]


FULL = """
import resource, sys
from pathlib import Path
from millgate.errors import StoreError
from millgate.store.files import Files
from millgate.store.warehouse import Warehouse
from store.faulty_files import layout_of

warehouse = Warehouse(layout_of(Path(sys.argv[1])), Files())
size = warehouse.layout.snapshot(1).stat().st_size
limit = size + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with warehouse.committing() as commit:
        commit.connection.execute("CREATE TABLE t AS SELECT hash(i) FROM range(200000) AS r(i)")
        commit.publish()
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize("room", [-100_000, 0, 300_000, 1_300_000])
def test_a_draft_that_cannot_grow_is_an_error(layout: Layout, room: int) -> None:
    warehouse = Warehouse(layout, Files())
    first(warehouse)
    said = python(FULL, layout.root, room)
    assert len(said.splitlines()) == 3
    assert "File too large" in said
    assert served(layout.database) == AFTER_FIRST
    second(warehouse)
    assert served(layout.database) == AFTER_SECOND
