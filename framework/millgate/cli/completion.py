"""Completion of asset names in a shell, from the snapshot: never imports the project's assets."""

from __future__ import annotations

import click

from millgate.errors import MillgateError


def complete_target(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names that begin like the last word of a selection, with what stands before it."""
    from millgate.lineage.queries import asset_names
    from millgate.project import Project

    if "@" in incomplete:
        return []
    before, word = split_word(incomplete)
    try:
        project = Project.open(ctx.find_root().params.get("project"))
        with project.reading() as connection:
            names = asset_names(connection)
    except MillgateError:
        return []
    return [before + name for name in names if name.startswith(word)]


def split_word(text: str) -> tuple[str, str]:
    """What stands before the name that is being typed, and the name as far as it is.

    >>> split_word("+flights and +dai")
    ('+flights and +', 'dai')
    """
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    return text[:start], text[start:]
