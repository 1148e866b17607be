"""What several tests of carrying out begin with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conftest import Edit, Mill
from execute.dying import Dies, dying


@pytest.fixture(scope="session")
def dies() -> Iterator[Dies]:
    """Real processes that die at a file call: `dies(mill, at, act)`."""
    with dying() as asked:
        yield asked


@pytest.fixture
def held(shop: Mill, edit: Edit) -> Mill:
    """The shop after a run that held the orders of 2024-01-03: one amount is -10."""
    edit("data/orders.csv", "2024-01-03,1,10", "2024-01-03,1,-10")
    shop.run()
    return shop
