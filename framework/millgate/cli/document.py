"""The JSON document that `--json` prints, one for each call."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from uuid import UUID

from millgate.cli.moments import aware
from millgate.errors import MillgateError

FORMAT = 1
"""Of the document; within a format there are only additions."""


def document(
    command: str,
    exit_status: int,
    data: object = None,
    warnings: tuple[str, ...] = (),
    error: MillgateError | None = None,
) -> str:
    """The document as text, keys in this order: format, command, exit, data, warnings, error."""
    return json.dumps(
        {
            "format": FORMAT,
            "command": command,
            "exit": exit_status,
            "data": plain_data(data),
            "warnings": list(warnings),
            "error": None
            if error is None
            else {
                "code": error.code,
                "what": error.what,
                "where": error.where,
                "fix": error.fix,
            },
        },
        ensure_ascii=False,
        allow_nan=False,
        indent=2,
    )


def plain_data(value: object) -> object:
    """`value` as JSON can hold it: times in UTC with Z, ids and paths as text.

    >>> plain_data({"at": datetime(2025, 11, 20, 7, 14), "share": float("nan")})
    {'at': '2025-11-20T07:14:00Z', 'share': None}
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case datetime():
            return (
                aware(value)
                .astimezone(tz=aware(datetime.min).tzinfo)
                .isoformat()
                .replace("+00:00", "Z")
            )
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            # As DuckDB's own JSON: sums of integers are decimals without places.
            return int(value) if value == value.to_integral_value() else float(value)
        case UUID() | PurePath():
            return str(value)
        case Enum():
            return plain_data(value.value)
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): plain_data(item) for key, item in value.items()}
        case list() | tuple():
            return [plain_data(item) for item in value]
        case set() | frozenset():
            return sorted((plain_data(item) for item in value), key=str)
    if is_dataclass(value):
        return {f.name: plain_data(getattr(value, f.name)) for f in fields(value)}
    return str(value)
