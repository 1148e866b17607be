from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from millgate.cli.progress import Bar, Lines, bar_on, told
from millgate.model.request import Done
from millgate.model.step import Cause, Step


def done(asset, key, outcome, message=""):
    return Done(Step(asset, key, "make", Cause("missing")), outcome, message)


@pytest.fixture
def lines():
    written: list[str] = []
    watcher = Lines(12, lambda line: written.append(line.plain))
    return watcher, written


def test_each_committed_group_is_a_line(lines):
    watcher, written = lines
    for day in range(1, 4):
        watcher.finished(done("flights", f"2013-01-0{day}", "made"))
    watcher.finished(done("weather", "2013-01-01", "unchanged"))
    watcher.committed(7, 3)
    watcher.finished(done("flights", "2013-01-04", "made"))
    watcher.committed(8, 1)
    assert written == [
        " 4 of 12  snapshot 7  flights: 3 made; weather: 1 unchanged",
        " 5 of 12  snapshot 8  flights: 1 made",
    ]


def test_what_went_wrong_is_told_at_once_and_not_for_ever(lines):
    watcher, written = lines
    watcher.finished(done("flights", "2013-02-09", "held", "400 of 940 rows fail"))
    assert written == [" held    flights@2013-02-09  400 of 940 rows fail"]
    for n in range(31):
        whole = "flights@2013-01-01..2013-01-31"
        watcher.finished(replace(done("flights", str(n), "failed", "Bad: no"), batch=whole))
    assert written[1:] == [" failed  flights@2013-01-01..2013-01-31  Bad: no"]
    for n in range(100):
        watcher.finished(done("flights", str(n), "failed", "HTTPError: 503"))
    assert len(written) == 20


@pytest.mark.parametrize("width", [40, 80])
def test_the_bar_fits_the_terminal(width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with bar_on(console) as progress:
        bar = Bar(progress, 12, width)
        bar.started(done("an_asset_whose_name_is_quite_long_for_a_terminal", "k", "made").step)
        bar.finished(done("weather", "2013-02-10", "failed", "HTTPError: 503 " * 6))
        frame = console.render_lines(progress.get_renderable(), console.options)
    assert len(frame) == 1
    text = "".join(segment.text for segment in frame[0])
    assert "1/12" in text
    assert "1 failed" in text


def test_told():
    assert told(done("planes", "", "failed", "")).plain == " failed  planes"
