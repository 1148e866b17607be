"""A seeded life of a warehouse: what people, machines and accidents do to it, one after the other.

The actions, and the file calls at which processes are killed, follow from the seed alone; how far
what runs beside them gets does not.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import duckdb
import pyarrow.parquet as pq

from attack.outside_view import Rows, Seen, connect, look, production_rows, read

FLOW = '''
import pandera.polars as pa
import polars as pl
from millgate import Daily, Gate, Partition, Window, asset, source

FACTOR = {factor}
days = Daily("2024-01-01", end="2024-01-05")


class Number(pa.DataFrameModel):
    id: int
    amount: int = pa.Field(gt=0, le={most})


raw = source("data/numbers.csv")


@asset(partitions=days, gate=Gate(Number))
def numbers(raw: pl.LazyFrame, partition: Partition) -> pl.LazyFrame:
    """A bad row holds the day."""
    return raw.filter(pl.col("day") == partition.key).select("id", pl.col("amount") * FACTOR)


@asset(partitions=days, gate=Gate(Number, on_failure="split"))
def parts(raw: pl.LazyFrame, partition: Partition) -> pl.LazyFrame:
    """A bad row stays behind."""
    return raw.filter(pl.col("day") == partition.key).select("id", "amount")


@asset(partitions=days, upstream={{"two": Window(-1, 0, of="numbers")}})
def running(two: pl.LazyFrame) -> pl.LazyFrame:
    return two.select(pl.col("amount").sum())
'''
SUMS = """-- partitions: Daily("2024-01-01", end="2024-01-05")
SELECT sum(amount {more})::BIGINT AS amount FROM parts
"""
TOTAL = "SELECT sum(r.amount)::BIGINT AS amount FROM running r\n"
EXTRA = """-- partitions: Daily("2024-01-01", end="2024-01-05")
SELECT max(amount) AS amount FROM numbers
"""
CHILD = """
import os, sys
from millgate.store.files import Files
from millgate.cli.main import main
left, number = int(sys.argv[1]), int(sys.argv[2])
perform = Files.perform
def counted(self, what, path, call):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), number)
    return perform(self, what, path, call)
Files.perform = counted
sys.argv[1:] = sys.argv[3:]
sys.exit(main())
"""
ONCE = {
    "materializations": "materialization, asset, partition, run, data_hash, rows, created_at",
    "promotions": "promotion, asset, partition, kind, materialization, run, snapshot, actor",
    "snapshots": "snapshot, committed_at, run, command, actor",
    "runs": "run, command, selection, started_at, actor",
    "judgements": "judgement, materialization, verdict, run",
}
"""What is said of a number once, and never differently."""
FAILURES = (
    "nothing has been materialized",
    "changed while",
    "is gone",
    "problem",
    "made a commit while",
)
"""What may be the matter with a command here."""
DAYS = [f"2024-01-0{day}" for day in range(1, 6)]
_KILLS = (signal.SIGKILL, signal.SIGKILL, signal.SIGINT)


@dataclass
class Started:
    """A command that runs in a process of its own."""

    said: tuple[str, ...]
    process: subprocess.Popen[str]
    killed: bool = False


class Reader:
    """Somebody who stays connected, and has files of production open."""

    def __init__(self, root: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        folder = root / "warehouse" / "production"
        self._files = [pq.ParquetFile(file) for file in folder.rglob("data.parquet")]
        self._first = self._rows()

    def look_again(self) -> None:
        assert self._rows() == self._first, "a reader that stays connected sees something else"

    def close(self) -> None:
        self._connection.close()
        for file in self._files:
            file.close()

    def _rows(self) -> tuple[dict[str, Rows], list[dict[str, list[object]]]]:
        views = self._connection.execute(
            "SELECT schema_name || '.' || view_name FROM duckdb_views() "
            "WHERE schema_name IN ('production', 'quarantine') ORDER BY ALL"
        ).fetchall()
        served = {name: read(self._connection, name) for (name,) in views}
        return served, [file.read().to_pydict() for file in self._files]


@dataclass
class Soak:
    """A project and what is known of it; `decides` says whether people overrule the gate."""

    root: Path
    random: Random
    decides: bool
    told: list[str] = field(default_factory=list)
    running: list[Started] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    known: dict[str, dict[int, tuple[object, ...]]] = field(default_factory=dict)
    run_files: dict[int, str] = field(default_factory=dict)
    then: dict[str, tuple[int, dict[str, Rows]]] = field(default_factory=dict)
    code: dict[str, object] = field(default_factory=lambda: {"factor": 1, "most": 9999, "more": ""})
    forgets: bool = False
    extra: bool = True

    def begin(self) -> None:
        self.root.mkdir(parents=True)
        # In every other life rows of history move to files at each commit.
        limit = "64 MB" if self.decides else "1 B"
        settings = f'[tool.millgate]\nname = "soaked"\ncatalog_limit = "{limit}"\n'
        self.write("pyproject.toml", settings)
        self.write_code()
        self.write_data(0)

    def write(self, path: str, text: str) -> None:
        """Replace a file in one instant: a run may be reading it."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.new")
        new.write_text(text, encoding="utf-8")
        new.replace(file)

    def write_code(self) -> None:
        self.write("assets/flow.py", FLOW.format(**self.code))
        self.write("assets/sums.sql", SUMS.format(**self.code))
        self.write("assets/total.sql", TOTAL)
        if self.extra:
            self.write("assets/extra.sql", EXTRA)
        else:
            (self.root / "assets/extra.sql").unlink(missing_ok=True)

    def write_data(self, kind: int) -> None:
        """One of a few contents, so that what was there before comes back."""
        content = Random(kind)
        rows = [(day, n, content.randint(1, 60)) for day in DAYS for n in range(4)]
        if kind % 2:
            at = content.randrange(len(rows))
            rows[at] = (*rows[at][:2], -5)
        lines = [f"{day},{n},{amount}" for day, n, amount in rows]
        self.write("data/numbers.csv", "\n".join(["day,id,amount", *lines]) + "\n")

    def act(self) -> None:
        """Do one thing, and hold everything against its promises."""
        actions = DECISIONS + ACTIONS if self.decides else ACTIONS
        action = self.random.choice([a for a, weight in actions for _ in range(weight)])
        self.told.append(action.__name__.strip("_"))
        action(self)
        self.check()

    def check(self) -> None:
        for one in [s for s in self.running if s.process.poll() is not None]:
            self.running.remove(one)
            self.end(one)
        idle = not self.running
        moment = datetime.now(UTC)
        seen = look(self.root)
        self._check_numbers()
        for reader in self.readers:
            reader.look_again()
        if seen is None:
            return
        self._check_content(seen)
        if idle and seen.live:
            self.then[f"snapshot:{seen.snapshot}"] = self.then[moment.isoformat()] = (
                seen.snapshot,
                production_rows(seen),
            )

    def _check_content(self, seen: Seen) -> None:
        """What no gate has ever let in is live only where a person released it."""
        released = {(one.asset, one.partition) for one in seen.live if one.made == "released"}
        for asset in ("numbers", "parts"):
            for row in seen.served.get(f"production.{asset}", Counter()):
                assert int(row[1]) > 0 or (asset, row[2]) in released, (asset, row)

    def _check_numbers(self) -> None:
        """No number is ever used twice, and nothing that was said of one is lost."""
        connection = connect(self.root)
        if connection is not None:
            with connection:
                for table, columns in ONCE.items():
                    rows = connection.execute(f"SELECT {columns} FROM lineage.{table}").fetchall()
                    found = {row[0]: row for row in rows}
                    assert len(found) == len(rows), table
                    before = self.known.get(table, {})
                    assert before.items() <= found.items(), table
                    self.known[table] = found
        for file in (self.root / "warehouse" / "runs").glob("[0-9]*"):
            with suppress(FileNotFoundError):
                head = file.read_text(encoding="utf-8").strip().partition("\n")[0]
                if head.endswith("}"):
                    assert self.run_files.setdefault(int(file.name), head) == head

    def start(self, *said: str, at: int = 0, number: int = signal.SIGKILL) -> Started:
        """Begin a command, which gets a signal at its file call `at`, if it gets that far."""
        command = [sys.executable, "-c", CHILD, str(at), str(int(number)), *said]
        process = subprocess.Popen(
            command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.told.append(
            "  millgate " + " ".join(said) + (f" [signal {number} at {at}]" * (at > 0))
        )
        return Started(said, process, at > 0)

    def end(self, started: Started) -> tuple[int, str]:
        """Wait for a command, and see that it came out in a way that it may come out."""
        out, err = started.process.communicate(timeout=120)
        status = started.process.returncode
        self.told.append(f"  {status} of millgate {' '.join(started.said)}")
        told = f"{out}\n{err}"
        if started.killed and status == -signal.SIGINT:
            return status, told  # Python itself was still starting.
        allowed = {0, 1, 2, 3, 4} | ({-signal.SIGKILL, 130} if started.killed else set())
        assert status in allowed, (started.said, status, told)
        for bad in ("Traceback", "Could not set lock", "IO Error", "Invalid Input", "defect"):
            assert bad not in told, (started.said, told)
        if status == 1:
            assert any(reason in told for reason in FAILURES), (started.said, told)
        if status == 4:
            assert "is working on" in err or "changed" in err or "a moment ago" in err, told
            assert "is working on" not in err or "pid" in err, told
        return status, told

    def do(self, *said: str) -> tuple[int, str]:
        """Carry out a command to its end, or to an accident at one of its file calls."""
        if self.random.random() < 0.3:
            at, number = self.random.randint(1, 70), self.random.choice(_KILLS)
            return self.end(self.start(*said, at=at, number=number))
        return self.end(self.start(*said))

    def choose(self, query: str) -> tuple[object, ...] | None:
        """One of the rows that a reader finds."""
        connection = connect(self.root)
        if connection is None:
            return None
        with connection:
            rows = connection.execute(query).fetchall()
        return self.random.choice(rows) if rows else None

    def settle(self) -> None:
        """Wait for everybody who is at work, and let every reader go."""
        for one in self.running:
            self.end(one)
        self.running.clear()
        for reader in self.readers:
            reader.close()
        self.readers.clear()
        self.check()

    def stop(self) -> None:
        """End every process and connection, whatever became of the soak."""
        for one in self.running:
            one.process.kill()
            one.process.communicate()
        for reader in self.readers:
            reader.close()

    def finish(self) -> None:
        """Come to rest with content that everybody agrees on: a plain run does what is left."""
        self.settle()
        self.write_data(self.random.choice([0, 2, 4]))
        if self.decides:
            self.code |= {"factor": 7, "most": 9998, "more": "* 3"}
            self.write_code()
        else:
            self.code["most"] = 9999
            self.write_code()
        left = () if self.decides else ("--retry-held", "--retry-rolled-back")
        status, told = self.end(self.start("materialize", "--yes", *left))
        assert status == 0, told
        # What a gate refused that was loosened later waits until it is judged again.
        status, told = self.end(self.start("quarantine", "replay", "--yes"))
        assert status in (0, 2), told
        status, told = self.end(self.start("materialize", "--yes", *left))
        assert status == 0, told
        self.check()
        if not self.extra and self.choose("FROM lineage.production WHERE asset = 'extra'"):
            self.end(self.start("retire", "extra", "--reason", "soaked", "--yes"))
        status, told = self.end(self.start("doctor", "--deep"))
        assert status == 0, told
        before = look(self.root)
        status, told = self.end(self.start("materialize", "--yes"))
        assert (status, look(self.root)) == (0, before), told
        running = "SELECT run FROM lineage.runs WHERE status = 'running'"
        assert self.choose(running) is None

    def served(self) -> dict[str, Rows]:
        seen = look(self.root)
        assert seen is not None
        return production_rows(seen)


def _materialize(soak: Soak) -> None:
    soak.do("materialize", *_selected(soak.random))


def _selected(random: Random) -> list[str]:
    target = random.choice(
        ["", "", "", "numbers", "parts+", "total", "@2024-01-02..2024-01-04", "running@2024-01-03"]
    )
    options = ["--force", "--retry-held", "--retry-rolled-back", "--atomic", "--wait"]
    chosen = [o for o in options if random.random() < 0.2]
    return [*([target] if target else []), *chosen, "--yes"]


def _side_by_side(soak: Soak) -> None:
    at = soak.random.choice([0, 0, soak.random.randint(1, 90)])
    if len(soak.running) < 2:
        number = soak.random.choice(_KILLS)
        said = _selected(soak.random)
        soak.running.append(soak.start("materialize", *said, at=at, number=number))


def _two_at_once(soak: Soak) -> None:
    for one in [soak.start("materialize", *_selected(soak.random)) for _ in range(2)]:
        soak.end(one)


def _kill(soak: Soak) -> None:
    """Kill a process that works beside, or one that has just claimed what it will do."""
    if not soak.running:
        folder = soak.root / "warehouse" / "runs"
        before = set(folder.glob("*"))
        soak.running.append(soak.start("materialize", "--force", "--yes"))
        while soak.running[0].process.poll() is None and set(folder.glob("*")) <= before:
            os.sched_yield()
    one = soak.running.pop()
    one.killed = True
    with suppress(subprocess.TimeoutExpired):
        one.process.wait(soak.random.random() / 2)
    one.process.send_signal(soak.random.choice(_KILLS[1:]))
    soak.end(one)


def _edit(soak: Soak) -> None:
    what, values = soak.random.choice(
        [("factor", [1, 2, 3]), ("most", [9999, 40]), ("more", ["", "+ 1", "* 2"])]
    )
    soak.code[what] = soak.random.choice(values)
    soak.write_code()


def _new_data(soak: Soak) -> None:
    soak.write_data(soak.random.randrange(5))


def _edit_and_run(soak: Soak) -> None:
    soak.random.choice([_edit, _new_data])(soak)
    _materialize(soak)


def _remove_or_declare(soak: Soak) -> None:
    soak.extra = not soak.extra
    soak.write_code()
    if not soak.extra:
        soak.do("retire", "extra", "--reason", "soaked", "--yes")


def _rollback(soak: Soak) -> None:
    to = soak.random.choice(["previous", "previous", *soak.then])
    target = soak.random.choice(["", "numbers", "parts", "sums@2024-01-02", "total"])
    more = soak.random.choice([[], ["--downstream"]])
    said = [target] if target else []
    soak.do("rollback", *said, "--to", to, *more, "--reason", "soaked", "--yes")


def _vacuum(soak: Soak) -> None:
    keep = soak.random.choice([[], ["--keep", "0s"], ["--keep", "0s"]])
    soak.forgets = soak.forgets or bool(keep)
    soak.do("vacuum", *keep, "--yes")


def _repair(soak: Soak) -> None:
    soak.do("doctor", "--repair", *soak.random.choice([[], ["--deep"]]))


def _resume(soak: Soak) -> None:
    found = soak.choose(
        "SELECT run FROM lineage.runs WHERE status IN ('died', 'failed', 'cancelled') "
        "AND command IN ('materialize', 'resume')"
    )
    soak.do("resume", *([str(found[0])] if found else []), "--yes")


def _look_back(soak: Soak) -> None:
    """Production is what it was, or its versions are gone because somebody removed them."""
    if not soak.then:
        return
    moment = soak.random.choice([*soak.then])
    _, served = soak.then[moment]
    name = soak.random.choice([*served])
    query = f"SELECT count(*) AS n, coalesce(sum(amount), 0)::BIGINT AS amount FROM {name}"
    status, told = soak.end(soak.start("sql", query, "--as-of", moment, "--csv"))
    if status == 1 and soak.forgets:
        assert "is gone" in told, told
        return
    at = {"numbers": 1, "parts": 1}.get(name.partition(".")[2], 0)
    amount = sum(int(row[at]) * n for row, n in served[name].items())
    assert told.split()[1] == f"{served[name].total()},{amount}", (moment, name, told)


def _ask(soak: Soak) -> None:
    said = soak.random.choice([("status",), ("plan",), ("runs", "--json"), ("doctor",)])
    soak.end(soak.start(*said))


def _replay(soak: Soak) -> None:
    soak.do("quarantine", "replay", "--yes")


def _reader(soak: Soak) -> None:
    if len(soak.readers) == 3:
        soak.readers.pop(soak.random.randrange(3)).close()
    connection = connect(soak.root)
    if connection is not None:
        soak.readers.append(Reader(soak.root, connection))


def _decide(soak: Soak) -> None:
    entry = soak.choose("SELECT asset, partition FROM lineage.quarantine WHERE status = 'held'")
    verb = soak.random.choice(["release", "discard"])
    if entry is not None:
        target = f"{entry[0]}@{entry[1]}"
        agreed = ["--yes"] * (verb == "discard")
        soak.do("quarantine", verb, target, "--reason", "soaked", *agreed)


Weighted = list[tuple[Callable[[Soak], None], int]]
ACTIONS: Weighted = [
    (_materialize, 3),
    (_side_by_side, 3),
    (_two_at_once, 1),
    (_kill, 3),
    (_edit, 1),
    (_new_data, 1),
    (_edit_and_run, 4),
    (_remove_or_declare, 1),
    (_rollback, 2),
    (_vacuum, 2),
    (_repair, 1),
    (_resume, 1),
    (_replay, 1),
    (_look_back, 2),
    (_ask, 1),
    (_reader, 2),
]
DECISIONS: Weighted = [(_decide, 3)]
