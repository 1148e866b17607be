"""What the sources hold now: their files, fingerprinted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from millgate.errors import SourceChanged
from millgate.model.asset import Source
from millgate.model.dimension import Horizon
from millgate.model.record import SourceFile
from millgate.model.state import Observed
from millgate.plan.fingerprint import reading_fingerprint
from millgate.store import observing


@dataclass(frozen=True)
class Observation:
    """The files of a source for one key; `missing` says why there are none.

    `reading` is the fingerprint of how the files are read: other options give other data.
    """

    files: tuple[SourceFile, ...]
    reading: str
    missing: str = ""

    @property
    def data_hash(self) -> str:
        digest = blake2b(bytes.fromhex(self.reading), digest_size=16)
        for content in sorted(f.content_hash for f in self.files):
            digest.update(bytes.fromhex(content))
        return digest.hexdigest()

    @property
    def observed(self) -> Observed:
        return Observed("" if self.missing else self.data_hash, self.missing)


def observe(
    sources: Iterable[Source], horizon: Horizon, root: Path, known: dict[str, SourceFile]
) -> dict[str, dict[str, Observation]]:
    """What each source holds, by source and key.

    A file whose size and time are those in `known` is not read again; `known` learns the rest.
    """
    return {source.name: _observe_source(source, horizon, root, known) for source in sources}


def _observe_source(
    source: Source, horizon: Horizon, root: Path, known: dict[str, SourceFile]
) -> dict[str, Observation]:
    reading = reading_fingerprint(source, root)
    return {
        key: _observe_key(source, key, reading, root, known)
        for key in source.partitions.keys(horizon)
    }


def _observe_key(
    source: Source, key: str, reading: str, root: Path, known: dict[str, SourceFile]
) -> Observation:
    files = []
    for path in observing.resolve(source, source.partition(key) if key else None, root):
        if not path.is_file():
            return Observation((), reading, f"{_shown(path, root)} does not exist")
        file = observing.fingerprint_file(path, known.get(str(path)))
        known[str(path)] = file
        files.append(file)
    return Observation(tuple(files), reading)


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def check_unchanged(observations: Mapping[str, Observation], asset: str) -> None:
    """Raise SourceChanged if a file is no longer the one that was fingerprinted."""
    for source, observation in observations.items():
        for file in observation.files:
            path = Path(file.path)
            if not path.is_file() or observing.fingerprint_file(path, file) != file:
                raise SourceChanged(
                    f"{file.path} changed while {asset} was reading it",
                    where=f"source {source}",
                    fix="run again when the file is complete; write sources by rename",
                )
