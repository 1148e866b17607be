from datetime import UTC, datetime

import pytest

from millgate.errors import BadKey, DeclarationError
from millgate.model.dimension import Horizon, Keys

NOW = Horizon(datetime(2024, 1, 1, tzinfo=UTC))


def test_keys_are_sorted_and_each_once() -> None:
    assert Keys("US", "EU", "US").keys(NOW) == ("EU", "US")


def test_equal_keys_are_one_even_as_different_objects() -> None:
    again = "".join(["E", "U"])
    assert Keys("EU", again).keys(NOW) == ("EU",)


@pytest.mark.parametrize(
    "key",
    [
        "",
        " EU",
        "EU ",
        "a/b",
        "a..b",
        ".",
        "..",
        "*",
        "tab\there",
        "line\nbreak",
        "nul\0",
        "\x7f",
        "zero\u200bwidth",
        "\ud800",
        "x" * 101,
        "ü" * 40,
        "%" * 60,
        "__HIVE_DEFAULT_PARTITION__",
    ],
)
def test_hostile_keys_are_refused(key: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        Keys("EU", key)
    assert "cannot be a partition key" in refused.value.what
    assert refused.value.fix


@pytest.mark.parametrize("key", [None, 5, b"EU", ("EU",)])
def test_keys_that_are_not_text_are_refused(key: object) -> None:
    with pytest.raises(DeclarationError, match="not text"):
        Keys(key)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "key", ["a b", "a=b", "50%", "a'b", 'a"b', "a;b", "a@b", "São Paulo", "東京", "-", "x" * 100]
)
def test_odd_but_harmless_keys_are_accepted(key: str) -> None:
    assert Keys(key).keys(NOW) == (key,)
    assert Keys(key).canonical(key, NOW) == key
    assert Keys(key).value(key) == key


@pytest.mark.parametrize("pair", [("EU", "eu"), ("straße", "STRASSE"), ("İ", "i̇")])
def test_keys_that_differ_only_in_case_are_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(DeclarationError, match="without regard to case"):
        Keys(*pair)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Keys(),
        lambda: Keys("EU", of="regions.region"),
        lambda: Keys(of="regions"),
        lambda: Keys(of="a.b.c"),
        lambda: Keys(of=".region"),
        lambda: Keys(of="regions."),
        lambda: Keys("EU", name="Region"),
        lambda: Keys("EU", name="a-b"),
        lambda: Keys("EU", name="x" * 101),
        lambda: Keys(of="regions.Region"),
    ],
)
def test_declarations_that_cannot_work(make: object) -> None:
    with pytest.raises(DeclarationError) as refused:
        make()  # type: ignore[operator]
    assert refused.value.fix


def test_keys_of_an_asset_are_what_is_live() -> None:
    regions = Keys(of="regions.region")
    assert regions.name == "region"
    assert regions.keys(NOW) == ()
    assert regions.keys(Horizon(NOW.now, {"regions.region": ["US", "EU"]})) == ("EU", "US")
    with pytest.raises(DeclarationError, match=r"regions\.region|partition key"):
        regions.keys(Horizon(NOW.now, {"regions.region": ["a/b"]}))


def test_an_unknown_key_names_the_close_ones() -> None:
    with pytest.raises(BadKey) as refused:
        Keys("EWR", "JFK", "LGA", name="origin").canonical("EWX", NOW)
    assert refused.value.fix.startswith("did you mean EWR?")
    assert "EWR, JFK, LGA" in refused.value.fix


def test_of_many_keys_an_error_shows_a_few() -> None:
    many = Keys(*(f"k{n:03}" for n in range(200)))
    with pytest.raises(BadKey) as refused:
        many.canonical("zzz", NOW)
    assert "(200 keys)" in refused.value.fix
    assert "k100" not in refused.value.fix
