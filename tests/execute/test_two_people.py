"""Two people who decide at once about the same refused data: one of them is told of the other."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from attack.outside_view import look
from conftest import Edit, Mill
from millgate.errors import Conflict
from millgate.store.locks import exclusive_lock

DAY = "2024-01-03"
TARGET = f"orders@{DAY}"
RELEASE = ("release", TARGET, "--reason", "refunds are real")
DISCARD = ("discard", TARGET, "--reason", "a test order", "--yes")
REPLAY = ("replay", "--yes")
BECAME = {"release": "released", "discard": "discarded", "replay": "replayed"}


def begin(mill: Mill, actor: str, command: tuple[str, ...]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "millgate", "quarantine", *command],
        cwd=mill.root,
        env={**os.environ, "MILLGATE_ACTOR": actor},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def replayable(held: Mill, edit: Edit) -> Mill:
    edit("assets/shop.py", "gt=0", "gt=-11")
    return held


@pytest.mark.parametrize(
    ("first", "second"), [(RELEASE, DISCARD), (RELEASE, RELEASE), (RELEASE, REPLAY)]
)
def test_one_of_two_wins(replayable: Mill, first: tuple[str, ...], second: tuple[str, ...]) -> None:
    mill = replayable
    people = {"ada": first, "bob": second}
    with exclusive_lock(mill.open().layout.commit_lock):
        deciding = {actor: begin(mill, actor, command) for actor, command in people.items()}
        # Whoever has the claim waits for the lock of commits; the other one is refused.
        while all(process.poll() is None for process in deciding.values()):
            os.sched_yield()
    ended = {actor: (p, *p.communicate(timeout=120)) for actor, p in deciding.items()}
    statuses = {actor: process.returncode for actor, (process, _, _) in ended.items()}
    assert sorted(statuses.values()) == [0, 4], ended
    winner, loser = sorted(statuses, key=lambda actor: statuses[actor])
    lines = ended[loser][2].splitlines()
    assert "is working on 1 of these partitions" in lines[0]
    assert f"by {winner} on" in " ".join(lines)
    assert "Traceback" not in ended[loser][2]
    verb = people[winner][0]
    assert mill.sql("SELECT status, actor FROM lineage.quarantine") == [(BECAME[verb], winner)]
    entries = [] if verb == "discard" else [(verb, winner)]
    decided = "SELECT kind, actor FROM lineage.promotions WHERE kind IN ('release', 'replay')"
    assert mill.sql(decided) == entries
    runs = "SELECT count(*) FROM lineage.runs WHERE command LIKE 'quarantine %'"
    assert mill.sql(runs) == [(1,)]
    assert look(mill.root) is not None
    assert mill.open().examine(deep=True) == []


def test_who_looked_before_the_other_decided_is_told_of_it(held: Mill) -> None:
    ((seen,),) = held.sql("SELECT materialization FROM lineage.quarantine")
    held.open().discard("orders", DAY, reason="a test order", actor="ada")
    with pytest.raises(Conflict) as caught:
        held.open().release("orders", DAY, reason="a refund", actor="bob", seen=seen)
    assert "was discarded by ada: a test order a moment ago" in str(caught.value)
    assert held.sql("SELECT count(*) FROM lineage.promotions WHERE kind = 'release'") == [(0,)]


def test_a_release_lets_in_what_was_looked_at_and_nothing_newer(held: Mill, edit: Edit) -> None:
    ((seen,),) = held.sql("SELECT materialization FROM lineage.quarantine")
    edit("data/orders.csv", f"{DAY},1,-10", f"{DAY},1,-99")
    held.run()
    with pytest.raises(Conflict, match=r"was superseded by .* a moment ago"):
        held.open().release("orders", DAY, reason="a refund", actor="bob", seen=seen)
    assert held.sql("SELECT count(*) FROM production.orders WHERE amount < 0") == [(0,)]
