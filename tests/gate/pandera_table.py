"""README's section on what pandera offers on polars."""

from __future__ import annotations

import warnings

from gate.offered_checks import CHECKS, OPTIONS
from gate.offered_columns import COLUMNS, TYPES
from gate.offered_schemas import MODELS, SCHEMAS

GROUPS = (CHECKS, OPTIONS, COLUMNS, SCHEMAS, MODELS, TYPES)

_ABOUT = """
<!-- Written from tests/gate/pandera_table.py: python tests/test_readme.py -->

A verdict is pandera's own, as `validate(lazy=True)` gives it on the whole frame; or a better one
where pandera is wrong on polars; or the schema is refused where it is declared. A LazyFrame is
judged as a whole too, whatever pandera's configuration says. Every row is tried by
`tests/gate/test_pandera_offers.py`, which also holds the names against pandera's.
"""


def pandera_offers() -> str:
    """What the section says: all tables, one after the other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return "\n\n".join((_ABOUT.rstrip(), *("\n".join(group.table()) for group in GROUPS)))
