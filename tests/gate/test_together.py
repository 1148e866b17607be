"""Small frames that are judged together are judged as each of them is alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import pandera.polars as pa
import polars as pl
import pytest

from gate.schema_cases import case
from millgate.errors import GateError
from millgate.gate import compiled
from millgate.gate.compiled import Candidate, CompiledGate, compile_gate
from millgate.gate.evaluate import Evaluation
from millgate.gate.inspection import Asked, Findings
from millgate.gate.surroundings import Surroundings
from millgate.model.policy import Gate
from millgate.model.schema import Schema

MEASURE = (pl.len().alias("rows@"),)


def candidate(frame: pl.DataFrame | pl.LazyFrame) -> Candidate:
    return Candidate(frame, frame.collect_schema(), Schema(()), None, measure=MEASURE)


def told(evaluation: Evaluation) -> tuple[object, ...]:
    return evaluation.judgement, dict(evaluation.measured), evaluation.failing.to_list()


def alone(gate: CompiledGate, frame: pl.DataFrame) -> tuple[object, ...] | str:
    try:
        (found,) = gate.evaluate_all([candidate(frame)])
    except GateError as error:
        return error.what
    return told(found)


def parts(frame: pl.DataFrame, random: Random) -> list[pl.DataFrame]:
    """A frame in parts, some of them empty."""
    cuts = sorted(random.choices(range(frame.height + 1), k=3))
    ends = [0, *cuts, frame.height]
    return [frame[start:end] for start, end in pairwise(ends)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("block", range(2))
def test_a_frame_is_judged_beside_others_as_it_is_alone(block: int) -> None:
    several = 0
    for seed in range(9000 + 60 * block, 9060 + 60 * block):
        one = case(seed)
        gate = compile_gate(Gate(one.schema, on_failure="split"), "asset")
        frames = [one.frame, *parts(one.frame, Random(seed))]
        expected = [alone(gate, frame) for frame in frames]
        if any(isinstance(each, str) for each in expected):
            with pytest.raises(GateError):
                gate.evaluate_all([candidate(frame) for frame in frames])
            continue
        found = gate.evaluate_all([candidate(frame) for frame in frames])
        assert [told(each) for each in found] == expected, f"case({seed})"
        several += len({str(each) for each in expected}) > 1
    assert several > 20


def test_a_check_that_raises_on_one_frame_spoils_no_other() -> None:
    def whole(data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("a").str.to_integer() > 0)

    schema = pa.DataFrameSchema({"a": pa.Column(pl.String, pa.Check(whole, name="whole"))})
    gate = compile_gate(Gate(schema, on_failure="split"), "asset")
    frames = [pl.DataFrame({"a": [text]}) for text in ("1", "x", "-1", "2")]
    found = gate.evaluate_all([candidate(frame) for frame in frames])
    assert [each.judgement.verdict for each in found] == ["promote", "hold", "split", "promote"]
    assert [each.measured["rows@"] for each in found] == [1, 1, 1, 1]
    assert "x" in found[1].judgement.failed[0].message


def test_frames_that_look_at_references_are_taken_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A binding holds the values of its references, of which a batch would have many."""
    inspected: list[int] = []
    inspect = compiled.inspect_frames

    def counted(asked: Sequence[Asked]) -> list[Findings]:
        inspected.append(len(asked))
        return inspect(asked)

    def candidates() -> Iterator[Candidate]:
        for number in range(3):
            assert len(inspected) == number
            noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
            around = Surroundings(noon, references={"ref": pl.LazyFrame({"id": [0, 1]})})
            frame = pl.DataFrame({"k": [number]})
            yield Candidate(frame, frame.schema, Schema(()), None, around)

    monkeypatch.setattr(compiled, "inspect_frames", counted)
    gate = compile_gate(Gate(references={"k": "ref.id"}), "asset")
    found = [each.judgement.verdict for each in gate.evaluate_all(candidates())]
    assert found == ["promote", "promote", "hold"]
    assert inspected == [1, 1, 1]


def test_small_frames_are_read_in_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    queries: list[int] = []
    collect_all = pl.collect_all

    def counted(plans: list[pl.LazyFrame], **options: object) -> list[pl.DataFrame]:
        queries.append(len(plans))
        return collect_all(plans, **options)  # type: ignore[arg-type]

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a frame was read by itself")

    gate = compile_gate(Gate(pa.DataFrameSchema({"a": pa.Column(nullable=False)})), "asset")
    monkeypatch.setattr(pl, "collect_all", counted)
    monkeypatch.setattr(pl.LazyFrame, "collect", refused)
    frames = [candidate(pl.DataFrame({"a": [number]})) for number in range(5)]
    assert {each.judgement.verdict for each in gate.evaluate_all(frames)} == {"promote"}
    assert queries == [5]
