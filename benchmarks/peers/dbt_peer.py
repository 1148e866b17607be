"""dbt with DuckDB: microbatch models by day in OUT/project, the tables in OUT/peer.duckdb.

    python dbt_peer.py w1 OUT [--days 100]              `dbt run`
    python dbt_peer.py w2 SOURCE OUT [--days 31]        `dbt build`, with tests of severity error
    python dbt_peer.py w2_late SOURCE OUT [--days 8]    the good days, then the rest, day by day

At the end w2_late makes the aggregate of the first bad day alone, and prints what came of that.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from work import (
    AMOUNT_MAX,
    ASSETS,
    BAD_DAYS,
    COUNTRIES,
    FIRST,
    STATUSES,
    beside,
    called,
    days,
    write,
)

CONFIG = (
    "{{ config(materialized='incremental', incremental_strategy='microbatch', "
    f"event_time='day', batch_size='day', begin='{FIRST}') }}}}\n"
)
PROJECT = """name: peer
version: '1.0'
profile: peer
model-paths: [models]
flags:
  send_anonymous_usage_stats: false
"""
PROFILE = """peer:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: {out}/peer.duckdb
      threads: 1
"""
_FIRST = f"modules.datetime.date({FIRST.year}, {FIRST.month}, {FIRST.day})"
START = f"(model.batch.event_time_start if model.batch else {_FIRST})"
END = START.replace("start", "end")
FIRST_MODEL = f"""
SELECT d::DATE AS day, k, k::DOUBLE + date_diff('day', DATE '{FIRST}', d::DATE) AS v
FROM range(10) t(k), range(TIMESTAMP '{{{{ {START}.strftime('%Y-%m-%d') }}}}',
    TIMESTAMP '{{{{ {END}.strftime('%Y-%m-%d') }}}}', INTERVAL 1 DAY) r(d)
"""
CLEANED = """
SELECT id, ts, CAST(ts AS DATE) AS day, CAST(customer_id AS INTEGER) AS customer_id,
    country, amount, lower(status) AS status
FROM read_parquet('{source}/{{{{ {start}.strftime('%Y-%m-%d') }}}}.parquet')
WHERE status <> 'TEST'
"""
DAILY = """
SELECT day, country, status, count(*) AS n, sum(amount) AS amount
FROM {{ ref('cleaned') }}
GROUP BY ALL
"""
TESTS = f"""
models:
  - name: cleaned
    columns:
      - name: id
        data_tests: [not_null, unique]
      - name: country
        data_tests:
          - accepted_values: {{arguments: {{values: {COUNTRIES}}}}}
          - not_null
      - name: status
        data_tests:
          - accepted_values: {{arguments: {{values: {STATUSES}}}}}
          - not_null
"""
AMOUNT = f"""
SELECT * FROM {{{{ ref('cleaned') }}}}
WHERE NOT coalesce(amount BETWEEN 0 AND {AMOUNT_MAX}, false)
"""


def project(out: Path, models: dict[str, str]) -> Path:
    """A dbt project with these files."""
    files = {"dbt_project.yml": PROJECT, "profiles.yml": PROFILE.format(out=out)}
    return write(out / "project", {**files, **models})


def dbt(project: Path, *arguments: str) -> int:
    """Run dbt and print the end of what it said; its exit status."""
    folders = ["--project-dir", str(project), "--profiles-dir", str(project)]
    ran = subprocess.run(
        [beside("dbt"), "--no-use-colors", *arguments, *folders],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(*ran.stdout.splitlines()[-3:], f"exit {ran.returncode}", sep="\n")
    return ran.returncode


def between(first: int, end: int) -> list[str]:
    """The options that choose days, counted from 0, without the last."""
    start, stop = FIRST + timedelta(days=first), FIRST + timedelta(days=end)
    return ["--event-time-start", str(start), "--event-time-end", str(stop)]


def chain(out: Path, count: int) -> None:
    """W1."""
    models = {"models/a0.sql": CONFIG + FIRST_MODEL}
    for number in range(1, ASSETS):
        query = f"SELECT day, k, v + 1 AS v FROM {{{{ ref('a{number - 1}') }}}}\n"
        models[f"models/a{number}.sql"] = CONFIG + query
    sys.exit(dbt(project(out, models), "run", *between(0, count)))


def month_project(source: Path, out: Path) -> Path:
    models = {
        "models/cleaned.sql": CONFIG + CLEANED.format(source=source, start=START),
        "models/daily_agg.sql": CONFIG + DAILY,
        "models/schema.yml": TESTS,
        "tests/amount_in_range.sql": AMOUNT,
    }
    return project(out, models)


def month(source: Path, out: Path, count: int) -> None:
    """W2. A build whose tests fail is what the dirty month asks for."""
    dbt(month_project(source, out), "build", *between(0, count))


def month_late(source: Path, out: Path, count: int) -> None:
    """W2 on a live warehouse: the days before the first bad one, then each day by itself."""
    made, bad = month_project(source, out), BAD_DAYS[0]
    dbt(made, "build", *between(0, bad))
    for number in range(bad, count):
        print(days(count)[number])
        dbt(made, "build", *between(number, number + 1))
    failed = dbt(made, "run", "--select", "daily_agg", *between(bad, bad + 1))
    print("the aggregate of the bad day alone:", "refused" if failed else "made")


if __name__ == "__main__":
    called(w1=chain, w2=month, w2_late=month_late)
