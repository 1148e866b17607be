from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millgate.cli.ranges import Span, spans, summary
from millgate.model.grain import Daily


@pytest.mark.parametrize(
    ("keys", "grain", "expected"),
    [
        ([], "date", []),
        ([""], None, [("", 1)]),
        ([""], "date", [("", 1)]),
        (["2013-01-31", "2013-02-01"], "date", [("2013-01-31..2013-02-01", 2)]),
        (["2013-12", "2014-01", "2014-03"], "month", [("2013-12..2014-01", 2), ("2014-03", 1)]),
        (["2013-01-06", "2013-01-13"], "week", [("2013-01-06..2013-01-13", 2)]),
        (["2013-01-06", "2013-01-20"], "week", [("2013-01-06", 1), ("2013-01-20", 1)]),
        (
            ["2013-01-01T23:00Z", "2013-01-02T00:00Z"],
            "hour",
            [("2013-01-01T23:00Z..2013-01-02T00:00Z", 2)],
        ),
        (["a", "b", "c", "d"], None, [("a, b and 2 more", 4)]),
        (
            ["EWR/2013-01", "EWR/2013-02", "JFK/2013-02"],
            "month",
            [("EWR/2013-01..2013-02", 2), ("JFK/2013-02", 1)],
        ),
        (
            [f"2013-0{m}/{key}" for m in (1, 2) for key in "abcd"],
            "month",
            [("2013-01..2013-02/(4 keys)", 8)],
        ),
    ],
)
def test_spans(keys, grain, expected):
    assert spans(keys, grain) == [Span(*pair) for pair in expected]


def test_a_gap_of_other_planned_keys_is_bridged():
    days = [f"2013-01-0{n}" for n in range(1, 8)]
    apart = [days[0], days[2], days[6]]
    assert spans(apart, "date", among=days[:4]) == [
        Span("2013-01-01..2013-01-03", 2),
        Span("2013-01-07", 1),
    ]


@given(st.sets(st.integers(734_000, 734_060), min_size=1))
def test_no_key_is_lost_and_ranges_cover_exactly_their_keys(ordinals):
    daily = Daily("2010-01-01")
    keys = [daily.key(ordinal) for ordinal in ordinals]
    covered = []
    for span in spans(keys, "date", most=100):
        first, _, last = span.text.partition("..")
        found = range(daily.ordinal(first), daily.ordinal(last or first) + 1)
        assert span.count == len(found)
        covered += found
    assert covered == sorted(ordinals)


def test_summary_names_the_first_of_scattered_keys():
    assert summary(["2013-05-01", "2013-02-01", "2013-03-01"], "date") == "2013-02-01 and 2 more"
