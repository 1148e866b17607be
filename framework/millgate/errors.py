"""Every error Millgate raises on purpose, each saying what is wrong, where, and what to do.

MillgateError
├── UsageError                the command line or a call is wrong; nothing was attempted (exit 2)
│   ├── UnknownAsset          a name that no asset has
│   ├── BadSelection          a selection that cannot be read
│   ├── BadKey                a partition key or key range outside the definition
│   └── TooManyPartitions     the guard on large runs
├── ProjectError              no project here, or its configuration is wrong (exit 2)
├── DeclarationError          an asset is declared in a way that cannot work (exit 2)
│   ├── DuplicateAsset        two assets of one name
│   ├── UnknownUpstream       an upstream that nobody declares
│   ├── GraphCycle            assets made from each other in a circle
│   └── BadQuery              SQL that cannot be parsed or reads what it must not
├── MissingSetting            an environment variable that an asset needs is not set (exit 2)
├── MissingSource             the files that everything would be made from are missing (exit 3)
├── StepFailed                a step did not produce a partition (exit 1)
│   ├── BadResult             the asset returned something Millgate cannot store
│   ├── SourceChanged         a source file changed while it was read
│   ├── CodeChanged           a worker found other code than the run was planned with
│   ├── TimedOut              a try took longer than its asset allows
│   └── WorkerLost            the process that a step ran in ended
├── GateError                 a gate that cannot be compiled, or that broke while judging (exit 1)
├── StoreError                the warehouse cannot be read or written (exit 1)
│   └── CatalogTooNew         the warehouse was written by a newer Millgate
└── Conflict                  another run holds or changed the same partitions (exit 4)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class MillgateError(Exception):
    """Base of all errors: `what` is wrong, `where` it was seen, the `fix` to try."""

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}\n  at   {self.where}\n  fix  {self.fix}"


class UsageError(MillgateError):
    code = "usage"
    exit_status = 2


class UnknownAsset(UsageError):
    code = "unknown_asset"


class BadSelection(UsageError):
    code = "bad_selection"


class BadKey(UsageError):
    code = "bad_key"


class TooManyPartitions(UsageError):
    code = "too_many_partitions"


class ProjectError(MillgateError):
    code = "project"
    exit_status = 2


class DeclarationError(MillgateError):
    code = "declaration"
    exit_status = 2


class DuplicateAsset(DeclarationError):
    code = "duplicate_asset"


class UnknownUpstream(DeclarationError):
    code = "unknown_upstream"


class GraphCycle(DeclarationError):
    code = "graph_cycle"


class BadQuery(DeclarationError):
    code = "bad_query"


class MissingSetting(MillgateError):
    code = "missing_setting"
    exit_status = 2


class MissingSource(MillgateError):
    code = "missing_source"
    exit_status = 3


class StepFailed(MillgateError):
    code = "step_failed"


class BadResult(StepFailed):
    code = "bad_result"


class SourceChanged(StepFailed):
    code = "source_changed"


class CodeChanged(StepFailed):
    code = "code_changed"


class TimedOut(StepFailed):
    code = "timed_out"


class WorkerLost(StepFailed):
    code = "worker_lost"


class GateError(MillgateError):
    code = "gate"


class StoreError(MillgateError):
    code = "store"


class CatalogTooNew(StoreError):
    code = "catalog_too_new"


class Conflict(MillgateError):
    code = "conflict"
    exit_status = 4


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """A `fix` that offers the known names closest to `name`, or `otherwise`.

    >>> did_you_mean("flihgts", ["flights", "planes"], "all names: millgate list")
    'did you mean flights?  all names: millgate list'
    """
    from difflib import get_close_matches

    close = get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?  {otherwise}" if close else otherwise
