"""README's tables of what pandera offers on polars are complete, and each of their rows is true."""

from __future__ import annotations

from collections import Counter

import pytest

from gate.pandera_offers import Group, Offer
from gate.pandera_table import GROUPS

TRIED = [
    pytest.param(offer, name, id=f"{name}, {offer.answer}")
    for group in GROUPS
    for offer in group.offers
    for name in offer.names
]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.title)
def test_every_name_of_pandera_has_a_row(group: Group):
    told = {name for offer in group.offers for name in offer.names}
    assert group.names() - told == set()
    assert {name for name in told - group.names() if name.isidentifier()} == set()


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.title)
def test_no_row_says_the_same_as_another(group: Group):
    rows = Counter(
        (name, offer.answer, offer.says) for offer in group.offers for name in offer.names
    )
    assert [row for row, times in rows.items() if times > 1] == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("offer", "name"), TRIED)
def test_every_row_is_true(offer: Offer, name: str):
    if offer.answer == "refused":
        assert offer.refusal(name)
        return
    found = offer.disagreements(name)
    if offer.answer == "better":
        assert any(found), "Millgate does as pandera does"
        return
    assert found == [""] * len(found)
    assert {one.passes for one in offer.tries(name)} == {True, False}
