"""Everything a plan is made and carried out with, gathered once when a project is opened."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from millgate.execute.opening import reading
from millgate.execute.partitioning import check_partitionings
from millgate.gate.compiled import CompiledGate, compile_gate
from millgate.model.alerting import Alerting
from millgate.model.asset import Asset
from millgate.model.garbage import no_collection
from millgate.model.record import SourceFile
from millgate.plan.fingerprint import code_fingerprint
from millgate.plan.graph import Graph
from millgate.plan.steadiness import needs_fingerprint

if TYPE_CHECKING:
    import duckdb

    from millgate.store.layout import Layout
    from millgate.store.locks import RunFiles
    from millgate.store.warehouse import Warehouse


@dataclass(frozen=True)
class Mill:
    """The parts of an open project.

    `folder` has the modules of the assets; `clock` gives the aware present; `actor` is who runs
    this; `code_version` names the commit of the project's own repository, where it has one.
    """

    root: Path
    folder: Path
    graph: Graph
    layout: Layout
    warehouse: Warehouse
    run_files: RunFiles
    actor: str
    host: str
    code_version: str | None
    millgate_version: str
    clock: Callable[[], datetime]
    limits: Mapping[str, int] = field(default_factory=dict)
    """How many steps of assets with a tag may run at a time."""
    alerting: Alerting = field(default_factory=Alerting)
    swapped: frozenset[str] = frozenset()
    """Assets with another partitioning than what is live of them, to be made anew by a run."""
    catalog_limit: int = 64_000_000
    """Bytes of a snapshot above which rows that nothing needs to be fast go to history."""
    seen_files: dict[str, SourceFile] = field(default_factory=dict)
    """Source files fingerprinted by this process, by path."""

    @cached_property
    def assets(self) -> Mapping[str, Asset]:
        return {n.name: n for n in self.graph.nodes if isinstance(n, Asset)}

    @cached_property
    def reads_keys(self) -> bool:
        """Whether the keys of any asset are read from another one."""
        return any(edge.kind == "keys" for edge in self.graph.edges)

    @cached_property
    @no_collection()
    def gates(self) -> Mapping[str, CompiledGate]:
        """The compiled gate of each asset."""
        return {name: compile_gate(asset.gate, name) for name, asset in self.assets.items()}

    @cached_property
    @no_collection()
    def code(self) -> Mapping[str, str]:
        """The code fingerprint of each asset."""
        return {name: code_fingerprint(asset, self.root) for name, asset in self.assets.items()}

    @cached_property
    def needs(self) -> Mapping[str, str]:
        """The fingerprint of what each asset needs, empty where more than declarations says it."""
        return {name: needs_fingerprint(asset, self.graph) for name, asset in self.assets.items()}

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection to the current snapshot, whose partitions fit the declarations."""
        with reading(self.warehouse) as connection:
            check_partitionings(connection, self.assets, self.swapped)
            yield connection


def present() -> datetime:
    """The aware present, in UTC."""
    return datetime.now(UTC)


def present_actor() -> str:
    """Who runs this: `MILLGATE_ACTOR` or the operating system's user."""
    return os.environ.get("MILLGATE_ACTOR") or getpass.getuser()


def code_version(root: Path) -> str | None:
    """The commit that the project's own git repository is at, `-dirty` where files differ."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None
