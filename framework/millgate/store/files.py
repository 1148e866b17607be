"""Every file call that a commit makes, in one place, so that their order can be asserted."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from millgate.errors import StoreError
from millgate.store.whole_sync import quickly_synced, sync_file_system

T = TypeVar("T")

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_CANNOT_LINK = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
)
_CANNOT_CLONE = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF})
_CHUNK = 1 << 20
_READ_ONLY = 0o444


class Files:
    """File calls whose errors are StoreErrors, each passing through `perform`."""

    at_once = 16
    """How many calls of `each` are under way together."""

    many = 64
    """With so many files it takes less to sync all of their file system, if that can be done."""

    def perform(self, what: str, path: Path, call: Callable[[], T]) -> T:
        """Make one file call. A test overrides this to record calls, or to let them fail."""
        try:
            return call()
        except OSError as error:
            raise _impossible(what, path, error) from error

    def make_folder(self, folder: Path) -> bool:
        """Make a folder and those above it, where they are missing; whether it was."""
        return self.perform("make folder", folder, lambda: _make_folder(folder))

    def protect(self, file: Path) -> None:
        """Let nobody write to a file any more."""
        self.perform("protect", file, lambda: file.chmod(_READ_ONLY))

    def sync_file(self, file: Path) -> None:
        """Return once a file's content is on the disk."""
        self.perform("sync", file, lambda: _sync(file))

    def sync_folder(self, folder: Path) -> None:
        """Return once the entries of a folder are on the disk."""
        self.perform("sync folder", folder, lambda: _sync(folder))

    def sync_all(self, files: Collection[Path], folders: Collection[Path]) -> None:
        """Return once the content of files and the entries of folders are on the disk.

        One by one, the files come first, then the deepest folders; many files may be synced with
        all of their file system instead.
        """
        if len(files) >= self.many and (whole := quickly_synced(folders)):
            for folder in whole:
                self.perform("sync all of", folder, partial(sync_file_system, folder))
            return
        self.each(self.sync_file, files)
        self.each(self.sync_folder, sorted(folders, key=lambda f: (-len(f.parts), str(f))))

    def link(self, source: Path, target: Path) -> None:
        """Give a file a second name, which must be new."""
        self.perform("link", target, lambda: os.link(source, target))

    def rename(self, source: Path, target: Path) -> None:
        self.perform("rename", target, lambda: os.rename(source, target))

    def unlink(self, file: Path) -> None:
        """Remove a file, if it is there."""
        self.perform("remove", file, lambda: file.unlink(missing_ok=True))

    def remove_folder(self, folder: Path) -> None:
        """Remove a folder with all that is in it, if it is there."""
        self.perform("remove folder", folder, lambda: _remove_tree(folder))

    def copy(self, source: Path | int, target: Path) -> None:
        """Copy the content of a file, or of an open descriptor, which stays open."""
        self.perform("copy to", target, lambda: _copy(source, target))

    def write_text(self, file: Path, text: str) -> None:
        self.perform("write", file, lambda: file.write_text(text, encoding="utf-8"))

    def point(self, link: Path, target: Path) -> None:
        """Make `link` a symlink to `target`, replacing it in one instant."""
        new = link.with_name(f".{link.name}.new")
        self.unlink(new)
        relative = target.relative_to(link.parent)
        self.perform("make symlink", new, lambda: new.symlink_to(relative))
        self.rename(new, link)

    def each(self, call: Callable[[Path], None], paths: Collection[Path]) -> None:
        """Make one call for each path, several at once: a disk syncs many files as fast as one."""
        ordered = list(paths)

        def every(start: int) -> None:
            for path in ordered[start :: self.at_once]:
                call(path)

        width = min(self.at_once, len(ordered))
        if width <= 1:
            every(0)
            return
        with ThreadPoolExecutor(width) as pool:
            list(pool.map(every, range(width)))

    def bring(self, source: Path, target: Path) -> None:
        """Put a finished file under a new name for good, read-only; it is not synced yet.

        The file keeps its old name too, because steps of the same run may be reading it there.
        Where no second name is possible (another file system) the target is a copy.
        """
        self.protect(source)
        self.make_folder(target.parent)
        try:
            self.link(source, target)
        except StoreError as error:
            if not cannot_link(error):
                raise
            part = target.with_name(f".{target.name}.part")
            try:
                self.copy(source, part)
                self.protect(part)
                self.rename(part, target)
            except StoreError:
                with suppress(StoreError):
                    self.unlink(part)
                raise


def _make_folder(folder: Path) -> bool:
    try:
        os.mkdir(folder)
    except FileExistsError:
        if folder.is_dir():
            return False
        raise
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
    return True


@contextmanager
def translated(what: str, path: Path) -> Iterator[None]:
    """Turn an OSError into the StoreError that says what could not be done to `path`."""
    try:
        yield
    except OSError as error:
        raise _impossible(what, path, error) from error


def _impossible(what: str, path: Path, error: OSError) -> StoreError:
    reason = error.strerror or str(error)
    return StoreError(
        f"cannot {what} {path.name}: {reason}", where=str(path), fix=_fix(error, path)
    )


def cannot_link(error: StoreError) -> bool:
    """Whether a hard link failed because there can be none, rather than by an accident."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in _CANNOT_LINK


def _fix(error: OSError, path: Path) -> str:
    if error.errno in _FULL:
        return "free some space on that disk and run again; the last snapshot is unharmed"
    if error.errno in _FORBIDDEN:
        return f"let this user write to {_standing(path)}, or set another folder in [tool.millgate]"
    if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        return "move what stands in the way and run again"
    if error.errno == errno.ENAMETOOLONG:
        return "use shorter names or partition keys"
    return "check that disk and run again; the last snapshot is unharmed"


def _standing(path: Path) -> Path:
    """The nearest folder above `path` that can be seen to exist."""
    return next((f for f in path.parents if os.path.isdir(f)), path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if sys.platform == "darwin":
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_tree(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        if folder.exists():
            raise


def _copy(source: Path | int, target: Path) -> None:
    if isinstance(source, Path):
        with open(source, "rb") as file:
            _copy(file.fileno(), target)
        return
    with open(target, "wb") as out:
        size, done = os.fstat(source).st_size, 0
        while done < size:
            count = _copy_some(source, out.fileno(), done, size - done)
            if count == 0:
                raise OSError(errno.EIO, "the file became shorter while it was copied")
            done += count


def _copy_some(source: int, target: int, offset: int, count: int) -> int:
    """Copy up to `count` bytes and return how many; blocks are shared where that is possible."""
    if sys.platform == "linux":
        try:
            return os.copy_file_range(source, target, count, offset, offset)
        except OSError as error:
            if error.errno not in _CANNOT_CLONE:
                raise
    return os.pwrite(target, os.pread(source, min(count, _CHUNK), offset), offset)
