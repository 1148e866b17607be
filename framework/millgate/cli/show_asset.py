"""The definition of an asset or source, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.text import Text

from millgate.cli.grid import Column, grid, hanging
from millgate.model.asset import Asset, Node
from millgate.model.dimension import Dimension, Keys
from millgate.model.grain import TimeDimension
from millgate.model.partition import Partitions
from millgate.model.policy import Gate
from millgate.model.record import Edge
from millgate.model.schema import Schema

_GRAINS = {"hour": "hourly", "date": "daily", "week": "weekly", "month": "monthly"}


class Rule(Protocol):
    """What is shown of a gate's rule."""

    @property
    def name(self) -> str: ...
    @property
    def column(self) -> str | None: ...
    @property
    def expected(self) -> str | None: ...
    @property
    def severity(self) -> str: ...


@dataclass(frozen=True)
class Shown:
    """All that is shown of an asset; `columns` is None where nothing is live."""

    node: Node
    reads: tuple[Edge, ...]
    read_by: tuple[str, ...]
    rules: Sequence[Rule]
    columns: Schema | None


def asset_lines(shown: Shown, width: int | None) -> Iterator[Text]:
    """The definition, what it reads and is read by, its columns and its checks."""
    node = shown.node
    yield Text.assemble((node.name, "bold"), f"  {node.kind}")
    for paragraph in node.description.strip().splitlines():
        yield from hanging("", paragraph, width)
    yield Text()
    for name, value in _facts(shown):
        if value:
            yield from hanging(Text(f" {name:<11} ", "dim"), value, width)
    yield from _section(
        ("reads", "keys"), [(edge.upstream, edge.mapping) for edge in shown.reads], width
    )
    yield from _section(("column", "type"), [(c.name, c.type) for c in shown.columns or ()], width)
    yield from _section(
        ("check", "column", "severity", "expected"),
        [(r.name, r.column or "", r.severity, r.expected or "") for r in shown.rules],
        width,
    )


def asset_data(shown: Shown) -> dict[str, object]:
    """The definition for a program."""
    node = shown.node
    return {
        "asset": node.name,
        "kind": node.kind,
        "description": node.description,
        "owner": node.owner,
        "asset_group": node.group,
        "tags": node.tags,
        "dimensions": node.partitions.names,
        "partitions": described(node.partitions),
        "defined_in": node.defined_in,
        "upstreams": [
            {"upstream": e.upstream, "kind": e.kind, "mapping": e.mapping} for e in shown.reads
        ],
        "downstreams": shown.read_by,
        "columns": [{"column_name": c.name, "type": c.type} for c in shown.columns or ()],
        "on_failure": node.gate.on_failure if isinstance(node, Asset) else None,
        "max_rejected": node.gate.max_rejected if isinstance(node, Asset) else None,
        "checks": [
            {
                "rule": rule.name,
                "column_name": rule.column,
                "severity": rule.severity,
                "expected": rule.expected,
            }
            for rule in shown.rules
        ],
    }


def described(partitions: Partitions) -> str:
    """A partitioning in words.

    >>> from millgate.model.grain import Daily
    >>> described(Daily("2013-01-01", tz="America/New_York") * Keys("EWR", "JFK"))
    'daily from 2013-01-01 (America/New_York) by key (EWR, JFK)'
    """
    return " by ".join(_described(d) for d in partitions) or "none"


def _described(dimension: Dimension) -> str:
    match dimension:
        case TimeDimension():
            until = f" to {dimension.end}" if dimension.end else ""
            offset = "" if dimension.offset == "0s" else f" + {dimension.offset}"
            grain = _GRAINS[dimension.grain]
            return f"{grain} from {dimension.start}{until}{offset} ({dimension.tz})"
        case Keys(of=None):
            listed = ", ".join(dimension.listed[:8])
            more = len(dimension.listed) - 8
            return f"{dimension.name} ({listed}{f' and {more} more' if more > 0 else ''})"
        case Keys():
            return f"{dimension.name} (the values of {dimension.of})"
    return dimension.name


def _facts(shown: Shown) -> Iterator[tuple[str, str]]:
    node = shown.node
    yield "defined in", node.defined_in
    yield "owner", node.owner or ""
    yield "group", node.group
    yield "tags", ", ".join(sorted(node.tags))
    yield "partitions", described(node.partitions)
    if isinstance(node, Asset):
        yield "gate", _policy(node.gate)
        yield "retries", str(node.retries.times or "")
        yield "settings", ", ".join(env.variable for env in node.settings.values())
    else:
        yield "location", getattr(node.location, "__name__", str(node.location))
    yield "read by", ", ".join(shown.read_by)


def _policy(gate: Gate) -> str:
    name = getattr(gate.schema, "__name__", None) or getattr(gate.schema, "name", None)
    schema = f"{name}, " if name else ""
    share = (
        f" unless more than {gate.max_rejected * 100:g} % fail"
        if gate.max_rejected is not None
        else ""
    )
    failing = {
        "hold": "a failing row holds the partition",
        "split": f"failing rows are split off{share}",
        "warn": "failing rows are recorded and pass",
    }[gate.on_failure]
    return f"{schema}{failing}"


def _section(
    titles: Sequence[str], rows: Sequence[Sequence[str]], width: int | None
) -> Iterator[Text]:
    if rows:
        yield Text()
        yield from grid([Column(title) for title in titles], rows, width)
