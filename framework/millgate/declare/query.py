"""What a SQL statement reads and which parameters it names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from millgate.declare.reads import tables_read
from millgate.declare.syntax import named_parameters, parse
from millgate.errors import BadQuery, did_you_mean
from millgate.model.dimension import Dimension
from millgate.model.partition import Partitions

__all__ = [
    "Statement",
    "check_parameters",
    "known_parameters",
    "named_parameters",
    "read_statement",
    "statement_reads",
]


@dataclass(frozen=True)
class Statement:
    """What a query reads and the parameters it names, both sorted; names are in lower case."""

    reads: tuple[str, ...]
    parameters: tuple[str, ...]


def statement_reads(sql: str, where: str) -> frozenset[str]:
    """The tables that a query reads, in lower case; BadQuery if it is no single query.

    >>> sorted(statement_reads("WITH a AS (FROM b) FROM a JOIN production.C USING (id)", "x.sql"))
    ['b', 'c']
    """
    return frozenset(read_statement(sql, where).reads)


def read_statement(sql: str, where: str) -> Statement:
    """What a query reads and names; `where` is the file, or the file and line, it stands in."""
    none: frozenset[str] = frozenset()
    reads = none.union(*(tables_read(tree) for tree in parse(sql, where)))
    return Statement(tuple(sorted(reads)), named_parameters(sql))


def check_parameters(names: Iterable[str], partitions: Partitions, where: str) -> None:
    """Raise BadQuery for a `$parameter` that a query over these partitions does not have."""
    known = known_parameters(partitions)
    for name in names:
        if name in known:
            continue
        if partitions.batched is not None and name in ("partition_key", partitions.batched.name):
            raise _of_one_partition(name, partitions.batched, where)
        if name.isdigit():
            what = "the query has a parameter without a name"
        else:
            what = f"the query names ${name}, which it does not have"
        otherwise = f"parameters are {', '.join('$' + k for k in known)}"
        if not known:
            otherwise = 'it has parameters once it is partitioned, such as by Daily("2013-01-01")'
        raise BadQuery(what, where=where, fix=did_you_mean(name, known, otherwise))


def known_parameters(partitions: Partitions) -> tuple[str, ...]:
    """The `$parameters` that a query over these partitions may name."""
    if not partitions.dimensions:
        return ()
    window = ("partition_start", "partition_end") if partitions.time else ()
    if partitions.batched is None:
        return ("partition_key", *window, *partitions.names)
    others = (name for name in partitions.names if name != partitions.batched.name)
    return ("partition_keys", *window, *others)


def _of_one_partition(name: str, along: Dimension, where: str) -> BadQuery:
    return BadQuery(
        f"${name} is the key of one partition, and batch={along.batch} computes several as one",
        where=where,
        fix=f"select the column {along.name}, and where rows must be chosen write such as "
        f"WHERE list_contains($partition_keys, {along.name}); or leave batch= out",
    )
