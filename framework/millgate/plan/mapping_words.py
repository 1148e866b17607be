"""A mapping as a person would write or say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from millgate.model.grain import TimeDimension
from millgate.model.mapping import UpstreamMapping, Window
from millgate.model.partition import Partitions

_LONGEST = 60


def mapping_text(mapping: UpstreamMapping, downstream: Partitions, upstream: Partitions) -> str:
    """The mapping in words, or as it is written where it is not the default.

    >>> from millgate.model.dimension import Keys
    >>> from millgate.model.grain import Daily, Monthly
    >>> months, days = Partitions((Monthly("2013-01"),)), Daily("2013-01-01") * Keys("EU", "US")
    >>> mapping_text(None, months, days)
    'every overlapping date, every key'
    >>> mapping_text(Window(-6, 0, of="flights"), months, days)
    'Window(-6, 0)'
    """
    if mapping is None:
        return ", ".join(_defaults(downstream, upstream)) or "the whole"
    if isinstance(mapping, Window):
        return _written_window(mapping)
    if isinstance(mapping, Mapping):
        return _written_dict(mapping)
    return type(mapping).__name__


def _defaults(downstream: Partitions, upstream: Partitions) -> Iterator[str]:
    for dimension in upstream:
        own = next((d for d in downstream if d.name == dimension.name), None)
        if isinstance(dimension, TimeDimension) and downstream.time is not None:
            own = downstream.time
            alike = (own.grain, own.tz, own.offset) == (
                dimension.grain,
                dimension.tz,
                dimension.offset,
            )
            yield f"same {dimension.name}" if alike else f"every overlapping {dimension.name}"
        else:
            yield f"same {dimension.name}" if own is not None else f"every {dimension.name}"


def _written_window(window: Window) -> str:
    return f"Window({window.first}, {window.last}{', pinned=True' if window.pinned else ''})"


def _written_dict(mapping: Mapping[str, object]) -> str:
    pairs = [f"{_written(key)}: {_written(value)}" for key, value in mapping.items()]
    whole = f"{{{', '.join(pairs)}}}"
    return whole if len(whole) <= _LONGEST else f"{{{pairs[0]}, … {len(pairs)} in all}}"


def _written(value: object) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, Window):
        return _written_window(value)
    if isinstance(value, Mapping):
        return _written_dict(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return repr(value)
