"""The comparison with pandera finds every small mistake in the gate."""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files

import polars as pl
import pytest

from gate.gate_mutations import MUTATIONS, Mutation, mutated
from gate.pandera_answer import Answer, answer
from gate.pandera_difference import differences, forms
from gate.schema_cases import Case, case
from millgate import gate
from millgate.gate.compiled import compile_gate

SOAK = bool(os.environ.get("MILLGATE_SOAK"))
SEEDS = range(480)
"""The cases of `make test`."""


@cache
def known(seed: int) -> tuple[Case, Answer]:
    one = case(seed)
    return one, answer(one.schema, one.frame)


def first_difference(compiled, folder) -> int | None:
    """The first case that a gate judges otherwise than pandera, or breaks on."""
    for seed in SEEDS:
        one, theirs = known(seed)
        for frame in forms(one, folder).values():
            try:
                if any(differences(one, frame, theirs, compiled)):
                    return seed
            except pl.exceptions.PolarsError:
                return seed
    return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "mutation", MUTATIONS if SOAK else MUTATIONS[5::10], ids=lambda mutation: mutation.name
)
def test_a_mistake_is_found(mutation: Mutation, tmp_path):
    with mutated(mutation) as compiled:
        assert first_difference(compiled, tmp_path) is not None


def test_every_mistake_can_be_made():
    for mutation in MUTATIONS:
        source = files(gate).joinpath(f"{mutation.module}.py").read_text(encoding="utf-8")
        assert mutation.applied(source) != source, mutation.name


def test_only_the_mistake_is_found(tmp_path):
    """A mutation that changes nothing is not found, so the others are found for what they are."""
    nothing = Mutation("nothing", "binding", "if column.unique:", "if bool(column.unique):")
    with mutated(nothing) as compiled:
        assert compiled is not compile_gate
        assert [s for s in range(60) if _differs(compiled, s, tmp_path)] == []
    from millgate.gate import compiled as after

    assert after.compile_gate is compile_gate


def _differs(compiled, seed, folder) -> bool:
    one, theirs = known(seed)
    return any(any(differences(one, f, theirs, compiled)) for f in forms(one, folder).values())
