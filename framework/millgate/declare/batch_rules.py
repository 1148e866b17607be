"""Whether code that is to compute adjacent partitions as one says so itself."""

from __future__ import annotations

from millgate.declare.parameters import Parameters
from millgate.errors import DeclarationError
from millgate.model.partition import Partitions


def check_batched(parameters: Parameters, partitions: Partitions, where: str) -> None:
    """Raise DeclarationError where `batch=` and the parameters of a function do not agree.

    A function that returns frames is written for many partitions if it takes `list[Partition]`;
    one that returns SQL needs none, as `.sql` files do.
    """
    along, name = partitions.batched, parameters.partition
    if parameters.takes_many and along is None:
        raise DeclarationError(
            f"{name}: list[Partition] takes adjacent partitions at once, and nothing says how many",
            where=where,
            fix='say it in the partitioning, such as partitions=Daily("2013-01-01", batch=31); '
            "or take one, annotated Partition",
        )
    if along is None or parameters.takes_many:
        return
    if name is not None:
        raise DeclarationError(
            f"batch={along.batch} computes adjacent partitions as one, and {name}: Partition "
            "takes a single one",
            where=where,
            fix=f"annotate it as {name}s: list[Partition], and return the column {along.name}; "
            "or leave batch= out",
        )
    if not parameters.returns_sql:
        raise DeclarationError(
            f"batch={along.batch} computes adjacent partitions as one, and the function does not "
            "say that it can",
            where=where,
            fix=f"add a parameter partitions: list[Partition], and return the column {along.name}; "
            "or leave batch= out",
        )
