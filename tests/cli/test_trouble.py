from __future__ import annotations

import pytest

from millgate.cli.trouble import error_lines, from_defect
from millgate.errors import UnknownAsset

ERROR = UnknownAsset(
    'no asset "flihgts"',
    where="selection flihgts@2013-02, character 1",
    fix="did you mean flights?  all names: millgate list",
)


def test_three_lines():
    assert [line.plain for line in error_lines(ERROR, 80)] == [
        'error: no asset "flihgts"',
        "  at   selection flihgts@2013-02, character 1",
        "  fix  did you mean flights?  all names: millgate list",
    ]


@pytest.mark.parametrize("text", ["one\ntwo", "tab\tand\r\nmore", "x" * 300])
def test_three_lines_whatever_the_text(text):
    lines = error_lines(UnknownAsset(text, where=text, fix=text), None)
    assert len(lines) == 3
    assert not any("\n" in line.plain for line in lines)


def test_a_narrow_terminal_gets_a_hanging_indent():
    lines = [line.plain for line in error_lines(ERROR, 30)]
    assert lines[1:3] == ["  at   selection", "       flihgts@2013-02,"]


def test_a_defect_says_where_in_millgate_it_is():
    try:
        error_lines(None, 80)  # type: ignore[arg-type]
    except AttributeError as error:
        defect = from_defect(error)
    assert defect.what.startswith("Millgate has a defect: AttributeError")
    assert defect.where.startswith("millgate/cli/trouble.py:")
    assert defect.exit_status == 1


def test_a_defect_may_have_no_place_in_millgate():
    defect = from_defect(RecursionError("too deep"))
    assert (defect.where, defect.exit_status) == ("millgate", 1)
