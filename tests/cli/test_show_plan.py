"""The layout of a plan at 80 columns, by expected text."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from millgate.cli.grid import size
from millgate.cli.show_plan import after_plan, counts, heading, plan_lines
from millgate.model.dimension import Horizon
from millgate.model.step import Action, Cause, Plan, Step

HORIZON = Horizon(datetime(2025, 11, 20, tzinfo=UTC))
GRAINS = {"flights": "date", "daily_delays": "date", "monthly_punctuality": "month"}


def days(first: str, last: str) -> list[str]:
    start, stop = date.fromisoformat(first), date.fromisoformat(last)
    return [(start + timedelta(days=n)).isoformat() for n in range((stop - start).days + 1)]


def plan(*steps: Step, fresh: int = 0, held: int = 0, selection: str = "") -> Plan:
    return Plan(
        selection,
        "2013-02-01",
        "2013-03-31",
        HORIZON,
        steps,
        fresh={"daily_delays": fresh},
        held={"daily_delays": held},
        zones=("America/New_York",),
    )


def text(shown: Plan, width: int | None = 80, *, only_looking: bool = True) -> str:
    lines = plan_lines(shown, GRAINS, width, only_looking=only_looking)
    return "\n".join(line.plain for line in lines)


def mixed() -> Plan:
    changed = Cause("input changed", "flights", "2013-02-12", "940 rows became 612")
    held = Cause("held upstream", "flights", "2013-03-08")
    steps = []
    for day in days("2013-02-01", "2013-03-31"):
        cause = changed if day == "2013-02-12" else Cause("code changed")
        action: Action = "make"
        if day == "2013-03-08":
            action, cause = "blocked", held
        steps.append(Step("daily_delays", day, action, cause))
    steps += [
        Step("monthly_punctuality", month, "judge", Cause("gate changed"))
        for month in ("2013-02", "2013-03")
    ]
    return plan(*steps, selection="daily_delays+@2013-02..2013-03")


def test_adjacent_keys_share_a_line_and_notes_are_numbered():
    assert text(mixed()) == (
        "daily_delays+  2013-02-01 to 2013-03-31, both included (America/New_York)\n"
        "\n"
        " action   asset                partitions               n  why\n"
        " make     daily_delays         2013-02-01..2013-03-31  57  code changed\n"
        " make     daily_delays         2013-02-12               1  input changed (1)\n"
        " judge    monthly_punctuality  2013-02..2013-03         2  gate changed\n"
        " blocked  daily_delays         2013-03-08               1  held upstream (2)\n"
        "\n"
        " (1) flights@2013-02-12: 940 rows became 612\n"
        " (2) flights@2013-03-08: millgate why flights@2013-03-08\n"
        "58 to make, 2 to judge, 1 blocked, 0 fresh. Nothing was changed."
    )


@pytest.mark.parametrize("width", [40, 60, 80])
def test_no_line_is_wider_than_the_terminal(width):
    detail = "the columns dep_time and arr_time were lost, and origin became INTEGER from VARCHAR"
    shown = plan(
        Step("daily_delays", "2013-02-01", "make", Cause("input changed", "flights", "x", detail)),
        Step("flights", "2013-02-01", "blocked", Cause("missing source file", detail=detail)),
    )
    lines = text(shown, width).splitlines()
    table = [line for line in lines if size(line) > width]
    assert not table


def test_piped_lines_are_never_broken():
    detail = "word " * 60
    shown = plan(Step("flights", "2013-02-01", "blocked", Cause("missing source", detail=detail)))
    assert len([line for line in text(shown, None).splitlines() if "word" in line]) == 1


def test_inputs_that_changed_on_many_days_are_one_note():
    steps = [
        Step("daily_delays", day, "make", Cause("input changed", "flights", day))
        for day in days("2013-02-01", "2013-02-07")
    ]
    assert " (1) flights@2013-02-01..2013-02-07" in text(plan(*steps)).splitlines()


def test_an_upstream_that_is_made_first_needs_no_note():
    steps = [
        Step("daily_delays", day, "make", Cause("input planned", "flights", day))
        for day in days("2013-02-01", "2013-02-07")
    ]
    shown = text(plan(*steps))
    assert "input planned: flights" in shown
    assert "(1)" not in shown


def test_scattered_keys_are_counted_after_a_few():
    mondays = days("2013-02-04", "2013-12-30")[::7]
    steps = [Step("flights", day, "make", Cause("missing")) for day in mondays]
    rows = [line.split() for line in text(plan(*steps)).splitlines() if " make " in line]
    assert len(rows) == 5
    assert rows[-1][2:5] == ["and", str(len(mondays) - 4), "more"]
    assert sum(int(row[-2]) for row in rows) == len(mondays)


def test_an_unpartitioned_asset_has_no_key():
    shown = text(plan(Step("planes", "", "make", Cause("missing"))))
    assert " make    planes  -           1  missing" in shown.splitlines()


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (plan(fresh=365), "Nothing to do: 365 partitions are fresh."),
        (plan(fresh=1), "Nothing to do: 1 partition is fresh."),
        (plan(fresh=2, held=1), "Nothing to do: 2 partitions are fresh, 1 held."),
        (plan(), "Nothing to do: no partition is selected."),
        (
            plan(Step("flights", "2013-02-01", "make", Cause("missing")), fresh=1_200, held=3),
            "1 to make, 0 to judge, 0 blocked, 1,200 fresh, 3 held.",
        ),
    ],
)
def test_counts(shown, expected):
    assert counts(shown) == expected


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, "all assets  all partitions"),
        ("2013-01-01", "2013-01-01", "all assets  2013-01-01 (UTC)"),
        ("2013-01-01", None, "all assets  2013-01-01 to the last, both included (UTC)"),
        (None, "2013-01-31", "all assets  the first to 2013-01-31, both included (UTC)"),
    ],
)
def test_heading(first, last, expected):
    shown = Plan("", first, last, HORIZON, (), zones=("UTC",))
    assert "".join(line.plain for line in heading(shown, 80)) == expected


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (mixed(), "run"),
        (plan(fresh=3), ""),
        (plan(held=3), "millgate quarantine list"),
        (
            plan(Step("a", "k", "blocked", Cause("missing upstream", "b", "k"))),
            "backfill",
        ),
        (
            plan(Step("a", "k", "blocked", Cause("held upstream", "b", "k"))),
            "millgate why b@k",
        ),
    ],
)
def test_what_to_type_next(shown, expected):
    assert after_plan(shown, "run", "backfill") == expected
