from __future__ import annotations

import pickle
from copy import copy
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from millgate.errors import DeclarationError
from millgate.gate.compiled import compile_gate
from millgate.gate.surroundings import Surroundings
from millgate.model.mapping import Window
from millgate.model.policy import OWN_RULES, Gate
from millgate.model.record import Judgement
from millgate.model.schema import Column, Schema

AROUND = Surroundings(datetime(2024, 1, 4, 5, tzinfo=UTC), "America/New_York")
"""The end of the third of January in New York."""


def judged(gate: Gate, frame: pl.DataFrame, around: Surroundings | None = AROUND) -> Judgement:
    compiled = compile_gate(gate, "flights")
    return compiled.evaluate(frame, columns=Schema(()), live=None, around=around).judgement


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"rows": 5}, "rows=5"),
        ({"rows": (None, None)}, "rows=(None, None)"),
        ({"rows": (5, 1)}, "no number of rows"),
        ({"rows": (-1, 1)}, "rows=(-1, 1)"),
        ({"rows": (True, 1)}, "rows=(True, 1)"),
        ({"rows": (0.5, 2)}, "rows=(0.5, 2)"),
        ({"recent": "6h"}, "recent='6h'"),
        ({"recent": {}}, "recent={}"),
        ({"recent": {"a": "soon"}}, "'soon' is not a duration"),
        ({"recent": {"a": 6}}, "6 is not a duration"),
        ({"contract": "loose"}, "contract='loose'"),
        ({"warn": "rows"}, "warn='rows'"),
        ({"warn": ["row"]}, "names 'row'"),
    ],
)
def test_options_that_say_nothing_are_refused(options, what):
    with pytest.raises(DeclarationError) as refused:
        Gate(**options)
    assert what in refused.value.what


def test_an_unknown_option_suggests_the_one_meant():
    with pytest.raises(DeclarationError) as refused:
        Gate(on_failur="split")
    assert refused.value.what == "on_failur is not an option of Gate"
    assert refused.value.fix.startswith("did you mean on_failure?")
    gate = Gate(rows=(1, 2), warn=["rows"])
    assert pickle.loads(pickle.dumps(gate)) == replace(gate) == copy(gate) == gate


def test_an_unknown_rule_suggests_the_one_meant():
    with pytest.raises(DeclarationError) as refused:
        Gate(warn=["contrakt"])
    assert "contract" in refused.value.fix


@pytest.mark.parametrize(
    ("rows", "height", "passes"),
    [
        ((1, 3), 0, False),
        ((1, 3), 1, True),
        ((1, 3), 3, True),
        ((1, 3), 4, False),
        ((2, None), 1, False),
        ((None, 2), 0, True),
        ((0, 0), 0, True),
    ],
)
def test_rows_bounds_what_production_gets(rows, height, passes):
    judgement = judged(Gate(rows=rows), pl.DataFrame({"a": [1] * height}, {"a": pl.Int64}))
    assert judgement.verdict == ("promote" if passes else "hold")
    (result,) = judgement.results
    assert (result.rule, result.kind, result.passed) == ("rows", "frame", passes)


def test_rows_count_what_is_left_after_a_split():
    import pandera.polars as pa

    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check.gt(0))})
    frame = pl.DataFrame({"a": [1, -1, 2]})
    assert judged(Gate(schema, on_failure="split", rows=(3, None)), frame).verdict == "hold"
    assert judged(Gate(schema, on_failure="split", rows=(2, 2)), frame).verdict == "split"
    assert judged(Gate(schema, on_failure="warn", rows=(3, 3)), frame).verdict == "promote"


@pytest.mark.parametrize(
    ("values", "passes"),
    [
        ([datetime(2024, 1, 4, 0, tzinfo=UTC)], True),
        ([datetime(2024, 1, 3, 22, 59, tzinfo=UTC)], False),
        ([datetime(2024, 1, 3, 23, 0, tzinfo=UTC), None], True),
        ([datetime(2024, 1, 3, 18, 0)], True),
        ([datetime(2024, 1, 3, 17, 59)], False),
        ([date(2024, 1, 3)], True),
        ([date(2024, 1, 2)], False),
        ([date(2024, 1, 1), date(2024, 1, 3)], True),
    ],
)
def test_recent_measures_from_the_end_of_the_window(values, passes):
    judgement = judged(Gate(recent={"at": "6h"}), pl.DataFrame({"at": values}))
    (result,) = judgement.results
    assert (result.rule, result.column_name, result.passed) == ("recent", "at", passes)
    assert judgement.verdict == ("promote" if passes else "hold")


@pytest.mark.parametrize("values", [[], [None]])
def test_a_partition_without_a_value_is_not_recent(values):
    frame = pl.DataFrame({"at": values}, {"at": pl.Datetime})
    (result,) = judged(Gate(recent={"at": "6h"}), frame).results
    assert not result.passed
    assert "no value" in result.message


def test_recent_looks_at_the_rows_that_pass():
    import pandera.polars as pa

    schema = pa.DataFrameSchema({"ok": pa.Column(bool, pa.Check.eq(True))})
    frame = pl.DataFrame({"ok": [True, False], "at": [date(2024, 1, 1), date(2024, 1, 3)]})
    gate = Gate(schema, on_failure="split", recent={"at": "6h"})
    assert judged(gate, frame).verdict == "hold"


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pl.DataFrame({"departed": [1]}), "no such column; did you mean departed"),
        (pl.DataFrame({"departed_at": ["x"]}), "it is String"),
    ],
)
def test_a_column_that_cannot_be_read_holds_whatever_warn_says(frame, says):
    judgement = judged(Gate(recent={"departed_at": "6h"}, warn=["recent"]), frame)
    assert judgement.verdict == "hold"
    assert says in judgement.results[0].message


def test_what_warns_is_recorded_and_passes():
    gate = Gate(rows=(5, None), recent={"at": "6h"}, warn=["rows", "recent"])
    judgement = judged(gate, pl.DataFrame({"at": [date(2020, 1, 1)]}))
    assert judgement.verdict == "promote"
    assert [(r.rule, r.passed, r.severity) for r in judgement.results] == [
        ("rows", False, "warning"),
        ("recent", False, "warning"),
    ]


def test_too_many_rejected_rows_may_only_warn():
    import pandera.polars as pa

    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check.gt(0))})
    gate = Gate(schema, on_failure="split", max_rejected=0.1, warn=["max_rejected"])
    assert judged(gate, pl.DataFrame({"a": [1, -1]})).verdict == "split"


def test_without_a_project_recent_is_left_out():
    gate = Gate(rows=(1, None), recent={"at": "6h"})
    assert [r.rule for r in judged(gate, pl.DataFrame({"at": [1]}), None).results] == ["rows"]


@pytest.mark.parametrize(
    "options", [{"rows": (1, 2)}, {"recent": {"a": "1h"}}, {"warn": ["rows"]}, {"contract": "any"}]
)
def test_every_option_counts_in_the_fingerprint(options):
    prints = {compile_gate(gate, "a").fingerprint for gate in (Gate(), Gate(**options))}
    assert len(prints) == 2
    again = compile_gate(Gate(**options), "a").fingerprint
    assert again in prints


@pytest.mark.parametrize(
    ("preceding", "height", "passes"),
    [
        (None, 0, None),
        ((), 0, True),
        ((4,), 2, True),
        ((4,), 1, False),
        ((4,), 8, True),
        ((4,), 9, False),
        ((2, 4), 6, True),
        ((0,), 1, False),
        ((0,), 0, True),
    ],
)
def test_compare_bounds_the_rows_by_those_before(preceding, height, passes):
    around = Surroundings(AROUND.until, preceding=preceding)
    frame = pl.DataFrame({"a": [1] * height}, {"a": pl.Int64})
    results = judged(Gate(compare={"rows": (0.5, 2.0)}), frame, around).results
    assert [r.passed for r in results] == ([] if passes is None else [passes])


@pytest.mark.parametrize(
    "compare",
    [
        {},
        {"rows": 2},
        {"rows": (2, 1)},
        {"rows": (None, None)},
        {"rows": (True, 2)},
        {"rows": (0.5, 2, 7)},
        {"rows": (0.5, 2, Window(-1, 0))},
        {"rows": (0.5, 2, Window(None, None))},
        {"bytes": (1, 2)},
        (0.5, 2),
        {"rows": (float("nan"), 2)},
    ],
)
def test_a_comparison_that_says_nothing_is_refused(compare):
    with pytest.raises(DeclarationError, match="compare="):
        Gate(compare=compare)


LIVE = Schema((Column("a", "BIGINT"), Column("at", "DATE")))
EVERY = {
    "contract": "strict",
    "max_rejected": 0.5,
    "on_failure": "split",
    "rows": (1, 10),
    "recent": {"at": "6h"},
    "references": {"a": "known.a"},
    "compare": {"rows": (0.5, 2.0)},
}
OTHERWISE = {
    "max_rejected": 0.4,
    "rows": (1, 11),
    "recent": {"at": "7h"},
    "references": {"a": "known.b"},
    "compare": {"rows": (0.5, 2.5)},
}


def all_results(**options):
    gate = compile_gate(Gate(**{**EVERY, **options}), "flights")
    beside = {"known": pl.LazyFrame({"a": [1], "b": [1]})}
    around = Surroundings(AROUND.until, AROUND.zone, beside, preceding=(1,))
    frame = pl.DataFrame({"a": [1], "at": [date(2024, 1, 3)]})
    judgement = gate.evaluate(frame, columns=LIVE, live=LIVE, around=around).judgement
    return {result.rule: result for result in judgement.results}


def test_every_rule_that_is_stated_has_a_result_and_a_fingerprint_though_it_passes():
    found = all_results()
    assert sorted(found) == sorted(OWN_RULES)
    assert all(result.passed for result in found.values())
    assert len({result.rule_fingerprint for result in found.values()}) == len(OWN_RULES)
    assert all(len(result.rule_fingerprint) == 32 for result in found.values())


@pytest.mark.parametrize("rule", [*OTHERWISE])
def test_the_fingerprint_of_a_rule_is_that_of_what_it_asks_for(rule):
    before, after = all_results(), all_results(**{rule: OTHERWISE[rule]})
    changed = {r for r in before if before[r].rule_fingerprint != after[r].rule_fingerprint}
    assert changed == {rule}


@pytest.mark.parametrize("rule", OWN_RULES)
def test_a_rule_that_only_warns_is_another_rule(rule):
    before, after = all_results(), all_results(warn=[rule])
    changed = {r for r in before if before[r].rule_fingerprint != after[r].rule_fingerprint}
    assert changed == {rule}
    assert after[rule].severity == "warning"


def test_checks_of_pandera_have_one_that_follows_their_code():
    import pandera.polars as pa

    def fingerprints(*checks):
        schema = pa.DataFrameSchema({"a": pa.Column(int, list(checks), unique=True)})
        found = judged(Gate(schema), pl.DataFrame({"a": [1]})).results
        return {result.rule: result.rule_fingerprint for result in found}

    first = fingerprints(pa.Check.gt(0), pa.Check(lambda d: d.lazyframe.select(pl.col("a") < 9)))
    other = fingerprints(pa.Check.gt(1), pa.Check(lambda d: d.lazyframe.select(pl.col("a") < 8)))
    assert first.keys() == other.keys()
    changed = {rule for rule in first if first[rule] != other[rule]}
    assert changed == first.keys() - {"not_nullable", "unique"}
    assert len({*first.values()}) == len(first)
