"""SQL as a sequence of words: comments, layout and the case of keywords do not count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

_TOKEN = re.compile(
    r"""
      (?P<space>   \s+ | --[^\n]* )
    | (?P<comment> /\* )
    | (?P<text>    [eE]'(?:[^'\\]|''|\\.)*' | [xX]?'(?:[^']|'')*' | "(?:[^"]|"")*"
                 | \$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$ )
    | (?P<number>  \d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?\w* | \.\d[\d_]*(?:[eE][+-]?\d+)? )
    | (?P<word>    \$?\w+ )
    | (?P<sign>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
_NESTED = re.compile(r"/\*|\*/")

# Words that DuckDB reserves, or allows only as functions and types: never the name of a column.
_RESERVED = """
    all analyse analyze and anti any array as asc asof asymmetric at both by case cast check
    collate collation column concurrently constraint create cross default deferrable desc
    describe distinct do else end except false fetch for foreign freeze from full glob group
    having ilike in initially inner intersect into is isnull join lambda lateral leading left
    like limit natural not notnull null offset on only or order outer overlaps pivot
    pivot_longer pivot_wider placing positional primary qualify references returning right
    select semi show similar some summarize symmetric table tablesample then to trailing true
    union unique unpivot using variadic verbose when where window with
"""
RESERVED = frozenset(_RESERVED.split())
# Words that are keywords only in their place; elsewhere a column may be called so.
_PLACED = """
    between current exclude filter first following groups ignore interval last materialized no
    nulls ordinality others over partition preceding range recursive replace respect row rows
    sets ties try_cast unbounded values within without
"""
_IN_PLACE = frozenset(_PLACED.split())


def sql_words(sql: str, called: Mapping[str, str] | None = None) -> str:
    """The statement with one space between words, its keywords and functions in lower case.

    Text, numbers, identifiers and aliases stay as they are: the case of a name is the case of
    the column that comes out.

    >>> sql_words("SELECT Sum(x) AS Total -- all of it\\n  FROM orders;")
    'select sum ( x ) as Total from orders'

    `called` has other names for tables; it counts only where a name can be that of a table alone.

    >>> sql_words("SELECT o.x FROM sales AS o JOIN b ON b.x = sales.x", {"sales": "orders"})
    'select o . x from orders as o join b on b . x = orders . x'
    """
    tokens = _called(list(_tokens(sql)), called or {})
    while tokens and tokens[-1] == ";":
        tokens.pop()
    return " ".join(_plain(tokens, at) for at in range(len(tokens)))


def _called(tokens: list[str], called: Mapping[str, str]) -> list[str]:
    """The tokens with tables under other names; a name that stands elsewhere too is left alone."""
    for name, other in called.items():
        at = [n for n, token in enumerate(tokens) if token.strip('"') == name]
        if all(_names_table(tokens, n) for n in at):
            for n in at:
                tokens[n] = tokens[n].replace(name, other)
    return tokens


def _names_table(tokens: Sequence[str], at: int) -> bool:
    """Whether a name stands where only that of a table can: after FROM or JOIN, or qualifying."""
    before = tokens[at - 1].lower() if at else ""
    after = tokens[at + 1] if at + 1 < len(tokens) else ""
    return before != "." and (before in ("from", "join") or after == ".")


def _tokens(sql: str) -> Iterator[str]:
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        assert match is not None  # the last alternative takes any character
        at = match.end()
        if match.lastgroup == "comment":
            at = _after_comment(sql, at)
        elif match.lastgroup != "space":
            yield match.group()


def _after_comment(sql: str, at: int) -> int:
    """Where a block comment ends that begins before `at`; they nest."""
    depth = 1
    while depth:
        mark = _NESTED.search(sql, at)
        if mark is None:
            return len(sql)
        depth += 1 if mark.group() == "/*" else -1
        at = mark.end()
    return at


def _plain(tokens: Sequence[str], at: int) -> str:
    """A token, in lower case where its case cannot show in the result."""
    token = tokens[at]
    if not token[0].isalpha():
        return token
    if token[-1] == "'":
        return token[0].lower() + token[1:]
    lower = token.lower()
    before = tokens[at - 1].lower() if at else ""
    after = tokens[at + 1] if at + 1 < len(tokens) else ""
    if before == "as":
        return token
    if lower in RESERVED or after == "(":
        return lower
    is_alias = after in ("", ",", ")", ":") or after.lower() == "from"
    if lower in _IN_PLACE and not (is_alias and _ends_operand(before)):
        return lower
    return token


def _ends_operand(token: str) -> bool:
    """Whether an expression may end with a token, so that an alias may follow."""
    if token in RESERVED or token in _IN_PLACE:
        return token in ("end", "null", "true", "false")
    return token[-1:] in (")", "]", "}", "'", '"') or token[-1:].isalnum() or token[-1:] == "_"
