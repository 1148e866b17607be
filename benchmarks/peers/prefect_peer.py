"""Prefect: a flow run for each partition, and within it a run of its own for each asset.

    python prefect_peer.py w1 OUT [--days 100]

The server is the ephemeral one on 127.0.0.1, its SQLite database in OUT/.prefect.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from work import ASSETS, called, days, first_rows

SETTINGS = {
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
    "DO_NOT_TRACK": "1",
}


def chain(out: Path, count: int) -> None:
    """W1."""
    os.environ.update(SETTINGS, PREFECT_HOME=str(out / ".prefect"))
    os.environ.pop("PREFECT_API_URL", None)
    import prefect  # Its settings are read when it is imported.

    def made(number: int) -> Callable[..., Any]:
        @prefect.task(name=f"a{number}")
        def make(day: date, upstream: Path | None) -> Path:
            if upstream is None:
                frame = pl.DataFrame(first_rows(day))
            else:
                frame = pl.read_parquet(upstream).with_columns(v=pl.col("v") + 1)
            path = out / f"a{number}" / f"{day}.parquet"
            frame.write_parquet(path)
            return path

        return make

    links = [made(number) for number in range(ASSETS)]

    @prefect.flow(name="chain")
    def all_of(day: date) -> None:
        path = None
        for link in links:
            path = link(day, path)

    for number in range(ASSETS):
        (out / f"a{number}").mkdir()
    for day in days(count):
        all_of(day)


if __name__ == "__main__":
    called(w1=chain)
