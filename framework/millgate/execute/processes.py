"""Tries in processes of this machine: one worker for each step that runs side by side.

A worker that is overdue is killed, and one that dies costs only the step that ran in it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import LifoQueue

from millgate.errors import TimedOut, WorkerLost
from millgate.execute import worker
from millgate.execute.mill import Mill
from millgate.execute.order import Batch
from millgate.execute.spawning import main_left_out, sigint_blocked
from millgate.execute.trying import Tried, not_tried
from millgate.execute.written_order import WrittenBatch, write_batch

_HARD_TO_KILL_S = 5.0
_POLL_S = 0.005


class Processes:
    """A row of workers, each started when a step needs it and kept for the steps after it."""

    def __init__(self, mill: Mill, width: int) -> None:
        self._mill = mill
        self._slots = [_Slot() for _ in range(width)]
        # The last one used is the next: a short run starts few.
        self._idle: LifoQueue[_Slot] = LifoQueue()
        for slot in self._slots:
            self._idle.put(slot)
        self.width = width

    def attempt(self, batch: Batch, log: Path) -> Tried:
        slot = self._idle.get()
        try:
            return self._attempt(slot, batch, log)
        finally:
            self._idle.put(slot)

    def leave(self) -> bool:
        for slot in self._slots:
            slot.close()
        return True

    def _attempt(self, slot: _Slot, batch: Batch, log: Path) -> Tried:
        retries = batch.asset.retries
        try:
            slot.start(self._mill.root, self._mill.folder, batch.run)
            return slot.attempt(write_batch(batch, self._mill, log), retries.timeout_s)
        except TimeoutError:
            slot.end()
            error = TimedOut(
                f"{batch} took longer than its time-out of {retries.timeout}",
                where=batch.asset.defined_in,
                fix="give it more time, or make it faster",
            )
            return not_tried(error, self._mill.root, again=True)
        except Exception as broken:
            ended = slot.end() if isinstance(broken, BrokenExecutor) else ""
            lost = WorkerLost(
                f"the worker of {batch} {ended or f'is gone: {broken}'}",
                where=batch.asset.defined_in,
                fix="see the attempt's output; SIGKILL often means that memory ran out: fewer "
                "--workers leave more for each",
            )
            return not_tried(lost, self._mill.root, again=True)


class _Slot:
    """A place for one worker process at a time, made anew when the last one is gone."""

    def __init__(self) -> None:
        self._pool: Executor | None = None
        self._process: BaseProcess | None = None
        self._closed = threading.Event()

    def start(self, root: Path, folder: Path, run: int) -> None:
        """Have a worker that has imported the project; BrokenExecutor if it cannot be had."""
        if self._closed.is_set():
            raise BrokenExecutor("the run is over")
        if self._process is not None and self._process.is_alive():
            return
        self.end()
        spawn = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(1, spawn, initializer=worker.stand_alone)
        self._pool = pool
        with main_left_out(), sigint_blocked():
            pid = pool.submit(os.getpid)
        found = pid.result()
        children = multiprocessing.active_children()
        self._process = next((child for child in children if child.pid == found), None)
        if self._closed.is_set():
            self.close()
        pool.submit(worker.open_project, str(root), str(folder), run).result()

    def attempt(self, batch: WrittenBatch, timeout_s: float | None) -> Tried:
        assert self._pool is not None
        return self._pool.submit(worker.attempt, batch).result(timeout_s)

    def end(self) -> str:
        """Kill the worker, with what it started; how it had ended if it had."""
        pool, process = self._pool, self._process
        self._pool = self._process = None
        said = ""
        if process is not None:
            _kill(process)
            said = _ending(_status(process))
        if pool is not None:
            pool.shutdown(wait=False)
        return said

    def close(self) -> None:
        """Kill the worker for good; whoever waits for it is told that it is gone."""
        pool, process = self._pool, self._process
        self._closed.set()
        if process is not None:
            _kill(process)
        if pool is not None:
            pool.shutdown()  # Python's end must not meet the thread that closes its pipes


def _kill(process: BaseProcess) -> None:
    if process.pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _status(process: BaseProcess) -> int | None:
    """The exit status of a process that is ending; None if it will not end.

    The pool's own thread may be the one that learns it first.
    """
    deadline = time.monotonic() + _HARD_TO_KILL_S
    while process.exitcode is None and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return process.exitcode


def _ending(status: int | None) -> str:
    if status is None:
        return ""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with exit status {status}"
