"""What today's gates say of what is there, as people read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from millgate.cli.grid import Cell, counted, grid, hanging
from millgate.cli.ranges import grain_of, summary
from millgate.cli.show_plan import command_line, next_line
from millgate.cli.show_quarantine import COLUMNS
from millgate.execute.replay import Replay
from millgate.execute.trial import Trial

_WHAT = {"refused": "yellow", "accepted": "green", "waits on": "yellow"}


def check_lines(live: Sequence[Trial], target: str, width: int | None) -> Iterator[Text]:
    """The live partitions that today's gates refuse, with the checks that they fail."""
    failing = [trial for trial in live if trial.is_failing]
    if failing:
        yield from grid(COLUMNS, _rows("refused", failing), width)
        yield Text()
    told = f"{len(failing):,} of {counted(len(live), 'live partition')} would be refused."
    if not failing:
        told = f"Today's gates let in all that is live ({counted(len(live), 'partition')})."
    yield from hanging("", f"{told} Nothing was recorded.", width)
    if failing:
        yield from next_line(command_line("plan", target), width)


def diff_lines(
    found: Sequence[Trial], judged: int, target: str, width: int | None
) -> Iterator[Text]:
    """What would newly be refused and accepted."""
    if not found:
        told = f"No difference in {counted(judged, 'partition')}. Nothing was recorded."
        yield from hanging("", told, width)
        return
    refused = [trial for trial in found if trial.is_newly_refused]
    accepted = [trial for trial in found if trial.is_newly_accepted]
    rows = [*_rows("refused", refused), *_rows("accepted", accepted)]
    yield from grid(COLUMNS, rows, width)
    yield Text()
    told = (
        f"{counted(_count(refused, 'refused'), 'row')} newly refused, "
        f"{counted(_count(accepted, 'accepted'), 'row')} newly accepted. Nothing was recorded."
    )
    yield from hanging("", told, width)
    yield from next_line(command_line("plan", target), width)


def replay_lines(found: Replay, width: int | None, *, only_looking: bool = False) -> Iterator[Text]:
    """What would enter production, and what waits on with the checks that it fails."""
    rows = [*_rows("accepted", found.entering), *_rows("waits on", found.staying)]
    yield from grid(COLUMNS, rows, width)
    yield Text()
    enter = "would enter" if only_looking else "to enter"
    told = f"{counted(_count(found.entering, 'accepted'), 'row')} {enter} production"
    unchanged = " Nothing was changed." if only_looking else ""
    yield from hanging("", f"{told}.{unchanged}", width)


def replayed_lines(found: Replay, snapshot: int, width: int | None) -> Iterator[Text]:
    """What entered, and what to type next."""
    rows = counted(_count(found.entering, "accepted"), "row")
    yield from hanging("", f"{rows} entered production, in snapshot {snapshot}.", width)
    yield from next_line(command_line("plan", ""), width)


def replay_data(found: Replay, snapshot: int | None) -> dict[str, object]:
    """A replay for a program."""
    return {
        "entering": [trial_data(trial) for trial in found.entering],
        "staying": [trial_data(trial) for trial in found.staying],
        "snapshot": snapshot,
    }


def trial_data(trial: Trial) -> dict[str, object]:
    """A trial for a program."""
    judgement = trial.judgement
    return {
        "asset": trial.asset,
        "partition": trial.partition,
        "materialization": trial.materialization,
        "live": trial.live,
        "verdict": judgement.verdict,
        "rows": judgement.rows,
        "rejected_rows": judgement.rejected_rows,
        "newly_refused": trial.refused if trial.is_newly_refused else 0,
        "newly_accepted": trial.accepted,
        "messages": [result.message for result in judgement.failed],
    }


def _rows(what: str, trials: Iterable[Trial]) -> list[Sequence[Cell]]:
    """A row for all partitions of an asset that fail the same checks."""
    groups: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        rules = dict.fromkeys(r.message.rpartition(": ")[0] for r in trial.judgement.failed)
        why = "; ".join(rules) if what != "accepted" else ""
        groups[trial.asset, why].append(trial)
    return [
        (
            Text(what, _WHAT.get(what, "yellow")),
            asset,
            summary(keys, grain_of(keys[0])) or "-",
            f"{len(alike):,}",
            f"{_count(alike, what):,}",
            why,
        )
        for (asset, why), alike in groups.items()
        for keys in [[trial.partition for trial in alike]]
    ]


def _count(trials: Iterable[Trial], what: str) -> int:
    """Their rows that it is said of."""
    if what == "waits on":
        return sum(trial.judgement.rejected_rows for trial in trials)
    return sum(trial.accepted if what == "accepted" else trial.refused for trial in trials)
