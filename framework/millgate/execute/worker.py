"""The far side: a process that opens the project by its folder and carries out orders."""

from __future__ import annotations

import io
import os
import signal
import threading
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing import connection, parent_process
from pathlib import Path
from time import perf_counter

from millgate.declare.discovery import discover
from millgate.errors import CodeChanged
from millgate.execute.capture import captured_output
from millgate.execute.failure import describe
from millgate.execute.trying import Tried, try_once
from millgate.execute.written_order import WrittenBatch, read_batch
from millgate.gate.compiled import CompiledGate, compile_gate
from millgate.model.asset import Asset
from millgate.plan.fingerprint import code_fingerprint
from millgate.plan.graph import Graph


@dataclass(frozen=True)
class _Opened:
    """The project as this process found it for one run."""

    root: Path
    graph: Graph
    _parts: dict[str, tuple[str, CompiledGate]] = field(default_factory=dict)

    def parts(self, asset: Asset) -> tuple[str, CompiledGate]:
        """The code fingerprint and the compiled gate of an asset."""
        if asset.name not in self._parts:
            gate = compile_gate(asset.gate, asset.name)
            self._parts[asset.name] = code_fingerprint(asset, self.root), gate
        return self._parts[asset.name]


_lock = threading.Lock()
_opened: dict[tuple[str, str, int], _Opened] = {}


def stand_alone() -> None:
    """Make this process one that no Ctrl-C reaches, and that ends when its parent does.

    It leads a process group of its own, so that what its steps start ends with it.
    """
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)


def open_project(root: str, folder: str, run: int) -> None:
    """Import the project's assets ahead of the first order; what is wrong shows with that."""
    try:
        _project(root, folder, run)
    except BaseException:
        return


def attempt(written: WrittenBatch) -> Tried:
    """Carry out a batch of orders in this process, never raising."""
    began = perf_counter()
    root = Path(written.root)

    def clock() -> datetime:
        """The coordinator's clock, whatever the one of this machine says."""
        return written.moment + timedelta(seconds=perf_counter() - began)

    try:
        opened = _project(written.root, written.folder, written.run)
        node = {each.name: each for each in opened.graph.nodes}.get(written.asset)
        if not isinstance(node, Asset):
            raise _changed(written)
        code, gate = opened.parts(node)
        if (code, gate.fingerprint) != (written.code_fingerprint, written.gate_fingerprint):
            raise _changed(written)
        batch = read_batch(written, node, opened.graph)
    except BaseException as error:
        return Tried(failure=describe(error, root, written.defined_in))
    with captured_output():
        return try_once(batch, gate, root=root, log=Path(written.log), clock=clock)


def _project(root: str, folder: str, run: int) -> _Opened:
    """The project, discovered afresh for each run: its code may have changed since the last."""
    with _lock:
        if (root, folder, run) not in _opened:
            _opened.clear()
            # The coordinator has imported the same modules and shown what they print.
            with redirect_stdout(io.StringIO()):
                graph = Graph.build(discover(Path(root), Path(folder)))
            _opened[root, folder, run] = _Opened(Path(root), graph)
        return _opened[root, folder, run]


def _changed(written: WrittenBatch) -> CodeChanged:
    return CodeChanged(
        f"the worker has other code of {written.asset} than this run was planned with",
        where=written.defined_in,
        fix="run again, without changing the project's files or packages meanwhile",
    )
