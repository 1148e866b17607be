"""What the objects of user code consist of."""

from __future__ import annotations

import datetime
import decimal
import fractions
import pathlib
import types
import uuid
import zoneinfo
from collections.abc import Iterable
from typing import Any

PLAIN = (
    *(type(None), bool, int, float, complex, str, bytes, range, slice, types.EllipsisType),
    *(datetime.date, datetime.time, datetime.timedelta, datetime.timezone, zoneinfo.ZoneInfo),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, pathlib.PurePath),
)
"""Types whose values are told whole, and alike in every process, by their representation."""


def is_panderas(kind: type) -> bool:
    return any(base.__module__.partition(".")[0] == "pandera" for base in kind.__mro__)


def state_of(value: Any) -> dict[str, Any]:
    """The attributes of an object, by name."""
    found = {
        slot: getattr(value, slot)
        for base in type(value).__mro__
        for slot in _slots(base)
        if hasattr(value, slot)
    }
    return {**found, **getattr(value, "__dict__", {})}


def _slots(kind: type) -> Iterable[str]:
    slots = vars(kind).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return (name for name in names if name not in ("__dict__", "__weakref__"))


def members_of(kind: type) -> dict[str, Any]:
    """What a class without source defines: its methods and plain values."""
    told = (types.FunctionType, staticmethod, classmethod, property, *PLAIN)
    return {
        name: value
        for name, value in sorted(vars(kind).items())
        if isinstance(value, told) and not name.startswith("__")
    }


def content_of(cell: types.CellType) -> Any:
    """What a closure holds; None where it is not bound yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return None
