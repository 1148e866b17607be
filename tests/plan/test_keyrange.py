from datetime import UTC, datetime

import pytest

from millgate.errors import BadKey
from millgate.model.dimension import Horizon, Keys
from millgate.model.grain import Daily, Hourly, Monthly, Weekly
from millgate.model.partition import Partitions
from millgate.plan.keyrange import KeyRange, Target, keys_of_each

NOW = Horizon(datetime(2013, 4, 1, tzinfo=UTC))
WHOLE = Partitions()
DAYS = Partitions((Daily("2013-01-01"),))
MONTHS = Partitions((Monthly("2013-01"),))
WEEKS = Partitions((Weekly("2012-12-31"),))
HOURS = Partitions((Hourly("2013-03-01", tz="America/New_York"),))
ORIGINS = Partitions((Keys("EWR", "JFK", "LGA", name="origin"),))
YEARS = Partitions((Keys("2012", "2013", name="edition"),))
DAY_ORIGINS = Daily("2013-01-01") * Keys("EWR", "JFK", name="origin")
ORIGIN_DAYS = Keys("EWR", "JFK", name="origin") * Daily("2013-01-01")
PAIRS = Keys("a", "b", name="x") * Keys("a", "c", name="y")


@pytest.mark.parametrize(
    ("text", "partitions", "first", "last", "count"),
    [
        ("2013-02-12", DAYS, "2013-02-12", "2013-02-12", 1),
        ("2013-02", DAYS, "2013-02-01", "2013-02-28", 28),
        ("2013", DAYS, "2013-01-01", "2013-03-31", 90),
        ("2013-01..2013-02", DAYS, "2013-01-01", "2013-02-28", 59),
        ("2013-01-31..2013-02", DAYS, "2013-01-31", "2013-02-28", 29),
        ("2013-02..2013-02-03", DAYS, "2013-02-01", "2013-02-03", 3),
        (" 2013-01-02 .. 2013-01-03 ", DAYS, "2013-01-02", "2013-01-03", 2),
        ("..2013-01-03", DAYS, "2013-01-01", "2013-01-03", 3),
        ("2013-03-30..", DAYS, "2013-03-30", "2013-03-31", 2),
        ("2013-03-30..2013-04-05", DAYS, "2013-03-30", "2013-03-31", 2),
        ("2012-12..2013-01-02", DAYS, "2013-01-01", "2013-01-02", 2),
        ("*", DAYS, "2013-01-01", "2013-03-31", 90),
        ("2013-02-12", MONTHS, "2013-02", "2013-02", 1),
        ("2013-01-15..2013-02-12", MONTHS, "2013-01", "2013-02", 2),
        ("2013-02", WEEKS, "2013-01-28", "2013-02-25", 5),
        ("2013-03-10", HOURS, "2013-03-10T05:00Z", "2013-03-11T03:00Z", 23),
        ("2013-03-10T05:00Z", HOURS, "2013-03-10T05:00Z", "2013-03-10T05:00Z", 1),
        ("2013-03-10T05:00Z..2013-03-10", HOURS, "2013-03-10T05:00Z", "2013-03-11T03:00Z", 23),
        ("2013-02-12", WHOLE, "", "", 1),
        ("EWR", ORIGINS, "EWR", "EWR", 1),
        ("EWR..JFK", ORIGINS, "EWR", "JFK", 2),
        ("F..", ORIGINS, "JFK", "LGA", 2),
        ("..F", ORIGINS, "EWR", "EWR", 1),
        ("2013-02", ORIGINS, "EWR", "LGA", 3),
        ("2013", YEARS, "2013", "2013", 1),
        ("2013-01-01/EWR", DAY_ORIGINS, "2013-01-01/EWR", "2013-01-01/EWR", 1),
        ("2013-01/EWR", DAY_ORIGINS, "2013-01-01/EWR", "2013-01-31/EWR", 31),
        ("2013-01..2013-03/EWR", DAY_ORIGINS, "2013-01-01/EWR", "2013-03-31/EWR", 90),
        ("2013-01-01/*", DAY_ORIGINS, "2013-01-01/EWR", "2013-01-01/JFK", 2),
        ("*/JFK", DAY_ORIGINS, "2013-01-01/JFK", "2013-03-31/JFK", 90),
        ("2013-01-01", DAY_ORIGINS, "2013-01-01/EWR", "2013-01-01/JFK", 2),
        ("JFK", DAY_ORIGINS, "2013-01-01/JFK", "2013-03-31/JFK", 90),
        ("2013-01-01/EWR", ORIGIN_DAYS, "EWR/2013-01-01", "EWR/2013-01-01", 1),
        ("EWR/2013-01-01", DAY_ORIGINS, "2013-01-01/EWR", "2013-01-01/EWR", 1),
        ("2013-01-01/EWR", DAYS, "2013-01-01", "2013-01-01", 1),
        ("2013-01-01/EWR", ORIGINS, "EWR", "EWR", 1),
        ("2013-01-01/EWR", MONTHS, "2013-01", "2013-01", 1),
        ("a/a", PAIRS, "a/a", "a/a", 1),
        ("*/a", PAIRS, "a/a", "b/a", 2),
        ("c", PAIRS, "a/c", "b/c", 2),
    ],
)
def test_one_range_means_something_to_every_partitioning(
    text: str, partitions: Partitions, first: str, last: str, count: int
) -> None:
    keys = list(KeyRange.parse(text).keys(partitions, NOW))
    assert (keys[0], keys[-1], len(keys)) == (first, last, count)
    assert set(keys) <= set(partitions.keys(NOW))


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("2013-02-12", ("2013-02-12", "2013-02-12")),
        ("2013-02", ("2013-02-01", "2013-02-28")),
        ("2012-02", ("2012-02-01", "2012-02-29")),
        ("2013", ("2013-01-01", "2013-12-31")),
        ("2013-02..2013-03", ("2013-02-01", "2013-03-31")),
        ("..2013-03", (None, "2013-03-31")),
        ("2013-02..", ("2013-02-01", None)),
        ("2013-02-12T05:00Z", ("2013-02-12T05:00Z", "2013-02-12T05:00Z")),
        ("EWR", ("EWR", "EWR")),
        ("2013-01..2013-03/EWR", ("2013-01-01/EWR", "2013-03-31/EWR")),
        ("2013-01../EWR", ("2013-01-01/EWR", "*/EWR")),
        ("*", (None, None)),
        ("*/EWR", ("*/EWR", "*/EWR")),
    ],
)
def test_the_bounds_that_a_plan_echoes(text: str, bounds: tuple[str | None, str | None]) -> None:
    assert KeyRange.parse(text).bounds == bounds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "a..b..c",
        "2013/",
        "/EWR",
        "2013//EWR",
        "2013-02..2013-01",
        "2013-03..2013-02-28",
        "b..a",
        "2013-02-02T00:00Z..2013-02-01",
    ],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(BadKey) as refused:
        KeyRange.parse(text)
    assert refused.value.where == f"keys {text}"
    assert refused.value.fix.startswith("write ")


def test_a_reversed_range_is_shown_the_right_way_round() -> None:
    with pytest.raises(BadKey) as refused:
        KeyRange.parse("2013-02..2013-01")
    assert refused.value.fix == "write 2013-01..2013-02; both ends are included"


@pytest.mark.parametrize(
    ("text", "definitions", "fix"),
    [
        ("2012", [DAYS], "valid keys: 2013-01-01 to 2013-03-31, both included (UTC)"),
        ("2013-04-01", [DAYS], "valid keys: 2013-01-01 to 2013-03-31, both included (UTC)"),
        # A slip of the pen must not mean everything.
        ("2013-3", [DAYS], "valid keys: 2013-01-01 to 2013-03-31, both included (UTC)"),
        ("2013-02-30", [DAYS], "valid keys: 2013-01-01 to 2013-03-31, both included (UTC)"),
        ("2013-1..2013-02", [DAYS], "valid keys: 2013-01-01 to 2013-03-31, both included (UTC)"),
        ("2013", [ORIGINS], "valid keys: EWR, JFK, LGA"),
        ("EWX", [ORIGINS], "did you mean EWR?  valid keys: EWR, JFK, LGA"),
        ("EWR", [DAYS], "valid keys: 2013-01-01 to 2013-03-31, both included (UTC)"),
        (
            "2013-01/EWX",
            [DAY_ORIGINS, DAYS],
            "did you mean EWR?  valid keys: 2013-01-01 to 2013-03-31, both included (UTC)/EWR, JFK",
        ),
        ("2013/2013", [DAYS], "valid keys: 2013-01-01 to 2013-03-31, both included (UTC)"),
        ("EU", [Partitions((Keys(of="regions.region"),))], "valid keys: none yet"),
        (
            "2030",
            [Partitions((Daily("2030-01-01"),))],
            "valid keys: none yet: the first window from 2030-01-01 is not complete",
        ),
    ],
)
def test_a_range_that_selects_nothing_names_the_valid_one(
    text: str, definitions: list[Partitions], fix: str
) -> None:
    named = {f"a{n}": partitions for n, partitions in enumerate(definitions)}
    with pytest.raises(BadKey) as refused:
        keys_of_each(KeyRange.parse(text), named, NOW)
    assert refused.value.fix == fix
    assert refused.value.where == f"keys of a0@{text}"


def test_one_range_over_several_definitions() -> None:
    named = {
        "days": DAYS,
        "months": MONTHS,
        "whole": WHOLE,
        "late": Partitions((Daily("2013-03-01"),)),
    }
    found = keys_of_each(KeyRange.parse("2013-02-27..2013-02-28"), named, NOW)
    assert found == {
        "days": ("2013-02-27", "2013-02-28"),
        "months": ("2013-02",),
        "whole": ("",),
        "late": (),
    }
    assert keys_of_each(KeyRange.parse("2013-02"), {"whole": WHOLE}, NOW) == {"whole": ("",)}


def test_no_range_means_every_key() -> None:
    found = keys_of_each(
        None, {"months": MONTHS, "whole": WHOLE, "none": Partitions((Daily("2030-01-01"),))}, NOW
    )
    assert found == {"months": ("2013-01", "2013-02", "2013-03"), "whole": ("",), "none": ()}


@pytest.mark.parametrize(
    ("key", "definitions", "expected"),
    [
        ("2013-02-12", {"days": DAYS, "months": MONTHS}, {"days": ("2013-02-12",), "months": ()}),
        ("2013-02", {"days": DAYS, "months": MONTHS}, {"days": (), "months": ("2013-02",)}),
        ("2013-02-12/EWR", {"both": DAY_ORIGINS}, {"both": ("2013-02-12/EWR",)}),
        ("", {"whole": WHOLE}, {"whole": ("",)}),
        ("2013", {"years": YEARS}, {"years": ("2013",)}),
    ],
)
def test_a_literal_key_is_exactly_itself(
    key: str, definitions: dict[str, Partitions], expected: dict[str, tuple[str, ...]]
) -> None:
    assert keys_of_each(KeyRange.literal(key), definitions, NOW) == expected


@pytest.mark.parametrize(
    ("key", "partitions", "fix"),
    [
        ("2013", DAYS, "valid keys: 2013-01-01 to 2013-03-31, both included (UTC)"),
        ("2012-12-31", DAYS, "valid keys: 2013-01-01 to 2013-03-31, both included (UTC)"),
        ("2013-02-12", DAY_ORIGINS, "the dimensions are date/origin"),
        ("2013-02-12", WHOLE, "the dimensions are none: it is unpartitioned"),
    ],
)
def test_a_literal_key_that_does_not_exist(key: str, partitions: Partitions, fix: str) -> None:
    with pytest.raises(BadKey) as refused:
        keys_of_each(KeyRange.literal(key), {"asset": partitions}, NOW)
    assert refused.value.fix == fix
    assert refused.value.where == f"partition asset@{key}"


@pytest.mark.parametrize(
    ("text", "selection", "keys"),
    [
        ("", "", None),
        ("orders", "orders", None),
        ("orders@2013-02", "orders", "2013-02"),
        ("@2013-02", "", "2013-02"),
        ("orders or planes@ 2013-02 ", "orders or planes", "2013-02"),
        ("a@b@c", "a", "b@c"),
        ('owner:"ops@example.org"@2013', 'owner:"ops@example.org"', "2013"),
        ("owner:'ops@example.org'", "owner:'ops@example.org'", None),
    ],
)
def test_targets(text: str, selection: str, keys: str | None) -> None:
    target = Target.parse(text)
    assert target.selection == selection
    assert (target.key_range.text if target.key_range else None) == keys


@pytest.mark.parametrize("text", ["orders@", "orders@  ", "@"])
def test_a_target_without_keys_after_the_sign_is_refused(text: str) -> None:
    with pytest.raises(BadKey, match="no keys stand after @") as refused:
        Target.parse(text)
    assert refused.value.where == f"target {text}"


def test_an_unclosed_quote_does_not_hang_or_fail() -> None:
    assert Target.parse('owner:"ops@2013').selection == 'owner:"ops'
