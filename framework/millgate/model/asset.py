"""Assets and sources, as they are declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from millgate.errors import DeclarationError
from millgate.model.duration import parse_duration
from millgate.model.known_options import known_only
from millgate.model.mapping import UpstreamMapping, Window
from millgate.model.partition import UNPARTITIONED, Partition, Partitions
from millgate.model.policy import Gate
from millgate.model.refresh import Refreshing

COMPARED = "compare"
"""What an asset's own earlier partitions are called where its gate compares with them."""

Storing = Literal["parquet", "duckdb"]
DEFAULT_STORAGE: Storing = "parquet"


class Form(Enum):
    """What a parameter receives, chosen by its annotation."""

    LAZY = "polars.LazyFrame"
    FRAME = "polars.DataFrame"
    TABLE = "pyarrow.Table"
    READER = "pyarrow.RecordBatchReader"
    RELATION = "duckdb.DuckDBPyRelation"
    PATH = "pathlib.Path"


@dataclass(frozen=True)
class Env:
    """A setting read from the environment where the step runs: `dsn: str = Env("ERP_DSN")`.

    The name is part of the code fingerprint, the value never is, and logs mask it.
    """

    variable: str


@known_only
@dataclass(frozen=True)
class Retry:
    """How often, and how long apart, a failed step is tried again.

    `times` counts the tries after the first. The wait begins at `delay`, grows by `backoff` at
    each try up to `max_delay`, and with `jitter` is spread at random up to a second more. `on`
    names the exceptions that are tried again, as classes or by the name of a class; all if empty.
    A try that takes longer than `timeout` is ended, which needs an executor that can end it.
    """

    times: int = 3
    delay: str = "1s"
    backoff: float = 2.0
    max_delay: str = "5m"
    jitter: bool = True
    on: Sequence[type[BaseException] | str] = ()
    timeout: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.on, str | type):
            object.__setattr__(self, "on", (self.on,))
        for each in self.on:
            if isinstance(each, str) or (
                isinstance(each, type) and issubclass(each, BaseException)
            ):
                continue
            raise DeclarationError(
                f"on={self.on!r} does not name exceptions",
                where="Retry",
                fix='write classes or their names, such as on=(ConnectionError, "HTTPError")',
            )
        if self.times < 0 or self.backoff < 1:
            raise DeclarationError(
                f"Retry(times={self.times}, backoff={self.backoff}) cannot be followed",
                where="Retry",
                fix="give times of at least 0 and a backoff of at least 1",
            )
        for text in (self.delay, self.max_delay):
            parse_duration(text, where="Retry")
        if self.timeout is not None and not self.timeout_s:
            raise DeclarationError(
                f"timeout={self.timeout!r} leaves no time",
                where="Retry",
                fix='give the longest that one try may take, such as timeout="10m"',
            )

    @property
    def timeout_s(self) -> float | None:
        """The seconds that one try may take; None where it may take any time."""
        if self.timeout is None:
            return None
        return parse_duration(self.timeout, where="Retry").total_seconds()

    def covers(self, error: BaseException) -> bool:
        """Whether an error is one of those that are tried again.

        >>> Retry(on=(ConnectionError, "JSONDecodeError")).covers(ConnectionResetError())
        True
        """
        names = {name for kind in type(error).__mro__ for name in _names(kind)}
        classes = tuple(each for each in self.on if isinstance(each, type))
        return not self.on or isinstance(error, classes) or not names.isdisjoint(self.on)


def _names(kind: type) -> tuple[str, str]:
    return kind.__qualname__, f"{kind.__module__}.{kind.__qualname__}"


@dataclass(frozen=True)
class Input:
    """One upstream of an asset: the parameter or table name it is read under, and how."""

    parameter: str
    upstream: str
    mapping: UpstreamMapping = None
    form: Form = Form.LAZY
    optional: bool = False

    @property
    def pinned(self) -> bool:
        return isinstance(self.mapping, Window) and self.mapping.pinned


@dataclass(frozen=True)
class Query:
    """The SQL of an asset and the `$parameters` that its statement names."""

    sql: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What assets and sources have in common."""

    name: str
    partitions: Partitions = field(default_factory=Partitions)
    owner: str | None = None
    tags: frozenset[str] = frozenset()
    group: str = ""
    description: str = ""
    defined_in: str = ""
    """File and line, relative to the project, such as `assets/flights.py:12`."""

    def partition(self, key: str = UNPARTITIONED) -> Partition:
        """The partition with a key, for calling the function in a test."""
        return self.partitions.partition(self.name, key)


@dataclass(frozen=True, kw_only=True, eq=False)
class Source(Declared):
    """Files made outside Millgate and observed.

    `location` is a path or pattern relative to the project (`{date}` stands for the key of that
    dimension), or a callable that returns one (given the partition where it takes a parameter).
    `types` is a pandera model that types the columns; `options` go to the reader.
    """

    kind: Literal["source"] = "source"
    location: str | Path | Callable[..., str | Path]
    types: Any = None
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    inputs: tuple[Input, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Asset(Declared):
    """A dataset that Millgate makes, from a function or a query.

    Calling the asset calls its function, as plain Python.
    """

    kind: Literal["asset"] = "asset"
    function: Callable[..., Any] | None = None
    query: Query | None = None
    inputs: tuple[Input, ...] = ()
    partition_parameter: str | None = None
    """Name of the parameter that receives the partition, or the list of those of a batch."""
    tables_parameter: str | None = None
    """Name of the `**tables` parameter that receives the inputs no parameter names."""
    settings: Mapping[str, Env] = field(default_factory=lambda: MappingProxyType({}))
    returns_sql: bool = False
    gate: Gate = field(default_factory=Gate)
    refresh: Refreshing = None
    retries: Retry = field(default_factory=lambda: Retry(times=0))
    version: str | None = None
    """Stands for the code in the fingerprint where it is given."""
    storage: Storing = DEFAULT_STORAGE
    """The kind of file that each version is."""

    @cached_property
    def beside(self) -> tuple[Input, ...]:
        """What its gate looks at beside the partition: each asset that it refers to, once, and
        its own earlier partitions where it compares with them."""
        referred = dict.fromkeys(reference.asset for reference in self.gate.foreign_keys)
        looked_at = tuple(Input(f"references {name}", name) for name in referred)
        before = self.gate.comparison
        return (*looked_at, Input(COMPARED, self.name, before.window)) if before else looked_at

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.function is None:
            raise TypeError(f"{self.name} is a SQL asset: run it with millgate materialize")
        return self.function(*args, **kwargs)


Node = Asset | Source
