"""What waits in quarantine, as people read it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.text import Text

from millgate.cli.grid import Cell, Column, counted, grid, hanging
from millgate.cli.moments import ago, local
from millgate.cli.ranges import grain_of, summary
from millgate.cli.show_health import sentence
from millgate.cli.show_partition import check_lines, input_lines
from millgate.cli.show_plan import command_line, next_line
from millgate.cli.show_result import Row, result_lines
from millgate.errors import did_you_mean
from millgate.lineage.refusals import QuarantineDetail, QuarantineRow
from millgate.lineage.why import InputRow
from millgate.model.partition import label
from millgate.model.record import show_id

COLUMNS = (
    Column("what"),
    Column("asset"),
    Column("partitions"),
    Column("n", "right"),
    Column("rows", "right"),
    Column("why"),
)
_LISTED = 20
_STYLES = {"held": "yellow", "rejected": "dim"}


def list_lines(
    entries: Sequence[QuarantineRow],
    width: int | None,
    rule: str | None = None,
    *,
    among: Sequence[QuarantineRow] = (),
) -> Iterator[Text]:
    """What is held, what was rejected, and what was decided, by asset and reason.

    Where there is none of it `among` those that were asked for, that is said, and whether the
    `rule` is one that they fail.
    """
    if not entries and not among:
        yield Text("Nothing is in quarantine.")
        return
    if not entries:
        yield Text(f"None of the {len(among):,} in quarantine is like that.")
        known = {name for entry in among for name in entry.rules}
        if rule is not None and rule not in known:
            said = did_you_mean(rule, known, f"what fails there is {', '.join(sorted(known))}")
            yield from hanging(f'No check "{rule}": ', said, width)
        return
    groups: dict[tuple[str, str, str], list[QuarantineRow]] = defaultdict(list)
    for entry in entries:
        said = entry.reason or (sentence(entry.messages) if entry.scope == "partition" else "")
        groups[_what(entry), entry.asset, said].append(entry)
    rows = [_row(*group, alike) for group, alike in sorted(groups.items(), key=_rank)]
    shown = rows[:_LISTED]
    if len(rows) > _LISTED:
        shown.append(("", f"and {len(rows) - _LISTED:,} more", "", "", "", ""))
    yield from grid(COLUMNS, shown, width)
    first = min((e for e in entries if e.status == "held"), key=_gravity, default=None)
    if first is not None:
        yield from next_line(command_line("quarantine show", entry_label(first)), width)


def entry_lines(
    detail: QuarantineDetail,
    names: Sequence[str],
    types: Sequence[str],
    rows: Sequence[Row],
    inputs: Sequence[InputRow],
    now: datetime,
    width: int | None,
) -> Iterator[Text]:
    """One entry: the checks that failed, some of its rows with their reasons, and what it was made
    from."""
    entry = detail.entry
    yield from hanging(Text(f"{entry_label(entry)}  ", "bold"), _told(entry, now), width)
    yield from check_lines(detail.results, width)
    if rows:
        yield Text()
        yield from result_lines(names, types, rows, width)
        if len(rows) < entry.rows:
            everything = f"SELECT * FROM quarantine.{entry.asset}"
            yield from hanging("", f"of {entry.rows:,}: millgate sql '{everything}'", width)
    yield from input_lines(inputs, width)
    if entry.status == "held":
        command = command_line("quarantine release", entry_label(entry), ["--reason", "..."])
        yield from next_line(command, width)


def entry_label(entry: QuarantineRow) -> str:
    return label(entry.asset, entry.partition)


def _told(entry: QuarantineRow, now: datetime) -> str:
    since = f"{local(entry.quarantined_at, now)} ({ago(entry.quarantined_at, now)})"
    version = show_id(entry.materialization)
    if entry.scope == "partition":
        every = "the" if entry.rows == 1 else "all"
        what = f"{every} {counted(entry.rows, 'row')} of version {version}"
    else:
        what = f"{entry.rows:,} of {counted(entry.judged_rows, 'row')} of version {version}"
    told = f"{_what(entry)} {since}: {what}"
    if entry.status == "held" or entry.decided_at is None:
        return told
    by = f" by {entry.actor}" if entry.actor else ""
    reason = f": {entry.reason}" if entry.reason else ""
    return f"{told}; {entry.status}{by}{reason}"


def _row(what: str, asset: str, said: str, alike: Sequence[QuarantineRow]) -> Sequence[Cell]:
    keys = [entry.partition for entry in alike]
    return (
        Text(what, _STYLES.get(what, "")),
        asset,
        summary(keys, grain_of(keys[0])) or "-",
        f"{len(alike):,}",
        f"{sum(entry.rows for entry in alike):,}",
        said or _rules(alike),
    )


def _rules(alike: Sequence[QuarantineRow]) -> str:
    """The rules that most of the entries fail, without the numbers of each."""
    found = Counter(m.rpartition(": ")[0] or m for entry in alike for m in entry.messages)
    named = [rule for rule, _ in found.most_common(3)]
    more = [f"{len(found) - 3} more"] if len(found) > 3 else []
    return "; ".join(named + more)


def _what(entry: QuarantineRow) -> str:
    if entry.status != "held":
        return entry.status
    return "held" if entry.scope == "partition" else "rejected"


def _gravity(entry: QuarantineRow) -> tuple[bool, str, str]:
    return entry.scope != "partition", entry.asset, entry.partition


def _rank(group: tuple[tuple[str, str, str], list[QuarantineRow]]) -> tuple[int, str, str]:
    (what, asset, _), alike = group
    order = ("held", "rejected")
    place = order.index(what) if what in order else len(order)
    return place, asset, min(entry.partition for entry in alike)
