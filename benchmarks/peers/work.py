"""The two workloads that every contestant does, and how one is called. No other libraries.

W1: a chain of 10 assets, 10 rows in each partition. W2: the rows of a day cleaned, checked by six
rules and aggregated, a day at a time.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

FIRST = date(2024, 1, 1)
ASSETS = 10
COUNTRIES = [
    *("AT", "AU", "BE", "BR", "CA", "CH", "CN", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR"),
    *("HU", "IE", "IN", "IT", "JP", "KR", "MX", "NL", "NO", "PL", "PT", "RO", "SE", "TR", "US"),
]
STATUSES = ["paid", "shipped", "cancelled", "refunded"]
STATUS_PATTERN = "^(paid|shipped|cancelled|refunded)$"
AMOUNT_MAX = 1e6
BAD_DAYS = (6, 14, 22)
"""Days of the dirty month, counted from 0, that have 0.1 % bad rows."""

CLEAN_SELECT = (
    "SELECT id, ts, CAST(ts AS DATE) AS day, CAST(customer_id AS INTEGER) AS customer_id, "
    "country, amount, lower(status) AS status"
)
CLEAN_WHERE = "status <> 'TEST'"


def days(count: int) -> list[date]:
    """The first days of the month."""
    return [FIRST + timedelta(days=i) for i in range(count)]


def fresh(folder: Path) -> Path:
    """An empty folder, as an absolute path."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder.resolve()


def first_rows(day: date) -> dict[str, list[object]]:
    """The rows of the first asset of W1, by column."""
    number = (day - FIRST).days
    return {"day": [day] * 10, "k": list(range(10)), "v": [float(k + number) for k in range(10)]}


def quoted(values: list[str]) -> str:
    """Texts as a list in SQL."""
    return ", ".join(f"'{value}'" for value in values)


def write(folder: Path, files: dict[str, str]) -> Path:
    """The folder, with text files at these paths in it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def beside(program: str) -> str:
    """A program that was installed together with this interpreter."""
    return str(Path(sys.executable).with_name(program))


def called(**modes: Callable[..., None]) -> None:
    """Run what the command line names: `w1... OUT [--days N]` or `w2... SOURCE OUT [--days N]`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=modes)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--days", type=int)
    given = parser.parse_args()
    month = given.mode.startswith("w2")
    if len(given.folders) != 1 + month:
        parser.error(f"{given.mode} takes {'SOURCE OUT' if month else 'OUT'}")
    *source, out = given.folders
    count = given.days or (31 if month else 100)
    modes[given.mode](*(folder.resolve() for folder in source), fresh(out), count)
