"""The order of the file calls of a commit, on which everything else rests."""

from pathlib import Path

import pytest

from millgate.store.files import Files
from millgate.store.layout import Layout
from millgate.store.warehouse import Warehouse
from store.faulty_files import (
    RecordedFiles,
    RecordedUnlinkableFiles,
    first,
    layout_of,
    second,
    stage,
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return layout_of(tmp_path)


def test_a_commit_calls_files_in_the_order_that_keeps_its_promise(layout: Layout) -> None:
    first(Warehouse(layout, Files()))
    files = RecordedFiles(layout.root)
    second(Warehouse(layout, files))
    new = "warehouse/versions/flights/date=2013-01-0"
    held = "quarantine/flights/date=2013-01-05"
    served_as = "warehouse/production/flights/date=2013-01-0"
    assert files.calls == [
        # the draft, from the last snapshot
        ("remove folder", "warehouse/snapshots/.draft"),
        ("make folder", "warehouse/snapshots/.draft"),
        ("copy to", "warehouse/snapshots/.draft/warehouse.duckdb"),
        # files get their final names beside those they have in staging
        ("protect", "warehouse/staging/2/2-1.parquet"),
        ("make folder", f"{new}1"),
        ("link", f"{new}1/2-1.parquet"),
        ("protect", "warehouse/staging/2/2-4.parquet"),
        ("make folder", f"{new}4"),
        ("link", f"{new}4/2-4.parquet"),
        ("protect", "warehouse/staging/2/2-5.parquet"),
        ("make folder", f"{held}/2-5"),
        ("link", f"{held}/2-5/rows.parquet"),
        ("make folder", f"{held}/2-5"),
        ("write", f"{held}/2-5/report.json"),
        ("protect", f"{held}/2-5/report.json"),
        # their content is on the disk before a snapshot names them
        ("sync", f"{new}1/2-1.parquet"),
        ("sync", f"{new}4/2-4.parquet"),
        ("sync", f"{held}/2-5/rows.parquet"),
        ("sync", f"{held}/2-5/report.json"),
        # every entry on their paths, the deepest first
        ("sync folder", f"{held}/2-5"),
        ("sync folder", f"{new}1"),
        ("sync folder", f"{new}4"),
        ("sync folder", held),
        ("sync folder", "warehouse/versions/flights"),
        ("sync folder", "quarantine/flights"),
        ("sync folder", "warehouse/versions"),
        ("sync folder", "quarantine"),
        ("sync folder", "warehouse"),
        ("sync folder", "."),
        # there is room for what will be served
        ("make folder", f"{served_as}1"),
        ("make folder", f"{served_as}4"),
        # the snapshot that names them
        ("protect", "warehouse/snapshots/.draft/warehouse.duckdb"),
        ("sync", "warehouse/snapshots/.draft/warehouse.duckdb"),
        ("sync folder", "warehouse/snapshots/.draft"),
        ("remove folder", "warehouse/snapshots/00000002"),
        ("rename", "warehouse/snapshots/00000002"),
        ("sync folder", "warehouse/snapshots"),
        # what leaves production leaves first
        ("make folder", "warehouse/production"),
        ("write", "warehouse/production/.behind-2"),
        ("sync folder", "warehouse/production"),
        ("remove", f"{served_as}2/data.parquet"),
        ("sync folder", f"{served_as}2"),
        # the swap
        ("remove", "warehouse/.warehouse.duckdb.new"),
        ("make symlink", "warehouse/.warehouse.duckdb.new"),
        ("rename", "warehouse/warehouse.duckdb"),
        ("sync folder", "warehouse"),
        # what enters production follows
        ("remove", f"{served_as}1/.data.parquet.new"),
        ("link", f"{served_as}1/.data.parquet.new"),
        ("rename", f"{served_as}1/data.parquet"),
        ("link", f"{served_as}4/data.parquet"),
        ("remove", "warehouse/production/.behind-2"),
    ]


@pytest.mark.parametrize("kind", [RecordedFiles, RecordedUnlinkableFiles])
def test_what_a_commit_names_is_synced_before_the_swap(
    layout: Layout, kind: type[RecordedFiles]
) -> None:
    recorded = kind(layout.root)
    first(Warehouse(layout, recorded))
    second(Warehouse(layout, recorded))
    ends = [i for i, call in enumerate(recorded.calls) if call[1].endswith("/warehouse.duckdb")]
    swaps = [i for i in ends if recorded.calls[i] == ("rename", "warehouse/warehouse.duckdb")]
    assert len(swaps) == 2
    for begin, swap in zip((0, swaps[0]), swaps, strict=True):
        before = recorded.calls[begin:swap]
        synced = {path for what, path in before if what.startswith("sync")}
        for what, path in before:
            if what in ("link", "rename", "write") and (
                "versions/" in path or "quarantine" in path
            ):
                assert path in synced or what == "rename" or path.endswith(".part"), path
                assert all(str(folder) in synced for folder in Path(path).parents), path
            if what == "rename" and "versions/" in path:
                assert path in synced


@pytest.mark.parametrize(
    ("warehouse", "quarantine"), [("q/w", "q"), ("w", "w/q"), ("a/w", "b/q"), ("w", "q")]
)
def test_every_folder_up_to_the_project_is_synced_wherever_they_lie(
    tmp_path: Path, warehouse: str, quarantine: str
) -> None:
    layout = Layout(tmp_path, tmp_path / warehouse, tmp_path / quarantine)
    layout.warehouse.mkdir(parents=True)
    layout.quarantine.mkdir(parents=True, exist_ok=True)
    first(Warehouse(layout, Files()))
    files = RecordedFiles(tmp_path)
    second(Warehouse(layout, files))
    swap = files.calls.index(("rename", f"{warehouse}/warehouse.duckdb"))
    synced = {path for what, path in files.calls[:swap] if what == "sync folder"}
    for top in (warehouse, quarantine):
        held = Path(top) / ("versions" if top == warehouse else "") / "flights"
        above = [held, *(folder for folder in held.parents if folder.is_relative_to(Path(top)))]
        assert {str(folder) for folder in (*above, Path(top).parent)} <= synced


def test_what_was_synced_beside_is_not_synced_again_and_what_came_later_is(layout: Layout) -> None:
    first(Warehouse(layout, Files()))
    files = RecordedFiles(layout.root)
    warehouse = Warehouse(layout, files)
    with warehouse.committing() as commit:
        early, late = "flights/date=2013-01-01/2-1.parquet", "planes/2-2.parquet"
        commit.move(stage(layout, 2, 1, 11), early, "versions")
        commit.sync()
        assert ("sync", f"warehouse/versions/{early}") in files.calls
        assert ("sync folder", "warehouse/versions/flights") in files.calls
        files.calls.clear()
        commit.move(stage(layout, 2, 2, 12), late, "versions")
        commit.publish()
    swap = files.calls.index(("rename", "warehouse/warehouse.duckdb"))
    synced = [path for what, path in files.calls[:swap] if what in ("sync", "sync folder")]
    assert f"warehouse/versions/{early}" not in synced
    for path in (f"warehouse/versions/{late}", "warehouse/versions/planes", "warehouse/versions"):
        assert path in synced
