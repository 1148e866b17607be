"""The tables that a parsed query reads.

Scopes follow DuckDB as it was observed: a CTE sees the CTEs before it, never itself or later
ones; the name of a recursive one is known only in its recursive part, so that its first part
reads the table of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from millgate.declare.syntax import Tree
from millgate.errors import BadQuery

_QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_FUNCTIONS = (
    "generate_series",
    "json_each",
    "json_tree",
    "range",
    "repeat",
    "repeat_row",
    "unnest",
)
"""Table functions that read nothing but their arguments."""
_OF_FILES = re.compile(r"read_|sniff_csv|glob$|parquet_|.*_scan")
_FILE = re.compile(
    r"[/\\*]|\.(csv|tsv|txt|parquet|json|jsonl|ndjson|arrow|feather|xlsx|db|duckdb)(\.\w+)?$",
    re.IGNORECASE,
)
_RECURRING = "recurring"
"""Schema under which a recursive CTE with USING KEY names all rows found so far."""

Names = frozenset[tuple[str, ...]]
Part = dict[str, Any]


def tables_read(tree: Tree) -> frozenset[str]:
    """The names of the tables, in lower case; BadQuery if the query reads anything else, or
    writes."""
    for part in tree.parts():
        _check_part(part, tree)
    return frozenset(_name(table, tree) for table in _tables(tree.root))


def _tables(tree: Part) -> Iterator[Part]:
    """The references to tables that no CTE answers."""
    stack: list[tuple[object, Names]] = [(tree, frozenset())]
    while stack:
        part, known = stack.pop()
        if isinstance(part, list):
            stack.extend((each, known) for each in part)
        if not isinstance(part, dict):
            continue
        if part.get("type") == "BASE_TABLE" and _path(part) not in known:
            yield part
        for cte in part.get("cte_map", {}).get("map", ()):
            stack.append((cte["value"], known))
            known |= {(cte["key"].lower(),)}
        inner = known
        if part.get("type") == "RECURSIVE_CTE_NODE":
            name = part["cte_name"].lower()
            inner = known | {(name,), (_RECURRING, name)}
        for key, value in part.items():
            if key != "cte_map":
                stack.append((value, inner if key == "right" else known))


def _path(table: Part) -> tuple[str, ...]:
    return tuple(str(name).lower() for name in table["qualified_name"]["path"])


def _name(table: Part, tree: Tree) -> str:
    """The name that a reference reads; BadQuery if that is a file or another schema's."""
    path, where = _path(table), tree.place(table)
    name = path[-1]
    if len(path) == 1:
        if _FILE.search(path[0]):
            raise BadQuery(
                f"the query reads the file {path[0]!r}",
                where=where,
                fix="declare it as a source and read that by name, so that its changes are seen",
            )
        return name
    if len(path) == 2 and path[0] == "production":
        return name
    raise BadQuery(
        f"the query reads {'.'.join(path)}, which is no asset",
        where=where,
        fix=f"assets and sources are read by their name, or as production.{name}",
    )


def _check_part(part: Part, tree: Tree) -> None:
    """Raise BadQuery for a part that writes, or whose reads cannot be known."""
    kind = str(part.get("type", ""))
    if kind.endswith("_NODE") and kind not in _QUERIES:
        raise BadQuery(
            f"the query contains {kind.removesuffix('_QUERY_NODE').removesuffix('_NODE')}",
            where=tree.where,
            fix="write SELECTs only: Millgate stores the rows that the query returns",
        )
    if kind == "SHOW_REF" and "query" not in part:
        raise BadQuery(
            "the query lists what is in a database",
            where=tree.where,
            fix="read assets and sources by name; SUMMARIZE and DESCRIBE of one are possible",
        )
    if kind == "TABLE_FUNCTION":
        name = str(part["function"]["function_name"]).lower()
        if name not in _FUNCTIONS:
            raise _refused(name, tree.place(part))


def _refused(function: str, where: str) -> BadQuery:
    if _OF_FILES.match(function):
        return BadQuery(
            f"the query reads files with {function}()",
            where=where,
            fix="declare them as a source and read that by name, so that its changes are seen",
        )
    return BadQuery(
        f"what {function}() reads cannot be found out",
        where=where,
        fix=f"in FROM these functions are possible: {', '.join(_FUNCTIONS)}",
    )
