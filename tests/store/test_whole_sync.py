"""A file system synced as a whole in the place of many files, where that keeps the promise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from millgate.errors import StoreError
from millgate.store import files as files_module
from millgate.store import whole_sync
from millgate.store.files import Files
from millgate.store.whole_sync import quickly_synced, sync_file_system
from store.faulty_files import RecordedFiles


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder on a file system that can be synced as a whole, whatever this machine has."""
    device = os.stat(tmp_path).st_dev
    kinds = {f"{os.major(device)}:{os.minor(device)}": "ext4"}
    monkeypatch.setattr(whole_sync.sys, "platform", "linux")
    monkeypatch.setattr(whole_sync, "_version", lambda _: (6, 1))
    monkeypatch.setattr(whole_sync, "mounted", lambda _: kinds)
    monkeypatch.setattr(whole_sync, "waiting", lambda _: 0)
    return tmp_path


def test_one_folder_stands_for_a_file_system(quick: Path) -> None:
    (quick / "deep").mkdir()
    assert len(quickly_synced([quick, quick / "deep"])) == 1


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("mounted", {}),
        ("waiting", 65 << 20),
        ("_version", (5, 7)),
    ],
)
def test_where_it_promises_less_or_may_take_long_it_is_not_done(
    quick: Path, monkeypatch: pytest.MonkeyPatch, part: str, says: object
) -> None:
    monkeypatch.setattr(whole_sync, part, lambda _: says)
    assert quickly_synced([quick]) == []


def test_another_kind_of_file_system_among_them_is_enough(
    quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = os.stat(quick).st_dev
    other = {f"{os.major(device)}:{os.minor(device)}": "fuse.sshfs"}
    monkeypatch.setattr(whole_sync, "mounted", lambda _: other)
    assert quickly_synced([quick]) == []


def test_where_nothing_can_be_found_out_it_is_not_done(quick: Path) -> None:
    assert quickly_synced([quick / "gone"]) == []


def test_mac_has_no_such_call(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_sync.sys, "platform", "darwin")
    assert quickly_synced([quick]) == []


def test_a_file_system_is_synced_and_what_is_gone_is_an_error(tmp_path: Path) -> None:
    sync_file_system(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_file_system(tmp_path / "gone")


def test_many_files_are_synced_as_a_whole_and_few_one_by_one(quick: Path) -> None:
    files = RecordedFiles(quick)
    paths = [quick / str(number) for number in range(files.many)]
    for path in paths:
        path.touch()
    files.sync_all(paths, {quick})
    assert files.calls == [("sync all of", ".")]
    files.calls.clear()
    files.sync_all(paths[1:], {quick})
    assert files.calls[:2] == [("sync", "1"), ("sync", "2")]
    assert files.calls[-1] == ("sync folder", ".")


def test_a_sync_that_fails_is_an_error(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files_module, "sync_file_system", fail)
    with pytest.raises(StoreError, match=r"cannot sync all of .*: Input/output error"):
        Files().sync_all([quick / str(n) for n in range(Files.many)], {quick})
