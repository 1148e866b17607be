"""File calls: what they leave, and how they fail."""

import errno
import os
from pathlib import Path

import pytest

from millgate.errors import StoreError
from millgate.store.files import Files
from store.faulty_files import FailingFiles, RecordedFiles, RecordedUnlinkableFiles


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    path = tmp_path / "staging" / "1.parquet"
    path.parent.mkdir()
    path.write_bytes(b"rows" * 1000)
    return path


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_bringing_gives_a_file_a_second_read_only_name(tmp_path: Path, staged: Path) -> None:
    target = tmp_path / "versions" / "a" / "1.parquet"
    Files().bring(staged, target)
    assert target.samefile(staged)
    assert mode(target) == 0o444


def test_bringing_links_a_protected_file(tmp_path: Path, staged: Path) -> None:
    files = RecordedFiles(tmp_path)
    files.bring(staged, tmp_path / "v" / "1.parquet")
    assert files.calls == [
        ("protect", "staging/1.parquet"),
        ("make folder", "v"),
        ("link", "v/1.parquet"),
    ]


@pytest.mark.parametrize("at_once", [1, 4])
def test_each_path_is_called_with_and_an_error_is_raised(tmp_path: Path, at_once: int) -> None:
    files = Files()
    files.at_once = at_once
    paths = [tmp_path / str(n) for n in range(20)]
    for path in paths:
        path.write_text("x")
    files.each(files.unlink, paths)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreError, match="cannot sync"):
        files.each(files.sync_file, paths)


def test_where_no_second_name_is_possible_a_copy_is_renamed(tmp_path: Path, staged: Path) -> None:
    files = RecordedUnlinkableFiles(tmp_path)
    target = tmp_path / "v" / "1.parquet"
    files.bring(staged, target)
    assert files.calls[2:] == [
        ("link", "v/1.parquet"),
        ("copy to", "v/.1.parquet.part"),
        ("protect", "v/.1.parquet.part"),
        ("rename", "v/1.parquet"),
    ]
    assert not target.samefile(staged)
    assert target.read_bytes() == staged.read_bytes()
    assert mode(target) == 0o444
    assert [p.name for p in target.parent.iterdir()] == ["1.parquet"]


def test_bringing_never_replaces_a_file(tmp_path: Path, staged: Path) -> None:
    target = tmp_path / "1.parquet"
    target.write_text("older")
    with pytest.raises(StoreError, match=r"cannot link 1\.parquet: File exists"):
        Files().bring(staged, target)
    assert target.read_text() == "older"


@pytest.mark.parametrize("cloning", [True, False])
@pytest.mark.parametrize("size", [0, 1, 3 * (1 << 20) + 17])
def test_a_copy_is_equal_and_leaves_the_descriptor_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cloning: bool, size: int
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EXDEV, "no clone")

    if not cloning:
        monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    source = tmp_path / "source"
    source.write_bytes(os.urandom(size))
    descriptor = os.open(source, os.O_RDONLY)
    try:
        for name in ("one", "two"):
            Files().copy(descriptor, tmp_path / name)
            assert (tmp_path / name).read_bytes() == source.read_bytes()
        assert os.fstat(descriptor).st_size == size
    finally:
        os.close(descriptor)


def test_a_symlink_is_replaced_at_once_and_relative(tmp_path: Path) -> None:
    link = tmp_path / "w.duckdb"
    (tmp_path / ".w.duckdb.new").write_text("left by a crash")
    for number in ("1", "2"):
        (tmp_path / number).write_text(number)
        Files().point(link, tmp_path / number)
        assert os.readlink(link) == number
        assert link.read_text() == number
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1", "2", "w.duckdb"]


def test_removing_what_is_not_there_is_done_already(tmp_path: Path) -> None:
    Files().unlink(tmp_path / "a")
    Files().remove_folder(tmp_path / "b" / "c")


@pytest.mark.parametrize(
    ("number", "said", "fix"),
    [
        (errno.ENOSPC, "No space left on device", "free some space"),
        (errno.EDQUOT, "quota exceeded", "free some space"),
        (errno.EIO, "Input/output error", "check that disk"),
        (errno.EACCES, "Permission denied", "let this user write to"),
        (errno.EROFS, "Read-only file system", "let this user write to"),
        (errno.ENOTDIR, "Not a directory", "move what stands in the way"),
        (errno.ENAMETOOLONG, "File name too long", "use shorter names"),
    ],
)
def test_an_error_says_what_where_and_what_to_do(
    tmp_path: Path, number: int, said: str, fix: str
) -> None:
    path = tmp_path / "absent" / "x"
    with pytest.raises(StoreError) as caught:
        FailingFiles(1, number).make_folder(path)
    assert caught.value.what.startswith("cannot make folder x: ")
    assert said in caught.value.what
    assert caught.value.where == str(path)
    assert caught.value.fix.startswith(fix)
    assert len(str(caught.value).splitlines()) == 3
    if fix == "let this user write to":
        assert f"{tmp_path}," in caught.value.fix, "names the folder that exists"
