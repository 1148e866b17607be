from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from millgate.errors import DeclarationError, StoreError
from millgate.model.asset import Source
from millgate.model.dimension import Keys
from millgate.model.grain import Daily, Hourly
from millgate.model.partition import Partition, Partitions
from millgate.store.observing import fingerprint_file, resolve

DAILY = Partitions((Daily("2013-01-01"),))


def resolved(
    root: Path, location: Any, partitions: Partitions | None = None, key: str = ""
) -> list[str]:
    source = Source(name="raw", location=location, partitions=partitions or Partitions())
    paths = resolve(source, source.partition(key) if key else None, root)
    return [str(p.relative_to(root)) if p.is_relative_to(root) else str(p) for p in paths]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project [1]"
    for name in ("data/b.csv", "data/a.csv", "data/a.txt", "data/deep/c.csv", "data/x[1].csv"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "data" / "folder.csv").mkdir()
    return root


def with_partition(partition: Partition) -> str:
    return f"by/{partition['date']:%Y/%m}.csv"


def without() -> Path:
    return Path("data/a.csv")


@pytest.mark.parametrize(
    ("location", "found"),
    [
        ("data/a.csv", ["data/a.csv"]),
        (Path("data/a.csv"), ["data/a.csv"]),
        ("data/none.csv", ["data/none.csv"]),
        ("data/*.csv", ["data/a.csv", "data/b.csv", "data/x[1].csv"]),
        ("data/**/*.csv", ["data/a.csv", "data/b.csv", "data/deep/c.csv", "data/x[1].csv"]),
        ("data/x[1].csv", ["data/x[1].csv"]),
        ("data/[ab].csv", ["data/a.csv", "data/b.csv"]),
        ("none/*.csv", ["none/*.csv"]),
        (without, ["data/a.csv"]),
    ],
)
def test_the_files_of_an_unpartitioned_source(root: Path, location: Any, found: list[str]) -> None:
    assert resolved(root, location) == found


@pytest.mark.parametrize(
    ("location", "partitions", "key", "found"),
    [
        ("raw/{date}.csv", DAILY, "2013-01-02", "raw/2013-01-02.csv"),
        ("raw/{date:%Y%m%d}.csv", DAILY, "2013-01-02", "raw/20130102.csv"),
        ("raw/{date:%Y}/{date}.csv", DAILY, "2013-01-02", "raw/2013/2013-01-02.csv"),
        (with_partition, DAILY, "2013-01-02", "by/2013/01.csv"),
        (
            "{hour}.csv",
            Partitions((Hourly("2013-11-03"),)),
            "2013-11-03T05:00Z",
            "2013-11-03T05:00Z.csv",
        ),
        (
            "{date}/{key}.csv",
            Daily("2013-01-01") * Keys("a*[b]", "é c"),
            "2013-01-02/a*[b]",
            "2013-01-02/a*[b].csv",
        ),
    ],
)
def test_keys_fill_the_fields_of_a_pattern(
    root: Path, location: Any, partitions: Partitions, key: str, found: str
) -> None:
    assert resolved(root, location, partitions, key) == [found]


def test_a_key_is_no_pattern_but_the_rest_may_be(root: Path) -> None:
    for name in ("a*-1.csv", "a*-2.csv", "ab-1.csv"):
        (root / name).write_text("")
    keys = Partitions((Keys("a*", "b"),))
    assert resolved(root, "{key}-?.csv", keys, "a*") == ["a*-1.csv", "a*-2.csv"]


def raising() -> str:
    raise LookupError("no such bucket")


@pytest.mark.parametrize(
    ("location", "what", "fix"),
    [
        ("{dat}.csv", "{dat}, which is no dimension", "date"),
        ("{}.csv", "no dimension", "date"),
        ("data", "is a folder", "*.parquet"),
        ("s3://bucket/x.csv", "not a file", "asset"),
        (lambda: None, "is a NoneType", "path"),
        (raising, "raised LookupError: no such bucket", "function"),
    ],
)
def test_a_location_that_names_no_file(root: Path, location: Any, what: str, fix: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        resolved(root, location, DAILY, "2013-01-01")
    assert what in refused.value.what
    assert fix in refused.value.fix


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.csv"
    path.write_bytes(b"n\n1\n")
    os.utime(path, ns=(0, 1_357_084_800_123_456_789))
    return path


def test_a_fingerprint_is_size_time_and_content(file: Path) -> None:
    found = fingerprint_file(file)
    assert found.path == str(file)
    assert found.bytes == 4
    assert found.modified_at.isoformat() == "2013-01-02T00:00:00.123456+00:00"
    assert found.content_hash == blake2b(b"n\n1\n", digest_size=16).hexdigest()


def rewritten(file: Path) -> None:
    file.write_bytes(b"n\n2\n")
    os.utime(file, ns=(0, 1_357_084_801_000_000_000))


def grown(file: Path) -> None:
    file.write_bytes(b"n\n1\n2\n")
    os.utime(file, ns=(0, 1_357_084_800_123_456_789))


def untouched(file: Path) -> None:
    assert file.exists()


@pytest.mark.parametrize(
    ("change", "is_read"), [(untouched, False), (rewritten, True), (grown, True)]
)
def test_a_file_is_read_again_only_if_size_or_time_differ(
    file: Path, change: Callable[[Path], None], is_read: bool
) -> None:
    known = replace(fingerprint_file(file), content_hash="0" * 32)
    change(file)
    assert (fingerprint_file(file, known).content_hash != "0" * 32) is is_read


def test_the_same_content_at_another_time_has_the_same_hash(file: Path) -> None:
    known = fingerprint_file(file)
    os.utime(file, ns=(0, 0))
    found = fingerprint_file(file, known)
    assert found != known
    assert found.content_hash == known.content_hash


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        fingerprint_file(tmp_path / "gone.csv")
