"""What pandera itself says about an eager frame, in the words of the gate."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pandera.polars as pa
import polars as pl
from pandera.backends.polars.base import PolarsSchemaBackend
from pandera.errors import (
    FailureCaseMetadata,
    SchemaError,
    SchemaErrorReason,
    SchemaErrors,
)

Key = tuple[str, str | None]
"""The name of a rule and its column."""

_NAMES = {
    SchemaErrorReason.SERIES_CONTAINS_NULLS: "not_nullable",
    SchemaErrorReason.SERIES_CONTAINS_DUPLICATES: "unique",
    SchemaErrorReason.DUPLICATES: "unique",
}
_COLUMNS = {
    SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME: "column_in_dataframe",
    SchemaErrorReason.COLUMN_NOT_IN_SCHEMA: "column_in_schema",
    SchemaErrorReason.COLUMN_NOT_ORDERED: "column_ordered",
    SchemaErrorReason.ADD_MISSING_COLUMN_NO_DEFAULT: "add_missing_has_default",
}


@dataclass
class Answer:
    """pandera's verdict; `rows` and `whole` have failed warnings too.

    `whole` has the checks whose result does not fit the rows, with the number of results, 0 for
    a check that raised. `complete` is false where pandera gave up before the end.
    """

    passes: bool
    shaped: pl.DataFrame | None = None
    complete: bool = True
    rows: dict[Key, set[int]] = field(default_factory=dict)
    whole: dict[Key, int] = field(default_factory=dict)
    columns: set[Key] = field(default_factory=set)
    mistyped: set[str | None] = field(default_factory=set)
    lost: set[int] | None = None
    """The rows whose value could not be coerced, in the first column where that happened."""


def answer(declared: Any, frame: pl.DataFrame) -> Answer:
    """pandera's answer on `frame`, which it checks at full depth because it is eager."""
    schema = declared if isinstance(declared, pa.DataFrameSchema) else declared.to_schema()
    errors, shaped = _validate(schema, frame)
    found = Answer(passes=errors is None, shaped=shaped)
    with _errors_for_warnings(schema) as any_warning:
        if any_warning:
            errors, _ = _validate(schema, frame)
    if isinstance(errors, BaseException):
        found.complete = False
    else:
        for error in errors or ():
            _take(found, error, frame.height)
    return found


def report(schema: Any, frame: pl.DataFrame) -> str | list[tuple[int | None, str]]:
    """What a person sees: `passes`, the rows and checks of failures, or the name of a crash."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            return errors.failure_cases.select("index", "check").rows()
        except (Exception, pl.exceptions.PanicException) as error:
            return type(error).__name__
    return "passes"


def _validate(
    schema: pa.DataFrameSchema, frame: pl.DataFrame
) -> tuple[list[SchemaError] | BaseException | None, pl.DataFrame | None]:
    """The errors, None where there are none; the exception where pandera does not come to an end.

    pandera's report of failing values is left out: it crashes on some types and combinations,
    after the checks have been made.
    """
    unreported = FailureCaseMetadata(failure_cases=None, message={}, error_counts={})
    with (
        warnings.catch_warnings(),
        mock.patch.object(PolarsSchemaBackend, "failure_cases_metadata", return_value=unreported),
    ):
        warnings.simplefilter("ignore")
        try:
            return None, schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            return errors.schema_errors, None
        except (Exception, pl.exceptions.PanicException) as error:
            return error, None


@contextmanager
def _errors_for_warnings(schema: pa.DataFrameSchema) -> Iterator[bool]:
    """Lets pandera report failed warnings as it reports errors: it has no other record of them."""
    every = [*schema.checks, *(c for column in schema.columns.values() for c in column.checks)]
    warning = [check for check in every if check.raise_warning]
    for check in warning:
        check.raise_warning = False
    try:
        yield bool(warning)
    finally:
        for check in warning:
            check.raise_warning = True


def _take(found: Answer, error: SchemaError, height: int) -> None:
    reason = error.reason_code
    column = error.column_name if isinstance(error.schema, pa.Column) else None
    if reason is SchemaErrorReason.WRONG_DATATYPE:
        found.mistyped.add(column)
    elif reason in _COLUMNS:
        found.columns.add((_COLUMNS[reason], error.failure_cases))
    elif reason is SchemaErrorReason.INVALID_COLUMN_NAME:
        found.columns.add(("no_regex_column_match", error.schema.name))
    elif reason is SchemaErrorReason.DATATYPE_COERCION:
        passed = error.check_output
        found.lost = set() if passed is None else _failing(passed.to_series())
    elif reason is SchemaErrorReason.CHECK_ERROR:
        found.whole[error.check.name, column] = 0
    else:
        key = (_NAMES.get(reason) or error.check.name, column)
        passed = error.check_output["check_output"]
        if passed.len() == height:
            found.rows[key] = _failing(passed)
        else:
            found.whole[key] = passed.len()


def _failing(passed: pl.Series) -> set[int]:
    return set(passed.not_().fill_null(True).arg_true().to_list())
