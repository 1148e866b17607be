from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from millgate.declare.origin import source
from millgate.errors import DeclarationError
from millgate.model.dimension import Keys
from millgate.model.grain import Daily
from millgate.model.partition import Partitions

DAYS, REGIONS = Daily("2013-01-01"), Keys("EU", "US", name="region")


class Flight: ...


def locate() -> str:
    return "x.csv"


def test_source() -> None:
    made = source(
        "data/flights.csv",
        name="raw",
        types=Flight,
        owner="ops",
        tags=["daily"],
        null_values="NA",
    )
    assert made.name == "raw"
    assert made.kind == "source"
    assert made.location == "data/flights.csv"
    assert made.types is Flight
    assert made.owner == "ops"
    assert made.tags == {"daily"}
    assert made.options == {"null_values": "NA"}
    assert made.defined_in == f"{__file__}:{test_source.__code__.co_firstlineno + 1}"


def test_the_name_may_wait() -> None:
    assert source("x.csv").name == ""


@pytest.mark.parametrize(
    ("location", "partitions"),
    [
        ("x.csv", None),
        (Path("x.csv"), None),
        (locate, None),
        (locate, DAYS),
        ("{date}.csv", DAYS),
        ("{date}/{region}/*.csv", DAYS * REGIONS),
        ("{date.year}/{date}.csv", DAYS),
        ("{{literal}}/{date:%Y}.csv", DAYS),
    ],
)
def test_locations(location: Any, partitions: Any) -> None:
    made = source(location, partitions=partitions)
    assert made.location == location
    assert isinstance(made.partitions, Partitions)


@pytest.mark.parametrize(
    ("location", "keywords", "what", "fix"),
    [
        ("", {}, "'' is no location", "source("),
        (3, {}, "3 is no location", "source("),
        (None, {}, "None is no location", "source("),
        ("{date}.csv", {}, "names {date}, which is no dimension", "partitions=Daily("),
        ("{day}.csv", {"partitions": DAYS}, "names {day}", "its dimensions are date"),
        ("x.csv", {"partitions": DAYS}, "is the same for every date", "write {date}"),
        ("{date}", {"partitions": DAYS * REGIONS}, "same for every region", "write {region}"),
        ("{date", {"partitions": DAYS}, "cannot be read", "{{"),
        ("x.csv", {"tag": ["a"]}, "no keyword 'tag'", "did you mean tags?"),
        ("x.csv", {"partition": DAYS}, "no keyword 'partition'", "did you mean partitions?"),
        ("x.csv", {"gate": None}, "a source has no gate=", "make an asset from it"),
        ("x.csv", {"name": "Raw"}, "'Raw' cannot name", "lower-case"),
        ("x.csv", {"tags": "a"}, "tags='a' is no list", "tags=['a']"),
    ],
)
def test_refused(location: Any, keywords: dict[str, Any], what: str, fix: str) -> None:
    with pytest.raises(DeclarationError) as raised:
        source(location, **keywords)
    assert what in raised.value.what
    assert raised.value.where.startswith(f"{__file__}:")
    assert fix in raised.value.fix
