from datetime import UTC, date, datetime

import pytest

from millgate.errors import BadKey, DeclarationError
from millgate.model.dimension import Horizon, Keys
from millgate.model.grain import Daily, Hourly, Monthly
from millgate.model.partition import Partitions, label

NOW = Horizon(datetime(2013, 1, 4, tzinfo=UTC))
ORIGINS = Daily("2013-01-01") * Keys("JFK", "EWR", name="origin")


def test_the_keys_of_a_product_are_in_order() -> None:
    assert list(ORIGINS.keys(NOW))[:3] == ["2013-01-01/EWR", "2013-01-01/JFK", "2013-01-02/EWR"]
    assert len(ORIGINS.keys(NOW)) == 6


def test_an_unpartitioned_asset_has_one_key() -> None:
    assert list(Partitions().keys(NOW)) == [""]
    assert Partitions().canonical("", NOW) == ""
    assert Partitions().time is None


def test_products_of_three() -> None:
    cube = Keys("a", name="x") * Daily("2013-01-01") * Keys("b", name="y")
    assert cube.names == ("x", "date", "y")
    assert cube.keys(NOW)[0] == "a/2013-01-01/b"
    assert (Keys("a", name="x") * (Daily("2013-01-01") * Keys("b", name="y"))) == cube


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Daily("2013-01-01") * Monthly("2013-01"), "at most one time dimension"),
        (lambda: Keys("a") * Keys("b"), "two dimensions are called key"),
        (
            lambda: Daily("2013-01-01", name="x") * Keys("b", name="x"),
            "two dimensions are called x",
        ),
    ],
)
def test_products_that_cannot_work(make: object, says: str) -> None:
    with pytest.raises(DeclarationError, match=says):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("partitions", "key"),
    [
        (ORIGINS, "2013-01-01"),
        (ORIGINS, "2013-01-01/EWR/x"),
        (ORIGINS, "2013-01-01/"),
        (ORIGINS, "EWR/2013-01-01"),
        (ORIGINS, "2013-01-01/LGA"),
        (ORIGINS, "2012-12-31/EWR"),
        (ORIGINS, ""),
        (Partitions(), "2013-01-01"),
    ],
)
def test_what_is_no_key_is_refused(partitions: Partitions, key: str) -> None:
    with pytest.raises(BadKey) as refused:
        partitions.canonical(key, NOW)
    assert refused.value.fix


def test_a_partition_has_typed_columns_and_a_window() -> None:
    partition = ORIGINS.partition("flights", "2013-01-02/EWR")
    assert partition["date"] == date(2013, 1, 2)
    assert partition["origin"] == "EWR"
    assert dict(partition.values) == {"date": "2013-01-02", "origin": "EWR"}
    assert partition.start == datetime(2013, 1, 2, tzinfo=UTC)
    assert partition.end == datetime(2013, 1, 3, tzinfo=UTC)
    assert str(partition) == "flights@2013-01-02/EWR"


def test_a_partition_without_time_has_no_window() -> None:
    whole = Partitions().partition("planes", "")
    assert (whole.start, whole.end, dict(whole.columns), str(whole)) == (None, None, {}, "planes")


def test_partitions_outside_the_definition_can_still_be_named() -> None:
    # A live partition may have left the definition; its files still have to be found.
    assert ORIGINS.partition("flights", "1999-01-01/LGA")["origin"] == "LGA"


@pytest.mark.parametrize(
    ("partitions", "key", "example"),
    [
        (ORIGINS, "2013-01-02", "date/origin, such as 2013-01-01/EWR"),
        (ORIGINS, "", "date/origin, such as 2013-01-01/EWR"),
        (Partitions((Daily("2013-01-01"),)), "2013-02-30", "date, such as 2013-01-01"),
        (Partitions((Hourly("2013-01-01"),)), "2013-01-01", "hour, such as 2013-01-01T00:00Z"),
        (Partitions(), "2013-01-01", "no key at all"),
    ],
)
def test_a_malformed_key_is_no_traceback(partitions: Partitions, key: str, example: str) -> None:
    with pytest.raises(BadKey) as refused:
        partitions.partition("flights", key)
    assert refused.value.fix == f"write {example}"


def test_labels() -> None:
    assert label("flights", "2013-01-01") == "flights@2013-01-01"
    assert label("planes", "") == "planes"


@pytest.mark.parametrize(
    ("partitions", "keys", "outside"),
    [
        (Partitions((Daily("2013-01-02"),)), ["2013-01-01", "2013-01-02", "2999-01-01"], 1),
        (Partitions((Daily("2013-01-01", end="2013-01-02"),)), ["2013-01-02", "2013-01-03"], 1),
        (Partitions((Daily("2013-01-01"),)), ["2013-01", "EU", ""], 3),
        (Partitions((Keys("EU", "US"),)), ["EU", "eu", "UK"], 2),
        (Partitions((Keys(of="regions.region"),)), ["EU", "UK"], 1),
        (Partitions((Keys(of="shops.shop"),)), ["EU", "UK"], 0),
        (Daily("2013-01-02") * Keys("EU"), ["2013-01-01/EU", "2013-01-02/UK", "2013-01-02/EU"], 2),
        (Partitions(()), [""], 0),
    ],
)
def test_which_keys_a_definition_has_no_more(
    partitions: Partitions, keys: list[str], outside: int
) -> None:
    horizon = Horizon(datetime(2020, 1, 1, tzinfo=UTC), {"regions.region": ["EU", "US"]})
    assert len(partitions.outside(keys, horizon)) == outside
