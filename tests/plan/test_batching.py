"""Which planned partitions are computed as one."""

from __future__ import annotations

import pytest

from millgate.model.dimension import Keys
from millgate.model.grain import Daily
from millgate.model.partition import Partitions
from millgate.model.step import Action, Cause, Step
from millgate.plan.batching import batches_of

DAYS = Partitions((Daily("2013-01-01", batch=3),))
PRODUCT = Daily("2013-01-01", batch=3) * Keys("a", "b")


def steps(keys: str, action: Action = "make", asset: str = "x") -> list[Step]:
    return [Step(asset, f"2013-01-{key}", action, Cause("missing")) for key in keys.split()]


@pytest.mark.parametrize(
    ("partitions", "planned", "batches"),
    [
        (DAYS, steps("01 02 03 04 05"), "01 02 03|04 05"),
        (DAYS, steps("01 02 03 04"), "01 02 03"),
        (DAYS, steps("01 03 05"), ""),
        (DAYS, steps("01 02 04 05"), "01 02|04 05"),
        (DAYS, [*steps("01"), *steps("02", "blocked"), *steps("03 04")], "03 04"),
        (DAYS, [*steps("01"), *steps("02 03", "judge"), *steps("04 05", "enforce")], ""),
        (DAYS, [*steps("01"), *steps("07", asset="y"), *steps("02")], "01 02"),
        (PRODUCT, steps("01/a 01/b 02/a 02/b 03/b"), "01/a 02/a|01/b 02/b 03/b"),
        (Partitions((Daily("2013-01-01"),)), steps("01 02 03"), ""),
        (Partitions((Daily("2013-01-01", batch=1),)), steps("01 02 03"), ""),
    ],
)
def test_batches(partitions: Partitions, planned: list[Step], batches: str) -> None:
    found = batches_of(planned, {"x": partitions, "y": DAYS})
    told = "|".join(" ".join(key.removeprefix("2013-01-") for _, key in b) for b in found)
    assert told == batches


def test_what_waits_for_one_of_a_batch_is_in_the_next() -> None:
    first, second, third = steps("01 02 03")
    waiting = Step("x", third.key, "make", third.cause, after=frozenset({second.id}))
    assert batches_of([first, second, waiting], {"x": DAYS}) == ((first.id, second.id),)
