from __future__ import annotations

import inspect

import pytest

from millgate import Daily, Gate, Hourly, Keys, Monthly, Refresh, Retry, Weekly, Window
from millgate.errors import DeclarationError


@pytest.mark.parametrize(
    ("written", "given", "mistyped", "meant"),
    [
        (Hourly, ["2024-01-01"], "ned", "end"),
        (Daily, ["2024-01-01"], "ofset", "offset"),
        (Weekly, ["2024-01-01"], "ofset", "offset"),
        (Monthly, ["2024-01"], "bach", "batch"),
        (Keys, ["EU"], "nam", "name"),
        (Window, [0, 0], "pined", "pinned"),
        (Retry, [3], "delai", "delay"),
        (Refresh, ["6h"], "untill", "until"),
        (Gate, [], "on_failur", "on_failure"),
    ],
)
def test_a_mistyped_option_suggests_the_one_meant(written, given, mistyped, meant):
    with pytest.raises(DeclarationError) as refused:
        written(*given, **{mistyped: None})
    assert refused.value.what == f"{mistyped} is not an option of {written.__name__}"
    assert refused.value.fix.startswith(f"did you mean {meant}?  options are ")


def test_people_and_editors_still_see_the_options():
    assert list(inspect.signature(Window).parameters) == ["first", "last", "of", "pinned"]
    assert "offset" in inspect.signature(Daily).parameters
