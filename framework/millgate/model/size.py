"""Sizes as people write them."""

from __future__ import annotations

import re

from millgate.errors import DeclarationError

_UNITS = {"B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


def parse_size(text: str, where: str = "") -> int:
    """A size in bytes; DeclarationError if it is none.

    >>> parse_size("64 MB"), parse_size("1.5GB")
    (64000000, 1500000000)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *(B|kB|MB|GB)", text.strip())
    if found is None:
        raise DeclarationError(
            f"{text!r} is not a size", where=where, fix='write it as "64 MB"; units: B, kB, MB, GB'
        )
    return int(float(found[1]) * _UNITS[found[2]])
