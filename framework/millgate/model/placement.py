"""Where the steps of a run are carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from millgate.errors import UsageError, did_you_mean

Kind = Literal["threads", "processes", "dask"]


@dataclass(frozen=True)
class Placement:
    """Threads of this process, processes of this machine, or a Dask cluster.

    `address` is the cluster's scheduler; without one a cluster is started on this machine.
    """

    kind: Kind = "threads"
    address: str = ""

    @property
    def stops_steps(self) -> bool:
        """Whether a step that takes too long can be ended there."""
        return self.kind == "processes"

    @classmethod
    def parse(cls, text: str, *, where: str) -> Placement:
        """
        >>> Placement.parse("dask:tcp://10.0.0.1:8786", where="doctest")
        Placement(kind='dask', address='tcp://10.0.0.1:8786')
        """
        name, colon, address = text.partition(":")
        kind: Kind | None = next((k for k in get_args(Kind) if k == name), None)
        if kind is None or (colon and (kind != "dask" or not address)):
            known = "write threads, processes, dask or dask:ADDRESS"
            raise UsageError(
                f"{text!r} is no executor",
                where=where,
                fix=known if kind else did_you_mean(name, get_args(Kind), known),
            )
        return cls(kind, address)
