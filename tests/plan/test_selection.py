import pytest

from millgate.errors import BadSelection, UnknownAsset
from millgate.model.asset import Asset, Input, Source
from millgate.plan.graph import Graph
from millgate.plan.selection import select


def asset(name: str, *upstream: str, **options: object) -> Asset:
    inputs = tuple(Input(u, u) for u in upstream)
    return Asset(name=name, inputs=inputs, **options)  # type: ignore[arg-type]


GRAPH = Graph.build(
    [
        Source(name="raw", location="x.csv", owner="ops@example.org"),
        asset("orders", "raw", tags=frozenset({"core"}), group="shop", owner="ann"),
        asset("daily_sales", "orders", tags=frozenset({"core", "c++"}), group="shop/reports"),
        asset("daily_returns", "orders", group="shop/reports", owner="bob"),
        asset("summary", "daily_sales", "daily_returns", group="reports", owner="ann"),
    ]
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "raw orders daily_returns daily_sales summary"),
        ("  ", "raw orders daily_returns daily_sales summary"),
        ("*", "raw orders daily_returns daily_sales summary"),
        ("orders", "orders"),
        ("  orders  ", "orders"),
        ("daily_*", "daily_returns daily_sales"),
        ("daily_?ales", "daily_sales"),
        ("daily_[rs]*", "daily_returns daily_sales"),
        ("+orders", "raw orders"),
        ("orders+", "orders daily_returns daily_sales summary"),
        ("orders+1", "orders daily_returns daily_sales"),
        ("orders+2", "orders daily_returns daily_sales summary"),
        ("orders+0", "orders"),
        ("1+summary", "daily_returns daily_sales summary"),
        ("2+summary", "orders daily_returns daily_sales summary"),
        ("1+orders+1", "raw orders daily_returns daily_sales"),
        ("+orders+", "raw orders daily_returns daily_sales summary"),
        ("+daily_*", "raw orders daily_returns daily_sales"),
        ("tag:core", "orders daily_sales"),
        ("tag:c*", "orders daily_sales"),
        ("tag:core+1", "orders daily_returns daily_sales summary"),
        ("1+tag:core", "raw orders daily_sales"),
        ('tag:"c++"', "daily_sales"),
        ("tag:'c++'+", "daily_sales summary"),
        ("group:shop", "orders daily_returns daily_sales"),
        ("group:shop/reports", "daily_returns daily_sales"),
        ("group:reports", "summary"),
        ("owner:ann", "orders summary"),
        ('owner:"ops@example.org"', "raw"),
        ("kind:source", "raw"),
        ("kind:asset", "orders daily_returns daily_sales summary"),
        ("orders or summary", "orders summary"),
        ("tag:core and group:shop/reports", "daily_sales"),
        ("not kind:source", "orders daily_returns daily_sales summary"),
        ("not not orders", "orders"),
        ("not (orders or raw)", "daily_returns daily_sales summary"),
        ("(orders)", "orders"),
        ("((orders))+1", "orders daily_returns daily_sales"),
        ("+(daily_sales and tag:core)", "raw orders daily_sales"),
        # and binds tighter than or, not tighter than and
        ("raw or orders and tag:core", "raw orders"),
        ("(raw or orders) and tag:core", "orders"),
        ("not tag:core and group:shop", "daily_returns"),
        ("not (tag:core and group:shop)", "raw daily_returns summary"),
        ("orders and raw", ""),
        ("orders\n  or raw", "raw orders"),
    ],
)
def test_selections(text: str, names: str) -> None:
    assert select(text, GRAPH) == tuple(names.split())


@pytest.mark.parametrize(
    ("text", "what", "character"),
    [
        ("flihgts", 'no asset "flihgts"', 1),
        ("orders or  ordesr", 'no asset "ordesr"', 12),
        ("dayly_*", 'no asset matches "dayly_*"', 1),
        ("+nope", 'no asset "nope"', 2),
        ("1orders", 'no asset "1orders"', 1),
    ],
)
def test_names_that_no_asset_has(text: str, what: str, character: int) -> None:
    with pytest.raises(UnknownAsset) as refused:
        select(text, GRAPH)
    assert refused.value.what == what
    assert refused.value.where == f"selection {text}, character {character}"
    assert refused.value.fix.endswith("all names: millgate list")


def test_a_close_name_is_offered_and_the_whole_target_shown() -> None:
    with pytest.raises(UnknownAsset) as refused:
        select("ordesr", GRAPH, target="ordesr@2013-02")
    assert str(refused.value) == (
        'no asset "ordesr"\n'
        "  at   selection ordesr@2013-02, character 1\n"
        "  fix  did you mean orders?  all names: millgate list"
    )


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("orders,", 7),
        ("orders raw", 8),
        ("orders +raw", 8),
        ("or raw", 1),
        ("orders or", 10),
        ("orders and and raw", 12),
        ("not", 4),
        ("+", 2),
        ("orders++", 8),
        ("orders+1+2", 9),
        ("(orders", 1),
        ("orders)", 7),
        ("()", 2),
        ("(orders raw)", 9),
        ("orders & raw", 8),
        ("team:core", 1),
        ("tag:", 1),
        ('tag:""', 1),
        ('owner:"ann', 7),
        ("tag:nope", 1),
        ("raw or group:shop/nope", 8),
        ("owner:carol", 1),
        ("kind:table", 1),
        ("(" * 200 + "orders" + ")" * 200, 101),
    ],
)
def test_what_cannot_be_read_says_where(text: str, character: int) -> None:
    with pytest.raises(BadSelection) as refused:
        select(text, GRAPH)
    assert refused.value.where == f"selection {text}, character {character}"
    assert refused.value.fix


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("tag:cor", "did you mean core?  tag is one of c++, core"),
        ("owner:zoe", "owner is one of ann, bob, ops@example.org"),
        ("kind:table", "kind is one of asset, source"),
        ("gruop:shop", "did you mean group?  prefixes are tag, group, owner, kind"),
    ],
)
def test_values_that_nothing_has_name_the_known_ones(text: str, fix: str) -> None:
    with pytest.raises(BadSelection) as refused:
        select(text, GRAPH)
    assert refused.value.fix == fix


def test_a_thousand_nots_are_no_traceback() -> None:
    assert select("not " * 1000 + "orders", GRAPH) == ("orders",)


def test_a_selection_in_an_empty_project() -> None:
    empty = Graph.build([])
    assert select("", empty) == ()
    assert select("*", empty) == ()
    with pytest.raises(BadSelection) as refused:
        select("tag:core", empty)
    assert refused.value.fix == "no asset has any tag"
