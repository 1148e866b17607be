"""The code of projects of any size: modules of fifty assets, and queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

FIRST = date(2015, 1, 1)
_PER_MODULE = 50

HEAD = '''import pandera.polars as pa
import polars as pl

from millgate import Daily, Gate, Window, asset

days = Daily("{first}", end="{last}")
RATE = {module} / 100


class Amounts(pa.DataFrameModel):
    id: int
    amount: float = pa.Field(ge=0)


def scaled(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Amounts at the rate of this module."""
    return frame.with_columns(amount=pl.col("amount") * RATE)

'''
FUNCTION = '''
@asset(partitions=days{options})
def {name}({parameters}) -> pl.LazyFrame:
    """Amounts of {name}."""
    return scaled({value})

'''
QUERY = """-- Amounts of {name}.
-- partitions: Daily("{first}", end="{last}")
SELECT id, sum(amount) AS amount FROM ({value}) GROUP BY id
"""


@dataclass(frozen=True)
class Size:
    """How many assets, each live for how many days."""

    assets: int
    days: int

    @property
    def last(self) -> date:
        return FIRST + timedelta(days=self.days - 1)


def name_of(number: int) -> str:
    return f"amounts_{number:05}"


def upstreams(number: int) -> list[str]:
    """About three earlier assets, near and far; the first ten stand alone."""
    if number < 10:
        return []
    return [name_of(n) for n in sorted({number - 1 - number % 7, number * 2 // 3, number // 2})]


def declare(folder: Path, size: Size) -> None:
    """A project of modules with fifty assets each, and of queries: one in ten."""
    (folder / "pyproject.toml").write_text('[tool.millgate]\nname = "scale"\n')
    for start in range(0, size.assets, _PER_MODULE):
        group = folder / "assets" / f"group_{start // 1000:02}"
        group.mkdir(parents=True, exist_ok=True)
        module, numbers = start // _PER_MODULE, range(start, min(start + _PER_MODULE, size.assets))
        text = HEAD.format(first=FIRST, last=size.last, module=module)
        for number in numbers:
            if number % 10 == 9 and number > 10:
                (group / f"{name_of(number)}.sql").write_text(_query(number, size))
            else:
                text += _function(number)
        (group / f"part_{module:03}.py").write_text(text)


def _function(number: int) -> str:
    before = upstreams(number)
    options = ", gate=Gate(Amounts)" if number % 10 == 5 else ""
    if number % 10 == 7 and before:
        options += f', upstream={{"before": Window(-6, 0, of="{before[0]}")}}'
        before = ["before", *before[1:]]
    stacked = f"pl.concat([{', '.join(before)}])" if before else 'pl.LazyFrame({"id": [1]})'
    parameters = ", ".join(f"{name}: pl.LazyFrame" for name in before)
    return FUNCTION.format(
        name=name_of(number), options=options, parameters=parameters, value=stacked
    )


def _query(number: int, size: Size) -> str:
    value = " UNION ALL ".join(f"FROM {name}" for name in upstreams(number))
    return QUERY.format(name=name_of(number), first=FIRST, last=size.last, value=value)
