"""The definition of an asset or source, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.text import Text

from millgate.cli.grid import Column, counted, grid, hanging
from millgate.cli.show_plan import command_line, next_line
from millgate.lineage.questions import AssetHealth
from millgate.model.asset import DEFAULT_STORAGE, Asset, Node
from millgate.model.dimension import Dimension, Keys
from millgate.model.grain import TimeDimension
from millgate.model.partition import Partitions
from millgate.model.policy import Gate
from millgate.model.record import Edge
from millgate.model.refresh import Refresh, Refreshing
from millgate.model.schema import Schema

_SPEAKING = frozenset(
    {
        "not_nullable",
        "unique",
        "equal_to",
        "not_equal_to",
        "greater_than",
        "greater_than_or_equal_to",
        "less_than",
        "less_than_or_equal_to",
        "in_range",
        "isin",
        "notin",
        "str_matches",
        "str_contains",
        "str_startswith",
        "str_endswith",
        "str_length",
        "unique_values_eq",
    }
)
"""Rules whose expectation says all that their name does."""
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
    """All that is shown of an asset; `columns` and `health` are None where nothing is on record."""

    node: Node
    reads: tuple[Edge, ...]
    read_by: tuple[str, ...]
    rules: Sequence[Rule]
    columns: Schema | None
    health: AssetHealth | None = None


def asset_lines(shown: Shown, width: int | None) -> Iterator[Text]:
    """The definition, what it is made from, its columns with their checks, what to type next."""
    node = shown.node
    yield Text.assemble((node.name, "bold"), f"  {node.kind}")
    for paragraph in node.description.strip().splitlines():
        yield from hanging("", paragraph, width)
    yield Text()
    for name, value in _facts(shown):
        if value:
            yield from hanging(Text(f" {name:<11} ", "dim"), value, width)
    reads = [(edge.upstream, edge.mapping) for edge in shown.reads]
    yield from _section(("made from", "partitions"), reads, width)
    yield from _section(("column", "type", "checks"), list(_columns(shown)), width)
    whole = [(_check_text(rule),) for rule in shown.rules if rule.column is None]
    yield from _section(("checks on the whole",), whole, width)
    command = _next(shown)
    if command:
        yield from next_line(command, width)


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
        "health": shown.health,
        "storage": node.storage if isinstance(node, Asset) else None,
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
    >>> described(Daily("2013-01-01", tz="America/New_York", batch=31) * Keys("EWR", "JFK"))
    'daily from 2013-01-01 (America/New_York) in batches of 31 by key (EWR, JFK)'
    """
    return " by ".join(_described(d) for d in partitions) or "none"


def _described(dimension: Dimension) -> str:
    bound = f" in batches of {dimension.batch}" if dimension.batch else ""
    return f"{_extent(dimension)}{bound}"


def _extent(dimension: Dimension) -> str:
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


def _refreshing(refresh: Refreshing) -> str:
    if isinstance(refresh, Refresh):
        until = f", until {refresh.until} after the window closed" if refresh.until else ""
        return f"every {refresh.every}{until}"
    return "never: it is made once" if refresh else ""


def _facts(shown: Shown) -> Iterator[tuple[str, str]]:
    node = shown.node
    yield "defined in", node.defined_in
    yield "owner", node.owner or ""
    yield "group", node.group
    yield "tags", ", ".join(sorted(node.tags))
    yield "partitions", described(node.partitions)
    if isinstance(node, Asset):
        yield "gate", _policy(node.gate, shown.rules)
        yield "refresh", _refreshing(node.refresh)
        yield "retries", str(node.retries.times or "")
        yield "storage", "" if node.storage == DEFAULT_STORAGE else f"{node.storage} files"
        yield "settings", ", ".join(env.variable for env in node.settings.values())
    else:
        yield "location", getattr(node.location, "__name__", str(node.location))
    yield "live", _live(shown)
    yield "read by", ", ".join(shown.read_by)


def _live(shown: Shown) -> str:
    """What is in production, and what is not as it should be."""
    health = shown.health
    if health is None or not health.live:
        live = "nothing yet"
    elif shown.node.partitions.dimensions:
        live = f"{counted(health.live, 'partition')}, the last {health.newest}"
    else:
        live = "yes" if shown.node.kind == "asset" else "observed"
    states = ("stale", "failing", "held", "failed", "blocked")
    bad = [f"{getattr(health, s):,} {s}" for s in states if health and getattr(health, s)]
    return "; ".join([live, *bad])


def _columns(shown: Shown) -> Iterator[tuple[str, str, str]]:
    """Each column that is live or has a rule, with its type and what is asked of it."""
    types = shown.columns.types if shown.columns else {}
    rules: dict[str, list[Rule]] = {name: [] for name in types}
    for rule in shown.rules:
        if rule.column is not None:
            rules.setdefault(rule.column, []).append(rule)
    for name, asked in rules.items():
        declared = next((rule.expected or "" for rule in asked if rule.name == "dtype"), "")
        checks = [_check_text(rule) for rule in asked if rule.name != "dtype"]
        yield name, types.get(name, declared), ", ".join(checks)


def _check_text(rule: Rule) -> str:
    """A rule as people say it: what it expects, behind its name where that does not say it."""
    text = rule.expected or rule.name
    if rule.expected and rule.name not in _SPEAKING:
        text = f"{rule.name} ({rule.expected})"
    return text if rule.severity == "error" else f"{text} (only a warning)"


def _next(shown: Shown) -> str:
    node, health = shown.node, shown.health
    if not isinstance(node, Asset):
        return ""
    if health is None or not health.live:
        return command_line("plan", node.name)
    if health.held or health.failing or health.failed:
        return command_line("status", node.name)
    return command_line("sql", f"SELECT * FROM production.{node.name} LIMIT 10")


def _policy(gate: Gate, rules: Sequence[Rule]) -> str:
    name = getattr(gate.schema, "__name__", None) or getattr(gate.schema, "name", None)
    if gate.schema is None:
        kept = {
            "strict": "what differs from production's columns",
            "widen": "what production's columns cannot hold",
            "any": "nothing",
        }[gate.contract]
        return f"no schema; {kept} is held" if rules else f"no checks; {kept} is held"
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
