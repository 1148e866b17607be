from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from millgate.errors import BadKey
from millgate.model.asset import Asset, Input, Node, Source
from millgate.model.dimension import Horizon, Keys
from millgate.model.grain import Daily, Monthly
from millgate.model.mapping import Window
from millgate.model.partition import Partition, Partitions
from millgate.model.record import InputVersion
from millgate.model.state import Held, Live, Observed, State
from millgate.model.step import Cause, NeededInput, Plan, Step
from millgate.plan.fingerprint import input_fingerprint
from millgate.plan.graph import Graph
from millgate.plan.keyrange import KeyRange
from millgate.plan.planner import make_plan, still_stale
from millgate.plan.selection import select

DAYS = Partitions((Daily("2013-01-01", end="2013-01-03"),))
MONTHS = Partitions((Monthly("2013-01", end="2013-01"),))
NONE = Partitions()
NOW = Horizon(datetime(2020, 1, 1, tzinfo=UTC))
D1, D2, D3 = "2013-01-01", "2013-01-02", "2013-01-03"


def asset(name: str, *inputs: str | Input, partitions: Partitions = DAYS) -> Asset:
    given = tuple(i if isinstance(i, Input) else Input(i, i) for i in inputs)
    return Asset(name=name, inputs=given, partitions=partitions)


@dataclass
class World:
    """Assets with what is live, held and observed; `make` brings one up to date by hand."""

    nodes: list[Node]
    live: dict[str, dict[str, Live]] = field(default_factory=dict)
    held: dict[str, dict[str, Held]] = field(default_factory=dict)
    observed: dict[str, dict[str, Observed]] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    gates: dict[str, str] = field(default_factory=dict)
    inputs: dict[int, tuple[InputVersion, ...]] = field(default_factory=dict)
    asked: list[set[int]] = field(default_factory=list)
    horizon: Horizon = NOW

    def __post_init__(self) -> None:
        self.graph = Graph.build(self.nodes)
        for name in self.graph.order:
            self.code.setdefault(name, "code")
            self.gates.setdefault(name, "gate")

    def version(self, name: str, key: str) -> tuple[int, str]:
        """A new version's id and input fingerprint; its inputs are remembered."""
        node = self.graph[name]
        plan = self.plan(name, KeyRange.literal(key), force=True, retry_held=True)
        needs = next((s.needs for s in plan.steps if s.key == key), ())
        read = [
            (need.parameter, need.upstream, k, self.hash_of(need.upstream, k), need.pinned)
            for need in needs
            for k in need.keys
        ]
        number = len(self.inputs) + 1
        self.inputs[number] = tuple(InputVersion(0, a, k, h, p) for _, a, k, h, p in read)
        assert isinstance(node, Asset)
        return number, input_fingerprint(
            [(p, a, k, h) for p, a, k, h, pinned in read if not pinned]
        )

    def hash_of(self, name: str, key: str) -> str:
        if name in self.observed:
            return self.observed[name][key].data_hash
        return self.live[name][key].data_hash

    def make(self, name: str, *keys: str, data: str = "v1") -> World:
        for key in keys:
            self.held.get(name, {}).pop(key, None)
            number, inputs = self.version(name, key)
            self.live.setdefault(name, {})[key] = Live(
                NOW,
                number,
                self.code[name],
                inputs,
                data,
                self.gates[name],
                "promote",
                "versions",
                "p",
            )
        return self

    def hold(self, name: str, *keys: str) -> World:
        for key in keys:
            number, inputs = self.version(name, key)
            self.held.setdefault(name, {})[key] = Held(
                number, self.code[name], inputs, self.gates[name]
            )
        return self

    def change(self, name: str, key: str, data: str) -> None:
        """A new version of other content is live."""
        self.live[name][key] = replace(self.live[name][key], data_hash=data)

    def plan(self, selection: str = "", keys: KeyRange | str | None = None, **options: Any) -> Plan:
        def inputs_of(ids: Collection[int]) -> Mapping[int, tuple[InputVersion, ...]]:
            self.asked.append(set(ids))
            return {number: self.inputs[number] for number in ids}

        return make_plan(
            self.graph,
            select(selection, self.graph),
            KeyRange.parse(keys) if isinstance(keys, str) else keys,
            State(self.live, self.held, self.observed),
            self.horizon,
            code=self.code,
            gates=self.gates,
            inputs_of=inputs_of,
            references_of=inputs_of,
            selection_text=selection,
            **options,
        )


def told(plan: Plan | Iterable[Step]) -> list[str]:
    """Each step in one line: what is done to what, and why."""
    steps = plan.steps if isinstance(plan, Plan) else plan
    return [
        f"{s.action} {s}: {s.cause.kind}{f' {s.cause.of}' if s.cause.of else ''}"
        f"{f' ({s.cause.detail})' if s.cause.detail else ''}"
        for s in steps
    ]


def chain() -> World:
    """A source, a daily asset, one from it, and a month of that."""
    world = World(
        [
            Source(name="raw", location="x.csv"),
            asset("a", "raw"),
            asset("b", "a"),
            asset("c", "b", partitions=MONTHS),
        ],
        observed={"raw": {"": Observed("r1")}},
    )
    return world.make("a", D1, D2, D3).make("b", D1, D2, D3).make("c", "2013-01")


def test_what_is_missing_is_made_upstreams_first() -> None:
    world = World([asset("b", "a"), asset("a")])
    plan = world.plan()
    assert told(plan) == [
        f"make {name}@{day}: missing" for name in ("a", "b") for day in (D1, D2, D3)
    ]
    assert plan.steps[3].needs == (NeededInput("a", "a", (D1,)),)
    assert plan.steps[3].after == {("a", D1)}
    assert plan.steps[0].after == frozenset()
    assert plan.fresh == {}
    assert plan.fingerprints == {"a": "code", "b": "code"}


def test_what_is_fresh_is_only_counted() -> None:
    plan = chain().plan()
    assert plan.steps == ()
    assert plan.fresh == {"a": 3, "b": 3, "c": 1}
    assert plan.fingerprints == {}


def test_changed_code_makes_again_and_what_follows_waits_for_the_outcome() -> None:
    world = chain()
    world.code["a"] = "other"
    world.asked.clear()
    plan = world.plan()
    assert told(plan) == [
        f"make a@{D1}: code changed",
        f"make a@{D2}: code changed",
        f"make a@{D3}: code changed",
        f"make b@{D1}: input planned a@{D1}",
        f"make b@{D2}: input planned a@{D2}",
        f"make b@{D3}: input planned a@{D3}",
        f"make c@2013-01: input planned b@{D1}",
    ]
    assert plan.steps[-1].after == {("b", D1), ("b", D2), ("b", D3)}
    assert world.asked == []


def test_a_changed_input_is_named_and_all_are_looked_up_at_once() -> None:
    world = chain()
    world.change("a", D2, "v2")
    world.change("b", D3, "v2")
    world.asked.clear()
    assert told(world.plan()) == [
        f"make b@{D2}: input changed a@{D2}",
        f"make c@2013-01: input changed b@{D3}",
    ]
    assert len(world.asked) == 1
    assert len(world.asked[0]) == 2


def test_a_changed_source_file_makes_downstream_stale() -> None:
    world = chain()
    world.observed["raw"][""] = Observed("r2")
    assert told(world.plan("a", D1)) == [f"make a@{D1}: input changed raw"]


def test_an_upstream_of_the_same_content_leaves_downstream_fresh() -> None:
    world = chain()
    world.make("a", D1, D2, D3)
    assert world.plan().steps == ()


def test_inputs_that_came_or_went_are_named() -> None:
    world = chain()
    world.graph = Graph.build(
        [
            Source(name="raw", location="x.csv"),
            asset("a", "raw"),
            asset("b", Input("a", "a", Window(-1, 0))),
            asset("c", "b", partitions=Partitions((Monthly("2013-01", end="2013-01"),))),
        ]
    )
    assert told(world.plan("b")) == [
        f"make b@{D2}: input added a@{D1}",
        f"make b@{D3}: input added a@{D2}",
    ]
    world.make("b", D2, D3)
    world.graph = chain().graph
    assert told(world.plan("b")) == [
        f"make b@{D2}: input removed a@{D1}",
        f"make b@{D3}: input removed a@{D2}",
    ]


def test_a_change_that_no_input_explains_is_still_a_change() -> None:
    world = chain()
    live = world.live["b"][D1]
    world.live["b"][D1] = replace(live, input_fingerprint="another parameter")
    assert told(world.plan("b")) == [f"make b@{D1}: input changed"]


def test_where_one_input_changed_and_another_is_planned_the_changed_one_is_named() -> None:
    world = World([asset("a"), asset("b"), asset("c", "a", "b")])
    world.make("a", D1).make("b", D1).make("c", D1)
    world.code["a"] = "other"
    world.change("b", D1, "v2")
    assert told(world.plan("a or c", D1)) == [
        f"make a@{D1}: code changed",
        f"make c@{D1}: input changed b@{D1}",
    ]
    world.change("b", D1, "v1")
    world.change("a", D1, "v2")  # it may yet come out as it was
    assert told(world.plan("a or c", D1))[1] == f"make c@{D1}: input planned a@{D1}"


def test_one_upstream_read_under_two_parameters() -> None:
    world = World([asset("a"), asset("b", Input("x", "a"), Input("y", "a", Window(-1, 0)))])
    world.make("a", D1, D2).make("b", D1, D2)
    assert told(world.plan("b", f"..{D2}")) == []
    world.change("a", D1, "v2")
    assert told(world.plan("b", D2)) == [f"make b@{D2}: input changed a@{D1}"]


def test_a_changed_gate_judges_what_is_live_and_nothing_else() -> None:
    world = chain()
    world.gates["b"] = "stricter"
    plan = world.plan()
    assert told(plan) == [f"judge b@{day}: gate changed" for day in (D1, D2, D3)]
    assert plan.steps[0].needs == ()
    assert plan.fresh == {"a": 3, "c": 1}
    world.code["b"] = "other"
    assert {s.action for s in world.plan("b").steps} == {"make"}


def test_a_version_that_no_gate_has_judged_is_judged() -> None:
    world = chain()
    world.live["b"][D1] = replace(world.live["b"][D1], gate_fingerprint=None, verdict=None)
    assert told(world.plan("b")) == [f"judge b@{D1}: gate changed"]


def test_force_makes_what_was_selected_and_only_that() -> None:
    world = chain()
    assert told(world.plan("b", D1, force=True)) == [f"make b@{D1}: forced"]
    assert told(world.plan("b", D1, force=True, with_upstreams=True)) == [f"make b@{D1}: forced"]


def test_a_held_partition_waits_and_blocks_only_what_needs_it() -> None:
    world = chain()
    world.change("a", D1, "v2")
    world.hold("b", D1)
    plan = world.plan()
    assert told(plan) == []
    assert plan.held == {"b": 1}
    assert plan.fresh == {"a": 3, "b": 2, "c": 1}
    world.code["c"] = "other"
    assert told(world.plan()) == [f"blocked c@2013-01: held upstream b@{D1}"]


def test_materialize_is_also_blocked_by_what_is_held_outside_the_selection() -> None:
    world = World([asset("a"), asset("b", "a")]).make("a", D1, D2, D3).hold("a", D2)
    assert told(world.plan("b")) == [
        f"make b@{D1}: missing",
        f"blocked b@{D2}: held upstream a@{D2}",
        f"make b@{D3}: missing",
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda w: w.code.update(b="other"), f"make b@{D1}: code changed"),
        (lambda w: w.gates.update(b="other"), f"make b@{D1}: gate changed"),
        (lambda w: w.change("a", D1, "v2"), f"make b@{D1}: input changed a@{D1}"),
    ],
)
def test_a_held_partition_is_made_again_once_something_changed(change: Any, expected: str) -> None:
    world = World([asset("a"), asset("b", "a")]).make("a", D1).hold("b", D1)
    assert told(world.plan("b", D1)) == []
    change(world)
    plan = world.plan("b", D1)
    assert told(plan) == [expected]
    assert plan.held == {}


def test_a_held_partition_of_which_an_input_is_made_first_waits_for_the_outcome() -> None:
    world = World([asset("a"), asset("b", "a")]).make("a", D1).hold("b", D1)
    world.code["a"] = "other"
    assert told(world.plan("", D1)) == [
        f"make a@{D1}: code changed",
        f"make b@{D1}: input planned a@{D1}",
    ]


@pytest.mark.parametrize(
    ("options", "cause"), [({"retry_held": True}, "retry held"), ({"force": True}, "forced")]
)
def test_a_held_partition_is_tried_again_when_told_to(options: dict[str, bool], cause: str) -> None:
    world = World([asset("a"), asset("b", "a")]).hold("a", D1)
    plan = world.plan("", D1, **options)
    assert told(plan) == [f"make a@{D1}: {cause}", f"make b@{D1}: missing"]
    assert plan.steps[1].after == {("a", D1)}
    assert plan.held == {}


def test_a_missing_upstream_that_was_not_selected_blocks() -> None:
    world = World([asset("a"), asset("b", "a"), asset("c", "b")]).make("a", D1)
    plan = world.plan("b or c")
    assert told(plan) == [
        f"make b@{D1}: missing",
        f"blocked b@{D2}: missing upstream a@{D2}",
        f"blocked b@{D3}: missing upstream a@{D3}",
        f"make c@{D1}: missing",
        f"blocked c@{D2}: missing upstream a@{D2}",
        f"blocked c@{D3}: missing upstream a@{D3}",
    ]
    assert plan.count("blocked") == 4


def test_a_missing_source_file_is_the_root_of_a_chain() -> None:
    missing = Observed("", "data/2013-01-02.csv does not exist")
    world = World(
        [
            Source(name="raw", location="data/{date}.csv", partitions=DAYS),
            asset("a", "raw"),
            asset("b", "a"),
            asset("c", "b", partitions=MONTHS),
        ],
        observed={"raw": {D1: Observed("r1"), D2: missing}},
    )
    assert told(world.plan()) == [
        f"make a@{D1}: missing",
        f"blocked a@{D2}: missing source file raw@{D2} (data/2013-01-02.csv does not exist)",
        f"blocked a@{D3}: missing source file raw@{D3}",
        f"make b@{D1}: missing",
        f"blocked b@{D2}: missing source file raw@{D2} (data/2013-01-02.csv does not exist)",
        f"blocked b@{D3}: missing source file raw@{D3}",
        f"blocked c@2013-01: missing source file raw@{D2} (data/2013-01-02.csv does not exist)",
    ]


def test_a_blocked_partition_blocks_even_where_an_older_version_is_live() -> None:
    world = chain()
    world.observed["raw"][""] = Observed("", "x.csv does not exist")
    world.code.update(b="other")
    plan = world.plan()
    # What stands on the missing file is stale, and so is all that would be made from it.
    assert told(plan.steps[:1]) == [
        f"blocked a@{D1}: missing source file raw (x.csv does not exist)"
    ]
    assert {s.action for s in plan.steps} == {"blocked"}
    assert [s.asset for s in plan.steps] == ["a"] * 3 + ["b"] * 3
    assert plan.fresh == {"c": 1}


def test_a_pinned_input_is_read_and_its_change_not_followed() -> None:
    world = World(
        [asset("rates"), asset("a"), asset("b", "a", Input("rates", "rates", Window(pinned=True)))]
    )
    world.make("rates", D1).make("a", D1).make("b", D1)
    world.change("rates", D1, "v2")
    assert told(world.plan("", D1)) == []
    world.code["rates"] = "other"
    assert told(world.plan("", D1)) == [f"make rates@{D1}: code changed"]
    world.code["b"] = "other"
    plan = world.plan("", D1)
    assert told(plan)[1] == f"make b@{D1}: code changed"
    assert plan.steps[1].after == {("rates", D1)}
    assert plan.steps[1].needs[1] == NeededInput("rates", "rates", (D1,), pinned=True)


def test_a_missing_pinned_input_blocks_what_has_to_be_made() -> None:
    world = World([asset("rates"), asset("b", Input("rates", "rates", Window(pinned=True)))])
    assert told(world.plan("b", D1)) == [f"blocked b@{D1}: missing upstream rates@{D1}"]


@pytest.mark.parametrize(
    ("selection", "keys", "steps", "fresh"),
    [
        ("c", None, ["a", "a", "b", "b", "c"], {"a": 1, "b": 1}),
        ("b", D1, [], {"a": 1, "b": 1}),
        ("b", D2, ["a", "b"], {}),
        ("a", D2, ["a"], {}),
    ],
)
def test_a_backfill_takes_along_what_it_needs(
    selection: str, keys: str | None, steps: list[str], fresh: dict[str, int]
) -> None:
    world = World([asset("a"), asset("b", "a"), asset("c", "b", partitions=MONTHS)])
    world.make("a", D1).make("b", D1)
    plan = world.plan(selection, keys, with_upstreams=True)
    assert [s.asset for s in plan.steps] == steps
    assert plan.fresh == fresh


def test_a_backfill_is_planned_over_different_partitionings() -> None:
    days = Partitions((Daily("2013-01-01", end="2013-02-28"),))
    months = Partitions((Monthly("2013-01", end="2013-02"),))
    world = World(
        [
            asset("a", partitions=days),
            asset("b", "a", "names", partitions=months),
            asset("names", partitions=NONE),
        ]
    )
    plan = world.plan("b", "2013-02", with_upstreams=True)
    made = [str(s) for s in plan.steps]
    assert made[0] == "a@2013-02-01"
    assert made[27:] == ["a@2013-02-28", "names", "b@2013-02"]
    assert plan.count("make") == 30
    assert (plan.range_from, plan.range_to, plan.zones) == ("2013-02-01", "2013-02-28", ("UTC",))


def test_what_needs_a_day_that_is_not_over_yet_is_blocked() -> None:
    # In Tokyo the month is over nine hours before its last day is over in UTC.
    tokyo = Partitions((Monthly("2013-01", tz="Asia/Tokyo"),))
    days = Partitions((Daily("2013-01-01"),))
    world = World(
        [asset("a", partitions=days), asset("c", "a", partitions=tokyo)],
        horizon=Horizon(datetime(2013, 1, 31, 16, tzinfo=UTC)),
    )
    plan = world.plan("c", with_upstreams=True)
    assert plan.count("make") == 30
    assert told(plan)[-1] == "blocked c@2013-01: missing upstream a@2013-01-31"


class Chosen:
    """A mapping of the user's own that looks at the asset and the key."""

    def keys(self, partition: Partition, *_: object) -> list[str]:
        if partition.asset == "all":
            return ["early", "late"]
        return ["late" if partition.key == "2013-01-31" else "early"]


def test_a_day_that_is_not_over_yet_needs_nothing() -> None:
    ages = Partitions((Keys("early", "late", name="age"),))
    days = Partitions((Daily("2013-01-01"),))
    tokyo = Partitions((Monthly("2013-01", tz="Asia/Tokyo"),))
    world = World(
        [
            asset("z", partitions=ages),
            asset("a", Input("z", "z", Chosen()), partitions=days),
            asset("c", "a", partitions=tokyo),
        ],
        horizon=Horizon(datetime(2013, 1, 31, 16, tzinfo=UTC)),
    )
    plan = world.plan("c", with_upstreams=True)
    assert [s.key for s in plan.steps if s.asset == "z"] == ["early"]


def test_two_assets_may_share_one_mapping_object() -> None:
    shared = Chosen()
    ages = Partitions((Keys("early", "late", name="age"),))
    world = World(
        [
            asset("z", partitions=ages),
            asset("all", Input("z", "z", shared)),
            asset("one", Input("z", "z", shared)),
        ]
    )
    needs = {
        s.asset: s.needs[0].keys
        for s in world.plan("all or one", D1, with_upstreams=True).steps
        if s.needs
    }
    assert needs == {"all": ("early", "late"), "one": ("early",)}


ACCUMULATED = asset("sums", "a", Input("before", "sums", Window(-1, -1)))


def test_an_asset_that_reads_its_own_past_is_made_in_order() -> None:
    world = World([asset("a"), ACCUMULATED]).make("a", D1, D2, D3)
    plan = world.plan("sums")
    assert told(plan) == [f"make sums@{d}: missing" for d in (D1, D2, D3)]
    assert [s.after for s in plan.steps] == [frozenset(), {("sums", D1)}, {("sums", D2)}]
    assert plan.steps[0].needs[1].keys == ()


def test_of_its_own_past_a_backfill_makes_only_what_is_missing() -> None:
    world = World([asset("a"), ACCUMULATED]).make("a", D1, D2, D3).make("sums", D1)
    world.code["sums"] = "other"
    assert told(world.plan("sums", D3, with_upstreams=True)) == [
        f"make sums@{D2}: missing",
        f"make sums@{D3}: missing",
    ]
    assert told(world.plan("sums", D3)) == [f"blocked sums@{D3}: missing upstream sums@{D2}"]


def test_a_held_partition_of_its_own_past_blocks_the_rest() -> None:
    world = World([asset("a"), ACCUMULATED]).make("a", D1, D2, D3).hold("sums", D1)
    assert told(world.plan("sums")) == [
        f"blocked sums@{D2}: held upstream sums@{D1}",
        f"blocked sums@{D3}: held upstream sums@{D1}",
    ]


def test_a_product_that_reads_its_own_past_is_made_day_by_day() -> None:
    both = Keys("x", "y", name="region") * Daily("2013-01-01", end="2013-01-02")
    every = {"date": Window(-1, -1), "region": Window(None, None)}
    world = World([asset("sums", Input("before", "sums", every), partitions=both)])
    plan = world.plan()
    assert [s.key for s in plan.steps] == [f"x/{D1}", f"y/{D1}", f"x/{D2}", f"y/{D2}"]
    assert plan.steps[2].after == {("sums", f"x/{D1}"), ("sums", f"y/{D1}")}


def test_sources_are_never_steps() -> None:
    world = chain()
    plan = world.plan("raw", force=True)
    assert (plan.steps, plan.fresh) == ((), {})


def test_a_range_outside_the_definition_is_refused() -> None:
    with pytest.raises(BadKey) as refused:
        chain().plan("a", "2014")
    assert refused.value.fix == "valid keys: 2013-01-01 to 2013-01-03, both included (UTC)"


@pytest.mark.parametrize(
    ("keys", "bounds", "zones"),
    [
        (None, (None, None), ()),
        (D1, (D1, D1), ("America/New_York", "UTC")),
        (KeyRange.literal(D1), (D1, D1), ()),
        ("*", (None, None), ()),
    ],
)
def test_a_plan_says_what_was_asked(
    keys: KeyRange | str | None, bounds: tuple[str | None, str | None], zones: tuple[str, ...]
) -> None:
    ny = Partitions((Daily("2013-01-01", end="2013-01-03", tz="America/New_York"),))
    plan = World([asset("a"), asset("b", partitions=ny)]).plan("*", keys)
    assert (plan.range_from, plan.range_to) == bounds
    assert plan.zones == zones
    assert plan.selection == "*"
    assert plan.horizon is NOW


def test_keys_that_no_live_asset_gives_yet_plan_nothing() -> None:
    regions = Partitions((Keys(of="regions.region"),))
    world = World([asset("regions", partitions=NONE), asset("sales", partitions=regions)])
    assert told(world.plan()) == ["make regions: missing"]


def test_planning_does_not_depend_on_the_order_of_the_mappings() -> None:
    world = chain()
    world.change("a", D2, "v2")
    world.code["c"] = "other"
    first = world.plan()
    world.live = {n: dict(reversed(v.items())) for n, v in reversed(world.live.items())}
    assert world.plan() == first


@pytest.mark.parametrize(
    ("cause", "live", "code", "inputs", "stale"),
    [
        ("input planned", True, "code", "inputs", False),
        ("input planned", True, "other", "inputs", True),
        ("input planned", True, "code", "other", True),
        ("input planned", False, "code", "inputs", True),
        ("forced", True, "code", "inputs", True),
        ("retry held", True, "code", "inputs", True),
    ],
)
def test_a_step_that_waited_is_decided_again(
    cause: str, live: bool, code: str, inputs: str, stale: bool
) -> None:
    step = Step("a", D1, "make", Cause(cause))
    version = Live(NOW.now, 1, "code", "inputs", "data", "gate", "promote", "versions", "p")
    assert still_stale(step, version if live else None, code, inputs) is stale


def test_discarded_is_neither_made_nor_waiting_nor_in_the_way() -> None:
    world = chain()
    world.make("b", D1)
    world.hold("a", D1)
    world.held["a"][D1] = replace(world.held["a"][D1], discarded=True)
    plan = world.plan("a", D1)
    assert (plan.steps, plan.held) == ((), {})
    assert world.plan("b", D1).count("blocked") == 0


def test_what_todays_gate_refuses_is_fresh_and_counted() -> None:
    world = chain().make("a", D1)
    world.live["a"][D1] = replace(world.live["a"][D1], failing=True)
    plan = world.plan("a", D1)
    assert (plan.steps, plan.fresh, plan.failing) == ((), {"a": 1}, {"a": 1})


@pytest.mark.parametrize("enforce", [False, True])
@pytest.mark.parametrize("adopted", [False, True])
def test_what_fails_its_gate_is_enforced_only_on_request(enforce: bool, adopted: bool) -> None:
    world = World([asset("orders"), asset("revenue", "orders")])
    world.make("orders", D1, D2, D3).make("revenue", D1, D2, D3)
    if adopted:
        world.gates["orders"] = "stricter"
        causes = [f"orders@{d}: gate changed" for d in (D1, D2, D3)]
    else:
        world.live["orders"][D2] = replace(world.live["orders"][D2], failing=True)
        causes = [f"orders@{D2}: failing"]
    plan = world.plan(enforce=enforce)
    if enforce:
        after = [f"make revenue@{c[7:17]}: input planned orders@{c[7:17]}" for c in causes]
        assert told(plan) == [f"enforce {c}" for c in causes] + after
        assert not plan.failing
    else:
        assert told(plan) == ([f"judge {c}" for c in causes] if adopted else [])
        assert plan.failing == ({} if adopted else {"orders": 1})


def test_a_stale_partition_is_made_rather_than_enforced() -> None:
    world = World([asset("orders"), asset("revenue", "orders")])
    world.make("orders", D1).make("revenue", D1)
    world.live["revenue"][D1] = replace(world.live["revenue"][D1], failing=True)
    world.change("orders", D1, "v2")
    assert told(world.plan("revenue", D1, enforce=True)) == [
        f"make revenue@{D1}: input changed orders@{D1}"
    ]
