from __future__ import annotations

import pytest

from millgate.execute.ending import step_record
from millgate.model.request import Done
from millgate.model.step import Cause, Step


@pytest.mark.parametrize(
    ("outcome", "named"),
    [("blocked", "run 2"), ("refused", "run 2"), ("held", None), ("failed", None)],
)
def test_what_stood_in_the_way_is_on_record(outcome, named):
    step = Step("orders", "2024-01-01", "make", Cause("missing"))
    done = Done(step, outcome, "made from what run 2 replaced")
    assert step_record(1, 1, done, "run 2").blocked_by == named
