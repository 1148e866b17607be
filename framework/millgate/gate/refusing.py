"""Which pandera schemas a gate takes, and why it refuses the others."""

from __future__ import annotations

import inspect
from typing import Any

import pandera.backends.polars.builtin_checks  # noqa: F401  (registers what the dispatchers call)
import polars as pl
from pandera.api.checks import Check
from pandera.api.dataframe.model_config import BaseConfig
from pandera.api.polars.container import DataFrameSchema
from pandera.api.polars.model import DataFrameModel
from pandera.engines import polars_engine

from millgate.errors import GateError
from millgate.gate.patterns import honoured, unreadable, unsupported, whole
from millgate.gate.wording import is_builtin

_BARE_DECIMAL = pl.Decimal(28, 0)


def schema_of(declared: Any, asset: str) -> DataFrameSchema:
    """The pandera schema that a gate declares; raises GateError if it cannot be honoured.

    Refused is what pandera itself does not honour on polars, or not soundly.
    """
    schema = declared if isinstance(declared, DataFrameSchema) else _built(declared, asset)
    for problem, fix in (*_config_problems(declared), *_problems(schema)):
        raise GateError(problem, where=f"the gate of {asset}", fix=fix)
    for part in (schema, *schema.columns.values()):
        for check in filter(is_builtin, part.checks):
            # a schema copies its checks, with what was registered for them until then
            check._check_fn = Check.get_builtin_check_fn(check._check_fn.__name__)
    return schema


def _built(declared: Any, asset: str) -> DataFrameSchema:
    if not (inspect.isclass(declared) and issubclass(declared, DataFrameModel)):
        raise GateError(
            f"{_shown(declared)} is not a pandera schema for polars",
            where=f"the gate of {asset}",
            fix="import pandera.polars as pa, and give a pa.DataFrameModel class or a "
            "pa.DataFrameSchema",
        )
    try:
        return declared.to_schema()
    except Exception as error:
        raise GateError(
            f"pandera cannot build {declared.__name__}: {error}",
            where=f"the gate of {asset}",
            fix=f"try {declared.__name__}.to_schema() in Python",
        ) from error


def _shown(declared: Any) -> str:
    if inspect.isclass(declared):
        return f"{declared.__module__}.{declared.__qualname__}"
    return f"a {type(declared).__module__}.{type(declared).__qualname__}"


def _config_problems(declared: Any) -> list[tuple[str, str]]:
    """What the Config of a model asks for and its schema says nothing about."""
    if isinstance(declared, DataFrameSchema):
        return []
    fix = "leave it out; unique, strict, ordered and coerce are for columns"
    return [
        (f"{name} of Config has no meaning for polars", fix)
        for name in vars(BaseConfig)
        if name.startswith("multiindex_")
        and getattr(declared.__config__, name) != getattr(BaseConfig, name)
    ]


def _problems(schema: DataFrameSchema) -> list[tuple[str, str]]:
    columns: dict[str, Any] = schema.columns
    named: list[tuple[str, Any]] = [("the schema", schema)]
    named += [(f"column {name}", column) for name, column in columns.items()]
    problems = []
    if schema.index is not None:
        problems.append(("index= has no meaning for polars", "declare the index as a column"))
    if schema.on_missing_columns is not None:
        fix = "leave it out; a column that is not required may be absent"
        problems.append(("on_missing_columns= has no effect on polars", fix))
    for name, part in named:
        if part.parsers:
            fix = "do in the asset what the parser does"
            problems.append((f"{name} has parsers, which pandera cannot run on polars", fix))
        if part.drop_invalid_rows:
            fix = 'write Gate(..., on_failure="split") and leave drop_invalid_rows out'
            problems.append((f"{name} drops rows without a trace (drop_invalid_rows)", fix))
        if part.report_duplicates != "all":
            fix = "leave it out, or keep one of the rows in the asset with unique(keep='first')"
            problems.append((f"{name} has report_duplicates=, which has no effect on polars", fix))
        problems += _type_problems(name, part.dtype, schema.coerce or part.coerce)
        for check in part.checks:
            problems += _check_problems(name, check)
    for name, column in columns.items():
        if column.regex and (said := unreadable(whole(name))):
            fix = "write a pattern as Rust's regex has it"
            problems.append((f"the pattern of column {name} cannot be read: {said}", fix))
    return problems


def _type_problems(name: str, dtype: Any, coerced: bool) -> list[tuple[str, str]]:
    if coerced and isinstance(dtype, polars_engine.Decimal) and dtype.type == _BARE_DECIMAL:
        told = "is coerced to Decimal(28, 0), as which pandera takes a bare pl.Decimal"
        return [(f"{name} {told}", "write precision and scale, such as pl.Decimal(38, 0)")]
    if isinstance(dtype, polars_engine.PydanticModel):
        return [(f"{name} is a pydantic model", "declare its columns in a pa.DataFrameModel")]
    if isinstance(dtype, polars_engine.PanderaSchema):
        fix = "type it as pl.Struct and check its fields with pa.Check"
        return [(f"{name} is a nested pandera schema", fix)]
    if isinstance(dtype, polars_engine.Category):
        fix = "use pl.Enum([...]), pl.Categorical or str with isin"
        return [(f"{name} has the type category, which polars does not have", fix)]
    return []


def _check_problems(name: str, check: Any) -> list[tuple[str, str]]:
    if not isinstance(check, Check):
        fix = "use pa.Check"
        return [(f"{name} has a {type(check).__name__}, which is no pandera Check", fix)]
    if check.groupby is not None:
        fix = "compare groups in the check with .over(...)"
        return [(f"check {check.name} of {name} has groupby=, which pandera ignores", fix)]
    return _pattern_problems(name, check) if is_builtin(check) else []


def _pattern_problems(name: str, check: Check) -> list[tuple[str, str]]:
    arguments = check._check_kwargs
    if "pattern" not in arguments:
        return []
    flags = unsupported(arguments["pattern"])
    if flags:
        fix = "write what they mean into the pattern"
        return [(f"the pattern of {check.name} of {name} has flags without effect: {flags}", fix)]
    pattern = honoured(str(check._check_fn.__name__), arguments)["pattern"]
    said = unreadable(getattr(pattern, "pattern", pattern))
    if said:
        fix = "write a pattern as Rust's regex has it"
        return [(f"the pattern of {check.name} of {name} cannot be read: {said}", fix)]
    return []
