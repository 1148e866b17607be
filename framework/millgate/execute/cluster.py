"""Tries on a Dask cluster: one that is there already, or one started on this machine.

All its workers see the project's folder under the same path.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from millgate.errors import UsageError, WorkerLost
from millgate.execute import worker
from millgate.execute.mill import Mill
from millgate.execute.order import Batch
from millgate.execute.places import processors
from millgate.execute.spawning import main_left_out, sigint_blocked
from millgate.execute.trying import Tried, not_tried
from millgate.execute.written_order import WrittenBatch, write_batch

_CONNECT = "10s"


class Cluster:
    """The workers behind an executor."""

    def __init__(
        self, mill: Mill, executor: Executor, width: int, own: Callable[[], Iterable[int]]
    ) -> None:
        """`own` gives the ids of the worker processes that this run started itself."""
        self._mill = mill
        self._executor = executor
        self._own = own
        self._running: set[Path] = set()
        self.width = width

    def attempt(self, batch: Batch, log: Path) -> Tried:
        running = batch.orders[0].staged
        self._running.add(running)
        try:
            message = write_batch(batch, self._mill, log)
            return self._executor.submit(attempt_unless_begun, message, uuid4().hex).result()
        except (Exception, CancelledError) as error:
            lost = WorkerLost(
                f"the cluster lost {batch}: {str(error) or type(error).__name__}",
                where=batch.asset.defined_in,
                fix="see the logs of the cluster's workers",
            )
            return not_tried(lost, self._mill.root, again=True)
        finally:
            self._running.discard(running)

    def leave(self) -> bool:
        for pid in self._own() if self._running else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._executor.shutdown(wait=False)
        return False


def attempt_unless_begun(written: WrittenBatch, sent: str) -> Tried:
    """Carry out what was sent under an id, and only once.

    Dask hands what a dead worker had to another one by itself; here the death costs the step one
    attempt, and its `Retry` says whether there is another.
    """
    begun = Path(f"{written.orders[0].staged}.{sent}")
    begun.parent.mkdir(parents=True, exist_ok=True)
    try:
        begun.touch(exist_ok=False)
    except FileExistsError:
        lost = WorkerLost(
            f"the worker of {written} ended",
            where=written.defined_in,
            fix="see the logs of the cluster's workers",
        )
        return not_tried(lost, Path(written.root), again=True)
    return worker.attempt(written)


@contextmanager
def opened_cluster(mill: Mill, address: str, width: int | None) -> Iterator[Cluster]:
    """The cluster at an address, or one with `width` workers that ends with the block.

    Without an address the one that Dask itself is configured with counts.
    """
    try:
        import dask
        import distributed
    except ImportError as error:
        raise UsageError(
            f"the executor dask needs the package {error.name}",
            where="--executor dask",
            fix="pip install 'millgate[dask]'; nothing was run",
        ) from error
    address = address or dask.config.get("scheduler-address", None) or ""
    with ExitStack() as held:
        held.enter_context(main_left_out())
        nannies: Mapping[object, Any] = {}
        if address:
            client = held.enter_context(_connected(distributed, address))
        else:
            client = held.enter_context(_started(distributed, width or processors()))
            nannies = client.cluster.workers
        threads = sum(client.nthreads().values()) or 1
        executor: Executor = client.get_executor(pure=False, retries=0)
        yield Cluster(
            mill, executor, width or threads, lambda: [n.pid for n in nannies.values() if n.pid]
        )


def _connected(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Dask scheduler answers: {error}",
            where=f"--executor dask:{address}",
            fix="start it (dask scheduler), or correct the address; nothing was run",
        ) from error


@contextmanager
def _started(distributed: Any, width: int) -> Iterator[Any]:
    """A client of a cluster of single-threaded processes, which no Ctrl-C reaches.

    Dask's own thread, which starts them now and later, takes over what is blocked here.
    """
    with sigint_blocked():
        started = distributed.LocalCluster(
            n_workers=width,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs="CRITICAL",
        )
    with started as cluster, distributed.Client(cluster, set_as_default=False) as client:
        yield client
