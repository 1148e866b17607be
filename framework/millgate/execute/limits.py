"""How many steps of assets with a tag may run at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush


class Limits:
    """The places that each limited tag has, who is in them and who waits for one.

    Steps are told apart by their rank in the plan, the lowest first. A step takes a place of
    each of its asset's limited tags; one that finds a tag full waits for that tag.

    >>> limits = Limits({"api": 1}, {"weather": frozenset({"api"})})
    >>> limits.admits("weather", 0), limits.admits("weather", 1), limits.leave("weather", 0)
    (True, False, [1])
    """

    def __init__(self, places: Mapping[str, int], tags: Mapping[str, frozenset[str]]) -> None:
        self._places = places
        self._tags = {asset: sorted(given & places.keys()) for asset, given in tags.items()}
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, list[int]] = defaultdict(list)
        self._inside: set[int] = set()

    def admits(self, asset: str, rank: int) -> bool:
        """Whether a step may run, which takes its places; else it waits."""
        tags = self._of(asset)
        full = next((tag for tag in tags if self._taken[tag] >= self._places[tag]), None)
        if full is not None:
            heappush(self._waiting[full], rank)
            return False
        self._taken.update(tags)
        self._inside.add(rank)
        return True

    def leave(self, asset: str, rank: int) -> list[int]:
        """Give the places of a step back, if it has any; the steps that may ask again."""
        if rank not in self._inside:
            return []
        self._inside.remove(rank)
        self._taken.subtract(self._of(asset))
        return self.let_through(asset)

    def let_through(self, asset: str) -> list[int]:
        """For each tag of an asset that has a place, the first that waits for it."""
        return [
            heappop(self._waiting[tag])
            for tag in self._of(asset)
            if self._waiting[tag] and self._taken[tag] < self._places[tag]
        ]

    def _of(self, asset: str) -> Sequence[str]:
        return self._tags.get(asset, ())
