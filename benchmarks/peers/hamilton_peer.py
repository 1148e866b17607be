"""Hamilton: one driver that executes for each partition, and keeps no state.

    python hamilton_peer.py w1 OUT [--days 100]

Each function reads the Parquet file of its upstream and writes its own, so that the work on the
disk is the same.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

from hamilton import driver
from work import ASSETS, called, days

FIRST_FUNCTION = """
from datetime import date

import polars as pl
from work import first_rows


def a0(day: date, out: str) -> str:
    path = f"{out}/a0/{day}.parquet"
    pl.DataFrame(first_rows(day)).write_parquet(path)
    return path
"""
FUNCTION = """

def a{number}(a{before}: str, day: date, out: str) -> str:
    path = f"{{out}}/a{number}/{{day}}.parquet"
    pl.read_parquet(a{before}).with_columns(v=pl.col("v") + 1).write_parquet(path)
    return path
"""


def chain(out: Path, count: int) -> None:
    """W1."""
    module = types.ModuleType("chain")
    functions = (FUNCTION.format(number=n, before=n - 1) for n in range(1, ASSETS))
    sys.modules[module.__name__] = module
    exec(FIRST_FUNCTION + "".join(functions), module.__dict__)
    for number in range(ASSETS):
        (out / f"a{number}").mkdir()
    built = driver.Builder().with_modules(module).build()
    for day in days(count):
        built.execute([f"a{ASSETS - 1}"], inputs={"day": day, "out": str(out)})


if __name__ == "__main__":
    called(w1=chain)
