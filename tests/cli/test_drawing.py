"""Versions become items of a drawing: one for each asset, told by the version that matters."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from millgate.cli.drawing import draw_versions
from millgate.lineage.ancestry import SourceFileRow, Trace, TracedVersion, VersionEdge

ROOT = Path("/project")
NOW = datetime(2025, 3, 4, tzinfo=UTC)


def version(number, asset, partition="", *, kind="made", live=True, rows=2):
    return TracedVersion(number, asset, partition, kind, 1, rows, None, "versions", "", NOW, live)


def edge(upstream, downstream, kind="data"):
    return VersionEdge(upstream, downstream, kind)


def notes(up, down, edges, files=()):
    drawing, focus = draw_versions(Trace(up, edges, files), Trace(down, (), ()), ROOT)
    return {item.label: item.note for item in drawing.items.values()}, drawing.edges, focus


RAW = version(1, "raw", kind="observed", rows=0)
REFUSED = version(2, "visits", "2025-03-04", live=False)
RELEASED = version(3, "visits", "2025-03-04", kind="released")
REPORT = version(4, "report", "2025-03-04", rows=1)
FILE = SourceFileRow(1, "/project/data/visits.csv", 9, NOW, "")
EDGES = (edge(1, 2), edge(1, 3), edge(2, 3, "derived"), edge(3, 4))


def test_a_release_is_one_item_with_what_it_was_released_from():
    found, edges, focus = notes((RELEASED, RAW, REFUSED), (RELEASED, REPORT), EDGES, (FILE,))
    assert found == {
        "raw": "0-1, data/visits.csv",
        "visits@2025-03-04": "0-3, 2 rows, released from 0-2",
        "report@2025-03-04": "0-4, 1 row",
    }
    assert edges == (("raw", "visits"), ("visits", "report"))
    assert focus == ["visits"]


def test_the_same_seen_from_downstream():
    found, _, focus = notes((REPORT, RELEASED, REFUSED, RAW), (REPORT,), EDGES)
    assert found["visits@2025-03-04"] == "0-3, 2 rows, released from 0-2"
    assert focus == ["report"]


def test_the_refused_version_itself_can_be_traced():
    found, _, _ = notes((REFUSED, RAW), (REFUSED, RELEASED, REPORT), EDGES)
    assert found["visits@2025-03-04"] == "0-2, 2 rows"


def test_of_several_versions_of_a_partition_the_live_one_is_named():
    older = version(5, "report", "2025-03-04", live=False)
    newer = version(6, "report", "2025-03-04", live=False)
    found, _, _ = notes((RAW,), (RAW, older, REPORT, newer), (edge(1, 4), edge(1, 5), edge(1, 6)))
    assert found["report@2025-03-04"] == "0-4, 1 row, and 2 other versions"


def test_versions_of_several_partitions_are_counted():
    days = tuple(version(10 + n, "visits", f"2025-03-0{n}") for n in (3, 4, 5))
    found, _, _ = notes((REPORT, *days), (REPORT,), tuple(edge(n, 4) for n in (13, 14, 15)))
    assert found["visits@2025-03-03..2025-03-05"] == "3 versions"
