from __future__ import annotations

from itertools import pairwise

from millgate.cli.show_lineage import Drawing, Item, tree_lines

DRAWING = Drawing(
    {
        "raw": Item("raw", "source", is_source=True),
        "flights": Item("flights"),
        "weather": Item("weather"),
        "joined": Item("joined"),
        "report": Item("report"),
    },
    (
        ("raw", "flights"),
        ("raw", "weather"),
        ("flights", "joined"),
        ("weather", "joined"),
        ("flights", "report"),
        ("joined", "report"),
    ),
)


def tree(focus):
    return "\n".join(line.plain for line in tree_lines(DRAWING, focus))


def test_both_sides_of_an_asset():
    assert tree(["joined"]) == (
        "upstream of joined\n"
        "joined\n"
        "├─ flights\n"
        "│  └─ raw  source\n"
        "└─ weather\n"
        "   └─ raw  source\n"
        "downstream of joined\n"
        "joined\n"
        "└─ report"
    )


def test_what_was_drawn_is_not_drawn_again():
    assert tree(["report"]) == (
        "upstream of report\n"
        "report\n"
        "├─ flights\n"
        "│  └─ raw  source\n"
        "└─ joined\n"
        "   ├─ flights  (drawn above)\n"
        "   └─ weather\n"
        "      └─ raw  source"
    )


def test_a_whole_selection_begins_at_its_roots():
    assert tree([]).splitlines()[:3] == ["raw  source", "├─ flights", "│  ├─ joined"]


def test_an_asset_alone():
    alone = Drawing({"planes": Item("planes")}, ())
    assert [line.plain for line in tree_lines(alone, ["planes"])] == ["planes"]


def test_a_chain_of_ten_thousand_does_not_overflow():
    names = [f"a{n}" for n in range(10_000)]
    chain = Drawing({n: Item(n) for n in names}, tuple(pairwise(names)))
    assert len(list(chain.tree("a0", "downstream"))) == 10_000


def test_mermaid_does_not_trust_names():
    odd = Drawing({"end": Item('end "quoted"', is_source=True), "b": Item("b")}, (("end", "b"),))
    assert odd.mermaid() == (
        'flowchart LR\n  n0[("end #quot;quoted#quot;")]\n  n1["b"]\n  n0 --> n1\n'
    )


def test_dot():
    odd = Drawing({"a": Item('a "x" \\', is_source=True), "b": Item("b")}, (("a", "b"),))
    assert odd.dot() == (
        "digraph lineage {\n"
        "  rankdir=LR;\n"
        "  node [shape=box];\n"
        '  "a" [label="a \\"x\\" \\\\", shape=cylinder];\n'
        '  "b" [label="b"];\n'
        '  "a" -> "b";\n'
        "}\n"
    )
