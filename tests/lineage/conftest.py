from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineage.chronicle import Chronicle, attached, new_catalog


@pytest.fixture(scope="session")
def empty_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a catalog in which nothing has happened."""
    file = tmp_path_factory.mktemp("catalog") / "empty.duckdb"
    connection = new_catalog(file)
    connection.execute("USE memory; DETACH draft")
    connection.close()
    return file


@pytest.fixture
def chronicle(empty_catalog: Path, tmp_path: Path) -> Iterator[Chronicle]:
    file = tmp_path / "warehouse.duckdb"
    shutil.copyfile(empty_catalog, file)
    connection = attached(file)
    yield Chronicle(connection)
    connection.close()
