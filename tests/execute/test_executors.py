"""Where steps run changes nothing about what they make; what ends there costs only its step."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import Mill
from millgate.errors import UsageError
from millgate.model.request import Request, Silence

EXECUTORS = ("threads", "processes", "dask")

MANY_FORMS = '''
import logging
import os
from pathlib import Path

import duckdb
import pandera.polars as pa
import polars as pl

from millgate import Daily, Env, Gate, Keys, Partition, Retry, asset, source

days = Daily("2024-01-01", end="2024-01-03")


class Order(pa.DataFrameModel):
    id: int
    amount: int = pa.Field(gt=0)


class Earlier:
    """A mapping of the user's own, which holds what cannot be pickled."""

    of = "orders"

    def __init__(self):
        self.unpicklable = lambda key: key

    def keys(self, partition, upstream, horizon):
        return [key for key in upstream.keys(horizon) if key <= partition.key]


raw_orders = source("data/orders.csv")
factory = [
    asset(name=f"times_{n}", partitions=days)(
        lambda orders, n=n: orders.with_columns(amount=pl.col("amount") * n)
    )
    for n in (2, 3)
]


@asset(partitions=days, gate=Gate(Order, on_failure="split", max_rejected=0.9), tags=["few"])
def orders(raw_orders: pl.LazyFrame, partition: Partition) -> pl.LazyFrame:
    """Lazy, split by its gate."""
    return raw_orders.filter(pl.col("day") == partition.key).select("id", "amount")


@asset(partitions=days, upstream={"week": Earlier()})
def relation(week: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """A relation, read after the function has returned."""
    return week.aggregate("count(*) AS n, sum(amount)::BIGINT AS amount")


@asset(partitions=days)
def written(orders, partition: Partition) -> str:
    """SQL as text."""
    return "SELECT id, $partition_key AS key FROM orders"


@asset(partitions=Keys("a", "b") * days)
def product(partition: Partition) -> pl.DataFrame:
    return pl.DataFrame({"at": [str(partition["date"])]})


@asset
def told(token: str = Env("TRIAL_TOKEN"), orders: str = "x") -> pl.DataFrame:
    print("token", token)
    logging.getLogger("shop").warning("seen")
    return pl.DataFrame({"n": [len(token)]})


@asset(retries=Retry(1, delay="0s", jitter=False))
def flaky() -> pl.DataFrame:
    mark = Path(__file__).parent.parent / "tried"
    if not mark.exists():
        mark.touch()
        raise ConnectionError("no answer")
    return pl.DataFrame({"n": [1]})


@asset(partitions=days)
def held(orders: pl.DataFrame) -> pl.DataFrame:
    raise ValueError(f"no {orders.height}")
'''

CONTENT = """
    SELECT asset, partition, data_hash, m.rows, verdict FROM lineage.production
    JOIN lineage.materializations m USING (asset, partition, materialization)
    LEFT JOIN lineage.judgements j USING (judgement) ORDER BY asset, partition
"""
ATTEMPTS = """
    SELECT s.asset, s.partition, s.outcome, a.attempt, a.status, a.error_type, a.error,
        a.error_line, a.log_path IS NOT NULL
    FROM lineage.steps s LEFT JOIN lineage.attempts a USING (step) ORDER BY ALL
"""
EDGES = """
    SELECT m.asset, m.partition, i.asset, i.partition FROM lineage.materialization_edges e
    JOIN lineage.materializations m ON m.materialization = e.downstream
    JOIN lineage.materializations i ON i.materialization = e.upstream ORDER BY ALL
"""
TRIES = "SELECT attempt, status, error_type, error FROM lineage.attempts ORDER BY attempt"

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="distributed is not installed"
)
EVERYWHERE = [
    "processes",
    pytest.param("dask", marks=needs_dask),
]


def filled(mill: Mill) -> Mill:
    rows = [f"2024-01-0{day},{n},{n - 1}" for day in range(1, 4) for n in range(1, 4)]
    mill.write("data/orders.csv", "day,id,amount\n" + "\n".join(rows) + "\n")
    mill.write("assets/many.py", MANY_FORMS)
    mill.write("assets/total.sql", "SELECT sum(amount)::BIGINT AS amount FROM orders")
    return mill


def found(mill: Mill) -> list[list[tuple[Any, ...]]]:
    return [mill.sql(query) for query in (CONTENT, ATTEMPTS)]


@pytest.mark.parametrize("executor", EVERYWHERE)
def test_every_executor_makes_and_records_the_same(
    mill: Mill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    monkeypatch.setenv("TRIAL_TOKEN", "hunter2")
    other = Mill(tmp_path / "other")
    other.write("pyproject.toml", '[tool.millgate]\nname = "trial"\nlimits = {"few" = 1}\n')
    here = filled(other).run(executor="threads")
    there = filled(mill).run(executor=executor)
    assert found(mill) == found(other)
    assert here.exit_status == there.exit_status == 1
    log = mill.open().log_file(1, "told", "", 1).read_text()
    assert log.startswith("token ***TRIAL_TOKEN***\n")
    assert "WARNING shop: seen" in log
    assert not mill.plan("orders or told or relation or product").steps


FAILING = """
import os
import signal
import subprocess
import threading
from pathlib import Path

import polars as pl

from millgate import Retry, asset

here = Path(__file__).parent.parent


@asset(retries=Retry({times}, delay="0s", jitter=False, on=(KeyError,), timeout={timeout}))
def fragile() -> pl.DataFrame:
    print("begun", flush=True)
    with (here / "pids").open("a") as pids:
        print(os.getpid(), file=pids)
    {ending}
    return pl.DataFrame({{"n": [1]}})


@asset
def sound() -> pl.DataFrame:
    return pl.DataFrame({{"n": [2]}})


@asset
def after(sound: pl.LazyFrame) -> pl.LazyFrame:
    return sound
"""
FOREVER = "threading.Event().wait()"
WITH_CHILD = (
    f'print(subprocess.Popen(["sleep", "600"]).pid, file=(here / "pids").open("a")); {FOREVER}'
)


def failing(mill: Mill, ending: str, *, times: int = 0, timeout: str | None = None) -> Mill:
    text = FAILING.format(ending=ending, times=times, timeout=repr(timeout))
    mill.write("assets/fragile.py", text)
    return mill


def pids(mill: Mill) -> list[int]:
    return [int(line) for line in (mill.root / "pids").read_text().split()]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_end(numbers: list[int]) -> bool:
    """Wait until none of the processes is left."""
    deadline = time.monotonic() + 60
    while any(map(is_alive, numbers)) and time.monotonic() < deadline:
        os.sched_yield()
    return not any(map(is_alive, numbers))


def test_a_time_out_ends_the_worker_and_all_it_started(mill: Mill) -> None:
    failing(mill, WITH_CHILD, times=1, timeout="1s")
    report = mill.run(executor="processes")
    assert {str(d.step): d.outcome for d in report.done} == {
        "fragile": "failed",
        "sound": "made",
        "after": "made",
    }
    rows = mill.sql(f"SELECT * FROM ({TRIES}) WHERE status = 'failed'")
    assert [(n, kind) for n, _, kind, _ in rows] == [(1, "TimedOut"), (2, "TimedOut")]
    assert "fragile took longer than its time-out of 1s" in rows[0][3]
    assert len(set(pids(mill))) == 4
    assert all_end(pids(mill))
    assert mill.open().log_file(1, "fragile", "", 2).read_text() == "begun\n"


def test_in_time_nothing_is_ended(mill: Mill) -> None:
    failing(mill, "pass", timeout="10m")
    assert mill.run(executor="processes").exit_status == 0


@pytest.mark.parametrize("executor", EVERYWHERE)
def test_the_death_of_a_worker_costs_one_attempt(mill: Mill, executor: str) -> None:
    once = "(here / 'died').exists() or ((here / 'died').touch(), os._exit(3))"
    failing(mill, once, times=1)
    assert mill.run(executor=executor).exit_status == 0
    rows = mill.sql(f"FROM ({TRIES}) WHERE error_type IS NOT NULL")
    assert [(n, status, kind) for n, status, kind, _ in rows] == [(1, "failed", "WorkerLost")]
    assert "the worker of fragile ended" in rows[0][3]
    assert len(pids(mill)) == 2


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("os._exit(3)", "the worker of fragile ended with exit status 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "the worker of fragile was ended by SIGKILL"),
    ],
)
def test_without_retries_it_fails_the_step_alone(mill: Mill, ending: str, told: str) -> None:
    report = failing(mill, ending).run(executor="processes")
    (failed,) = report.having("failed")
    assert failed.message == f"WorkerLost: {told}"
    assert len(report.having("made")) == 2
    assert len(pids(mill)) == 1


@pytest.mark.parametrize("executor", ["threads", *EVERYWHERE])
def test_a_time_out_needs_an_executor_that_can_keep_it(mill: Mill, executor: str) -> None:
    failing(mill, "pass", timeout="10m")
    if executor == "processes":
        assert mill.run(executor=executor).exit_status == 0
        return
    with pytest.raises(UsageError, match="fragile has a time-out of 10m") as error:
        mill.run(executor=executor)
    assert "--executor processes" in error.value.fix
    assert error.value.where.startswith("assets/fragile.py:")
    assert not (mill.root / "warehouse" / "runs").exists()


@pytest.mark.parametrize(
    ("executor", "told"),
    [
        ("process", "did you mean processes"),
        ("ssh", "write threads, processes, dask or dask:ADDRESS"),
        ("threads:4", "write threads, processes, dask or dask:ADDRESS"),
        ("dask:", "write threads, processes, dask or dask:ADDRESS"),
    ],
)
def test_where_steps_cannot_run(shop: Mill, executor: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        shop.run(executor=executor)
    assert told in error.value.fix
    shop.write("pyproject.toml", f'[tool.millgate]\nexecutor = "{executor}"\n')
    with pytest.raises(UsageError):
        shop.run()


@needs_dask
def test_a_cluster_that_does_not_answer(shop: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millgate.execute.cluster._CONNECT", "100ms")
    with pytest.raises(UsageError, match="no Dask scheduler answers") as error:
        shop.run(executor="dask:tcp://127.0.0.1:1")
    assert error.value.where == "--executor dask:tcp://127.0.0.1:1"
    assert not (shop.root / "warehouse" / "runs").exists()


@needs_dask
def test_a_cluster_that_is_there_already(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its workers outlive the run, know their own settings, and find the code as it is now."""
    import distributed

    mill.write(
        "assets/erp.py",
        """
        import os
        import polars as pl
        from millgate import Env, asset

        @asset
        def erp(dsn: str = Env("TRIAL_DSN")) -> pl.DataFrame:
            return pl.DataFrame({"n": [1], "pid": [os.getpid()], "length": [len(dsn)]})
        """,
    )
    monkeypatch.setenv("TRIAL_DSN", "hunter2")
    with distributed.LocalCluster(n_workers=1, dashboard_address=None) as cluster:
        monkeypatch.delenv("TRIAL_DSN")
        executor = f"dask:{cluster.scheduler_address}"
        assert mill.run(executor=executor).exit_status == 0
        first = mill.sql("FROM production.erp")
        edited = mill.root / "assets" / "erp.py"
        edited.write_text(edited.read_text().replace("[1]", "[2]"))
        assert mill.run(executor=executor).exit_status == 0
        assert mill.sql("FROM production.erp") == [(2, *first[0][1:])]
    assert first == [(1, first[0][1], len("hunter2"))]
    assert first[0][1] != os.getpid()


def test_a_missing_package_is_told_by_its_install_command(
    shop: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="needs the package distributed") as error:
        shop.run(executor="dask")
    assert error.value.fix.startswith("pip install 'millgate[dask]'")
    assert not (shop.root / "warehouse" / "runs").exists()


@pytest.mark.parametrize("executor", EVERYWHERE)
def test_code_that_changed_since_the_plan_is_not_run(mill: Mill, executor: str) -> None:
    failing(mill, "pass")
    mill.write("pyproject.toml", f'[tool.millgate]\nexecutor = "{executor}"\n')
    project = mill.open()
    request = Request("materialize", "fragile", force=True)
    plan = project.propose(request)
    failing(mill, "print('other')", times=3)
    report = project.run(request, plan, workers=1, watcher=Silence())
    (failed,) = report.having("failed")
    assert failed.message.startswith("CodeChanged: the worker has other code of fragile")
    assert mill.sql(TRIES)[0][:3] == (1, "failed", "CodeChanged")
    assert len(mill.sql(TRIES)) == 1
    assert mill.run("fragile").exit_status == 0


AT_ONCE = """
import os
from pathlib import Path

import polars as pl

from millgate import Keys, Partition, asset

here = Path(__file__).parent.parent


@asset(partitions=Keys("a", "b"))
def differing(partition: Partition) -> pl.DataFrame:
    (here / partition.key).touch()
    while not all((here / key).exists() for key in "ab"):
        os.sched_yield()
    return pl.DataFrame({"n": [1 if partition.key == "a" else "one"]})
"""


@pytest.mark.parametrize("executor", ["threads", *EVERYWHERE])
def test_of_two_that_contradict_each_other_one_is_held(mill: Mill, executor: str) -> None:
    mill.write("assets/differing.py", AT_ONCE)
    report = mill.run(executor=executor)
    assert sorted(done.outcome for done in report.done) == ["held", "made"]
    assert mill.sql("SELECT status, error_type FROM lineage.attempts") == [("succeeded", None)] * 2


def command(mill: Mill, executor: str) -> subprocess.Popen[str]:
    words = ["-m", "millgate", "materialize", "--executor", executor, "--workers", "2"]
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=mill.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def begun(mill: Mill, child: subprocess.Popen[str], number: int = 1) -> None:
    """Wait until so many lines of process ids are written."""
    deadline = time.monotonic() + 60
    file = mill.root / "pids"
    while not file.exists() or file.read_text().count("\n") < number:
        assert child.poll() is None, child.communicate()[0]
        assert time.monotonic() < deadline
        os.sched_yield()


@pytest.mark.parametrize("executor", EVERYWHERE)
def test_ctrl_c_lets_a_running_step_finish(mill: Mill, executor: str) -> None:
    failing(mill, "while not (here / 'go').exists(): pass")
    with command(mill, executor) as child:
        begun(mill, child)
        os.killpg(child.pid, signal.SIGINT)
        assert child.stdout is not None
        for line in child.stdout:
            if "stopping" in line:
                break
        (mill.root / "go").touch()
        output = child.communicate(timeout=60)[0]
        assert child.returncode == 130, output
    assert ("fragile", "made") in mill.sql("SELECT asset, outcome FROM lineage.steps")
    assert mill.sql("SELECT status FROM lineage.runs") == [("cancelled",)]
    assert all_end(pids(mill))


@pytest.mark.parametrize("executor", EVERYWHERE)
def test_the_second_ctrl_c_leaves_no_process_behind(mill: Mill, executor: str) -> None:
    failing(mill, FOREVER)
    with command(mill, executor) as child:
        begun(mill, child)
        os.killpg(child.pid, signal.SIGINT)
        assert child.stdout is not None
        for line in child.stdout:
            if "stopping" in line:
                break
        os.killpg(child.pid, signal.SIGINT)
        output = child.communicate(timeout=60)[0]
        assert child.returncode == 130, output
    assert all_end(pids(mill))


@pytest.mark.parametrize("executor", EVERYWHERE)
def test_workers_end_with_a_killed_coordinator(mill: Mill, executor: str) -> None:
    failing(mill, WITH_CHILD if executor == "processes" else FOREVER)
    with command(mill, executor) as child:
        begun(mill, child, 2 if executor == "processes" else 1)
        child.kill()
        child.communicate(timeout=60)
    assert all_end(pids(mill))


SCRIPT = """
from millgate.model.request import Request, Silence
from millgate.project import Project

print("once")
project = Project.open()
request = Request("materialize", force=True)
report = project.run(request, project.propose(request), watcher=Silence(), executor="{executor}")
print(report.exit_status)
"""


@pytest.mark.parametrize("executor", EVERYWHERE)
def test_a_script_needs_no_guard_around_its_run(mill: Mill, executor: str) -> None:
    failing(mill, "pass")
    script = mill.write("script.py", SCRIPT.format(executor=executor))
    for words in ([str(script)], ["-c", script.read_text()]):
        ran = subprocess.run(
            [sys.executable, *words], cwd=mill.root, capture_output=True, text=True, timeout=120
        )
        assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "once\n0\n"
