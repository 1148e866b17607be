"""PIVOT statements whose values come from the data, rewritten so that they parse as a SELECT.

DuckDB turns `PIVOT a ON b` into several statements, which it cannot serialise. What such a
statement reads does not depend on the values: with any values listed it reads the same tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_PIVOTS = {"PIVOT", "PIVOT_WIDER"}
_ENDS_LIST = {"USING", "GROUP", "ORDER", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT", ";"}
_ENDS_PIVOT = {"UNION", "INTERSECT", "EXCEPT", ";"}
_QUERIES = {"SELECT", "FROM", "WITH", "PIVOT", "PIVOT_WIDER", "UNPIVOT", "VALUES", "TABLE"}
_LISTED = b"('')"


@dataclass(frozen=True)
class Rewritten:
    """A statement whose pivots list their values, and the queries that gave the values before.

    DuckDB answers those on their own, where no CTE of the statement is known. All keep the line
    numbers of the original.
    """

    sql: str
    queries: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Edit:
    """A replacement of the bytes `[start, end)`; `query` is the text that it takes out."""

    start: int
    end: int
    replacement: bytes
    query: bool = False


@dataclass(frozen=True)
class _Token:
    """A token by its bytes `[start, end)`; `word` is its text in upper case; `depth` counts the
    parentheses around it, and a parenthesis stands outside itself."""

    start: int
    end: int
    word: str
    depth: int


def with_listed_values(sql: str) -> Iterator[Rewritten]:
    """Rewritings of `sql` in which every PIVOT lists its values; the first that parses is right.

    The second is for an element that only ends like a list of values: `a || b IN ('x')`.

    >>> next(with_listed_values("PIVOT a ON b, c IN ('x') USING sum(d)")).sql
    "PIVOT a ON (b) IN (''), c IN ('x') USING sum(d)"
    >>> next(with_listed_values("PIVOT a ON b IN (FROM k)"))
    Rewritten(sql="PIVOT a ON b IN ('')", queries=('(FROM k)',))
    """
    tokens = _tokens(sql)
    for lists_stay in (True, False):
        edits = [e for at in range(len(tokens)) for e in _edits(tokens, at, lists_stay)]
        yield _rewritten(sql, edits)


def _rewritten(sql: str, edits: Sequence[_Edit]) -> Rewritten:
    text = original = sql.encode()
    taken_out = [edit for edit in edits if edit.query]
    for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        if any(q.start <= edit.start and edit.end <= q.end and q != edit for q in taken_out):
            continue
        lines = original[edit.start : edit.end].count(b"\n")
        text = text[: edit.start] + edit.replacement + b"\n" * lines + text[edit.end :]
    queries = tuple(
        "\n" * original[: edit.start].count(b"\n") + original[edit.start : edit.end].decode()
        for edit in taken_out
    )
    return Rewritten(text.decode(), queries)


def _tokens(sql: str) -> list[_Token]:
    import duckdb

    text = sql.encode()
    found = duckdb.tokenize(sql)
    ends = [start for start, _ in found[1:]] + [len(text)]
    tokens, depth = [], 0
    for (start, kind), end in zip(found, ends, strict=True):
        if kind == duckdb.token_type.comment:
            continue
        raw = text[start:end].rstrip()
        depth -= raw == b")"
        tokens.append(_Token(start, start + len(raw), raw.decode().upper(), depth))
        depth += raw == b"("
    return tokens


def _edits(tokens: Sequence[_Token], at: int, lists_stay: bool) -> Iterator[_Edit]:
    """The edits that list the values of the PIVOT at `at`, none if there is no such PIVOT."""
    pivot = tokens[at]
    if pivot.word not in _PIVOTS or _is_clause(tokens, at):
        return
    level = _level(tokens[at + 1 :], pivot.depth, _ENDS_PIVOT)
    ons = [i for i, token in enumerate(level) if token.word == "ON" and token.depth == pivot.depth]
    listed = _level(level[ons[-1] + 1 :], pivot.depth, _ENDS_LIST) if ons else ()
    for element in _split(listed, pivot.depth):
        values = _values(element, pivot.depth) if lists_stay else None
        if values is None:
            yield _Edit(element[0].start, element[0].start, b"(")
            yield _Edit(element[-1].end, element[-1].end, b") IN " + _LISTED)
        elif len(values) > 1 and values[1].word in _QUERIES:
            yield _Edit(values[0].start, values[-1].end, _LISTED, query=True)


def _values(element: Sequence[_Token], depth: int) -> Sequence[_Token] | None:
    """What stands behind the IN that an element of the ON list ends with, None without one."""
    own = [i for i, token in enumerate(element) if token.depth == depth]
    words = [element[i].word for i in own]
    if words[-3:] == ["IN", "(", ")"]:
        return element[own[-2] :]
    return element[own[-1] :] if words[-2:-1] == ["IN"] else None


def _is_clause(tokens: Sequence[_Token], at: int) -> bool:
    """Whether the PIVOT follows a table, `FROM a PIVOT (sum(c) FOR b IN ('x'))`: always listed."""
    depth = tokens[at].depth
    if at + 1 >= len(tokens) or tokens[at + 1].word != "(":
        return False
    inside = _level(tokens[at + 2 :], depth + 1, set())
    return any(token.word == "FOR" and token.depth == depth + 1 for token in inside)


def _level(tokens: Sequence[_Token], depth: int, ends: set[str]) -> Sequence[_Token]:
    """The tokens before the parentheses at `depth` close or one of `ends` stands there."""
    for i, token in enumerate(tokens):
        if token.depth < depth or (token.depth == depth and token.word in ends):
            return tokens[:i]
    return tokens


def _split(tokens: Sequence[_Token], depth: int) -> Iterator[Sequence[_Token]]:
    """The parts between commas at `depth`; empty ones, which do not parse anyway, are left out."""
    commas = [i for i, t in enumerate(tokens) if t.word == "," and t.depth == depth]
    for first, last in zip([-1, *commas], [*commas, len(tokens)], strict=True):
        if first + 1 < last:
            yield tokens[first + 1 : last]
