"""SQLMesh with DuckDB: a project in OUT/project, data and state in OUT/peer.duckdb.

python sqlmesh_peer.py w1 OUT [--days 100]           `plan`, a statement for each day
python sqlmesh_peer.py w1_range OUT [--days 100]     the same without batch_size
python sqlmesh_peer.py w2 SOURCE OUT [--days 31]     `plan`, with audits, day by day
python sqlmesh_peer.py w2_range SOURCE OUT           the same without batch_size
python sqlmesh_peer.py w2_late SOURCE OUT            `plan` of five days, then `run` of the rest
"""

from __future__ import annotations

import os
import subprocess
from functools import partial
from pathlib import Path

from work import (
    AMOUNT_MAX,
    ASSETS,
    COUNTRIES,
    FIRST,
    STATUSES,
    beside,
    called,
    days,
    quoted,
    write,
)

CONFIG = """gateways:
  local:
    connection:
      type: duckdb
      database: {out}/peer.duckdb
default_gateway: local
model_defaults:
  dialect: duckdb
  start: '{first}'
disable_anonymized_analytics: true
"""
MODEL = """MODEL (
  name peer.{name}, cron '@daily', start '{first}', end '{last}',
  kind INCREMENTAL_BY_TIME_RANGE (time_column day{batch}){audits}
);
"""
AUDITS = f""",
  audits (
    not_null(columns := (id)), unique_values(columns := (id)),
    accepted_range(column := amount, min_v := 0, max_v := {int(AMOUNT_MAX)}),
    accepted_values(column := country, is_in := ({quoted(COUNTRIES)})),
    accepted_values(column := status, is_in := ({quoted(STATUSES)})),
    not_null(columns := (amount, country, status))
  )"""
FIRST_MODEL = f"""
SELECT d.d::DATE AS day, k.range AS k,
  k.range::DOUBLE + date_diff('day', DATE '{FIRST}', d.d::DATE) AS v
FROM range(10) k,
  (SELECT unnest(generate_series(@start_date, @end_date, INTERVAL 1 DAY)) AS d) d
WHERE d.d::DATE BETWEEN @start_date AND @end_date
"""
CLEANED = """
SELECT id, ts, CAST(ts AS DATE) AS day, CAST(customer_id AS INTEGER) AS customer_id,
  country, amount, lower(status) AS status
FROM read_parquet('{source}/*.parquet')
WHERE status <> 'TEST' AND ts >= @start_ts AND ts <= @end_ts
"""
DAILY = """
SELECT day, country, status, count(*) AS n, sum(amount) AS amount
FROM peer.cleaned WHERE day BETWEEN @start_date AND @end_date
GROUP BY day, country, status
"""


def model(name: str, query: str, count: int, *, by_day: bool, audits: str = "") -> dict[str, str]:
    """A model of these days as a file."""
    batch = ", batch_size 1" if by_day else ""
    head = MODEL.format(name=name, first=FIRST, last=days(count)[-1], batch=batch, audits=audits)
    return {f"models/{name}.sql": head + query}


def project(out: Path, models: dict[str, str]) -> Path:
    """A SQLMesh project with these models."""
    config = CONFIG.format(out=out, first=FIRST)
    return write(out / "project", {"config.yaml": config, **models})


def sqlmesh(project: Path, *arguments: str) -> int:
    """Run SQLMesh and print the end of what it said; its exit status."""
    ran = subprocess.run(
        [beside("sqlmesh"), "--log-file-dir", f"{project}/logs", "-p", str(project), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        env={**os.environ, "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true", "NO_COLOR": "1"},
    )
    print(*ran.stdout.splitlines()[-12:], f"exit {ran.returncode}", sep="\n")
    return ran.returncode


def chain(out: Path, count: int, *, by_day: bool) -> None:
    """W1."""
    models = model("a0", FIRST_MODEL, count, by_day=by_day)
    for number in range(1, ASSETS):
        query = (
            f"SELECT day, k, v + 1 AS v FROM peer.a{number - 1} "
            "WHERE day BETWEEN @start_date AND @end_date\n"
        )
        models |= model(f"a{number}", query, count, by_day=by_day)
    raise SystemExit(sqlmesh(project(out, models), "plan", "--auto-apply", "--no-prompts"))


def month_project(source: Path, out: Path, count: int, *, by_day: bool) -> Path:
    cleaned = CLEANED.format(source=source)
    models = model("cleaned", cleaned, count, by_day=by_day, audits=AUDITS)
    return project(out, models | model("daily_agg", DAILY, count, by_day=by_day))


def month(source: Path, out: Path, count: int, *, by_day: bool) -> None:
    """W2. A plan whose audits fail is what the dirty month asks for."""
    made = month_project(source, out, count, by_day=by_day)
    sqlmesh(made, "plan", "--auto-apply", "--no-prompts")


def month_late(source: Path, out: Path, count: int) -> None:
    """W2 on a live environment: what its scheduler would do with days that come later."""
    made = month_project(source, out, count, by_day=True)
    five = ["--execution-time", f"{days(6)[-1]} 00:00:01"]
    sqlmesh(made, "plan", "--auto-apply", "--no-prompts", *five)
    for _ in range(2):
        sqlmesh(made, "run", "--ignore-cron", "--end", str(days(count)[-1]))


if __name__ == "__main__":
    called(
        w1=partial(chain, by_day=True),
        w1_range=partial(chain, by_day=False),
        w2=partial(month, by_day=True),
        w2_range=partial(month, by_day=False),
        w2_late=month_late,
    )
