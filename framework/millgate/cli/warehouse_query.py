"""Asking the warehouse in SQL: reading only, with errors in the shape of Millgate's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from millgate.cli.show_plan import step_data
from millgate.errors import BadQuery
from millgate.lineage.fetch import offered

if TYPE_CHECKING:
    from millgate.model.step import Plan

_READING = frozenset(
    {"SELECT", "FROM", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "SUMMARIZE"}
    | {"PIVOT", "UNPIVOT"}
)
_AS_TEXT = frozenset({"interval", "map", "union", "bit", "time with time zone", "variant"})
"""Types that JSON has no form for: given as DuckDB writes them."""

_PLAN = pl.Schema(
    dict.fromkeys(
        ("asset", "partition", "action", "cause", "cause_asset", "cause_partition", "detail"),
        pl.String(),
    )
)


@dataclass(frozen=True)
class Result:
    """A query that was understood; its rows are computed when they are asked for."""

    relation: duckdb.DuckDBPyRelation

    @property
    def names(self) -> list[str]:
        return list(self.relation.columns)

    @property
    def types(self) -> list[str]:
        return [str(t) for t in self.relation.types]

    def texts(self) -> Iterator[list[str | None]]:
        """The rows with every value as DuckDB writes it, None for NULL."""
        return self._rows([True] * len(self.names))

    def values(self) -> Iterator[dict[str, Any]]:
        """The rows as objects; a second column of one name is called `name_1`."""
        names = unique_names(self.names)
        as_text = [t.id in _AS_TEXT for t in self.relation.types]
        return (dict(zip(names, row, strict=True)) for row in self._rows(as_text))

    def _rows(self, as_text: Sequence[bool]) -> Iterator[list[Any]]:
        # By position, because two columns may have one name.
        picked = ", ".join(
            f"#{i}::VARCHAR AS c{i}" if text else f"#{i} AS c{i}"
            for i, text in enumerate(as_text, 1)
        )
        with _told():
            for batch in self.relation.project(picked).to_arrow_reader(10_000):
                columns = [column.to_pylist() for column in batch.columns]
                yield from (list(row) for row in zip(*columns, strict=True))


def ask(connection: duckdb.DuckDBPyConnection, query: str) -> Result:
    """The result of the last statement of `query`.

    Raises BadQuery for a statement that would write anything, or that DuckDB refuses.
    """
    with _told(connection):
        statements = connection.extract_statements(query)
        if not statements:
            raise BadQuery(
                "the query is empty",
                where="millgate sql",
                fix="try: millgate sql 'SELECT * FROM lineage.production'",
            )
        for statement in statements:
            _only_reads(statement.query)
        for statement in statements[:-1]:
            connection.execute(statement).fetchall()
        try:
            found: object = connection.sql(statements[-1].query)
        except duckdb.Error:
            # The same again, because only execute says at which line and word it failed.
            connection.execute(statements[-1])
            raise
    if not isinstance(found, duckdb.DuckDBPyRelation):
        found = connection.sql("SELECT 'nothing to show' AS result")
    return Result(found)


def mentions(query: str, name: str) -> bool:
    """Whether a query names a table, or anything else, so.

    >>> mentions("SELECT * FROM Plan", "plan"), mentions("SELECT 'plan' -- the plan", "plan")
    (True, False)
    """
    return any(word.strip('"').lower() == name for word in _words(query))


def offer_plan(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Make a plan the temporary table `plan`, one row for each partition."""
    rows = pl.DataFrame([step_data(step) for step in plan.steps], _PLAN)
    with offered(connection, millgate_plan=rows):
        connection.execute("CREATE TEMP TABLE plan AS SELECT * FROM millgate_plan")


def unique_names(names: Sequence[str]) -> list[str]:
    """
    >>> unique_names(["a", "b", "a", "a"])
    ['a', 'b', 'a_1', 'a_2']
    """
    chosen: list[str] = []
    for name in names:
        candidate, number = name, 0
        while candidate in chosen or (number and candidate in names):
            number += 1
            candidate = f"{name}_{number}"
        chosen.append(candidate)
    return chosen


def _only_reads(statement: str) -> None:
    words = _words(statement)
    if words[:1] == ["EXPLAIN"]:
        words = _explained(words)
    words = [word for word in words if word != "("]
    if not words or (words[0] not in _READING and words[:2] != ["SET", "VARIABLE"]):
        raise BadQuery(
            f"{words[0] if words else 'this'} is not a query: millgate sql only reads",
            where=f"millgate sql, {_short(statement)}",
            fix="production changes by millgate materialize; to write results, add --csv > FILE",
        )


def _explained(words: list[str]) -> list[str]:
    """The statement behind EXPLAIN, its options left out."""
    rest = words[1:]
    if rest[:1] == ["ANALYZE"]:
        rest = rest[1:]
    if rest[:1] == ["("] and rest[1:2] and rest[1] not in _READING and ")" in rest:
        rest = rest[rest.index(")") + 1 :]
    return rest


def _words(statement: str) -> list[str]:
    """Words and parentheses of a statement in upper case, without comments and text."""
    # Offsets of the tokenizer count bytes.
    text = statement.encode()
    found = []
    tokens = duckdb.tokenize(statement)
    if not tokens:
        return []
    ends = [offset for offset, _ in tokens[1:]] + [len(text)]
    for (start, kind), end in zip(tokens, ends, strict=True):
        if kind not in (duckdb.token_type.comment, duckdb.token_type.string_const):
            found.append(text[start:end].decode(errors="replace").strip().upper())
    return found


@contextmanager
def _told(connection: duckdb.DuckDBPyConnection | None = None) -> Iterator[None]:
    """Turn DuckDB's errors into three lines; of a connection, with the tables it has."""
    try:
        yield
    except duckdb.CatalogException as error:
        raise bad_query(str(error), _tables(connection) if connection else {}) from error
    except duckdb.Error as error:
        raise bad_query(str(error)) from error


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Every table and view that is meant to be read, with its schema, by name without it.

    Where one name stands in several schemas, production comes first.
    """
    found = connection.execute(
        "SELECT table_name, schema_name || '.' || table_name FROM ("
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal UNION ALL "
        "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal) "
        "WHERE schema_name <> 'hot' ORDER BY schema_name = 'production'"
    )
    return dict(found.fetchall())


def bad_query(message: str, tables: Mapping[str, str] = MappingProxyType({})) -> BadQuery:
    """DuckDB's message with the place that it names, and a name that may be meant.

    `tables` has the full names of the warehouse's tables by their names without a schema.
    """
    told, _, rest = message.partition("\n")
    line = re.search(r"LINE (\d+): (.*)", rest)
    hint = re.search(r"Candidate bindings: *(.*)", rest)
    unknown = re.search(r"Table with name (\S+) does not exist", told)
    fix = "all tables: millgate sql 'SHOW ALL TABLES'"
    if unknown:
        close = get_close_matches(unknown[1].lower(), tables, n=3)
        fix = f"did you mean {' or '.join(tables[c] for c in close)}?  {fix}" if close else fix
    elif hint:
        fix = f"did you mean {hint[1]}?"
    if "read-only mode" in told:
        told = "the query would write, and millgate sql only reads"
    return BadQuery(
        told,
        where=f"the query, line {line[1]}: {_short(line[2])}" if line else "the query",
        fix=fix,
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
