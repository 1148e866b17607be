"""What becomes of refused data, and what stands at any moment if the process that does it dies.

After each death a reader without Millgate finds that production, quarantine and the tables tell
one story, which is that of before or that of after. `make soak` dies at every file call.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from attack.outside_view import look
from attack.quarantine_story import story
from conftest import Edit, Mill
from execute.dying import Dies, act_with, copied
from store.faulty_files import RecordedFiles

SOAK = bool(os.environ.get("MILLGATE_SOAK"))
DAY = "2024-01-03"
REASON = "refunds are real"
RELEASE = f"project.release('orders', '{DAY}', reason='{REASON}', actor='ada')"
DISCARD = f"project.discard('orders', '{DAY}', reason='{REASON}', actor='ada')"
REPLAY = "project.replay(project.propose_replay(''), actor='ada')"
RUN = "run_with(mill, files, 'orders')"
ENFORCE = "run_with(mill, files, 'orders', enforce=True)"
PASSED = "passed when it was judged again"
REFUSED = "enforced: amount > 0: 1 of 3 rows fail"


@dataclass(frozen=True)
class Scene:
    """What came before, what is done, and what is told then of the day: rows, entries, entries
    into production."""

    before: Callable[[Mill, Edit], object]
    act: str
    production: list[int]
    quarantine: list[int]
    entries: list[tuple[str, str, int, str | None]]
    promotions: list[tuple[str, str | None]]


def bad_data(_: Mill, edit: Edit) -> None:
    edit("data/orders.csv", f"{DAY},1,10", f"{DAY},1,-10")


def splitting(mill: Mill, edit: Edit) -> None:
    bad_data(mill, edit)
    edit("assets/shop.py", "Gate(Order)", 'Gate(Order, on_failure="split")')


def held(mill: Mill, edit: Edit) -> None:
    bad_data(mill, edit)
    mill.run()


def split(mill: Mill, edit: Edit) -> None:
    splitting(mill, edit)
    mill.run()


def looser_after(before: Callable[[Mill, Edit], None]) -> Callable[[Mill, Edit], None]:
    def loosened(mill: Mill, edit: Edit) -> None:
        before(mill, edit)
        edit("assets/shop.py", "gt=0", "gt=-11")

    return loosened


def overridden(mill: Mill, edit: Edit) -> None:
    held(mill, edit)
    mill.open().release("orders", DAY, reason=REASON, actor="ada")


def other_data(mill: Mill, edit: Edit) -> None:
    overridden(mill, edit)
    edit("data/orders.csv", f"{DAY},1,-10", f"{DAY},1,-7")


def better_data(mill: Mill, edit: Edit) -> None:
    overridden(mill, edit)
    edit("data/orders.csv", f"{DAY},1,-10", f"{DAY},1,7")


def other_rules(mill: Mill, edit: Edit) -> None:
    overridden(mill, edit)
    edit("assets/shop.py", "gt=0", "gt=0, lt=1_000")


RELEASED = ("partition", "released", 3, REASON)
SCENES = {
    "held": Scene(bad_data, RUN, [], [-10, 20, 30], [("partition", "held", 3, None)], []),
    "split": Scene(splitting, RUN, [20, 30], [-10], [("rows", "held", 1, None)], [("split", None)]),
    "released": Scene(held, RELEASE, [-10, 20, 30], [], [RELEASED], [("release", REASON)]),
    "released into what it was split from": Scene(
        split,
        RELEASE,
        [-10, 20, 30],
        [],
        [("rows", "released", 1, REASON)],
        [("split", None), ("release", REASON)],
    ),
    "replayed": Scene(
        looser_after(held),
        REPLAY,
        [-10, 20, 30],
        [],
        [("partition", "replayed", 3, PASSED)],
        [("replay", PASSED)],
    ),
    "replayed into what it was split from": Scene(
        looser_after(split),
        REPLAY,
        [-10, 20, 30],
        [],
        [("rows", "replayed", 1, PASSED)],
        [("split", None), ("replay", PASSED)],
    ),
    "discarded": Scene(held, DISCARD, [], [], [("partition", "discarded", 3, REASON)], []),
    "overridden, then other data fails": Scene(
        other_data,
        RUN,
        [-10, 20, 30],
        [-7, 20, 30],
        [RELEASED, ("partition", "held", 3, None)],
        [("release", REASON)],
    ),
    "overridden, then other data passes": Scene(
        better_data, RUN, [7, 20, 30], [], [RELEASED], [("release", REASON), ("promote", None)]
    ),
    "overridden, then other rules are enforced": Scene(
        other_rules,
        ENFORCE,
        [],
        [-10, 20, 30],
        [RELEASED, ("partition", "held", 3, None)],
        [("release", REASON), ("withdraw", REFUSED)],
    ),
}


def told(mill: Mill) -> list[tuple[Any, ...]]:
    """What an independent reader is told, once all of it agrees."""
    if look(mill.root) is None:
        return []
    return story(mill.root, "orders", DAY)


def as_told(scene: Scene, actor: str) -> list[tuple[Any, ...]]:
    return [
        ("production", scene.production),
        ("quarantine", scene.quarantine),
        *(
            ("entry", scope, status, rows, None if status == "held" else "ada", reason)
            for scope, status, rows, reason in scene.entries
        ),
        *(
            ("promotion", "", kind, 0, "ada" if kind in ("release", "replay") else actor, reason)
            for kind, reason in scene.promotions
        ),
    ]


@pytest.mark.parametrize("name", SCENES)
def test_one_story_is_told_whenever_the_process_dies(
    shop: Mill, edit: Edit, tmp_path: Path, dies: Dies, name: str
) -> None:
    scene = SCENES[name]
    shop.run("orders@2024-01-01")
    scene.before(shop, edit)
    before = told(shop)
    done = copied(shop, tmp_path / "done")
    files = RecordedFiles(done.root)
    act_with(done, files, scene.act)
    after = told(done)
    assert after == as_told(scene, done.open().actor)
    count = len(files.calls)
    first = 1 + 5 * [*SCENES].index(name) % (count // 2)
    died = 0
    for at in range(1, count + 1) if SOAK else range(first, count + 1, (count + 1) // 2):
        mill = copied(shop, tmp_path / f"at{at}")
        died += dies(mill, at, scene.act)
        assert told(mill) in (before, after)
        if told(mill) == before:
            act_with(mill, RecordedFiles(mill.root), scene.act)
        mill.run("orders")
        assert told(mill) == after
        assert mill.open().examine(deep=True) == []
    assert died > 0
