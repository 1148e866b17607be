"""check and gate: what today's gates say of what is there."""

from __future__ import annotations

import click

from millgate.cli.answer import Answer
from millgate.cli.call import Call
from millgate.cli.completion import complete_target
from millgate.cli.options import LOOKED, Named, command

_HELD = 3


@command(
    "check",
    {**LOOKED, 3: "a gate refuses what is live, or batches give other rows"},
)
@click.option(
    "--batches", is_flag=True, help="Compute a few keys one by one and as batches, and compare."
)
@click.argument("target", metavar="[T]", default="", shell_complete=complete_target)
def check(call: Call, target: str, batches: bool) -> Answer:
    """Judge what is live again by today's gates; record nothing.

    T is SELECTION[@KEYS]; without it, everything.
    """
    from millgate.cli.show_trial import check_lines, trial_data

    if batches:
        return _batches(call, target)
    live = [trial for trial in call.open().try_gates(target) if trial.live]
    failing = any(trial.is_failing for trial in live)
    return Answer(
        [trial_data(trial) for trial in live],
        lambda width: check_lines(live, target, width),
        _HELD if failing else 0,
    )


def _batches(call: Call, target: str) -> Answer:
    """Whether adjacent partitions come to the same rows by themselves and as batches."""
    from millgate.cli.show_batches import batch_data, batch_lines

    found = call.open().try_batches(target)
    return Answer(
        batch_data(found),
        lambda width: batch_lines(found, width),
        _HELD if found.differences else 0,
    )


@click.group(cls=Named)
def gate() -> None:
    """Look at what a gate would do before it is adopted."""


@command("diff", LOOKED)
@click.argument("target", metavar="T", shell_complete=complete_target)
def diff(call: Call, target: str) -> Answer:
    """Show what a changed gate would do otherwise; record nothing.

    It judges what is live and what waits in quarantine by today's gate: which partitions and rows
    it would newly refuse, and which it would newly accept. T is ASSET[@KEYS] or any selection.
    """
    from millgate.cli.show_trial import diff_lines, trial_data

    trials = call.open().try_gates(target)
    found = [t for t in trials if t.is_newly_refused or t.is_newly_accepted]
    return Answer(
        [trial_data(trial) for trial in found],
        lambda width: diff_lines(found, len(trials), target, width),
    )


gate.add_command(diff)
