"""Random schemas and frames, each from a number: the same number gives the same case."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pandera.polars as pa
import polars as pl

from gate.custom_checks import CUSTOM, FRAME, Custom

NAN, INF = float("nan"), float("inf")
BEYOND = 2**62
"""As a moment a value that Python cannot show, which breaks pandera's report."""
NEW_YORK = ZoneInfo("America/New_York")
VALUES: dict[pl.DataType, list[Any]] = {
    pl.Int8(): [0, 1, 2, -1, 127],
    pl.Int16(): [0, 1, 2, -300],
    pl.Int32(): [0, 1, 2, 3, -1],
    pl.Int64(): [0, 1, 2, 3, -1, BEYOND],
    pl.UInt8(): [0, 1, 2, 255],
    pl.UInt16(): [0, 1, 2, 65535],
    pl.UInt32(): [0, 1, 2, 3],
    pl.UInt64(): [0, 1, 2, 2**63],
    pl.Float32(): [0.0, 1.0, 2.5, NAN],
    pl.Float64(): [0.0, NAN, -0.0, 1.0, NAN, 2.5, INF, NAN, -INF],
    pl.Decimal(10, 2): [Decimal("0.00"), Decimal("1.50"), Decimal("-2.25")],
    pl.Decimal(30, 0): [Decimal(0), Decimal(1), Decimal(10**20)],
    pl.String(): ["", "a", "ab", "b1", "é", "A\nb", "1", "2", "100000000000000000001"],
    pl.Boolean(): [True, False],
    pl.Binary(): [b"", b"a", b"\xff"],
    pl.Date(): [date(2013, 1, 1), date(2013, 1, 2), date(1899, 12, 31)],
    pl.Time(): [time(0), time(23, 59, 59, 999999)],
    pl.Duration("us"): [timedelta(0), timedelta(hours=1), timedelta(days=-1)],
    pl.Duration("ms"): [timedelta(0), timedelta(hours=1)],
    pl.Datetime("us"): [datetime(2013, 1, 1), datetime(2013, 1, 1, 5), datetime(1960, 2, 29)],
    pl.Datetime("ns"): [datetime(2013, 1, 1), datetime(2013, 1, 1, 5)],
    pl.Datetime("ms"): [datetime(2013, 1, 1), datetime(2013, 1, 1, 5)],
    pl.Datetime("us", "UTC"): [datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 6, 1, tzinfo=UTC)],
    pl.Datetime("us", "America/New_York"): [
        datetime(2013, 11, 3, 1, 30, tzinfo=NEW_YORK),
        datetime(2013, 11, 3, 1, 30, fold=1, tzinfo=NEW_YORK),
    ],
    pl.Categorical(): ["a", "b", "ab"],
    pl.Enum(["b", "a"]): ["a", "b"],
    pl.List(pl.Int64): [[], [1], [1, None], [2, 3]],
    pl.List(pl.String): [[], ["a"], ["a", None]],
    pl.Array(pl.Int64, 2): [[1, 2], [3, None]],
    pl.Struct({"x": pl.Int64, "y": pl.String}): [
        {"x": 1, "y": "a"},
        {"x": None, "y": None},
        {"x": 2, "y": "b"},
    ],
}
COMMON = [pl.String()] * 7 + [pl.Int64()] * 2 + [pl.Float64()] * 4 + [pl.Decimal(30, 0)]
"""Types that come up more often: they take more checks, or go wrong in more ways."""

COERCIBLE: dict[pl.DataType, list[pl.DataType]] = {
    pl.Int64(): [pl.Int8(), pl.String(), pl.Float64(), pl.Boolean(), pl.Decimal(10, 2)],
    pl.Int8(): [pl.Int64(), pl.String(), pl.Float64()],
    pl.UInt8(): [pl.Int64(), pl.Float64()],
    pl.Float64(): [pl.Int64(), pl.String(), pl.Float32()],
    pl.String(): [pl.Int64(), pl.Date(), pl.Boolean(), pl.Categorical(), pl.Enum(["b", "a"])],
    pl.Decimal(10, 2): [pl.Int64(), pl.Float64(), pl.Decimal(30, 0)],
    pl.Decimal(30, 0): [pl.String(), pl.Int64()],
    pl.Date(): [pl.Datetime("us"), pl.String()],
    pl.Datetime("us"): [pl.Date(), pl.Datetime("ms"), pl.Int64()],
    pl.Datetime("ms"): [pl.Datetime("us"), pl.Date()],
    pl.Duration("ms"): [pl.Duration("us"), pl.Int64()],
    pl.Enum(["b", "a"]): [pl.String(), pl.Categorical()],
    pl.Categorical(): [pl.String()],
    pl.Boolean(): [pl.Int64()],
    pl.List(pl.Int64): [pl.List(pl.String)],
    pl.List(pl.String): [pl.List(pl.Int64)],
}
FIELD_ARGUMENTS = {
    "equal_to": "eq",
    "not_equal_to": "ne",
    "greater_than": "gt",
    "greater_than_or_equal_to": "ge",
    "less_than": "lt",
    "less_than_or_equal_to": "le",
}
"""What `Field` calls the built-in checks that it does not call by their name."""

ONE_VALUE = tuple(FIELD_ARGUMENTS)
SEVERAL_VALUES = ("isin", "notin", "unique_values_eq")
TEXT = ("str_matches", "str_contains", "str_startswith", "str_endswith", "str_length")
BUILTIN = (*ONE_VALUE, *SEVERAL_VALUES, "in_range", *TEXT)

HARSH = {
    "as_frame", "each_raises", "false", "frame_false", "frame_raises", "missing", "no", "number",
    "numbers", "raising", "raising_late", "raising_on_rows", "selecting_twice", "undaunted",
    "undecided", "undecided_late", "unknown", "twice", "decided", "shorter", "shorter_late",
}  # fmt: skip
"""Custom checks that few frames pass."""


@dataclass(frozen=True)
class Stated:
    """One check as a schema states it: a built-in with its arguments, or a custom one."""

    name: str
    what: str | Custom
    arguments: dict[str, Any]
    options: dict[str, Any]

    @property
    def warning(self) -> bool:
        return bool(self.options.get("raise_warning"))

    @property
    def whole(self) -> bool:
        return self.what == "unique_values_eq" if isinstance(self.what, str) else self.what.whole

    def check(self) -> pa.Check:
        if isinstance(self.what, str):
            return getattr(pa.Check, self.what)(**self.arguments, name=self.name, **self.options)
        given = {"element_wise": self.what.element_wise, **self.options}
        return pa.Check(self.what.function, name=self.name, **given)


@dataclass(frozen=True)
class Described:
    """One column as a schema states it, a pattern where `regex`."""

    name: str
    dtype: pl.DataType | None
    options: dict[str, Any]
    checks: tuple[Stated, ...]

    @property
    def regex(self) -> bool:
        return bool(self.options.get("regex"))


@dataclass(frozen=True)
class Case:
    """A schema, as a model class or a DataFrameSchema, with a frame to judge."""

    seed: int
    schema: Any
    frame: pl.DataFrame
    columns: tuple[Described, ...]
    checks: tuple[Stated, ...]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def stated(self) -> dict[str, Stated]:
        every = [*self.checks, *(check for column in self.columns for check in column.checks)]
        return {check.name: check for check in every}


def case(seed: int) -> Case:
    """The case of a number."""
    random = Random(seed)
    names = _Names(random)
    height = random.choice([0, 1, 1, 2, 3, 4, 5, 6, 8])
    names.calm = random.random() < 0.6
    as_model = random.random() < 0.3
    named = random.choice([["a"], ["a", "b"], ["a", "b", "c"], ["a", "r_1"]])
    columns = tuple(_described(random, names, name, as_model) for name in named)
    if "r_1" in named or random.random() < 0.25:
        columns += (_pattern(random, names, as_model),)
    if random.random() < 0.2:
        columns = columns[1:] + columns[:1]
    coerced = random.random() < 0.12 and all(column.dtype is not None for column in columns)
    frame = _frame(random, columns, height, coerced)
    columns = tuple(_fillable(column, frame, named) for column in columns)
    checks = tuple(
        names.custom(random.choice(_calm(names, FRAME)))
        for _ in range(random.choice([0, 0, 0, 0, 1, 2]))
    )
    options = _options(random, names, frame, columns) | {"coerce": coerced}
    build = _model if as_model else _schema
    return Case(seed, build(columns, checks, options), frame, columns, checks, options)


class _Names:
    """Checks with names of their own, so that an answer can be told from another."""

    def __init__(self, random: Random) -> None:
        self.random, self.count = random, 0
        self.calm = False
        """Whether the case is to pass if it can: rules that most frames break are left out."""

    def options(self) -> dict[str, Any]:
        random = self.random
        given = {"ignore_na": random.random() < 0.7, "raise_warning": random.random() < 0.15}
        return given | ({"n_failure_cases": 1} if random.random() < 0.1 else {})

    def custom(self, custom: Custom) -> Stated:
        self.count += 1
        return Stated(f"{custom.name}~{self.count}", custom, {}, self.options())

    def builtin(self, what: str, values: list[Any]) -> Stated:
        self.count += 1
        arguments = arguments_of(self.random, what, values)
        return Stated(f"{what}~{self.count}", what, arguments, self.options())


def arguments_of(random: Random, what: str, values: list[Any]) -> dict[str, Any]:
    """Arguments of a built-in check that some of `values` pass and some fail."""
    one, other = random.choice(values), random.choice(values)
    if what in ONE_VALUE:
        kind = {"greater": "min_value", "less": "max_value"}.get(what.split("_")[0], "value")
        return {kind: one}
    if what == "in_range":
        low, high = _sorted(one, other)
        ends = ("min", "max") if low < high else ()
        inclusive = {f"include_{end}": random.random() < 0.5 for end in ends}
        return {"min_value": low, "max_value": high, **inclusive}
    several = random.sample(values, random.choice([len(values), random.randint(1, len(values))]))
    if what == "isin":
        return {"allowed_values": several}
    if what == "notin":
        return {"forbidden_values": several[:1]}
    if what == "unique_values_eq":
        return {"values": several}
    if what in ("str_matches", "str_contains"):
        patterns = ["[a-z]*\\d?$", "a", "^b", "\\w", ".b", "(?i)AB", "^$", "(?s).*", "", ""]
        return {"pattern": random.choice(patterns)}
    if what in ("str_startswith", "str_endswith"):
        return {"string": random.choice(["a", "b", "1", "", "", ""])}
    return random.choice(
        [{"min_value": 1}, {"max_value": 1}, {"min_value": 0, "max_value": 2}, {"exact_value": 1}]
    )


def _sorted(one: Any, other: Any) -> tuple[Any, Any]:
    try:
        return (other, one) if other < one else (one, other)
    except TypeError:
        return one, other


def _described(random: Random, names: _Names, name: str, as_model: bool) -> Described:
    dtype = random.choice([*VALUES, *COMMON])
    checks: dict[Any, Stated] = {}
    for _ in range(random.choice([0, 0, 1, 1] if names.calm else [0, 1, 1, 2, 3])):
        stated = _check(random, names, dtype)
        if not (as_model and isinstance(stated.what, str)):
            checks[stated.name] = stated
        else:  # a Field has each built-in once, under its own name
            checks[stated.what] = Stated(stated.what, stated.what, stated.arguments, {})
    options = {
        "nullable": random.random() < (0.95 if names.calm else 0.5),
        "unique": random.random() < (0.02 if names.calm else 0.15),
        "required": random.random() < 0.75,
        "coerce": random.random() < 0.2,
    }
    if random.random() < 0.25 and not dtype.is_nested():
        options["default"] = random.choice([v for v in VALUES[dtype] if v == v])
    untyped = not as_model and "default" not in options and random.random() < 0.08
    if untyped:
        options["coerce"] = False
    return Described(name, None if untyped else dtype, options, tuple(checks.values()))


def _check(random: Random, names: _Names, dtype: pl.DataType) -> Stated:
    if random.random() < 0.45:
        return names.custom(random.choice(_calm(names, CUSTOM)))
    text = dtype == pl.String or random.random() < 0.03
    pool = (*BUILTIN, *TEXT, *TEXT) if text else (*ONE_VALUE, *SEVERAL_VALUES, "in_range")
    values = VALUES[dtype] if random.random() < 0.95 else VALUES[random.choice(list(VALUES))]
    if isinstance(values[0], list | dict):  # pandera takes hashable and ordered arguments only
        pool = ONE_VALUE
    return names.builtin(random.choice(pool), values)


def _calm(names: _Names, checks: tuple[Custom, ...]) -> tuple[Custom, ...]:
    return tuple(c for c in checks if not (names.calm and c.name in HARSH))


def _pattern(random: Random, names: _Names, as_model: bool) -> Described:
    column = _described(random, names, "^r_.*$", as_model)
    options = column.options | {"regex": True}
    return Described(column.name, column.dtype or pl.Int64(), options, column.checks)


def _frame(
    random: Random, columns: tuple[Described, ...], height: int, coerced: bool
) -> pl.DataFrame:
    frame: dict[str, pl.Series] = {}
    for column in columns:
        if column.regex:
            beside = any(other.name == "r_1" for other in columns)
            found = ["r_2", "r_3"] if beside else ["r_1", "r_2", "r_3"]
            for name in random.sample(found, random.choice([beside, 1, 2, 2])):
                frame.setdefault(name, _series(random, column, name, height, coerced))
        elif random.random() < 0.94:
            frame[column.name] = _series(random, column, column.name, height, coerced)
    if not frame or random.random() < 0.2:
        frame["extra"] = pl.Series("extra", range(height), dtype=pl.Int64)
    shuffled = list(frame.items())
    if random.random() < 0.15:
        random.shuffle(shuffled)
    return pl.DataFrame(dict(shuffled))


def _series(random: Random, column: Described, name: str, height: int, coerced: bool) -> pl.Series:
    dtype = column.dtype or random.choice(list(VALUES))
    if (coerced or column.options["coerce"]) and random.random() < 0.8:
        dtype = random.choice(COERCIBLE.get(dtype, [dtype]))
    elif random.random() < 0.04:
        dtype = random.choice(list(VALUES))
    pool = [v for v in VALUES[dtype] if dtype == column.dtype or v != BEYOND]
    if dtype == pl.String and column.dtype != pl.String and random.random() < 0.7:
        pool = [v for v in pool if v.isdigit()]
    if random.random() < 0.7:  # few values repeat, and with them rules that only few rows fail
        pool = random.sample(pool, min(len(pool), random.randint(1, 4)))
    nulls = random.choice([0, 0, 0.2, 0.5])
    values = [None if random.random() < nulls else random.choice(pool) for _ in range(height)]
    return pl.Series(name, values, dtype=dtype, strict=True)


def _fillable(column: Described, frame: pl.DataFrame, named: list[str]) -> Described:
    """`column` without its default where pandera breaks off, fills the column of another, takes an
    `Enum` for the text that the default is, or leaves NaN because another column is no float."""
    absent = not (column.regex or column.options["required"] or column.name in frame)
    filled = [n for n in frame.columns if n.startswith("r_")] if column.regex else [column.name]
    types = [frame.schema[name] for name in filled if name in frame.columns]
    listed = any(isinstance(dtype, pl.Enum) for dtype in types)
    mixed = len({dtype.is_float() for dtype in types}) > 1
    if not absent and not (column.regex and "r_1" in named) and not listed and not mixed:
        return column
    return replace(column, options={k: v for k, v in column.options.items() if k != "default"})


def _options(
    random: Random, names: _Names, frame: pl.DataFrame, columns: tuple[Described, ...]
) -> dict[str, Any]:
    named = [c.name for c in columns if not c.regex]
    together = list(dict.fromkeys([n for n in named if n in frame][:1] + named[:2]))
    sets = [*[None] * 5, frame.columns[:1], [together, frame.columns[-1:]]]
    sets += [together] * (together[0] in frame)
    given: dict[str, Any] = {
        "strict": random.choice([False, False, False, True, "filter"]),
        "ordered": random.random() < 0.25,
        "unique": None if names.calm else random.choice(sets) or None,
    }
    typed = all(c.dtype is not None for c in columns)
    absent = any(c.name not in frame and c.options["required"] for c in columns if not c.regex)
    likely = 0.7 if absent else 0.1
    if random.random() < likely and typed and not given["ordered"]:
        given["add_missing_columns"] = True
    plain = not any("default" in c.options for c in columns)
    if random.random() < 0.03 and plain and not any(d.is_nested() for d in frame.dtypes):
        given["dtype"] = random.choice(frame.dtypes)
    return given


def _schema(
    columns: tuple[Described, ...], checks: tuple[Stated, ...], options: dict[str, Any]
) -> pa.DataFrameSchema:
    described = {
        c.name: pa.Column(c.dtype, [check.check() for check in c.checks], **c.options)
        for c in columns
    }
    return pa.DataFrameSchema(described, checks=[c.check() for c in checks], **options)


def _model(
    columns: tuple[Described, ...], checks: tuple[Stated, ...], options: dict[str, Any]
) -> type[pa.DataFrameModel]:
    body: dict[str, Any] = {"__annotations__": {}, "__module__": __name__}
    for place, column in enumerate(columns):
        name = f"field_{place}"
        body["__annotations__"][name] = column.dtype
        body[name] = _field(column)
        for check in column.checks:
            if isinstance(check.what, Custom):
                body[_method(check)] = _as_method(pa.check(column.name, **_told(check)), check)
    for check in checks:
        body[_method(check)] = _as_method(pa.dataframe_check(**_told(check)), check)
    body["Config"] = type("Config", (), options)
    return type("Model", (pa.DataFrameModel,), body)


def _field(column: Described) -> Any:
    given = dict(column.options)
    for check in column.checks:
        if isinstance(check.what, str):
            given[FIELD_ARGUMENTS.get(check.what, check.what)] = check.arguments
    return pa.Field(alias=column.name, **given)


def _told(check: Stated) -> dict[str, Any]:
    assert isinstance(check.what, Custom)
    return {"name": check.name, "element_wise": check.what.element_wise, **check.options}


def _method(check: Stated) -> str:
    return "check_" + check.name.replace("~", "_")


def _as_method(decorate: Any, check: Stated) -> Any:
    assert isinstance(check.what, Custom)
    function = check.what.function
    return decorate(lambda _, data: function(data))
