"""Adjacent partitions computed as one, judged, kept and traced each by itself."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conftest import Edit, Mill
from millgate.store.writing import read_metadata

CLEANED = '''
import pandera.polars as pa
import polars as pl

from millgate import Daily, Gate, Partition, asset, source

batched = Daily("2024-01-01", end="2024-01-05", batch=31)


class Order(pa.DataFrameModel):
    id: int
    amount: int = pa.Field(gt=0)


raw_orders = source("data/orders.csv")


@asset(partitions=batched, gate=Gate(Order))
def orders(raw_orders: pl.LazyFrame, partitions: list[Partition]) -> pl.DataFrame:
    """Orders, all days of a batch in one go."""
    print("called for", len(partitions))
    wanted = [partition["date"] for partition in partitions]
    dated = raw_orders.with_columns(date=pl.col("day").str.to_date())
    return dated.filter(pl.col("date").is_in(wanted)).select("date", "id", "amount").collect()
'''
REVENUE = """
-- Revenue of a day, of all days of a batch at once.
-- partitions: Daily("2024-01-01", end="2024-01-05", batch=31)
SELECT date, sum(amount)::BIGINT AS amount FROM orders GROUP BY date
"""
EDGES = """
    SELECT m.asset, m.partition, i.asset, i.partition FROM lineage.materialization_edges e
    JOIN lineage.materializations m ON m.materialization = e.downstream
    JOIN lineage.materializations i ON i.materialization = e.upstream
    JOIN lineage.production p ON p.materialization = m.materialization ORDER BY ALL
"""
OUTCOMES = "SELECT asset, partition, outcome FROM lineage.steps WHERE run = {} ORDER BY ALL"


@pytest.fixture
def batches(mill: Mill) -> Mill:
    """Orders and their revenue, both in batches, of five days."""
    rows = [f"2024-01-0{day},{n},{10 * n}" for day in range(1, 6) for n in range(1, 4)]
    mill.write("data/orders.csv", "day,id,amount\n" + "\n".join(rows) + "\n")
    mill.write("assets/shop.py", CLEANED)
    mill.write("assets/revenue.sql", REVENUE)
    return mill


def tries(mill: Mill, run: int, asset: str) -> list[tuple[Any, ...]]:
    """How many steps of a run shared each try, which each has an equal share of its time."""
    return mill.sql(
        "SELECT count(*), any_value(a.status) FROM lineage.attempts a JOIN lineage.steps s "
        "USING (step) WHERE s.run = $1 AND s.asset = $2 GROUP BY a.compute_s, a.attempt "
        "ORDER BY min(s.partition), a.attempt",
        run,
        asset,
    )


def test_adjacent_partitions_are_one_computation(batches: Mill) -> None:
    report = batches.run()
    assert (report.exit_status, len(report.having("made"))) == (0, 10)
    assert tries(batches, 1, "orders") == tries(batches, 1, "revenue") == [(5, "succeeded")]
    log = batches.open().log_file(1, "orders", "2024-01-01", 1)
    assert log.read_text() == "called for 5\n"
    found = batches.sql("SELECT date, amount FROM production.revenue ORDER BY ALL")
    assert [(str(day), amount) for day, amount in found] == [
        (f"2024-01-0{n}", 60) for n in range(1, 6)
    ]


def test_each_partition_has_its_own_version_verdict_edges_and_footer(batches: Mill) -> None:
    batches.run()
    days = [f"2024-01-0{n}" for n in range(1, 6)]
    assert batches.sql(EDGES) == [
        *(("orders", day, "raw_orders", "") for day in days),
        *(("revenue", day, "orders", day) for day in days),
    ]
    judged = batches.sql("""
        SELECT count(DISTINCT p.materialization), count(DISTINCT judgement)
        FROM lineage.production AS p JOIN lineage.judgements USING (judgement)
        WHERE asset = 'revenue' AND verdict = 'promote'
    """)
    assert judged == [(5, 5)]
    found = batches.sql(
        "SELECT partition, materialization, path FROM lineage.production "
        "JOIN lineage.materializations USING (asset, partition, materialization) "
        "WHERE asset = 'revenue'"
    )
    for key, materialization, path in found:
        said = read_metadata(batches.open().layout.versions / path)
        assert (said["partition"], said["materialization"]) == (key, materialization)
        assert [(given["asset"], given["partition"]) for given in said["inputs"]] == [
            ("orders", key)
        ]


def test_one_bad_day_holds_that_day_only(batches: Mill, edit: Edit) -> None:
    edit("data/orders.csv", "2024-01-03,2,20", "2024-01-03,2,-20")
    report = batches.run()
    assert report.exit_status == 3
    assert [str(done.step) for done in report.having("held")] == ["orders@2024-01-03"]
    assert [str(done.step) for done in report.having("blocked")] == ["revenue@2024-01-03"]
    assert len(report.having("made")) == 8
    assert tries(batches, 1, "revenue") == [(2, "succeeded"), (2, "succeeded")]
    assert batches.sql("SELECT count(*) FROM quarantine.orders") == [(3,)]


def test_one_changed_day_makes_one_day(batches: Mill, edit: Edit) -> None:
    batches.run()
    edit("data/orders.csv", "2024-01-03,2,20", "2024-01-03,2,25")
    batches.run()
    changed = [(a, k) for a, k, outcome in batches.sql(OUTCOMES.format(2)) if a == "revenue"]
    assert changed == [("revenue", f"2024-01-0{n}") for n in range(1, 6)]
    assert batches.sql(
        "SELECT partition, outcome FROM lineage.steps WHERE run = 2 AND asset = 'revenue' "
        "AND outcome <> 'unchanged'"
    ) == [("2024-01-03", "made")]
    assert tries(batches, 2, "revenue") == [(1, "succeeded")]
    assert not batches.plan().steps


WHOLE = """
from datetime import date
from pathlib import Path

import duckdb
import pandera.polars as pa
import polars as pl

from millgate import Daily, Gate, Partition, Retry, asset

NUMBERS = {numbers}
mark = Path(__file__).parents[1] / "mark"
few = pa.DataFrameSchema({{"n": pa.Column(int, pa.Check.lt(4))}})


@asset(partitions=Daily("2024-01-01", end="2024-01-04", batch=3){more})
def whole(partitions: list[Partition]):
    asked = [n for n in NUMBERS if date(2024, 1, n or 1) in [p["date"] for p in partitions]]
    days = [n and date(2024, 1, n) for n in asked]
    frame = pl.DataFrame({{"date": days, "n": asked}}, schema={{"date": pl.Date, "n": pl.Int64}})
    return {result}
"""
FORMS = {
    "frame": "frame",
    "lazy": "frame.lazy()",
    "table": "frame.to_arrow()",
    "reader": "frame.to_arrow().to_reader()",
    "relation": "duckdb.sql('FROM frame')",
    "iterator": "iter([frame.head(1), frame.slice(1)])",
}
STORAGES = ("parquet", "duckdb")


def write_whole(
    mill: Mill, numbers: list[int | None], result: str = "frame", more: str = ""
) -> None:
    """An asset of four days in batches of three, whose rows are on the days of `numbers`."""
    mill.write("assets/whole.py", WHOLE.format(numbers=numbers, result=result, more=more))


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_split(mill: Mill, form: str, storage: str) -> None:
    write_whole(mill, [3, 1, 1, 4], FORMS[form], f", storage={storage!r}")
    assert len(mill.run(workers=1).having("made")) == 4
    assert mill.sql("SELECT day(date), n FROM production.whole ORDER BY ALL") == [
        (1, 1),
        (1, 1),
        (3, 3),
        (4, 4),
    ]
    assert mill.sql("SELECT day(window_start), rows FROM lineage.materializations ORDER BY 1") == [
        (1, 2),
        (2, 0),
        (3, 1),
        (4, 1),
    ]


@pytest.mark.parametrize("storage", STORAGES)
def test_rows_too_many_for_memory_are_split_while_they_are_written(
    mill: Mill, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    monkeypatch.setattr("millgate.store.splitting.GROUP_BYTES", 20)
    monkeypatch.setattr("millgate.store.streams.GROUP_ROWS", 1)
    rows = "iter([frame.slice(i, 1) for i in range(frame.height)])"
    write_whole(mill, [1, 3, 1, 3, 3, 4], rows, f", storage={storage!r}")
    assert mill.run().exit_status == 0
    counted = "SELECT n, count(*) FROM production.whole GROUP BY n ORDER BY n"
    assert mill.sql(counted) == [(1, 2), (3, 3), (4, 1)]
    assert not [*(mill.root / "warehouse").rglob("*.part")]


INTERLEAVED = """
import resource, sys
from pathlib import Path
import polars as pl
from millgate.errors import StoreError
from millgate.store import splitting

_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (60, min(most, int(sys.argv[2]))))
splitting.GROUP_BYTES = 1
splitting._FILES_BESIDE = 60
keys = range(100)
files = {key: splitting.Target(Path(sys.argv[1]) / f"{key}.parquet", {}) for key in keys}
frames = (pl.DataFrame({"key": keys, "n": [n] * len(keys)}) for n in range(3))
try:
    splitting.split(frames, "key", files, lambda columns: None, "assets/a.py")
except StoreError as error:
    print(error.what, error.fix, sep="; ")
print(len(list(Path(sys.argv[1]).iterdir())))
"""


@pytest.mark.parametrize("most", [4000, 60])
def test_more_partitions_than_open_files_are_written_where_the_system_lets_them(
    tmp_path: Path, most: int
) -> None:
    command = [sys.executable, "-c", INTERLEAVED, str(tmp_path), str(most)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    if most > 60:
        assert told == ["100"]
        return
    assert "Too many open files; let a process have more open files (ulimit -n)" in told[0]
    assert told[1] == "0"


def test_a_key_without_rows_is_judged_as_an_empty_partition(mill: Mill) -> None:
    write_whole(mill, [1, 3, 4], more=", gate=Gate(rows=(1, None))")
    report = mill.run()
    assert [str(done.step) for done in report.having("held")] == ["whole@2024-01-02"]
    assert len(report.having("made")) == 3


@pytest.mark.parametrize("form", ["frame", "iterator"])
@pytest.mark.parametrize(
    ("result", "shown"),
    [
        ("frame.with_columns(pl.col('date') + pl.duration(days=7))", "date=2024-01-08, n=1"),
        ("frame.with_columns(date=None).cast({'date': pl.Date})", "date=None, n=1"),
    ],
)
def test_rows_of_other_keys_are_an_error_that_shows_them(
    mill: Mill, form: str, result: str, shown: str
) -> None:
    write_whole(mill, [1, 2, 3], FORMS[form].replace("frame", f"{result}"))
    report = mill.run("whole@2024-01-01..2024-01-03")
    failed = report.having("failed")
    assert len(failed) == 3
    told = "rows are of no partition that was asked for (2024-01-01 to 2024-01-03): "
    assert f"{told}{shown}" in failed[0].message
    assert "keep only rows whose date is one of the partitions asked for" in failed[0].detail
    assert not mill.sql("SELECT * FROM lineage.production")


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("frame.select('n')", "of whole@2024-01-01..2024-01-03 has no column date"),
        ("frame.with_columns(pl.col('date').cast(str))", "column 'date' is String"),
        ("frame.rename({'date': 'Date'})", "'Date' are one name in SQL"),
    ],
)
def test_the_result_must_carry_the_partition_column(mill: Mill, result: str, said: str) -> None:
    write_whole(mill, [1], result)
    failed = mill.run().having("failed")
    assert len(failed) == 4
    assert any(said in each.message for each in failed)


@pytest.mark.parametrize("form", ["frame", "lazy"])
def test_a_split_gate_parts_the_rows_of_each_partition(mill: Mill, form: str) -> None:
    write_whole(mill, [1, 2, 3, 4, 4], FORMS[form], ', gate=Gate(few, on_failure="split")')
    assert mill.run().exit_status == 0
    assert mill.sql("SELECT n FROM production.whole ORDER BY n") == [(1,), (2,), (3,)]
    assert mill.sql("SELECT n FROM quarantine.whole") == [(4,), (4,)]


@pytest.mark.parametrize("storage", STORAGES)
def test_a_failed_batch_is_tried_again_as_a_whole(mill: Mill, storage: str) -> None:
    more = f', retries=Retry(1, delay="0s", jitter=False), storage="{storage}"'
    write_whole(mill, [1, 4], "frame if mark.exists() else mark.touch() or frame.no_such()", more)
    report = mill.run(workers=1)
    assert (report.exit_status, len(report.having("made"))) == (0, 4)
    assert tries(mill, 1, "whole") == [(3, "failed"), (3, "succeeded"), (1, "succeeded")]
    suffixes = mill.sql("SELECT DISTINCT parse_filename(path) FROM lineage.materializations")
    assert all(name.endswith(f".{storage}") for (name,) in suffixes)


WINDOWED = '''
import polars as pl

from millgate import Daily, Hourly, Keys, Partition, Window, asset

start, end = "2024-01-01", "2024-01-04"


@asset(partitions=Daily(start, end=end))
def counts(partition: Partition) -> pl.DataFrame:
    return pl.DataFrame({"n": [partition["date"].day]})


@asset(partitions=Daily(start, end=end, batch=9), upstream={"few": Window(-1, 0, of="counts")})
def sums(few: pl.DataFrame, partitions: list[Partition]) -> pl.DataFrame:
    """The sum of two days, for each day of a batch."""
    days = pl.DataFrame({"day": [partition["date"] for partition in partitions]})
    near = days.join(few, how="cross").filter(
        (pl.col("day") - pl.col("date")).is_between(pl.duration(days=0), pl.duration(days=1))
    )
    return near.group_by(date="day").agg(pl.col("n").sum(), read=pl.lit(few.height))


@asset(partitions=Daily(start, end=end, batch=9) * Keys("EU", "US"))
def product(counts: pl.DataFrame, partitions: list[Partition]) -> pl.DataFrame:
    (region,) = {partition["key"] for partition in partitions}
    return counts.with_columns(region=pl.lit(f"{region} {len(partitions)}"))


@asset(partitions=Keys("a", "b", "c", batch=2))
def keyed(partitions: list[Partition]) -> pl.DataFrame:
    return pl.DataFrame({"key": [partition.key for partition in partitions]})


@asset(partitions=Hourly("2024-01-01T00:00Z", end="2024-01-01T04:00Z", batch=24))
def hours(partitions: list[Partition]) -> pl.DataFrame:
    return pl.DataFrame({"hour": [p["hour"] for p in partitions]}).with_columns(
        n=pl.len(), first=pl.lit(partitions[0].start.replace(tzinfo=None))
    )
'''
PARAMETERS = """
-- partitions: Daily("2024-01-01", end="2024-01-04", batch=3)
SELECT date, $partition_start::VARCHAR AS first, $partition_end::VARCHAR AS last,
    len($partition_keys) AS keys
FROM counts WHERE list_contains($partition_keys, date)
"""


def test_a_batch_reads_the_union_and_each_partition_is_made_from_its_own(mill: Mill) -> None:
    mill.write("assets/windowed.py", WINDOWED)
    assert mill.run("+sums", command="backfill", everything=True).exit_status == 0
    assert mill.sql("SELECT day(date), n, read FROM production.sums ORDER BY date") == [
        (1, 1, 4),
        (2, 3, 4),
        (3, 5, 4),
        (4, 7, 4),
    ]
    edges = [(down, up) for asset, down, _, up in mill.sql(EDGES) if asset == "sums"]
    days = [f"2024-01-0{n}" for n in range(1, 5)]
    assert edges == sorted([*zip(days, days, strict=True), *zip(days[1:], days, strict=False)])
    mill.write("assets/windowed.py", WINDOWED.replace(".day]", ".day + (partition.key[9] == '4')]"))
    mill.run("counts")
    assert [step.key for step in mill.plan("sums").steps] == ["2024-01-04"]


def test_what_a_batch_goes_along(mill: Mill) -> None:
    mill.write("assets/windowed.py", WINDOWED)
    mill.write("assets/told.sql", PARAMETERS)
    assert mill.run().exit_status == 0
    assert mill.sql("SELECT region, count(*) FROM production.product GROUP BY ALL ORDER BY 1") == [
        ("EU 4", 4),
        ("US 4", 4),
    ]
    assert tries(mill, 1, "keyed") == [(2, "succeeded"), (1, "succeeded")]
    hours = mill.sql("SELECT DISTINCT n, first::VARCHAR FROM production.hours")
    assert hours == [(5, "2024-01-01 00:00:00")]
    told = mill.sql("SELECT DISTINCT first, last, keys FROM production.told ORDER BY ALL")
    assert told == [
        ("2024-01-01 00:00:00", "2024-01-04 00:00:00", 3),
        ("2024-01-04 00:00:00", "2024-01-05 00:00:00", 1),
    ]


CHAIN = '''
import os
import signal
from pathlib import Path

import polars as pl

from millgate import Daily, Gate, Partition, Retry, asset

root = Path(__file__).parents[1]
batched = Daily("2024-01-01", end="2024-01-06", batch=2)


@asset(partitions=batched, tags=["few"], gate=Gate(rows=(1, None)))
def numbers(partitions: list[Partition]) -> pl.DataFrame:
    """One row a day; none on the days that are named in the file `bad`."""
    (root / "inside").touch(exist_ok=False)
    (root / "inside").unlink()
    bad = (root / "bad").read_text() if (root / "bad").exists() else ""
    days = [p["date"] for p in partitions if p.key not in bad]
    return pl.DataFrame({"date": days, "n": [day.day for day in days]}, schema=SCHEMA)


SCHEMA = {"date": pl.Date, "n": pl.Int64}


@asset(partitions=Daily("2024-01-01", end="2024-01-06", batch=6), tags=["few"])
def doubled(numbers: pl.LazyFrame, partitions: list[Partition]):
    """Dies in the midst of its rows as long as there is a file `die`."""
    (root / "inside").touch(exist_ok=False)
    (root / "inside").unlink()
    frame = numbers.with_columns(n=2 * pl.col("n")).collect()
    yield frame.head(1)
    if (root / "die").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    yield frame.slice(1)
'''
TOTALS = "SELECT (SELECT sum(n) FROM production.numbers), (SELECT sum(n) FROM production.doubled)"


@pytest.fixture
def chain(mill: Mill) -> Mill:
    """Numbers in batches of two and twice as many in batches of six, one at a time."""
    mill.write("pyproject.toml", '[tool.millgate]\nname = "trial"\nlimits = {few = 1}\n')
    mill.write("assets/chain.py", CHAIN)
    mill.now = mill.now.replace(day=9)
    return mill


def test_what_is_left_of_a_batch_is_made_in_parts_within_the_limits(chain: Mill) -> None:
    chain.write("bad", "2024-01-03")
    report = chain.run(workers=4)
    assert [str(done.step) for done in report.having("held")] == ["numbers@2024-01-03"]
    assert [str(done.step) for done in report.having("blocked")] == ["doubled@2024-01-03"]
    assert not report.having("failed")
    assert tries(chain, 1, "numbers") == [(2, "succeeded")] * 3
    assert tries(chain, 1, "doubled") == [(2, "succeeded"), (3, "succeeded")]


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_process_that_dies_in_a_batch_leaves_whole_partitions(chain: Mill, executor: str) -> None:
    chain.write("die", "")
    command = ["backfill", "--all", "--workers", "1", "--executor", executor]
    died = subprocess.run(
        [sys.executable, "-m", "millgate", *command], cwd=chain.root, capture_output=True
    )
    assert died.returncode == (1 if executor == "processes" else -signal.SIGKILL), died.stderr
    if executor == "processes":
        lost = chain.sql("SELECT DISTINCT error_type FROM lineage.attempts WHERE status = 'failed'")
        assert lost == [("WorkerLost",)]
        assert chain.sql("SELECT count(*) FROM lineage.production") == [(6,)]
    (chain.root / "die").unlink()
    again = chain.run(executor=executor)
    assert again.exit_status == 0
    assert chain.sql(TOTALS) == [(21, 42)]
    assert not [*(chain.root / "warehouse" / "staging").glob("*/*")]


def test_all_or_nothing_with_batches(chain: Mill) -> None:
    chain.write("bad", "2024-01-03")
    assert chain.run(atomic=True).exit_status == 3
    assert not chain.sql("SELECT * FROM lineage.production")
    (chain.root / "bad").unlink()
    report = chain.run(atomic=True, retry_held=True)
    assert (report.exit_status, chain.sql(TOTALS)) == (0, [(21, 42)])


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_batches_come_out_alike_wherever_they_run(batches: Mill, executor: str) -> None:
    report = batches.run(executor=executor)
    assert len(report.having("made")) == 10
    assert batches.sql("SELECT sum(amount) FROM production.revenue") == [(300,)]
    assert tries(batches, 1, "revenue") == [(5, "succeeded")]
    assert len(batches.sql(EDGES)) == 10


def test_a_gate_that_looks_around_judges_each_partition_of_a_batch(mill: Mill) -> None:
    write_whole(
        mill,
        [1, 2, 2, 3, 4, 4],
        more=', gate=Gate(compare={"rows": (0.6, 2.0)}, references={"n": "known.n"})',
    )
    mill.write("assets/known.sql", "SELECT n::BIGINT AS n FROM range(1, 4) AS numbers(n)")
    report = mill.run()
    held = {str(done.step): done.message for done in report.having("held")}
    assert list(held) == ["whole@2024-01-03"]
    assert [str(done.step) for done in report.having("blocked")] == ["whole@2024-01-04"]


SEPARABLE = (
    "SELECT date, n, v FROM raw_rows",
    "SELECT date, sum(n) AS n, count(*) AS v FROM raw_rows GROUP BY date",
    "SELECT date, n, max(v) AS v FROM raw_rows WHERE n > 1 GROUP BY ALL",
    "SELECT date, n, row_number() OVER (PARTITION BY date ORDER BY n, v) AS v FROM raw_rows",
    "SELECT date, n, v FROM raw_rows QUALIFY rank() OVER (PARTITION BY date ORDER BY v) = 1",
)


@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # Each example is a project, so shrinking one would take minutes.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3), st.integers(0, 3)), min_size=1),
    batch=st.integers(1, 7),
    bad=st.integers(0, 3),
)
def test_what_is_separable_comes_out_the_same_in_batches(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, int, int]],
    batch: int,
    bad: int,
) -> None:
    """All queries at once, each in batches and day by day, with a gate that splits or holds."""
    mill = Mill(tmp_path_factory.mktemp("separable"))
    mill.now = mill.now.replace(day=9)
    mill.write("pyproject.toml", '[tool.millgate]\nname = "trial"\n')
    mill.write(
        "data/rows.csv", "day,n,v\n" + "".join(f"2024-01-0{d},{n},{v}\n" for d, n, v in rows)
    )
    mill.write("assets/rows.py", ROWS)
    for number, query in enumerate(SEPARABLE):
        policy = "split" if number % 2 else "hold"
        for name, bound in (("alone", ""), ("batch", f", batch={batch}")):
            header = f'-- partitions: Daily("2024-01-01", end="2024-01-06"{bound})\n'
            gate = f'-- gate: Gate(rows.below_{bad}, on_failure="{policy}")\n'
            mill.write(f"assets/{name}_{number}.sql", header + gate + query)
    mill.run()
    served = mill.sql("SELECT table_schema, table_name FROM information_schema.tables")
    for number in range(len(SEPARABLE)):
        for schema in ("production", "quarantine"):
            alone, together = (
                mill.sql(f"SELECT date, n, v FROM {schema}.{name} ORDER BY ALL")
                if (schema, name) in served
                else []
                for name in (f"alone_{number}", f"batch_{number}")
            )
            assert alone == together, (number, schema)
        states = "SELECT partition, data_hash, rows, location FROM lineage.materializations "
        alone, together = (
            mill.sql(f"{states} WHERE asset = '{name}_{number}' ORDER BY ALL")
            for name in ("alone", "batch")
        )
        assert alone == together


ROWS = """
import pandera.polars as pa
import polars as pl

from millgate import Daily, Partition, asset, source

raw = source("data/rows.csv")
below_0, below_1, below_2, below_3 = (
    pa.DataFrameSchema({"n": pa.Column(checks=pa.Check.lt(n + 1), nullable=True)}) for n in range(4)
)


@asset(partitions=Daily("2024-01-01", end="2024-01-06"))
def raw_rows(raw: pl.LazyFrame, partition: Partition) -> pl.LazyFrame:
    return raw.filter(pl.col("day") == partition.key).select(pl.col("n", "v").cast(pl.Int64))
"""
