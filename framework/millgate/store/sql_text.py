"""Text and paths as SQL."""

from __future__ import annotations

import re


def literal(text: str) -> str:
    """
    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def exact_path(path: str) -> str:
    """A path that DuckDB takes for just this file, where it would see a pattern.

    >>> exact_path("/data[1]/a.parquet")
    '/data[[]1]/a.parquet'
    """
    return re.sub(r"([\[*?])", r"[\1]", path)
