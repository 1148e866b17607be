"""What commands have in common: their declaration, shared options, documented exit statuses."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from millgate.cli.call import Call, wants_traceback
from millgate.cli.trouble import from_defect
from millgate.errors import MillgateError, UsageError, did_you_mean
from millgate.execute.interrupt import is_interruption

if TYPE_CHECKING:
    from pathlib import Path

    from millgate.cli.answer import Answer
    from millgate.cli.terminal import ColorChoice


class Place(click.Path):
    """A path on the command line, as an object: what makes it so is loaded when there is one."""

    def coerce_path_result(self, value: str | os.PathLike[str]) -> Path:
        from pathlib import Path

        return Path(value)


PIPE_CLOSED = 141
"""As a program that SIGPIPE ended."""

LOOKED = {
    0: "answered",
    1: "the warehouse cannot be read, or an asset's code is wrong",
    2: "wrong usage, or no project here",
}
"""Exit statuses of commands that only look."""

RAN = {
    0: "all that was asked for is in production",
    1: "a step failed, or the warehouse cannot be written",
    2: "wrong usage or declarations, or a guard refused; nothing was attempted",
    3: "something is held in quarantine, or blocked by what is",
    4: "nothing was attempted: another run holds it, or you declined",
    130: "interrupted",
}
"""Exit statuses of commands that make something."""

Decorated = Callable[..., Any]


class Named(click.Group):
    """A group that suggests the names of commands that are close to a mistyped one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise UsageError(
                f"no command {args[0]!r}",
                where=ctx.command_path,
                fix=did_you_mean(
                    args[0], self.commands, f"all commands: {ctx.command_path} --help"
                ),
            )
        return super().resolve_command(ctx, args)


def command(
    name: str, exits: Mapping[int, str], *, project: bool = True
) -> Callable[[Callable[..., Answer]], click.Command]:
    """Make a command of a function that takes a Call and its options and returns an Answer."""

    def declare(function: Callable[..., Answer]) -> click.Command:
        @wraps(function)
        @click.pass_context
        def carry_out(
            invocation: click.Context, /, json: bool, color: ColorChoice | None, **options: Any
        ) -> int:
            above: dict[str, Any] = invocation.find_root().params
            call = Call(
                invocation.command_path.partition(" ")[2],
                options.pop("project", None) or above.get("project"),
                json or bool(above.get("json")),
                color or above.get("color") or "auto",
            )
            return _answered(call, lambda: function(call, **options))

        shared = shared_options(project=project)(carry_out)
        return click.command(name, epilog=_exit_text(exits))(shared)

    return declare


def _answered(call: Call, function: Callable[[], Answer]) -> int:
    """The exit status, once the answer or the error is written."""
    try:
        with call:
            return call.answer(function())
    except MillgateError as error:
        return call.fail(error)
    except BrokenPipeError:
        # Whoever read has gone; nothing may be written when the interpreter flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except Exception as error:
        if is_interruption(error):
            raise KeyboardInterrupt from error
        if wants_traceback():
            raise
        return call.fail(from_defect(error))


def shared_options(*, project: bool = True) -> Callable[[Decorated], Decorated]:
    """The options that every command takes, before or after its name."""
    options = [
        click.option(
            "--project",
            type=Place(),
            metavar="DIR",
            help="The project's folder instead of the working directory.",
        )
        if project
        else None,
        click.option("--json", is_flag=True, help="One JSON document on stdout."),
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            help="Colours; auto is a terminal without NO_COLOR.",
        ),
    ]

    def decorate(function: Decorated) -> Decorated:
        for option in reversed([o for o in options if o]):
            function = option(function)
        return function

    return decorate


def _exit_text(exits: Mapping[int, str]) -> str:
    lines = (f"  {status:<4} {meaning}" for status, meaning in exits.items())
    return "\n".join(["\b", "Exit status:", *lines])
