"""Selections: which assets a person means by `+orders`, `tag:core and not daily_*`, and so on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from millgate.errors import BadSelection, UnknownAsset, did_you_mean
from millgate.model.asset import Node
from millgate.plan.graph import Graph

_TOKEN = re.compile(
    r"""
      (?P<space> \s+ )
    | (?P<mark> [()] )
    | (?P<before> [0-9]{0,6} \+ )
    | (?P<method> [A-Za-z_]+ : (?: "[^"]*" | '[^']*' | [^\s()+"']+ )? )
    | (?P<word> [\w*?\[\]!.-]+ )
    """,
    re.VERBOSE,
)
_AFTER = re.compile(r"(?P<after>\+(?:[0-9]{1,6}(?!\w))?)")
_DEEPEST = 100
_EXAMPLES = "write for example orders or returns, +orders, orders+2, tag:core and not daily_*"

Values = Callable[[Node], Iterable[str]]


def _groups(node: Node) -> Iterable[str]:
    """The group and all folders above it, so that `group:reports` includes its sub-folders."""
    parts = node.group.split("/") if node.group else []
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


_METHODS: dict[str, Values] = {
    "tag": lambda node: node.tags,
    "group": _groups,
    "owner": lambda node: [node.owner] if node.owner else [],
    "kind": lambda node: [node.kind],
}


def select(text: str, graph: Graph, *, target: str | None = None) -> tuple[str, ...]:
    """The names that a selection means, in topological order; everything where it is empty.

    `not` binds tighter than `and`, `and` tighter than `or`, and the `+` of upstreams and
    downstreams tightest. `target` is the whole of what was typed, for errors. Raises
    UnknownAsset or BadSelection with the character where it went wrong.
    """
    if not text.strip():
        return graph.order
    names = _Parser(text, graph, target or text).parse()
    return tuple(sorted(names, key=graph.rank.__getitem__))


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


class _Parser:
    """Reads a selection by recursive descent; each method returns a set of names."""

    def __init__(self, text: str, graph: Graph, target: str) -> None:
        self._graph = graph
        self._target = target
        self._end = len(text)
        self._tokens = self._scan(text)
        self._next = 0
        self._depth = 0

    def parse(self) -> frozenset[str]:
        found = self._either()
        if (rest := self._peek()) is not None:
            says = "closes nothing" if rest.text == ")" else "follows without and, or"
            raise self._bad(f"{rest.text!r} {says}", rest.at)
        return found

    def _scan(self, text: str) -> list[_Token]:
        tokens: list[_Token] = []
        at = 0
        operand_ends_here = False
        while at < len(text):
            match = _AFTER.match(text, at) if operand_ends_here else None
            match = match or _TOKEN.match(text, at)
            if match is None:
                raise self._bad(f"{text[at]!r} has no meaning in a selection", at)
            kind = str(match.lastgroup)
            if kind != "space":
                tokens.append(_Token(kind, match.group(), at))
            operand_ends_here = kind in ("word", "method") or match.group() == ")"
            at = match.end()
        return tokens

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self, kind: str, text: str | None = None) -> _Token | None:
        token = self._peek()
        if token is None or token.kind != kind or text not in (None, token.text):
            return None
        self._next += 1
        return token

    def _either(self) -> frozenset[str]:
        found = self._both()
        while self._take("word", "or"):
            found |= self._both()
        return found

    def _both(self) -> frozenset[str]:
        found = self._negated()
        while self._take("word", "and"):
            found &= self._negated()
        return found

    def _negated(self) -> frozenset[str]:
        negated = False
        while self._take("word", "not"):
            negated = not negated
        found = self._widened()
        return frozenset(self._graph.order) - found if negated else found

    def _widened(self) -> frozenset[str]:
        before = self._take("before")
        found = self._one()
        after = self._take("after")
        widened = found
        if before is not None:
            widened |= self._graph.upstream(*found, depth=_number(before.text))
        if after is not None:
            widened |= self._graph.downstream(*found, depth=_number(after.text))
        return widened

    def _one(self) -> frozenset[str]:
        token = self._peek()
        if token is None:
            raise self._bad("the selection ends where an asset is expected", self._end)
        if self._take("mark", "("):
            return self._grouped(token)
        if self._take("method"):
            return self._having(token)
        if token.text not in ("and", "or") and self._take("word"):
            return self._named(token)
        raise self._bad(f"{token.text!r} stands where an asset is expected", token.at)

    def _grouped(self, opened: _Token) -> frozenset[str]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._bad("parentheses are nested too deeply", opened.at)
        found = self._either()
        if not self._take("mark", ")"):
            rest = self._peek()
            says = f"{rest.text!r} follows without and, or" if rest else "'(' is not closed"
            raise self._bad(says, rest.at if rest else opened.at)
        self._depth -= 1
        return found

    def _named(self, token: _Token) -> frozenset[str]:
        if token.text in self._graph:
            return frozenset((token.text,))
        if not _is_pattern(token.text):
            raise UnknownAsset(
                f'no asset "{token.text}"',
                where=self._where(token.at),
                fix=did_you_mean(token.text, self._graph.order, "all names: millgate list"),
            )
        found = frozenset(n for n in self._graph.order if fnmatchcase(n, token.text))
        if not found and token.text != "*":
            raise UnknownAsset(
                f'no asset matches "{token.text}"',
                where=self._where(token.at),
                fix="all names: millgate list",
            )
        return found

    def _having(self, token: _Token) -> frozenset[str]:
        method, _, quoted = token.text.partition(":")
        wanted = quoted[1:-1] if quoted[:1] in ("'", '"') else quoted
        values = _METHODS.get(method)
        if values is None:
            known = f"prefixes are {', '.join(_METHODS)}"
            raise self._bad(f"no prefix {method}:", token.at, did_you_mean(method, _METHODS, known))
        if not wanted:
            raise self._bad(f"{method}: names nothing", token.at)
        found = frozenset(
            node.name
            for node in self._graph.nodes
            if any(fnmatchcase(value, wanted) for value in values(node))
        )
        if not found:
            known_values = sorted({v for node in self._graph.nodes for v in values(node)})
            raise self._bad(
                f'no asset has {method} "{wanted}"',
                token.at,
                did_you_mean(wanted, known_values, _listing(method, known_values)),
            )
        return found

    def _where(self, at: int) -> str:
        return f"selection {self._target}, character {at + 1}"

    def _bad(self, what: str, at: int, fix: str = _EXAMPLES) -> BadSelection:
        return BadSelection(what, where=self._where(at), fix=fix)


def _number(sign: str) -> int | None:
    """The depth that `2+` or `+2` gives, None for a bare `+`."""
    digits = sign.strip("+")
    return int(digits) if digits else None


def _is_pattern(text: str) -> bool:
    return any(sign in text for sign in "*?[")


def _listing(method: str, values: list[str]) -> str:
    if not values:
        return f"no asset has any {method}"
    shown = ", ".join(values[:8])
    more = f" and {len(values) - 8} more" if len(values) > 8 else ""
    return f"{method} is one of {shown}{more}"
