from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lineage.chronicle import Chronicle, new_catalog


@pytest.fixture
def chronicle(tmp_path: Path) -> Iterator[Chronicle]:
    connection = new_catalog(tmp_path / "draft.duckdb")
    yield Chronicle(connection)
    connection.close()
