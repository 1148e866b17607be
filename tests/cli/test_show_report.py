"""What came of a run, by expected text at 80 columns."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from millgate.cli.show_report import report_data, report_lines
from millgate.model.dimension import Horizon
from millgate.model.request import Done, Report
from millgate.model.step import Cause, Plan, Step

GRAINS = {"flights": "date", "daily_delays": "date", "weather": "date"}
PLAN = Plan("flights+@2013-02", None, None, Horizon(datetime(2025, 11, 20, tzinfo=UTC)), ())


def done(asset, key, outcome, message="", **more):
    return Done(Step(asset, key, "make", Cause("missing")), outcome, message, **more)


def report(*dones, **more):
    return Report(118, PLAN, dones, more.pop("snapshot", 812), **more)


def text(shown, width=80):
    return "\n".join(line.plain for line in report_lines(shown, GRAINS, 12.3, width))


def test_all_is_well():
    shown = report(*(done("flights", f"2013-02-0{n}", "made") for n in range(1, 4)))
    assert text(shown) == "run 118  3 made in 12.3 s, snapshot 812\nNext: millgate status"


def test_troubles_are_listed_worst_first_with_ranges():
    trace = (
        'File "assets/weather.py", line 12, in weather\n    raise HTTPError(503)\nHTTPError: 503'
    )
    shown = report(
        done("flights", "2013-02-08", "made", rejected_rows=17),
        done("flights", "2013-02-09", "held", "not_nullable dep_time: 400 of 940 rows fail"),
        done("daily_delays", "2013-02-09", "blocked", "by flights@2013-02-09"),
        done("weather", "2013-02-10", "failed", "HTTPError: 503", detail=trace),
        done("weather", "2013-02-11", "failed", "HTTPError: 503", detail=trace),
    )
    assert text(shown) == (
        "weather@2013-02-10 failed:\n"
        '  File "assets/weather.py", line 12, in weather\n'
        "      raise HTTPError(503)\n"
        "  HTTPError: 503\n"
        "\n"
        "run 118  1 made, 1 held, 1 blocked, 2 failed in 12.3 s, snapshot 812\n"
        "\n"
        " failed    weather@2013-02-10..2013-02-11  HTTPError: 503\n"
        " held      flights@2013-02-09              not_nullable dep_time: 400 of 940\n"
        "                                           rows fail\n"
        " blocked   daily_delays@2013-02-09         by flights@2013-02-09\n"
        " rejected  flights                         17 rows of 1 partition\n"
        "Next: millgate logs weather@2013-02-10"
    )


def test_many_held_partitions_are_counted_in_the_end():
    shown = report(
        *(done("flights", f"2013-01-{n:02}", "held", f"{n} of 940 rows") for n in range(1, 21))
    )
    rows = [line.split() for line in text(shown).splitlines() if line.startswith(" held")]
    assert len(rows) == 8
    assert rows[-1] == ["held", "and", "13", "more", "millgate", "status"]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (report(done("flights", "2013-02-01", "unchanged")), "Next: millgate status"),
        (
            report(done("flights", "2013-02-01", "made", rejected_rows=2)),
            "Next: millgate quarantine list flights",
        ),
        (
            report(done("flights", "2013-02-01", "held", "x")),
            "Next: millgate why flights@2013-02-01",
        ),
        (
            report(done("flights", "2013-02-01", "refused", "by run 7")),
            "Next: millgate plan flights+@2013-02",
        ),
        (report(interrupted=True, snapshot=None), "Next: millgate plan flights+@2013-02"),
    ],
)
def test_what_to_type_next(shown, expected):
    assert text(shown).splitlines()[-1] == expected


def test_a_live_version_that_fails_the_new_gate_is_named():
    shown = report(done("flights", "2013-02-01", "judged", failing=True))
    line = " failing  flights@2013-02-01  live, but today's gate refuses it"
    assert line in text(shown).splitlines()


def test_a_program_gets_every_partition():
    shown = report(done("flights", "2013-02-09", "held", "400 of 940 rows", rejected_rows=400))
    assert report_data(shown)["steps"] == [
        {
            "asset": "flights",
            "partition": "2013-02-09",
            "action": "make",
            "cause": "missing",
            "cause_asset": None,
            "cause_partition": None,
            "detail": "",
            "outcome": "held",
            "failing": False,
            "rejected_rows": 400,
            "message": "400 of 940 rows",
            "error": "",
        }
    ]


def test_blocked_steps_are_told_of_together_and_by_what():
    cause = Cause("held upstream", "flights", "2013-02-09")
    planned = Done(Step("daily_delays", "2013-02-09", "blocked", cause), "blocked", "by held")
    missing = Cause("missing upstream", "planes", "")
    shown = report(
        planned,
        done("daily_delays", "2013-02-10", "blocked", "by flights@2013-02-10"),
        done("weather", "2013-02-09", "blocked", "by planes"),
        done("weather", "2013-02-11", "blocked", "by planes"),
        Done(Step("report", "", "blocked", missing), "blocked"),
    )
    assert text(shown).splitlines()[2:] == [
        " blocked  daily_delays@2013-02-09..2013-02-10  by flights@2013-02-09..2013-02-10",
        " blocked  weather@2013-02-09 and 1 more        by planes",
        " blocked  report                               by planes, which is not made yet",
        "Next: millgate why daily_delays@2013-02-09",
    ]
    assert [step["message"] for step in report_data(shown)["steps"]] == [
        "by flights@2013-02-09",
        "by flights@2013-02-10",
        "by planes",
        "by planes",
        "by planes, which is not made yet",
    ]


def test_an_error_of_millgate_s_own_stands_under_the_step():
    detail = "error: a column has no name\n  at   assets/a.py:3\n  fix  name every column"
    shown = report(done("weather", "2013-02-10", "failed", "BadResult: x", detail=detail))
    assert text(shown, 30).splitlines()[:5] == [
        "weather@2013-02-10 failed:",
        "  error: a column has no name",
        "    at   assets/a.py:3",
        "    fix  name every column",
        "",
    ]
