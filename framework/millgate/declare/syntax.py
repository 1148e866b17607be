"""SQL parsed by DuckDB itself, which needs no tables for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from millgate.declare.pivots import with_listed_values
from millgate.errors import BadQuery

if TYPE_CHECKING:
    import duckdb

_T = TypeVar("_T")


@dataclass(frozen=True)
class Tree:
    """The syntax tree of a query, the text it is of, and where that stands."""

    root: dict[str, Any]
    sql: str
    where: str

    def place(self, part: dict[str, Any]) -> str:
        """File and line of a part of the tree; only the file where DuckDB gives no position."""
        return _place(self.sql, self.where, part.get("query_location"))

    def parts(self) -> Iterator[dict[str, Any]]:
        """Every part, without recursion: expressions nest deeply."""
        stack: list[object] = [self.root]
        while stack:
            part = stack.pop()
            if isinstance(part, dict):
                yield part
                stack.extend(part.values())
            elif isinstance(part, list):
                stack.extend(part)


def parse(sql: str, where: str) -> Iterator[Tree]:
    """The tree of the only statement in `sql`; BadQuery if it is no query or cannot be parsed.

    `where` is the file, or the file and line, that it stands in. A PIVOT
    whose values come from a query of their own gives the tree of that query too.
    """
    answer = _serialized(sql, where)
    if answer.get("error_type") == "parser":
        position = answer.get("position")
        raise BadQuery(
            answer["error_message"],
            where=_place(sql, where, None if position is None else int(position)),
            fix="correct the SQL there; it is DuckDB's dialect",
        )
    if not answer["error"]:
        yield Tree(_only(answer["statements"], where)["node"], sql, where)
        return
    _check_kind(sql, answer["error_message"], where)
    for pivot in with_listed_values(sql):
        answer = _serialized(pivot.sql, where)
        if not answer["error"]:
            yield Tree(_only(answer["statements"], where)["node"], pivot.sql, where)
            for query in pivot.queries:
                yield from parse(query, where)
            return
    raise BadQuery(
        "what this PIVOT reads cannot be found out",
        where=where,
        fix="list its values, such as PIVOT ... ON column IN ('a', 'b')",
    )


def named_parameters(sql: str) -> tuple[str, ...]:
    """The `$parameters` that a statement names, sorted.

    >>> named_parameters("SELECT * FROM orders WHERE date = $date")
    ('date',)
    """
    return tuple(sorted({n for s in _parser().extract_statements(sql) for n in s.named_parameters}))


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(":memory:")


def _parser() -> duckdb.DuckDBPyConnection:
    """A cursor of one in-memory database: cheap, and safe on any thread."""
    return _connection().cursor()


def _serialized(sql: str, where: str) -> dict[str, Any]:
    import duckdb

    call = "SELECT json_serialize_sql($1::VARCHAR, skip_empty := true, skip_null := true)"
    try:
        found = _parser().execute(call, [sql]).fetchone()
        assert found is not None
        tree: dict[str, Any] = json.loads(found[0])
    except (RecursionError, duckdb.Error) as error:
        raise BadQuery(
            "the query is nested too deeply to be read"
            if isinstance(error, RecursionError)
            else str(error).partition("\n")[0],
            where=where,
            fix="split it with WITH, or into several assets",
        ) from error
    return tree


def _only(statements: Sequence[_T], where: str) -> _T:
    """The only statement; BadQuery if there is none or more than one."""
    if not statements:
        raise BadQuery("there is no query", where=where, fix="write a SELECT")
    if len(statements) > 1:
        raise BadQuery(
            f"there are {len(statements)} statements where one query belongs",
            where=where,
            fix="keep the SELECT; make what it needs with WITH, or as assets of their own",
        )
    return statements[0]


def _check_kind(sql: str, message: str, where: str) -> None:
    """Raise unless the statement, which DuckDB cannot serialise, has a PIVOT for the reason."""
    if "parameters" in message:
        raise BadQuery(
            "the query has parameters with and without names",
            where=where,
            fix="name all of them, such as $partition_key",
        )
    kind = _kind(sql, where)
    if kind != "MULTI":
        raise BadQuery(
            f"{kind} is no query" if kind != "SELECT" else message,
            where=where,
            fix="write a SELECT: Millgate stores the rows that it returns",
        )


def _kind(sql: str, where: str) -> str:
    """What DuckDB calls the only statement, such as INSERT."""
    import duckdb

    try:
        statements = _parser().extract_statements(sql)
    except duckdb.Error as error:
        raise BadQuery(
            str(error).partition("\n")[0],
            where=where,
            fix="list the values of a PIVOT, such as ON column IN ('a', 'b')",
        ) from error
    return str(_only(statements, where).type.name)


def _place(sql: str, where: str, byte: int | None) -> str:
    text = sql.encode()
    if byte is None or byte > len(text):
        return where
    line = text[:byte].count(b"\n") + 1
    file, _, number = where.rpartition(":")
    if number.isdigit():
        return f"{file}:{number}, line {line} of the query"
    return f"{where}:{line}"
