"""Ask a catalog every everyday question: run by DuckDB clients that are older than Millgate.

    python old_client.py warehouse.duckdb

Needs nothing but the duckdb package. Prints how many questions were answered, or fails.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb


def questions() -> dict[str, str]:
    """The statements of everyday.sql by the question that stands above each."""
    text = Path(__file__).with_name("everyday.sql").read_text(encoding="utf-8")
    found = (part.split("\n", 1) for part in text.split("-- ") if part.strip())
    return {question.strip(): statement.strip() for question, statement in found}


def main(file: str) -> None:
    connection = duckdb.connect(file, read_only=True)
    connection.execute("SET TimeZone = 'Asia/Tokyo'")
    for statement in questions().values():
        connection.execute(statement).fetchall()
    connection.execute(
        "SELECT comment FROM duckdb_columns() WHERE schema_name = 'lineage'"
    ).fetchall()
    for macro in (
        "upstream('delays')",
        "downstream_columns('flights', 'distance')",
        "live_at(lineage.ago(INTERVAL 1 DAY))",
    ):
        connection.execute(f"FROM lineage.{macro}").fetchall()
    print(f"DuckDB {duckdb.__version__}: {len(questions())} questions answered")


if __name__ == "__main__":
    main(sys.argv[1])
