from __future__ import annotations

import pytest

from millgate.cli.grid import Column, grid, hanging, plain, size

COLUMNS = (Column("asset"), Column("n", "right"), Column("why"))
ROWS = [("flights", "1", "code changed"), ("daily_delays", "1,200", "an input changed its rows")]


def shown(width):
    return [line.plain for line in grid(COLUMNS, ROWS, width)]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            None,
            [
                " asset             n  why",
                " flights           1  code changed",
                " daily_delays  1,200  an input changed its rows",
            ],
        ),
        (
            44,
            [
                " asset             n  why",
                " flights           1  code changed",
                " daily_delays  1,200  an input changed its",
                "                      rows",
            ],
        ),
        (
            30,
            [
                " asset             n  why",
                " flights           1",
                "    code changed",
                " daily_delays  1,200",
                "    an input changed its rows",
            ],
        ),
    ],
)
def test_the_last_column_gives_way(width, expected):
    assert shown(width) == expected


LONG = "an_asset_with_a_name_that_goes_on_and_on_until_it_fills_the_terminal"


def test_one_long_name_breaks_its_own_row_only():
    rows = [*ROWS, ("planes", "2", "missing"), (LONG, "3", "missing")]
    assert [line.plain for line in grid(COLUMNS, rows, 70)][-3:] == [
        " planes                                        2  missing",
        f" {LONG}",
        "                                               3  missing",
    ]


def test_without_room_for_columns_cells_follow_each_other():
    assert [line.replace("\N{NO-BREAK SPACE}", "_") for line in shown(18)] == [
        " flights  n_1",
        "    code changed",
        " daily_delays",
        "    n_1,200  an",
        "    input changed",
        "    its rows",
    ]


@pytest.mark.parametrize("width", range(1, 90))
def test_no_line_is_too_long_and_no_word_is_lost(width):
    lines = [line.plain for line in grid(COLUMNS, ROWS, width)]
    assert all(size(line) <= max(width, 5) for line in lines)
    letters = "".join("".join(lines).split())
    assert all("".join(cell.split()) in letters for row in ROWS for cell in row)


def test_wide_characters_take_two_cells():
    lines = list(grid((Column("key"), Column("n")), [("日本", "1"), ("US", "2")], 80))
    assert [size(line.plain) for line in lines[1:]] == [8, 8]


@pytest.mark.parametrize("width", [None, 200, 30, 12, 5])
def test_hanging_loses_no_word(width):
    body = "seven rows became six and nobody knows why"
    lines = [line.plain for line in hanging(" held  ", body, width)]
    assert " ".join(" ".join(lines).split()) == f"held {body}"


def test_what_a_terminal_would_obey_is_written_out():
    assert plain("a\x1b[2Jb\tc\u202e") == "a\\x1b[2Jb\\tc\\u202e"
