"""sql, lineage and export: questions to the warehouse, and what is handed on from it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from millgate.cli.answer import Answer
from millgate.cli.call import Call
from millgate.cli.completion import complete_target
from millgate.cli.options import LOOKED, Named, Place, command
from millgate.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from millgate.cli.warehouse_query import Result


@command("sql", {**LOOKED, 2: "the query is wrong or would write, or there is no project here"})
@click.argument("query", metavar="QUERY")
@click.option("--csv", is_flag=True, help="CSV with a header on stdout.")
@click.option("--as-of", metavar="TIME", help="Production as it was then; also snapshot:N.")
def sql(call: Call, query: str, csv: bool, as_of: str | None) -> Answer:
    """Ask the warehouse in SQL; it only reads.

    QUERY may be - to read it from stdin. production.ASSET has the live rows, quarantine.ASSET the
    refused ones, and the schema lineage all that is remembered. A query that names the table plan
    finds the live plan there, one row for each partition. With --as-of production is as it was,
    and the other schemas are as they are now.
    """
    from millgate.cli.show_result import csv_text, result_lines
    from millgate.cli.warehouse_query import ask, mentions, offer_plan
    from millgate.model.request import Request

    if csv and call.json:
        raise UsageError(
            "--csv and --json are two formats", where="millgate sql", fix="keep one of them"
        )
    text = sys.stdin.read() if query == "-" else query
    if as_of is None:
        connection = call.reading()
    else:
        past = call.reading_past(as_of)
        for asset in sorted(past.gone):
            if mentions(text, asset):
                past.check(asset)
        connection = past.connection
    if mentions(text, "plan"):
        offer_plan(connection, call.open().propose(Request("plan")))
    result = ask(connection, text)
    if csv:
        return Answer(None, lambda _: csv_text(result.names, result.texts()))
    if call.json:
        return Answer(_result_data(result), lambda _: [])
    rows = list(result.texts())
    return Answer(
        None, lambda width: result_lines(result.names, result.types, rows, width), paged=True
    )


def _result_data(result: Result) -> dict[str, object]:
    from millgate.cli.warehouse_query import unique_names

    names = unique_names(result.names)
    return {
        "columns": [
            {"column_name": name, "type": type_}
            for name, type_ in zip(names, result.types, strict=True)
        ],
        "rows": list(result.values()),
    }


@command("lineage", LOOKED)
@click.argument("target", metavar="[T]", default="", shell_complete=complete_target)
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "json", "mermaid", "dot"]),
    default="tree",
    help="json is the same as --json.",
)
def lineage(call: Call, target: str, form: str) -> Answer:
    """Draw what is made from what.

    T may be a SELECTION of assets (for one name: all that is upstream and downstream of it), one
    partition as ASSET@KEY, or one version such as 118-45: these two are traced to the very
    versions and source files they were made from.
    """
    from millgate.cli.drawing import draw_assets, draw_versions
    from millgate.cli.finding import find_lineage, find_version
    from millgate.cli.show_lineage import tree_lines
    from millgate.lineage.ancestry import trace

    call.json = call.json or form == "json"
    version = find_version(call, target)
    if version is None:
        assets, focus = find_lineage(call, target)
        data: object = assets
        drawing = draw_assets(assets)
    else:
        up, down = (trace(call.reading(), version, side) for side in ("upstream", "downstream"))
        drawing, focus = draw_versions(up, down, call.open().root)
        data = {"upstream": up, "downstream": down}
    match form:
        case "mermaid":
            return Answer(data, lambda _: [drawing.mermaid()])
        case "dot":
            return Answer(data, lambda _: [drawing.dot()])
    return Answer(data, lambda _: tree_lines(drawing, focus))


@click.group(cls=Named)
def export() -> None:
    """Hand on what is live, with its lineage, to who has no Millgate."""


@command("duckdb", {**LOOKED, 1: "the warehouse cannot be read, or the file not be written"})
@click.argument("file", metavar="FILE", type=Place())
@click.argument("selection", metavar="[SELECTION]", default="", shell_complete=complete_target)
def export_duckdb(call: Call, file: Path, selection: str) -> Answer:
    """Write live production and its lineage as tables to one new DuckDB file.

    The file needs no other: it can be sent to somebody, or opened by a tool. Quarantined rows stay
    behind. An existing FILE is never replaced.
    """
    from millgate.cli.grid import counted

    done = call.open().export_duckdb(file, selection)
    rows = sum(done.rows.values())
    data = {
        "file": str(done.file),
        "snapshot": done.snapshot,
        "bytes": done.bytes,
        "assets": [{"asset": name, "rows": n} for name, n in done.rows.items()],
    }
    said = f"{file}: {counted(len(done.rows), 'asset')}, {counted(rows, 'row')} of snapshot "
    return Answer(data, lambda _: [f"{said}{done.snapshot}, {done.bytes / 2**20:,.1f} MiB\n"])


export.add_command(export_duckdb)
