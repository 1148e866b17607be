from __future__ import annotations

import pytest

from millgate.cli.guard import guarded
from millgate.errors import TooManyPartitions


@pytest.mark.parametrize(
    ("partitions", "limit", "confirmed", "can_ask", "expected"),
    [
        (0, None, False, False, "go"),
        (1_000, None, False, False, "go"),
        (1_001, None, False, True, "ask"),
        (1_001, None, True, False, "go"),
        (1_001, 1_001, False, False, "go"),
        (11, 10, False, True, "ask"),
        (11, 10, True, True, "go"),
    ],
)
def test_guard(partitions, limit, confirmed, can_ask, expected):
    found = guarded(partitions, limit=limit, confirmed=confirmed, can_ask=can_ask, where="here")
    assert found == expected


@pytest.mark.parametrize(("partitions", "limit"), [(1_001, None), (11, 10), (1, 0)])
def test_nobody_to_ask(partitions, limit):
    with pytest.raises(TooManyPartitions, match=f"{partitions:,} partitions") as caught:
        guarded(partitions, limit=limit, confirmed=False, can_ask=False, where="here")
    assert caught.value.exit_status == 2
    assert f"--max-partitions {partitions}" in caught.value.fix
