"""Millgate: asset-centric data lineage in which nothing enters production that fails its checks."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from millgate.declare.decorator import asset as asset
    from millgate.declare.origin import source as source
    from millgate.gate.judging import judge as judge
    from millgate.model.asset import Asset as Asset
    from millgate.model.asset import Env as Env
    from millgate.model.asset import Retry as Retry
    from millgate.model.dimension import Keys as Keys
    from millgate.model.grain import Daily as Daily
    from millgate.model.grain import Hourly as Hourly
    from millgate.model.grain import Monthly as Monthly
    from millgate.model.grain import Weekly as Weekly
    from millgate.model.mapping import Window as Window
    from millgate.model.partition import Partition as Partition
    from millgate.model.policy import Gate as Gate
    from millgate.model.refresh import Refresh as Refresh

# What polars reads once, and its allocator when it is loaded. It would read ahead many more row
# groups than it decodes, pass on longer pieces of a stream, and keep freed memory in four places
# for each processor and for a second more: a third more memory, and no time gained.
_PROCESSORS = os.cpu_count() or 1
_ALLOCATOR = f"narenas:{max(1, _PROCESSORS // 2)},muzzy_decay_ms:0"
os.environ.setdefault("POLARS_ROW_GROUP_PREFETCH_SIZE", str(_PROCESSORS))
os.environ.setdefault("POLARS_IDEAL_MORSEL_SIZE", "65536")
_TOLD = os.environ.get("_RJEM_MALLOC_CONF", "")  # of two values the allocator takes the later
if _ALLOCATOR not in _TOLD:
    os.environ["_RJEM_MALLOC_CONF"] = f"{_ALLOCATOR},{_TOLD}".removesuffix(",")

# Loaded when they are first asked for: the command line imports this package too, and
# `millgate --help` must not wait for polars and pandera.
_HOMES = {
    "Asset": "model.asset",
    "Daily": "model.grain",
    "Env": "model.asset",
    "Gate": "model.policy",
    "Hourly": "model.grain",
    "Keys": "model.dimension",
    "Monthly": "model.grain",
    "Partition": "model.partition",
    "Refresh": "model.refresh",
    "Retry": "model.asset",
    "Weekly": "model.grain",
    "Window": "model.mapping",
    "asset": "declare.decorator",
    "judge": "gate.judging",
    "source": "declare.origin",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
