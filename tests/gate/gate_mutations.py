"""Small mistakes in the gate, one at a time, and the gate with one of them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

import millgate

_ROOM = "millgate.gate"


@dataclass(frozen=True)
class Mutation:
    """A mistake by its name: in a module `new` instead of `old`, which stands there once."""

    name: str
    module: str
    old: str
    new: str

    def applied(self, source: str) -> str:
        assert source.count(self.old) == 1, f"{self.module} has {self.old!r} not once"
        return source.replace(self.old, self.new)


class _Loader(SourceFileLoader):
    mutation: Mutation

    def get_code(self, fullname: str) -> CodeType:
        source = self.mutation.applied(self.get_source(fullname) or "")
        return compile(source, self.path, "exec")


class _Finder:
    def __init__(self, mutation: Mutation) -> None:
        self.mutation = mutation

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != f"{_ROOM}.{self.mutation.module}":
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Loader(name, spec.origin)
        spec.loader.mutation = self.mutation
        return spec


@contextmanager
def mutated(mutation: Mutation) -> Iterator[Any]:
    """`compile_gate` of a gate with the mistake; the modules themselves are as before after it."""
    before = _modules()
    finder = _Finder(mutation)
    for name in before:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(f"{_ROOM}.compiled").compile_gate
    finally:
        sys.meta_path.remove(finder)
        for name in _modules():
            del sys.modules[name]
        sys.modules.update(before)
        millgate.gate = before[_ROOM]  # type: ignore[attr-defined]


def _modules() -> dict[str, ModuleType]:
    found = sys.modules.items()
    return {name: module for name, module in found if f"{name}.".startswith(f"{_ROOM}.")}


MUTATIONS = (
    Mutation("a null result passes and fails the wrong way round", "binding",
             ".fill_null(not rule.check.ignore_na)", ".fill_null(rule.check.ignore_na)"),
    Mutation("a null result counts for nothing", "binding",
             "passes.not_().fill_null(not rule.check.ignore_na)", "passes.not_()"),
    Mutation("one of several results is enough", "binding",
             "pl.all_horizontal(*source)", "pl.any_horizontal(*source)"),
    Mutation("only the first of several expressions counts", "binding",
             "pl.all_horizontal(*source)", "pl.all_horizontal(source[0])"),
    Mutation("the result is taken the other way round", "binding",
             "violation = passes.not_()", "violation = passes"),
    Mutation("a null may be anywhere", "binding", "if not column.nullable:", "if False:"),
    Mutation("a NaN is no null", "binding",
             "if shaped[name] in (pl.Float32, pl.Float64):", "if False:"),
    Mutation("a column need not be unique", "binding", "if column.unique:", "if False:"),
    Mutation("nulls do not repeat each other", "binding",
             "key.is_duplicated(),", "key.is_duplicated() & key.is_not_null(),"),
    Mutation("the first of repeated rows is spared", "binding",
             "key.is_duplicated(),", "~key.is_first_distinct(),"),
    Mutation("a repeated row is seen from three on", "binding",
             "repeating = pl.len() - key.n_unique()", "repeating = pl.len() - key.n_unique() > 1"),
    Mutation("a repeated row of a stream is seen from three on", "uniqueness",
             ".not_().sum() > 1", ".not_().sum() > 2"),
    Mutation("columns need not be unique together", "binding",
             "for columns in _jointly_unique(schema):", "for columns in ():"),
    Mutation("only the first of several sets is unique", "binding",
             "[list(names) for names in sets]", "[list(names) for names in sets[:1]]"),
    Mutation("a check of the whole frame is one of rows", "binding",
             "whole = empty(shaped).select(violation).height == 1", "whole = False"),
    Mutation("every check is one of the whole frame", "binding",
             "whole = empty(shaped).select(violation).height == 1", "whole = True"),
    Mutation("columns found by a pattern are not checked", "binding",
             "yield from ((n, column) for n in names if n not in missing)",
             "yield from ((n, column) for n in names if n == name)"),
    Mutation("a pattern takes columns that have a name of their own", "shaping",
             "[name for name in matching(column, names) if name not in own]",
             "matching(column, names)"),
    Mutation("a pattern may match nothing", "binding",
             "if column.regex and column.required and not names:", "if False:"),
    Mutation("a pattern must match something even if it is optional", "binding",
             "if column.regex and column.required and not names:",
             "if column.regex and not names:"),
    Mutation("any type will do", "binding",
             "if dtype is not None and not _has_type(dtype, shaped, name):", "if False:"),
    Mutation("the type of all columns is overlooked", "binding",
             "    for name, column in _components(schema, frame, shaped, failures):\n"
             "        dtype = schema.dtype or column.dtype",
             "    for name, column in _components(schema, frame, shaped, failures):\n"
             "        dtype = column.dtype"),
    Mutation("checks of the frame are left out", "binding",
             "rules += (_bound(rule, ALL_COLUMNS, shaped) for rule in frame_rules(schema))",
             "rules += ()"),
    Mutation("a warning is an error", "binding",
             '"warning" if check.raise_warning else "error"', '"error"'),
    Mutation("an error is a warning", "binding",
             '"warning" if check.raise_warning else "error"', '"warning"'),
    Mutation("the last check is left out", "binding",
             "for position, check in enumerate(checks):",
             "for position, check in enumerate(checks[:-1] or checks):"),
    Mutation("a check that selects twice is the first selection", "tracing",
             "len(record.selections) != 1 or result is not record.selections[0][0]",
             "not record.selections"),
    Mutation("a check sees another column", "tracing",
             "PolarsData(_StandIn(record), key)", "PolarsData(_StandIn(record), ALL_COLUMNS)"),
    Mutation("columns too many are let in", "shaping", "if schema.strict is not True:", "if True:"),
    Mutation("columns too many are kept", "shaping",
             'if schema.strict == "filter" else []', "if False else []"),
    Mutation("columns may be in any order", "shaping", "if not schema.ordered:", "if True:"),
    Mutation("a default fills nothing", "shaping", "if column.default is None:", "if True:"),
    Mutation("a default does not fill NaN", "shaping",
             "if dtype in (pl.Float32, pl.Float64):", "if False:"),
    Mutation("a default fills only NaN", "shaping",
             "return expr.fill_null(value)", "return expr"),
    Mutation("nothing is coerced", "shaping",
             "if not (schema.coerce or any(column.coerce for column in schema.columns.values())):",
             "if True:"),
    Mutation("only columns that say so are coerced", "shaping",
             "if column.dtype is None or not (schema.coerce or column.coerce):",
             "if column.dtype is None or not column.coerce:"),
    Mutation("a value that cannot be coerced becomes null unseen", "shaping",
             "pl.col(name).is_not_null() & cast.is_null()", "pl.lit(False)"),
    Mutation("a null cannot be coerced", "shaping",
             "pl.col(name).is_not_null() & cast.is_null()", "cast.is_null()"),
    Mutation("a text becomes no decimal", "shaping", "if source == pl.String:", "if False:"),
    Mutation("columns found by a pattern are not coerced", "shaping",
             "        names = governed(schema, column, types.names())\n        coerced",
             "        names = [] if column.regex else governed(schema, column, types.names())\n"
             "        coerced"),
    Mutation("columns found by a pattern have no default", "shaping",
             "        names = governed(schema, column, types.names())\n        filled",
             "        names = [] if column.regex else governed(schema, column, types.names())\n"
             "        filled"),
    Mutation("a column may be missing", "shaping",
             '[FrameFailure("column_in_dataframe", n, "no such column") for n in absent]', "[]"),
    Mutation("an optional column must be there", "shaping",
             "if column.required and not column.regex and name not in frame",
             "if not column.regex and name not in frame"),
    Mutation("an added column stands last", "shaping",
             "frame.with_columns(**self.added).select(self.order)",
             "frame.with_columns(**self.added)"),
    Mutation("an added column needs no default", "shaping",
             "if schema.columns[n].default is None and not schema.columns[n].nullable",
             "if False"),
    Mutation("one row too many is counted", "outcome",
             "failing=mask.count)", "failing=mask.count + 1)"),
    Mutation("an opaque check passes", "opaque", "if passes.all():", "if True:"),
    Mutation("a null of an opaque check passes", "opaque",
             "return passes.fill_null(check.ignore_na)", "return passes.fill_null(True)"),
    Mutation("a null of an opaque check fails", "opaque",
             "return passes.fill_null(check.ignore_na)", "return passes.fill_null(False)"),
    Mutation("an opaque check that raises passes", "opaque",
             "        return Outcome(rule, problem=described(error), raised=True, whole=True)\n"
             "    if isinstance(passes, bool):",
             "        return Outcome(rule)\n    if isinstance(passes, bool):"),
    Mutation("a traced check that raises passes", "inspection",
             "return Outcome(bound.rule, problem=described(found), raised=True, whole=True)",
             "return Outcome(bound.rule)"),
    Mutation("a plain false passes", "opaque",
             'problem="" if passes else FALSE', 'problem=""'),
    Mutation("a check that is false as a whole passes", "inspection",
             'problem=_observed(frame, bound) if found else ""', 'problem=""'),
    Mutation("an opaque result of another height blames rows", "opaque",
             "if passes.len() != rows or (rows == 1 and _is_aggregate(frame, bound)):",
             "if passes.len() > rows:"),
    Mutation("an opaque value for one row blames it", "opaque",
             "(rows == 1 and _is_aggregate(frame, bound))", "False"),
    Mutation("a traced result of another height blames rows", "inspection",
             "if mask.len() != rows:", "if False:"),
    Mutation("a stream without rows passes every check", "inspection",
             "if not rows:", "if False:"),
    Mutation("a check that raises is what it was meant to be", "outcome",
             'return "error" if self.raised else self.rule.severity', "return self.rule.severity"),
    Mutation("a warning rejects rows", "evaluate",
             'o.mask is not None and o.severity == "error"', "o.mask is not None"),
    Mutation("reasons name no column", "reasons",
             "pl.lit(outcome.rule.column, dtype=pl.String)", "pl.lit(None, dtype=pl.String)"),
    Mutation("every rejected row has every reason", "reasons",
             "rows.filter(mask).select(", "rows.select("),
    Mutation("what is wrong with columns is forgotten", "evaluate",
             "failures = [failure.result(found.rows) for failure in found.failures]",
             "failures: list[CheckResult] = []"),
    Mutation("accepted rows are not shaped", "evaluate",
             'if self.judgement.verdict == "promote":\n            return shaped',
             'if self.judgement.verdict == "promote":\n            return plan'),
    Mutation("what fails as a whole holds nothing", "verdict",
             'if any(r.kind == "frame" for r in results',
             'if any(r.kind == "none" for r in results'),
    Mutation("rejected rows hold nothing", "verdict",
             '{"hold": "hold",', '{"hold": "promote",'),
)  # fmt: skip
