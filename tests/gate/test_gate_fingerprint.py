from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandera.polars as pa
import polars as pl
import pytest

from millgate.gate.compiled import compile_gate
from millgate.model.policy import Gate

LIMIT = 3


def fingerprint(schema=None, **policy):
    return compile_gate(Gate(schema, **policy), "flights").fingerprint


def schema(column=None, **options):
    return pa.DataFrameSchema({"a": column or pa.Column(int)}, **options)


def checked(*checks, **options):
    return schema(pa.Column(int, list(checks), **options))


def one(data):
    return data.lazyframe.select(pl.col(data.key) > 1)


def two(data):
    return data.lazyframe.select(pl.col(data.key) > 2)


def limited(data):
    return data.lazyframe.select(pl.col(data.key) > LIMIT)


def through_helper(data):
    return data.lazyframe.select(above(pl.col(data.key)))


def above(column):
    return column > 3


def takes_least(data, least):
    return data.lazyframe.select(pl.col(data.key) > least)


def over(limit):
    return lambda data: data.lazyframe.select(pl.col(data.key) > limit)


DIFFERENT = [
    fingerprint(),
    fingerprint(on_failure="warn"),
    fingerprint(on_failure="split"),
    fingerprint(on_failure="split", max_rejected=0.1),
    fingerprint(on_failure="split", max_rejected=0.2),
    fingerprint(contract="any"),
    fingerprint(schema()),
    fingerprint(schema(strict=True)),
    fingerprint(schema(strict="filter")),
    fingerprint(schema(ordered=True)),
    fingerprint(schema(coerce=True)),
    fingerprint(schema(unique=["a"])),
    fingerprint(schema(add_missing_columns=True)),
    fingerprint(schema(dtype=int)),
    fingerprint(schema(pa.Column(pl.Int32))),
    fingerprint(schema(pa.Column(pl.Datetime("us")))),
    fingerprint(schema(pa.Column(pl.Datetime("us", "UTC")))),
    fingerprint(schema(pa.Column(pl.Enum(["a"])))),
    fingerprint(schema(pa.Column(pl.Enum(["a", "b"])))),
    fingerprint(schema(pa.Column(int, nullable=True))),
    fingerprint(schema(pa.Column(int, unique=True))),
    fingerprint(schema(pa.Column(int, required=False))),
    fingerprint(schema(pa.Column(int, coerce=True))),
    fingerprint(schema(pa.Column(int, default=1))),
    fingerprint(schema(pa.Column(int, default=2))),
    fingerprint(schema(pa.Column(int, default=pl.lit(1)))),
    fingerprint(checked(pa.Check.gt(0))),
    fingerprint(checked(pa.Check.gt(1))),
    fingerprint(checked(pa.Check.ge(0))),
    fingerprint(checked(pa.Check.gt(0, ignore_na=False))),
    fingerprint(checked(pa.Check.gt(0, raise_warning=True))),
    fingerprint(checked(pa.Check.gt(0, name="positive"))),
    fingerprint(checked(pa.Check.gt(0), pa.Check.lt(9))),
    fingerprint(schema(checks=pa.Check.gt(0))),
    fingerprint(checked(pa.Check.isin([1, 2]))),
    fingerprint(checked(pa.Check.isin([1, 3]))),
    fingerprint(checked(pa.Check(one, name="f"))),
    fingerprint(checked(pa.Check(two, name="f"))),
    fingerprint(checked(pa.Check(two, name="f", element_wise=True))),
    fingerprint(checked(pa.Check(lambda _: True), pa.Check(lambda _: False))),
    fingerprint(checked(pa.Check(lambda _: False), pa.Check(lambda _: True))),
    fingerprint(checked(pa.Check(over(1)))),
    fingerprint(checked(pa.Check(over(2)))),
    fingerprint(checked(pa.Check(takes_least, least=1))),
    fingerprint(checked(pa.Check(takes_least, least=2))),
]


def test_everything_that_judges_counts():
    assert len(set(DIFFERENT)) == len(DIFFERENT)
    assert all(len(f) == 32 and int(f, 16) for f in DIFFERENT)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (schema(), schema(title="t", description="d", metadata={"a": 1}, name="n")),
        (schema(), schema(pa.Column(int, title="t", description="d", metadata={"a": 1}))),
        (
            checked(pa.Check.gt(0)),
            checked(pa.Check.gt(0, title="t", description="d", error="e", n_failure_cases=1)),
        ),
        (checked(pa.Check.isin(["b", "a"])), checked(pa.Check.isin({"a", "b"}))),
        (checked(pa.Check(over(1))), checked(pa.Check(over(1)))),
    ],
)
def test_what_only_tells_does_not_count(left, right):
    assert fingerprint(left) == fingerprint(right)


@pytest.mark.parametrize(("check", "name"), [(limited, "LIMIT"), (through_helper, "above")])
def test_what_a_check_refers_to_counts(check, name, monkeypatch):
    before = fingerprint(checked(pa.Check(check)))
    monkeypatch.setitem(globals(), name, 4 if name == "LIMIT" else lambda column: column > 4)
    assert fingerprint(checked(pa.Check(check))) != before


MODEL = '''
import pandera.polars as pa
import polars as pl
import limits

class Flight(pa.DataFrameModel):
    """{doc}"""
    a: int = pa.Field(isin=["EWR", "JFK", "LGA", "BOS"])

    _least = {least}

    @pa.check("a")
    def enough(cls, data):
        "{doc}"
        {comment}return data.lazyframe.select(pl.col(data.key) > cls._least + limits.{limit})

    @pa.dataframe_check
    def any_of(cls, data):
        return data.lazyframe.select(pl.col("a").is_in({{"x", "y", "z", "w"}}))
'''
PLAIN = {"doc": "one", "least": "1", "comment": "", "limit": "LOW"}


def fingerprint_elsewhere(folder: Path, seed: str = "0", least_in_module: int = 1, **change: str):
    """The fingerprint of a model written to a file, in a process with its own hash seed."""
    folder.mkdir(exist_ok=True)
    (folder / "limits.py").write_text(f"LOW = {least_in_module}\nHIGH = 9\n")
    (folder / "flight.py").write_text(MODEL.format(**{**PLAIN, **change}))
    code = (
        "import flight\n"
        "from millgate.gate.compiled import compile_gate\n"
        "from millgate.model.policy import Gate\n"
        "print(compile_gate(Gate(flight.Flight), 'flights').fingerprint)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), *filter(None, sys.path)])
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


def test_a_model_has_one_fingerprint_in_every_process(tmp_path):
    first = fingerprint_elsewhere(tmp_path / "a")
    assert len(first) == 32
    same = [
        fingerprint_elsewhere(tmp_path / "a", seed="7"),
        fingerprint_elsewhere(tmp_path / "b", doc="two", comment="# a comment\n        "),
    ]
    assert same == [first, first]
    changed = [
        fingerprint_elsewhere(tmp_path / "c", least="2"),
        fingerprint_elsewhere(tmp_path / "d", limit="HIGH"),
        fingerprint_elsewhere(tmp_path / "e", least_in_module=2),
    ]
    assert len({first, *changed}) == 4


def test_a_check_whose_source_is_lost_still_has_a_fingerprint():
    def made(text):
        scope: dict = {"pl": pl}
        exec(text, scope)
        return fingerprint(checked(pa.Check(scope["f"])))

    body = "def f(data): return data.lazyframe.select(pl.col(data.key) > {})"
    assert made(body.format(1)) == made(body.format(1))
    assert made(body.format(1)) != made(body.format(2))


def test_a_module_that_is_written_again_and_loaded_again_counts_as_it_is_now(tmp_path):
    path = tmp_path / "checks.py"

    def loaded(text):
        path.write_text(text)
        scope: dict = {"pl": pl}
        exec(compile(text, str(path), "exec"), scope)
        return fingerprint(checked(pa.Check(scope["f"])))

    text = "def f(data):\n    return data.lazyframe.select(pl.col(data.key) > {})\n"
    assert loaded(text.format(1)) != loaded(text.format(20))
    assert loaded(text.format(1)) == loaded("# more\n" + text.format(1))
