"""alerts: what people were told, and whether they can be reached."""

from __future__ import annotations

import click

from millgate.cli.answer import Answer
from millgate.cli.call import Call
from millgate.cli.options import LOOKED, Named, command
from millgate.errors import UsageError

_TRIED = {
    0: "every channel took the message",
    1: "a channel did not take it",
    2: "wrong usage, or no channel is configured",
}


@click.group(cls=Named)
def alerts() -> None:
    """Look at what people were told, try the channels."""


@command("list", LOOKED)
@click.option(
    "--limit", default=20, type=click.IntRange(min=1), help="So many alerts; 20 if not given."
)
def list_(call: Call, limit: int) -> Answer:
    """List what people were told and are yet to be told, the newest first."""
    from millgate.cli.show_alerts import alerts_lines
    from millgate.lineage.alerts import alerts as newest

    found = newest(call.reading(), limit)
    return Answer(found, lambda width: alerts_lines(found, call.now(), width))


@command("test", _TRIED)
def test(call: Call) -> Answer:
    """Send a message to every configured channel.

    Nothing of it is recorded.
    """
    from millgate.cli.show_alerts import tried_lines

    tried = call.open().try_channels()
    if not tried:
        raise UsageError(
            "no channel is configured",
            where="[tool.millgate] in pyproject.toml",
            fix="add [[tool.millgate.alerts]] or [[tool.millgate.on_event]]",
        )
    failed = any(error is not None for error in tried.values())
    data = [{"channel": name, "error": error} for name, error in tried.items()]
    return Answer(data, lambda width: tried_lines(tried, width), int(failed))


for _command in (list_, test):
    alerts.add_command(_command)
