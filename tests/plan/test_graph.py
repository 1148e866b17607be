import pytest

from millgate.errors import DeclarationError, DuplicateAsset, GraphCycle, UnknownUpstream
from millgate.model.asset import Asset, Form, Input, Node, Source
from millgate.model.dimension import Keys
from millgate.model.grain import Daily, Monthly
from millgate.model.mapping import UpstreamMapping, Window
from millgate.model.partition import Partitions
from millgate.model.policy import Gate
from millgate.model.record import Edge
from millgate.plan.graph import Graph

DAYS = Partitions((Daily("2013-01-01"),))
MONTHS = Partitions((Monthly("2013-01"),))
ORIGINS = Partitions((Keys("EWR", "JFK", name="origin"),))
DAY_ORIGINS = Daily("2013-01-01") * Keys("EWR", "JFK", name="origin")
NONE = Partitions()


def made(name: str, *upstream: str, partitions: Partitions = DAYS) -> Asset:
    inputs = tuple(Input(name, name) for name in upstream)
    return Asset(name=name, inputs=inputs, partitions=partitions, defined_in=f"assets/{name}.py:1")


def reading(
    name: str,
    upstream: str,
    mapping: UpstreamMapping = None,
    partitions: Partitions = DAYS,
    form: Form = Form.LAZY,
) -> Asset:
    given = Input("parameter", upstream, mapping, form)
    return Asset(
        name=name, inputs=(given,), partitions=partitions, defined_in=f"assets/{name}.py:1"
    )


def test_upstreams_come_first_and_otherwise_names_in_order() -> None:
    nodes: list[Node] = [
        made("a", "z"),
        made("c", "b"),
        made("b"),
        Source(name="z", location="z.csv"),
        made("d", "a", "c"),
    ]
    graph = Graph.build(nodes)
    assert graph.order == ("b", "c", "z", "a", "d")
    assert Graph.build(reversed(nodes)).order == graph.order
    assert [node.name for node in graph.nodes] == list(graph.order)
    assert graph["a"] is nodes[0]
    assert "a" in graph
    assert "x" not in graph
    assert len(graph) == 5


def test_an_empty_graph() -> None:
    assert Graph.build([]).order == ()
    assert Graph.build([]).edges == ()


def diamond() -> Graph:
    return Graph.build(
        [made("a"), made("b", "a"), made("c", "a"), made("d", "b", "c"), made("e", "d")]
    )


@pytest.mark.parametrize(
    ("names", "depth", "up", "down"),
    [
        ("a", None, "", "bcde"),
        ("d", None, "abc", "e"),
        ("e", 1, "d", ""),
        ("e", 2, "bcd", ""),
        ("a", 1, "", "bc"),
        ("a", 0, "", ""),
        ("bc", None, "a", "de"),
        ("ae", None, "bcd", "bcd"),
        ("", None, "", ""),
    ],
)
def test_reach(names: str, depth: int | None, up: str, down: str) -> None:
    assert diamond().upstream(*names, depth=depth) == frozenset(up)
    assert diamond().downstream(*names, depth=depth) == frozenset(down)


def test_a_deep_and_wide_graph_needs_no_recursion() -> None:
    chain = [made("a0")] + [made(f"a{n}", f"a{n - 1}") for n in range(1, 10_000)]
    graph = Graph.build(reversed(chain))
    assert graph.order[-1] == "a9999"
    assert len(graph.upstream("a9999")) == 9_999
    assert len(graph.edges) == 9_999
    ring = [*chain[1:], made("a0", "a9999")]
    with pytest.raises(GraphCycle):
        Graph.build(ring)


def test_a_cycle_is_shown_as_a_path_with_places() -> None:
    nodes = [made("first"), made("b", "a", "first"), made("a", "c"), made("c", "b"), made("d", "c")]
    with pytest.raises(GraphCycle) as refused:
        Graph.build(nodes)
    assert refused.value.what.endswith(": a → b → c → a")
    assert refused.value.where == "assets/a.py:1 (a), assets/b.py:1 (b), assets/c.py:1 (c)"


def test_an_unknown_upstream_names_close_ones_but_never_the_asset_itself() -> None:
    with pytest.raises(UnknownUpstream) as refused:
        Graph.build([made("flights"), made("flight", "flihgts")])
    assert refused.value.where == "assets/flight.py:1"
    assert refused.value.fix.startswith("did you mean flights?")
    assert "'flihgts'" in refused.value.what


def test_two_assets_of_one_name_are_refused_with_both_places() -> None:
    twin = Asset(name="a", defined_in="assets/other.py:9")
    with pytest.raises(DuplicateAsset) as refused:
        Graph.build([made("a"), twin])
    assert refused.value.where == "assets/a.py:1 and assets/other.py:9"
    same = made("a")
    assert Graph.build([same, same]).order == ("a",)


def test_a_path_is_only_had_of_a_source() -> None:
    files = Source(name="files", location="x.csv")
    assert Graph.build([files, reading("a", "files", form=Form.PATH, partitions=NONE)])
    with pytest.raises(DeclarationError, match="not a source") as refused:
        Graph.build([made("b"), reading("a", "b", form=Form.PATH)])
    assert refused.value.where == "assets/a.py:1, upstream parameter"


@pytest.mark.parametrize(
    ("mapping", "partitions"),
    [
        (Window(-1, -1), DAYS),
        (Window(-7, -1), DAYS),
        (Window(None, -1), DAY_ORIGINS),
        ({"date": Window(-1, -1)}, DAY_ORIGINS),
        (Window(-1, -1), ORIGINS),
    ],
)
def test_an_asset_may_read_its_own_earlier_partitions(
    mapping: UpstreamMapping, partitions: Partitions
) -> None:
    graph = Graph.build([reading("a", "a", mapping, partitions)])
    assert graph.order == ("a",)
    assert graph.upstream("a") == graph.downstream("a") == frozenset()
    assert [(e.upstream, e.downstream) for e in graph.edges] == [("a", "a")]


class Own:
    def keys(self, partition: object, upstream: object, horizon: object) -> list[str]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("mapping", "partitions"),
    [
        (None, DAYS),
        (Window(), DAYS),
        (Window(-1, 0), DAYS),
        (Window(-1, None), DAYS),
        (Window(1, 1), DAYS),
        (Window(-1, -1), NONE),
        ({"origin": Window(-1, -1)}, DAY_ORIGINS),
        ({"EWR": "JFK"}, ORIGINS),
        (Own(), DAYS),
    ],
)
def test_an_asset_that_reads_itself_otherwise_is_refused(
    mapping: UpstreamMapping, partitions: Partitions
) -> None:
    with pytest.raises(DeclarationError, match="reads itself") as refused:
        Graph.build([reading("a", "a", mapping, partitions)])
    assert refused.value.where == "assets/a.py:1, upstream parameter"


def test_an_asset_that_reads_itself_has_no_batches() -> None:
    batched = Partitions((Daily("2013-01-01", batch=31),))
    with pytest.raises(DeclarationError, match="batch=31 would compute them as one") as refused:
        Graph.build([reading("a", "a", Window(-1, -1), batched)])
    assert refused.value.fix == "leave batch= out: each partition is made after the one before"


@pytest.mark.parametrize(
    ("mapping", "upstream", "says"),
    [
        ({"day": Window(-1, 0)}, DAYS, "no dimension 'day'"),
        ({"date": Window(-1, 0)}, NONE, "no dimension 'date'"),
        ({"date": {"a": "b"}}, DAYS, "time dimension"),
        ({"EWR": "JFK"}, DAYS, "no dimension of listed keys"),
        ({"EWR": "JFK"}, NONE, "no dimension of listed keys"),
        ({"x": "LGA"}, ORIGINS, "no key 'LGA'"),
        ({"x": ["EWR", "LGA"]}, ORIGINS, "no key 'LGA'"),
        ({"origin": {"x": "LGA"}}, ORIGINS, "no key 'LGA'"),
        ({"x": 5}, ORIGINS, "5 is no key"),
        ({"x": ["EWR", 5]}, ORIGINS, "no key of upstream"),
        ({"date": Window(), "EWR": "JFK"}, DAY_ORIGINS, "not both"),
        (Window(-1, -1), NONE, "unpartitioned"),
        (Window(1, 2), NONE, "unpartitioned"),
    ],
)
def test_mappings_that_cannot_be_followed(
    mapping: UpstreamMapping, upstream: Partitions, says: str
) -> None:
    with pytest.raises(DeclarationError, match=says) as refused:
        Graph.build([made("upstream", partitions=upstream), reading("a", "upstream", mapping)])
    assert refused.value.where == "assets/a.py:1, upstream parameter"
    assert refused.value.fix


def test_keys_of_an_asset_make_an_edge_and_an_order() -> None:
    keyed = made("sales", partitions=Partitions((Keys(of="zones.zone"),)))
    graph = Graph.build([keyed, made("zones", partitions=NONE)])
    assert graph.order == ("zones", "sales")
    assert graph.edges == (Edge("zones", "sales", "keys", "the values of zone"),)
    assert graph.downstream("zones") == {"sales"}


@pytest.mark.parametrize(
    "others", [[], [Source(name="zones", location="z.csv")], [made("zone", partitions=NONE)]]
)
def test_keys_of_what_is_no_asset_are_refused(others: list[Node]) -> None:
    keyed = made("sales", partitions=Partitions((Keys(of="zones.zone"),)))
    with pytest.raises(UnknownUpstream, match="no asset is called zones"):
        Graph.build([keyed, *others])


def test_an_asset_whose_keys_are_its_own_values_is_a_circle() -> None:
    with pytest.raises(GraphCycle, match="sales → sales"):
        Graph.build([made("sales", partitions=Partitions((Keys(of="sales.zone"),)))])


@pytest.mark.parametrize(
    ("mapping", "down", "up", "text"),
    [
        (None, DAYS, DAYS, "same date"),
        (None, MONTHS, DAYS, "every overlapping date"),
        (None, DAYS, NONE, "the whole"),
        (None, NONE, DAYS, "every date"),
        (None, DAYS, DAY_ORIGINS, "same date, every origin"),
        (None, DAY_ORIGINS, DAY_ORIGINS, "same date, same origin"),
        (
            None,
            DAYS,
            Partitions((Daily("2013-01-01", tz="America/New_York"),)),
            "every overlapping date",
        ),
        (None, DAYS, Partitions((Daily("2012-01-01"),)), "same date"),
        (Window(-6, 0), DAYS, DAYS, "Window(-6, 0)"),
        (Window(None, 0, pinned=True), DAYS, DAYS, "Window(None, 0, pinned=True)"),
        ({"EU": 'a"b', "US": ["x", "y"]}, DAYS, ORIGINS, '{"EU": "a\\"b", "US": ["x", "y"]}'),
        ({"date": Window(-1, 0)}, DAYS, DAYS, '{"date": Window(-1, 0)}'),
        ({f"k{n}": "EWR" for n in range(50)}, DAYS, ORIGINS, '{"k0": "EWR", … 50 in all}'),
        (Own(), DAYS, DAYS, "Own"),
    ],
)
def test_mappings_as_people_write_them(
    mapping: UpstreamMapping, down: Partitions, up: Partitions, text: str
) -> None:
    upstream = made("b", partitions=up)
    if isinstance(mapping, dict) and "EU" in mapping:
        upstream = made("b", partitions=Partitions((Keys('a"b', "x", "y"),)))
    graph = Graph.build([upstream, reading("a", "b", mapping, down)])
    assert graph.edges == (Edge("b", "a", "data", text),)


def test_an_upstream_read_twice_has_an_edge_for_each_mapping() -> None:
    both = Asset(
        name="a",
        partitions=DAYS,
        inputs=(Input("today", "b"), Input("also", "b"), Input("week", "b", Window(-6, 0))),
    )
    graph = Graph.build([made("b"), both])
    assert [e.mapping for e in graph.edges] == ["same date", "Window(-6, 0)"]


def referring(name: str, references: dict, *upstream: str) -> Asset:
    inputs = tuple(Input(each, each) for each in upstream)
    gate = Gate(references=references)
    return Asset(name=name, inputs=inputs, gate=gate, defined_in=f"assets/{name}.py:1")


def test_a_reference_is_an_upstream_of_its_own_kind() -> None:
    graph = Graph.build([referring("a", {"k": "z.k", "l": "z.l"}), made("z", partitions=NONE)])
    assert graph.order == ("z", "a")
    assert graph.upstream("a") == {"z"}
    assert graph.edges == (Edge("z", "a", "reference", "the whole"),)


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        ([referring("a", {"k": "a.k"})], "the gate of a refers to a itself"),
        (
            [referring("a", {"k": "b.k"}), made("b", "a", partitions=NONE)],
            "the gate of a refers to b, which is made from a: a → b → a",
        ),
        (
            [referring("a", {"k": "c.k"}), made("b", "a"), made("c", "b", partitions=NONE)],
            "the gate of a refers to c, which is made from a: a → b → c → a",
        ),
    ],
)
def test_a_reference_that_closes_a_circle_suggests_a_table_further_up(
    nodes: list[Node], says: str
) -> None:
    with pytest.raises(GraphCycle) as refused:
        Graph.build(nodes)
    assert refused.value.what == says
    assert "further up" in refused.value.fix


def test_the_table_further_up_is_named_where_there_is_one() -> None:
    nodes = [referring("a", {"k": "b.k"}, "raw"), made("b", "a"), made("raw", partitions=NONE)]
    with pytest.raises(GraphCycle) as refused:
        Graph.build(nodes)
    assert refused.value.fix.endswith("an asset that lists the values, such as raw")


def test_a_reference_to_nothing_suggests_what_was_meant() -> None:
    with pytest.raises(UnknownUpstream) as refused:
        Graph.build([referring("a", {"k": "airlines.k"}), made("airline")])
    assert "airline" in refused.value.fix
    assert "refers to 'airlines'" in refused.value.what
