"""Lineage drawn: as a tree for people, as mermaid and dot for other tools."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.text import Text

Toward = Literal["upstream", "downstream"]


@dataclass(frozen=True)
class Item:
    """Something in a drawing: an asset, or versions of it."""

    label: str
    note: str = ""
    is_source: bool = False


@dataclass(frozen=True)
class Drawing:
    """Items by name, and who is made from whom as (upstream, downstream)."""

    items: Mapping[str, Item]
    edges: tuple[tuple[str, str], ...]

    def tree(self, root: str, toward: Toward) -> Iterator[Text]:
        """`root` and what lies beyond it; what was drawn before is not drawn again.

        >>> drawing = Drawing({"a": Item("a"), "b": Item("b")}, (("a", "b"),))
        >>> print("\\n".join(line.plain for line in drawing.tree("b", "upstream")))
        b
        └─ a
        """
        beyond: dict[str, list[str]] = defaultdict(list)
        for upstream, downstream in self.edges:
            here, there = (downstream, upstream) if toward == "upstream" else (upstream, downstream)
            beyond[here].append(there)
        drawn: set[str] = set()
        # A stack instead of recursion: chains may be thousands of assets long.
        pending: list[tuple[str, str, str]] = [(root, "", "")]
        while pending:
            name, lead, below = pending.pop()
            again = name in drawn and bool(beyond[name])
            yield _line(lead, self.items[name], again)
            if again:
                continue
            drawn.add(name)
            following = sorted(set(beyond[name]))
            for position, other in reversed(list(enumerate(following))):
                last = position == len(following) - 1
                pending.append(
                    (
                        other,
                        f"{below}{'└─ ' if last else '├─ '}",
                        f"{below}{'   ' if last else '│  '}",
                    )
                )

    def roots(self) -> list[str]:
        """The items that nothing in the drawing is upstream of."""
        made = {downstream for _, downstream in self.edges}
        return [name for name in self.items if name not in made]

    def mermaid(self) -> str:
        """A mermaid flowchart; sources are drawn as cylinders."""
        ids = {name: f"n{number}" for number, name in enumerate(self.items)}
        lines = ["flowchart LR"]
        for name, item in self.items.items():
            text = _full(item).replace('"', "#quot;")
            shape = f'[("{text}")]' if item.is_source else f'["{text}"]'
            lines.append(f"  {ids[name]}{shape}")
        lines += [f"  {ids[up]} --> {ids[down]}" for up, down in self.edges]
        return "\n".join(lines) + "\n"

    def dot(self) -> str:
        """A Graphviz digraph; sources are drawn as cylinders."""
        lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box];"]
        for name, item in self.items.items():
            shape = ", shape=cylinder" if item.is_source else ""
            lines.append(f"  {_quoted(name)} [label={_quoted(_full(item))}{shape}];")
        lines += [f"  {_quoted(up)} -> {_quoted(down)};" for up, down in self.edges]
        return "\n".join([*lines, "}"]) + "\n"


def tree_lines(drawing: Drawing, focus: Sequence[str]) -> Iterator[Text]:
    """The upstreams and the downstreams of each item in focus, or all from the roots on."""
    if not focus:
        for root in drawing.roots():
            yield from drawing.tree(root, "downstream")
        return
    for name in focus:
        both: tuple[Toward, ...] = ("upstream", "downstream")
        sides = [side for side in both if _has(drawing, name, side)]
        for side in sides:
            yield Text(f"{side} of {drawing.items[name].label}", "dim")
            yield from drawing.tree(name, side)
        if not sides:
            yield from drawing.tree(name, "upstream")


def _has(drawing: Drawing, name: str, toward: Toward) -> bool:
    at = 1 if toward == "upstream" else 0
    return any(edge[at] == name for edge in drawing.edges)


def _line(lead: str, item: Item, again: bool) -> Text:
    line = Text(lead, "dim").append(item.label, "cyan" if item.is_source else "default")
    note = item.note or ("source" if item.is_source else "")
    if note:
        line.append(f"  {note}", "dim")
    return line.append("  (drawn above)", "dim") if again else line


def _full(item: Item) -> str:
    return f"{item.label} {item.note}".strip()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
