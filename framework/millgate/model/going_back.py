"""Going back: what a person means, and what it changes in production."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from millgate.errors import UsageError
from millgate.model.partition import label
from millgate.model.record import read_id

_VERSION = re.compile(r"[0-9]+-[0-9]+")
_SNAPSHOT = re.compile(r"snapshot:([0-9]+)")


@dataclass(frozen=True)
class Destination:
    """Where to go back to: `previous`, a moment, a snapshot or one version.

    `moment` is aware; `number` that of the snapshot or the version.
    """

    kind: Literal["previous", "moment", "snapshot", "version"]
    text: str
    moment: datetime | None = None
    number: int = 0

    @classmethod
    def parse(cls, text: str, zone: tzinfo | None) -> Destination:
        """What `text` writes; a time without an offset is one of `zone`. UsageError otherwise.

        >>> Destination.parse("118-45", None).number
        118000045
        """
        if text == "previous":
            return cls("previous", text)
        snapshot = _SNAPSHOT.fullmatch(text)
        if snapshot:
            return cls("snapshot", text, number=int(snapshot[1]))
        if _VERSION.fullmatch(text):
            return cls("version", text, number=read_id(text))
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(
                f"{text!r} is no time and no version",
                where=f"going back to {text}",
                fix="write 2025-03-04, 2025-03-04T18:00, 2025-03-04T18:00Z, snapshot:42, "
                "and for a rollback also previous or 118-45",
            ) from None
        return cls("moment", text, moment if moment.tzinfo else moment.replace(tzinfo=zone))


@dataclass(frozen=True)
class Move:
    """One partition going back: the version that leaves and the one that comes, None for none."""

    asset: str
    partition: str
    leaves: int | None
    returns: int | None
    downstream: bool = False
    """Whether it goes back because of what it is made from."""

    @property
    def id(self) -> tuple[str, str]:
        return self.asset, self.partition

    def __str__(self) -> str:
        return label(self.asset, self.partition)


@dataclass(frozen=True)
class Rollback:
    """What a rollback would change: shown to a person, then carried out as it was shown.

    `stale` names the downstream partitions that stay and are made from what leaves.
    """

    target: str
    destination: Destination
    moves: tuple[Move, ...]
    stale: tuple[tuple[str, str], ...] = ()
