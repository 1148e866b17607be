from __future__ import annotations

from itertools import pairwise

import pytest

from lineage.chronicle import Chronicle, declared, reads
from lineage.story import DAYS, tell
from millgate.lineage.ancestry import asset_lineage, live_materialization, trace
from millgate.model.record import Edge


def diamond(chronicle: Chronicle) -> None:
    """a to b and c, both to d, d to e; f stands alone."""
    pairs = ("ab", "ac", "bd", "cd", "de")
    edges = tuple(Edge(up, down, "data", "same key") for up, down in pairs)
    chronicle.declare(*map(declared, "abcdef"), edges=edges)


@pytest.mark.parametrize(
    ("asked", "depths"),
    [
        (["d"], {"a": -2, "b": -1, "c": -1, "d": 0, "e": 1}),
        (["a"], {"a": 0, "b": 1, "c": 1, "d": 2, "e": 3}),
        (["b", "f"], {"a": -1, "b": 0, "f": 0, "d": 1, "e": 2}),
        (["b", "d"], {"a": -1, "b": 0, "c": -1, "d": 0, "e": 1}),
        ([], {}),
        (["unknown"], {}),
        (None, dict.fromkeys("abcdef", 0)),
    ],
)
def test_assets_by_distance(chronicle: Chronicle, asked, depths) -> None:
    diamond(chronicle)
    found = asset_lineage(chronicle.connection, asked)
    assert {a.asset: a.depth for a in found.assets} == depths
    assert [a.depth for a in found.assets] == sorted(a.depth for a in found.assets)
    inside = {(e.upstream, e.downstream) for e in found.edges}
    assert inside == {(u, d) for u, d in ("ab", "ac", "bd", "cd", "de") if {u, d} <= set(depths)}


def test_a_long_chain(chronicle: Chronicle) -> None:
    names = [f"a{n:04}" for n in range(3000)]
    edges = [Edge(u, d, "data", "same key") for u, d in pairwise(names)]
    chronicle.declare(*map(declared, names), edges=tuple(edges))
    found = asset_lineage(chronicle.connection, [names[0]])
    assert found.assets[-1].depth == 2999


@pytest.mark.parametrize(
    ("macro", "wanted"),
    [
        ("upstream('d')", [("a", 2), ("b", 1), ("c", 1)]),
        ("upstream('d', max_depth := 1)", [("b", 1), ("c", 1)]),
        ("downstream('a')", [("b", 1), ("c", 1), ("d", 2), ("e", 3)]),
        ("downstream('a', max_depth := 2)", [("b", 1), ("c", 1), ("d", 2)]),
        ("downstream('f')", []),
    ],
)
def test_the_same_in_sql(chronicle: Chronicle, macro: str, wanted: list) -> None:
    diamond(chronicle)
    query = f"SELECT asset, depth FROM lineage.{macro} ORDER BY asset"
    assert chronicle.connection.execute(query).fetchall() == wanted


def test_what_a_version_was_made_from(chronicle: Chronicle) -> None:
    told = tell(chronicle)
    found = trace(chronicle.connection, told["delays"].id)
    assert [(v.asset, v.partition, v.live) for v in found.versions] == [
        ("delays", DAYS[0], True),
        ("flights", DAYS[0], False),
        ("raw", "", False),
    ]
    assert {(e.upstream, e.downstream, e.kind) for e in found.edges} == {
        (told["raw"].id, told["first"].id, "data"),
        (told["first"].id, told["delays"].id, "data"),
    }
    assert [(f.materialization, f.path) for f in found.files] == [(told["raw"].id, "data/raw.csv")]


def test_what_was_made_from_a_version(chronicle: Chronicle) -> None:
    told = tell(chronicle)
    found = trace(chronicle.connection, told["raw"].id, "downstream")
    assert found.versions[0].materialization == told["raw"].id
    assert [(v.asset, v.partition) for v in found.versions[1:]] == [
        ("delays", DAYS[0]),
        ("delays", DAYS[1]),
        ("flights", DAYS[0]),
        ("flights", DAYS[1]),
    ]


def test_a_released_version_goes_back_to_the_refused_one(chronicle: Chronicle) -> None:
    raw = chronicle.observe("raw", "first")
    held = chronicle.hold("flights", DAYS[0], inputs=reads(raw))
    released = chronicle.release(held, "checked")
    found = trace(chronicle.connection, released.id)
    assert {v.materialization for v in found.versions} == {raw.id, held.id, released.id}


def test_no_such_version(chronicle: Chronicle) -> None:
    found = trace(chronicle.connection, 99)
    assert (found.versions, found.edges, found.files) == ((), (), ())
    assert live_materialization(chronicle.connection, "flights", DAYS[0]) is None


def test_the_live_version(chronicle: Chronicle) -> None:
    chronicle.make("flights", DAYS[0])
    newer = chronicle.make("flights", DAYS[0], "newer")
    assert live_materialization(chronicle.connection, "flights", DAYS[0]) == newer.id
