"""A warehouse lives through a seeded life, and comes to what a fresh project would have.

`make soak` lives many long lives. `MILLGATE_SEED=7` lives the seventh again.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from attack.soaking import Soak

SOAK = bool(os.environ.get("MILLGATE_SOAK"))
SEED = os.environ.get("MILLGATE_SEED")
SEEDS = [int(SEED)] if SEED else range(1, 31) if SOAK else [3, 4]
ACTIONS = int(os.environ.get("MILLGATE_ACTIONS", 120 if SOAK or SEED else 10))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_life_of_accidents(tmp_path: Path, seed: int) -> None:
    soak = Soak(tmp_path / "soaked", Random(seed), decides=seed % 2 == 0)
    soak.begin()
    try:
        for _ in range(ACTIONS):
            soak.act()
        soak.finish()
        fresh = Soak(tmp_path / "fresh", Random(seed), decides=False, code=soak.code)
        fresh.extra = soak.extra
        fresh.begin()
        data = (soak.root / "data/numbers.csv").read_text(encoding="utf-8")
        fresh.write("data/numbers.csv", data)
        status, told = fresh.end(fresh.start("materialize", "--yes"))
        assert status == 0, told
        assert soak.served() == fresh.served()
    except BaseException:
        print(f"MILLGATE_SEED={seed} MILLGATE_ACTIONS={ACTIONS}", *soak.told, sep="\n")
        raise
    finally:
        soak.stop()
