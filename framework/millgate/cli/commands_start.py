"""init, list and show: beginning a project and looking at what it declares."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from millgate.cli.answer import Answer
from millgate.cli.call import Call
from millgate.cli.completion import complete_target
from millgate.cli.options import LOOKED, Place, command

if TYPE_CHECKING:
    from pathlib import Path

    from millgate.lineage.questions import AssetHealth
    from millgate.model.schema import Schema
    from millgate.project import Project


@command(
    "init",
    {
        0: "the project is laid out",
        1: "it cannot be written",
        2: "files of the project are there already; nothing was written",
    },
    project=False,
)
@click.argument("folder", metavar="DIR", type=Place(file_okay=False))
def init(_call: Call, folder: Path) -> Answer:
    """Lay out a project that runs at once.

    DIR may exist; nothing in it is written over.
    """
    import shlex

    from millgate.cli.scaffolding import lay_out
    from millgate.cli.show_plan import next_line

    written = lay_out(folder)
    inside = "" if folder.samefile(os.curdir) else f"cd {shlex.quote(str(folder))} && "
    return Answer(
        {"folder": str(folder), "files": written},
        lambda width: [
            f"{folder}: a project with {len(written)} files\n",
            *(f"  {path}\n" for path in written),
            *next_line(f"{inside}millgate materialize", width),
        ],
    )


@command("list", LOOKED)
@click.argument("selection", metavar="[SELECTION]", default="", shell_complete=complete_target)
def list_(call: Call, selection: str) -> Answer:
    """Print the names that a selection means, upstreams first.

    One name a line, for scripts and for trying a selection. Without it, all assets and sources.
    """
    project = call.open()
    found = [project.graph[name] for name in project.select(selection)]
    return Answer(
        [{"asset": node.name, "kind": node.kind, "defined_in": node.defined_in} for node in found],
        lambda _: [f"{node.name}\n" for node in found],
    )


@command("show", LOOKED)
@click.argument("asset", metavar="ASSET", shell_complete=complete_target)
def show(call: Call, asset: str) -> Answer:
    """Show what an asset is: definition, upstreams, columns with their checks, what is live."""
    from millgate.cli.finding import unknown_asset
    from millgate.cli.show_asset import Shown, asset_data, asset_lines

    project = call.open()
    graph = project.graph
    if asset not in graph.order:
        raise unknown_asset(asset, asset, graph.order)
    node = graph[asset]
    gate = project.mill.gates[asset] if node.kind == "asset" else None
    columns, health = _on_record(project, asset)
    shown = Shown(
        node,
        tuple(edge for edge in graph.edges if edge.downstream == asset),
        tuple(edge.downstream for edge in graph.edges if edge.upstream == asset),
        gate.rules if gate else (),
        columns,
        health,
    )
    return Answer(asset_data(shown), lambda width: asset_lines(shown, width))


def _on_record(project: Project, asset: str) -> tuple[Schema | None, AssetHealth | None]:
    """The columns of what is live, and how the asset is; None where nothing is on record."""
    from millgate.lineage import queries, questions

    if project.warehouse.current() is None:
        return None, None
    with project.reading() as connection:
        return queries.live_schema(connection, asset), questions.health(connection, asset)
