"""The public names are a list that changes only on purpose."""

import millgate


def test_public_names() -> None:
    assert sorted(millgate.__all__, key=str.casefold) == [
        "Asset",
        "asset",
        "Daily",
        "Env",
        "Gate",
        "Hourly",
        "judge",
        "Keys",
        "Monthly",
        "Partition",
        "Refresh",
        "Retry",
        "source",
        "Weekly",
        "Window",
    ]


def test_every_public_name_can_be_imported_and_is_documented() -> None:
    for name in millgate.__all__:
        assert getattr(millgate, name).__doc__, name


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    assert not hasattr(millgate, "materialize")
