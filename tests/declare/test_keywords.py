from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from millgate.declare.keywords import (
    checked_gate,
    checked_name,
    checked_partitions,
    checked_retries,
    checked_tags,
    checked_text,
)
from millgate.errors import DeclarationError
from millgate.model.asset import Retry
from millgate.model.dimension import Keys
from millgate.model.grain import Daily
from millgate.model.partition import Partitions
from millgate.model.policy import Gate

DAYS, REGIONS = Daily("2013-01-01"), Keys("EU", "US", name="region")


class Flight: ...


def owner(given: Any, where: str) -> str | None:
    return checked_text("owner", given, where)


@pytest.mark.parametrize(
    ("check", "given", "value"),
    [
        (checked_name, "orders_2", "orders_2"),
        (checked_name, "_orders", "_orders"),
        (checked_partitions, None, Partitions()),
        (checked_partitions, DAYS, Partitions((DAYS,))),
        (checked_partitions, DAYS * REGIONS, Partitions((DAYS, REGIONS))),
        (checked_gate, None, Gate()),
        (checked_gate, Gate(on_failure="warn"), Gate(on_failure="warn")),
        (checked_retries, None, Retry(times=0)),
        (checked_retries, 2, Retry(times=2)),
        (checked_retries, Retry(5), Retry(5)),
        (owner, None, None),
        (owner, "ops", "ops"),
        (checked_tags, None, frozenset()),
        (checked_tags, ["a", "b", "a"], frozenset({"a", "b"})),
        (checked_tags, {"a"}, frozenset({"a"})),
    ],
)
def test_kept(check: Callable[[Any, str], object], given: object, value: object) -> None:
    assert check(given, "x.py:1") == value


@pytest.mark.parametrize(
    ("check", "given", "what", "fix"),
    [
        (checked_name, "Orders", "'Orders' cannot name", "lower-case"),
        (checked_name, "2orders", "'2orders' cannot name", "lower-case"),
        (checked_name, "orders\n", "cannot name", "lower-case"),
        (checked_name, "", "'' cannot name", "lower-case"),
        (checked_name, 3, "3 cannot name", "lower-case"),
        (checked_name, "o" * 101, "cannot name", "100 at most"),
        (checked_partitions, "2013-01-01", "is no partitioning", "Daily("),
        (checked_partitions, Daily, "partitions=Daily is no partitioning", "Daily("),
        (checked_gate, Flight, "gate=Flight is no Gate", "gate=Gate(Flight)"),
        (checked_retries, "3", "retries='3' is no Retry", "Retry(3)"),
        (checked_retries, True, "retries=True is no Retry", "Retry(3)"),
        (checked_retries, -1, "Retry(times=-1", "at least 0"),
        (owner, 3, "owner=3 is no text", 'owner="3"'),
        (owner, " ", "is no text", "in quotes"),
        (owner, ["ops"], "is no text", "in quotes"),
        (checked_tags, "daily", "tags='daily' is no list", "tags=['daily']"),
        (checked_tags, 3, "tags=3 is no list", "tags=[3]"),
        (checked_tags, ["a b"], "'a b' cannot be a tag", "white space"),
        (checked_tags, [3], "3 cannot be a tag", "white space"),
        (checked_tags, [""], "'' cannot be a tag", "white space"),
    ],
)
def test_refused(check: Callable[[Any, str], object], given: object, what: str, fix: str) -> None:
    with pytest.raises(DeclarationError) as raised:
        check(given, "x.py:1")
    assert what in raised.value.what
    assert fix in raised.value.fix
