from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from millgate.declare.origin import source
from millgate.declare.sql_file import read_sql_asset
from millgate.errors import BadQuery, DeclarationError
from millgate.model.asset import Asset, Form, Input, Query, Retry
from millgate.model.grain import Daily
from millgate.model.mapping import Window
from millgate.model.partition import Partitions
from millgate.model.policy import Gate

UNNAMED = source("raw.csv")
CHECKS = ModuleType("assets.checks")
CHECKS.Delay = type("Delay", (), {})  # type: ignore[attr-defined]
CHECKS.raw = UNNAMED  # type: ignore[attr-defined]

Read = Callable[..., Asset]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(text: str | bytes, name: str = "totals.sql") -> Asset:
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_sql_asset(
            file,
            f"assets/{name}",
            "reports",
            lambda parts: (CHECKS, parts[1:]) if parts[0] == "checks" else (None, parts),
            lambda target: "raw_orders" if target is UNNAMED else target.name,
        )

    return write_and_read


FULL = """\
-- Totals of a day.
-- partitions: Daily("2013-01-01")
-- upstream: {"week": Window(-6, 0, of="orders"), "raw": checks.raw}
-- gate: Gate(checks.Delay, on_failure="split")
-- retries: Retry(2)
-- owner: "ops"
-- tags: ["daily"]
-- version: "3"
SELECT * FROM week JOIN Planes USING (plane) JOIN raw USING (id)
WHERE day = $date AND moment < $partition_end
"""


def test_every_key(read: Read) -> None:
    made = read(FULL)
    assert made.name == "totals"
    assert made.description == "Totals of a day."
    assert made.partitions == Partitions((Daily("2013-01-01"),))
    assert made.inputs == (
        Input("planes", "planes", None, Form.RELATION),
        Input("raw", "raw_orders", None, Form.RELATION),
        Input("week", "orders", Window(-6, 0), Form.RELATION),
    )
    assert made.gate == Gate(CHECKS.Delay, on_failure="split")
    assert made.retries == Retry(2)
    assert (made.owner, made.tags, made.version) == ("ops", {"daily"}, "3")
    assert made.query == Query(FULL, ("date", "partition_end"))
    assert made.group == "reports"
    assert made.defined_in == "assets/totals.sql:1"
    assert made.function is None


def test_only_a_query(read: Read) -> None:
    made = read("FROM orders")
    assert made.inputs == (Input("orders", "orders", None, Form.RELATION),)
    assert made.partitions == Partitions()
    assert made.gate == Gate()
    assert made.retries == Retry(times=0)
    assert (made.owner, made.tags, made.description) == (None, frozenset(), "")


def test_a_list_of_upstreams_keeps_the_default_mapping(read: Read) -> None:
    made = read('-- upstream: ["orders", "Planes"]\nFROM orders, planes')
    assert [(i.upstream, i.mapping) for i in made.inputs] == [("orders", None), ("Planes", None)]


def test_a_byte_order_mark_does_not_hide_the_header(read: Read) -> None:
    assert read(b'\xef\xbb\xbf-- owner: "ops"\nSELECT 1').owner == "ops"


def test_windows_line_ends(read: Read) -> None:
    made = read(b'-- Totals.\r\n-- owner: "ops"\r\nSELECT 1 -- one\r\nFROM orders\r\n')
    assert (made.description, made.owner) == ("Totals.", "ops")
    assert [i.upstream for i in made.inputs] == ["orders"]


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("-- x\n\nSELECT a\nFROM WHERE", "syntax error", "assets/totals.sql:4"),
        ("-- x\nFROM 'x.csv'", "reads the file 'x.csv'", "assets/totals.sql:2"),
        ("SELECT $date", "names $date", "assets/totals.sql"),
        ("-- only prose", "there is no query", "assets/totals.sql"),
        (
            '-- x\n-- upstream: {"week": Window(-6, 0)}\nFROM weeks',
            "upstream names week, which the query does not read",
            "assets/totals.sql:2",
        ),
        ("-- x\n-- gate: checks.Delay\nSELECT 1", "gate=Delay is no Gate", "assets/totals.sql:2"),
        ('-- partitions: "daily"\nSELECT 1', "is no partitioning", "assets/totals.sql:1"),
        ("-- version: 3\nSELECT 1", "version=3 is no text", "assets/totals.sql:1"),
        ("-- tags: 'a'\nSELECT 1", "tags='a' is no list", "assets/totals.sql:1"),
        ("-- owner: ops\nSELECT 1", "ops means nothing in a header", "assets/totals.sql:1"),
        ("-- ownr: 'x'\nSELECT 1", "unknown header key 'ownr'", "assets/totals.sql:1"),
        ('-- x\n-- partitions: Daily("2013")\nSELECT 1', "'2013' is not a key", "totals.sql:2,"),
        (b"SELECT '\xff'", "the file cannot be read", "assets/totals.sql"),
    ],
)
def test_refused(read: Read, text: str | bytes, what: str, where: str) -> None:
    with pytest.raises(DeclarationError) as raised:
        read(text)
    assert what in raised.value.what
    assert where in raised.value.where
    if where.endswith("sql") or where[-1].isdigit():
        assert raised.value.where == where


def test_the_file_name_must_name_an_asset(read: Read) -> None:
    with pytest.raises(DeclarationError, match="'Daily Totals' cannot name"):
        read("SELECT 1", "Daily Totals.sql")


def test_unknown_parameter_is_a_bad_query(read: Read) -> None:
    with pytest.raises(BadQuery) as raised:
        read('-- partitions: Daily("2013-01-01")\nSELECT $dat')
    assert raised.value.fix.startswith("did you mean date?")
