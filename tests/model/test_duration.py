from datetime import timedelta

import pytest

from millgate.errors import DeclarationError
from millgate.model.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("6h", timedelta(hours=6)),
        ("1d12h", timedelta(hours=36)),
        ("2w", timedelta(days=14)),
        ("0s", timedelta()),
        ("5m30s", timedelta(seconds=330)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert parse_duration(text, where="here") == expected


@pytest.mark.parametrize(
    "text", ["", "6", "h", "6 h", "-1h", "1.5h", "6H", "6h ", "٣h", "99999999999w", None, 6]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(DeclarationError) as refused:
        parse_duration(text, where="here")  # type: ignore[arg-type]
    assert refused.value.where == "here"
    assert refused.value.fix
