"""sql and lineage: questions to the warehouse."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from millgate.cli.answer import Answer
from millgate.cli.call import Call
from millgate.cli.completion import complete_target
from millgate.cli.options import LOOKED, command
from millgate.errors import UsageError

if TYPE_CHECKING:
    from millgate.cli.warehouse_query import Result


@command("sql", {**LOOKED, 2: "the query is wrong or would write, or there is no project here"})
@click.argument("query", metavar="QUERY")
@click.option("--csv", is_flag=True, help="CSV with a header on stdout.")
def sql(call: Call, query: str, csv: bool) -> Answer:
    """Ask the warehouse in SQL; it only reads.

    QUERY may be - to read it from stdin. production.ASSET has the live rows, quarantine.ASSET the
    refused ones, and the schema lineage all that is remembered. A query that names the table plan
    finds the live plan there, one row for each partition.
    """
    from millgate.cli.show_result import csv_text, result_lines
    from millgate.cli.warehouse_query import ask, mentions_plan, offer_plan
    from millgate.model.request import Request

    if csv and call.json:
        raise UsageError(
            "--csv and --json are two formats", where="millgate sql", fix="keep one of them"
        )
    text = sys.stdin.read() if query == "-" else query
    connection = call.reading()
    if mentions_plan(text):
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
