"""Which partitions are due to be made again by the clock, and which were missed."""

from __future__ import annotations

from dataclasses import dataclass

from millgate.model.asset import Asset
from millgate.model.dimension import Horizon
from millgate.model.partition import split
from millgate.model.refresh import Refresh
from millgate.model.state import Live


@dataclass(frozen=True)
class Clock:
    """The refreshing of one asset at one moment; `catches_up` is a run that makes missed ones."""

    asset: Asset
    horizon: Horizon
    catches_up: bool

    @property
    def is_made_once(self) -> bool:
        """Whether what is live or held stays, whatever changes."""
        return self.asset.refresh == "never"

    def is_due(self, key: str, live: Live) -> bool:
        """Whether a live version is old enough to be made again."""
        refresh = self.asset.refresh
        if not isinstance(refresh, Refresh):
            return False
        return refresh.is_due(live.made_at, self.asset.partition(key).end, self.horizon.now)

    def is_missed(self, key: str) -> bool:
        """Whether the time to make a partition is over: it shows the day on which it is made."""
        time = self.asset.partitions.time
        if not self.is_made_once or self.catches_up or time is None:
            return False
        newest = time.keys(self.horizon)[-1]
        return split(key)[self.asset.partitions.names.index(time.name)] != newest
