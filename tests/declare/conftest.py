from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from millgate.declare.discovery import discover
from millgate.declare.importing import leave
from millgate.model.asset import Node

Discover = Callable[[Mapping[str, str]], dict[str, Node]]


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    yield
    leave()


@pytest.fixture
def declared(tmp_path: Path) -> Discover:
    """Writes files below `assets/` of a project and gives what is declared there, by name."""

    def write_and_discover(files: Mapping[str, str]) -> dict[str, Node]:
        folder = tmp_path / "assets"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return {node.name: node for node in discover(tmp_path, folder)}

    return write_and_discover
