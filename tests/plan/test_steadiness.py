from __future__ import annotations

from typing import Any

import pytest

from millgate.model.asset import Asset, Input
from millgate.model.dimension import Keys
from millgate.model.grain import Daily, Monthly
from millgate.model.mapping import Window
from millgate.model.partition import Partitions
from millgate.plan.graph import Graph
from millgate.plan.steadiness import needs_fingerprint

DAYS = Partitions((Daily("2013-01-01"),))
LATER = Partitions((Daily("2014-01-01"),))
MONTHS = Partitions((Monthly("2013-01"),))
SIDES = Partitions((Keys(of="names.name"),))


class Own:
    def keys(self, *_: object) -> list[str]:
        return []


def fingerprint(
    mapping: Any = None, own: Partitions = DAYS, of: Partitions = DAYS, **more: Any
) -> str:
    """That of an asset which reads another one by a mapping."""
    given = (Input("x", "up", mapping), *more.get("others", ()))
    nodes = [Asset(name="up", partitions=of), Asset(name="names"), Asset(name="other")]
    asset = Asset(name="down", partitions=own, inputs=given)
    return needs_fingerprint(asset, Graph.build([*nodes, asset]))


@pytest.mark.parametrize(
    ("mapping", "own", "of"),
    [
        (None, DAYS, DAYS),
        (Window(-6, 0), DAYS, DAYS),
        (Window(None, 0), DAYS, DAYS),
        (None, MONTHS, DAYS),
        (None, DAYS, Partitions()),
        (None, SIDES, SIDES),
        ({"date": Window(-1, 0)}, DAYS, DAYS),
    ],
)
def test_what_declarations_alone_say(mapping: Any, own: Partitions, of: Partitions) -> None:
    assert len(fingerprint(mapping, own, of)) == 32


@pytest.mark.parametrize(
    ("mapping", "own", "of"),
    [
        (Window(0, None), DAYS, DAYS),
        ({"date": Window(0, None)}, DAYS, DAYS),
        (None, Partitions(), DAYS),
        (Window(-1, 0), Partitions(), DAYS),
        (None, DAYS, SIDES),
        (Own(), DAYS, DAYS),
    ],
)
def test_what_depends_on_the_moment_or_on_what_is_live_is_not_said(
    mapping: Any, own: Partitions, of: Partitions
) -> None:
    assert fingerprint(mapping, own, of) == ""


def test_one_upstream_followed_and_pinned_is_not_said() -> None:
    assert fingerprint(others=[Input("y", "up", Window(pinned=True))]) == ""
    assert fingerprint(others=[Input("y", "other", Window(pinned=True))]) != ""


def test_whatever_changes_the_needed_keys_changes_it() -> None:
    told = [
        fingerprint(),
        fingerprint(Window(pinned=True)),
        fingerprint(Window(-1, 0)),
        fingerprint(Window(-2, 0)),
        fingerprint(Window(-1, 0), of=LATER),
        fingerprint(Window(-1, 0), own=LATER),
        fingerprint(own=MONTHS),
        fingerprint(others=[Input("y", "other")]),
    ]
    assert len(set(told)) == len(told)
    # The key of its own name is needed wherever a definition begins.
    assert fingerprint(own=LATER, of=LATER) == fingerprint()
