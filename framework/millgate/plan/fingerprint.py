"""Fingerprints: what a materialization depends on, as 32 hexadecimal digits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType

from millgate.model.asset import Asset, Source
from millgate.plan.code_text import CodeText, asset_text

_FORMAT = "code 1"


def code_fingerprint(
    asset: Asset, root: Path, called: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Equal where the asset would compute the same from the same inputs.

    It follows the project's own helpers, those below `root`, and counts packages by the version
    installed; comments, layout, docstrings and annotations do not count. A declared version
    stands for all of that. What is upstream, the partitioning and the gate have no part in it:
    inputs are compared by content, and gates have a fingerprint of their own.

    `called` has other names for what it reads: the fingerprint that it would have if it read the
    same under those.
    """
    if asset.version is not None:
        return _hexdigits(f"{_FORMAT} version {asset.version}")
    return _hexdigits(f"{_FORMAT} {asset_text(asset, CodeText(root), called)}")


def reading_fingerprint(source: Source, root: Path) -> str:
    """Equal where the same file is read as the same table: the reader's options and types."""
    types = source.types
    schema = types.to_schema() if hasattr(types, "to_schema") else types
    columns = {name: str(c.dtype) for name, c in getattr(schema, "columns", {}).items()}
    options = {name: source.options[name] for name in sorted(source.options)}
    return _hexdigits(f"reading 1 {columns!r} {CodeText(root).of(options)}")


def input_fingerprint(inputs: Iterable[tuple[str, str, str, str]]) -> str:
    """Equal exactly where the same parameters read the same partitions with the same content.

    Each input is a parameter, an asset, a partition key and a data hash, in any order; pinned
    inputs are left out by the caller.

    >>> input_fingerprint([("a", "x", "", "01"), ("b", "y", "", "02")]) == input_fingerprint(
    ...     [("b", "y", "", "02"), ("a", "x", "", "01")]
    ... )
    True
    """
    return combined([input_text(*given) for given in inputs])


def input_text(parameter: str, asset: str, partition: str, data_hash: str) -> str:
    """One input as text, to be combined; neither names nor keys can hold a control character."""
    return f"{parameter}\0{asset}\0{partition}\0{data_hash}"


def combined(texts: list[str]) -> str:
    """The fingerprint of some texts in any order; sorts them in place."""
    texts.sort()
    return _hexdigits("\n".join(texts))


def _hexdigits(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
