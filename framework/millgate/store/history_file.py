"""Files of rows that left the catalog, looked at for whether they are whole."""

from __future__ import annotations

from pathlib import Path


def column_names(path: Path) -> tuple[str, ...]:
    """The columns of a file of history, in order."""
    import pyarrow.parquet as pq

    return tuple(pq.read_schema(path).names)


def wrong_with(path: Path, rows: int) -> str:
    """What is wrong with a file of history that should have so many rows; empty if nothing is."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_metadata(path).num_rows
    except FileNotFoundError:
        return "is gone"
    except (OSError, pa.ArrowException) as error:
        return f"cannot be read: {str(error).splitlines()[0]}"
    return "" if found == rows else f"has {found:,} rows, and {rows:,} were moved there"
