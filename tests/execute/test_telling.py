"""People are told once, whatever stands in the way; nothing about it changes a run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from conftest import Edit, Mill
from millgate.execute import delivering, telling
from millgate.model.request import Report
from millgate.project import Project

TOKEN = "abcdefghijklmnopqrstuvwxyz"
BAD_DAYS = "2024-01-02,9,-5\n2024-01-04,9,-7\n"


class Receiver:
    """A chat webhook on this machine that can be down; keeps what it is sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    def up(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, json.loads(body)))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def texts(self) -> list[str]:
        return [body["text"].replace("\r\n", "\n") for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.up()
    yield made
    made.down()


@pytest.fixture
def watched(shop: Mill, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Mill:
    """The shop, two of whose days are held; a chat is told of everything."""
    monkeypatch.setenv("CHAT_URL", f"mmost://127.0.0.1:{receiver.port}/{TOKEN}")
    configure(shop, '[[tool.millgate.alerts]]\nto = ["env:CHAT_URL"]\n')
    orders = shop.root / "data/orders.csv"
    orders.write_text(orders.read_text() + BAD_DAYS)
    return shop


def configure(mill: Mill, text: str) -> None:
    (mill.root / "pyproject.toml").write_text(f'[tool.millgate]\nname = "trial"\n{text}')


def hooked(mill: Mill, *more: str, body: str = "") -> str:
    """The configuration of a hook that appends what it gets to `told.jsonl`."""
    mill.write(
        "hook.py",
        body or "import sys\nopen('told.jsonl', 'a').write(sys.stdin.read() + '\\n')\n",
    )
    lines = ["[[tool.millgate.on_event]]", f'command = ["{sys.executable}", "hook.py"]', *more]
    return "\n".join(lines) + "\n"


def told_to_hook(mill: Mill) -> list[dict[str, Any]]:
    file = mill.root / "told.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def run(mill: Mill, target: str = "", **options: Any) -> tuple[Report, list[str]]:
    """A run as the command line makes it, with its warnings."""
    from millgate.model.request import Request, Silence

    project = mill.open()
    request = Request("materialize", target, **options)
    report = project.run(request, project.propose(request), workers=2, watcher=Silence())
    return report, project.warnings


ALERTS = "SELECT event, asset, partition_keys, status, tries FROM lineage.alerts ORDER BY ALL"


def test_one_message_for_a_run_and_asset_in_the_chat_s_own_format(
    watched: Mill, receiver: Receiver
) -> None:
    report, warnings = run(watched)
    assert (report.exit_status, warnings) == (3, [])
    assert [path for path, _ in receiver.got] == [f"/hooks/{TOKEN}"]
    assert receiver.texts == [
        "trial: orders held\n"
        "held: 2 partitions, 2024-01-02 to 2024-01-04: amount > 0: 1 of 4 rows fail\n"
        "run 1, 2024-01-06 12:00 UTC\n"
        "millgate why orders@2024-01-02"
    ]
    keys = ["2024-01-02", "2024-01-04"]
    assert watched.sql(ALERTS) == [("held", "orders", keys, "sent", 1)]
    assert watched.sql("SELECT channel, run, sent_at, last_error FROM lineage.alerts") == [
        ("env:CHAT_URL", 1, watched.now.replace(tzinfo=None), None)
    ]


def test_with_the_receiver_down_the_run_is_the_same_and_the_next_one_tells(
    watched: Mill, receiver: Receiver
) -> None:
    receiver.down()
    report, warnings = run(watched)
    assert report.exit_status == 3
    assert len(warnings) == 1
    assert "env:CHAT_URL" in warnings[0]
    assert "Connection error" in warnings[0]
    assert [row[3:] for row in watched.sql(ALERTS)] == [("waiting", 1)]
    receiver.up()
    _, warnings = run(watched)
    assert warnings == []
    assert len(receiver.got) == 1
    assert [row[3:] for row in watched.sql(ALERTS)] == [("sent", 2)]
    run(watched)
    assert len(receiver.got) == 1


LOOKING = """
import duckdb, os, sys
with duckdb.connect(os.path.realpath("warehouse/warehouse.duckdb"), read_only=True) as found:
    query = "SELECT status, exit_status, finished_at IS NOT NULL FROM lineage.runs"
    print(found.execute(query).fetchall(), file=open("seen.txt", "w"))
sys.exit(1)
"""


def test_a_run_is_over_and_on_record_before_anybody_is_told(watched: Mill) -> None:
    configure(watched, hooked(watched, body=LOOKING))
    run(watched)
    assert (watched.root / "seen.txt").read_text() == "[('held', 3, True)]\n"


def test_a_receiver_that_refuses_keeps_the_alert(watched: Mill, receiver: Receiver) -> None:
    receiver.status = 500
    run(watched)
    assert watched.sql("SELECT status, last_error FROM lineage.alerts")[0][0] == "waiting"
    receiver.status = 200
    run(watched)
    assert watched.sql("SELECT status, tries FROM lineage.alerts") == [("sent", 2)]


def test_a_receiver_that_never_answers_is_left_behind(
    watched: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "CHAT_LIMIT", timedelta(seconds=1))
    hung = threading.Event()
    monkeypatch.setattr(ThreadingHTTPServer, "finish_request", lambda *_: hung.wait(60))
    report, _ = run(watched)
    hung.set()
    assert report.exit_status == 3
    assert watched.sql("SELECT status, last_error FROM lineage.alerts") == [
        ("waiting", "no answer within 1 s")
    ]


def test_what_stays_as_it_is_is_told_once(watched: Mill, receiver: Receiver) -> None:
    run(watched)
    run(watched)
    run(watched, retry_held=True)
    assert len(receiver.got) == 1


def test_what_was_ended_by_a_decision_is_news_again(watched: Mill, receiver: Receiver) -> None:
    run(watched)
    watched.now += timedelta(hours=1)
    watched.open().discard("orders", "2024-01-02", reason="a test")
    assert len(receiver.got) == 1
    watched.now += timedelta(hours=1)
    run(watched, target="orders@2024-01-02", force=True)
    assert len(receiver.got) == 2
    assert "held: orders@2024-01-02" in receiver.texts[1]


def test_a_failure_is_told_until_it_succeeds_and_then_anew(
    watched: Mill, receiver: Receiver, edit: Edit
) -> None:
    good, bad = "return raw_orders.filter(", "return 1 / 0 or raw_orders.filter("
    edit("assets/shop.py", good, bad)
    run(watched, target="orders@2024-01-01")
    run(watched, target="orders@2024-01-01")
    assert len(receiver.got) == 1
    assert "failed: orders@2024-01-01: ZeroDivisionError: division by zero" in receiver.texts[0]
    edit("assets/shop.py", bad, good)
    run(watched, target="orders@2024-01-01")
    edit("assets/shop.py", good, bad)
    run(watched, target="orders@2024-01-01", force=True)
    assert len(receiver.got) == 2


def test_a_release_is_told_with_its_reason(watched: Mill, receiver: Receiver) -> None:
    run(watched)
    watched.open().release("orders", "2024-01-02", reason="refunds are fine", actor="ann")
    assert "released: orders@2024-01-02: by ann: refunds are fine" in receiver.texts[1]
    run(watched, "orders")
    assert len(receiver.got) == 2


def test_an_old_release_is_no_news_to_a_new_channel(watched: Mill, receiver: Receiver) -> None:
    configure(watched, "")
    run(watched)
    watched.open().release("orders", "2024-01-02", reason="fine")
    watched.now += timedelta(days=2)
    configure(watched, '[[tool.millgate.alerts]]\nto = ["env:CHAT_URL"]\nevents = ["released"]\n')
    run(watched, "orders")
    assert receiver.got == []


def test_a_late_asset_is_told_once_for_each_window(watched: Mill, receiver: Receiver) -> None:
    configure(
        watched,
        '[[tool.millgate.alerts]]\nto = ["env:CHAT_URL"]\nevents = ["late"]\n'
        '[[tool.millgate.deadlines]]\nselect = "orders"\nby = "6h"\n',
    )
    run(watched, "orders@2024-01-01")
    first = receiver.texts
    assert "late: 3 partitions, 2024-01-02 to 2024-01-05" not in first[0]
    assert "late: 4 partitions, 2024-01-02 to 2024-01-05: since 2024-01-03 06:00 UTC" in first[0]
    run(watched, "orders@2024-01-01")
    watched.now += timedelta(days=1)
    run(watched, "orders@2024-01-01", force=True)
    assert len(receiver.got) == 2
    assert "late: orders@2024-01-06: since 2024-01-03 06:00 UTC" in receiver.texts[1]


def test_late_is_told_where_there_is_nothing_to_make_it_from(
    watched: Mill, receiver: Receiver
) -> None:
    from millgate.errors import MissingSource

    run(watched, "orders")
    configure(
        watched,
        '[[tool.millgate.alerts]]\nto = ["env:CHAT_URL"]\nevents = ["late"]\n'
        '[[tool.millgate.deadlines]]\nby = "6h"\n',
    )
    (watched.root / "data/orders.csv").unlink()
    watched.now += timedelta(days=1)
    receiver.got.clear()
    with pytest.raises(MissingSource):
        run(watched, "orders")
    assert any("late: " in text for text in receiver.texts)


def test_a_hook_gets_each_event_as_json(watched: Mill) -> None:
    configure(watched, hooked(watched))
    run(watched)
    assert told_to_hook(watched) == [
        {
            "format": 1,
            "project": "trial",
            "alert": 1,
            "event": "held",
            "severity": "error",
            "asset": "orders",
            "owner": None,
            "tags": [],
            "partitions": 2,
            "partition_keys": ["2024-01-02", "2024-01-04"],
            "message": "amount > 0: 1 of 4 rows fail",
            "run": 1,
            "raised_at": "2024-01-06T12:00:00Z",
        }
    ]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("import sys\nsys.exit('no ticket')\n", "exit 1: no ticket"),
        ("import time\ntime.sleep(60)\n", "it was ended after 1 s"),
        ("import os\nos.close(0)\nos._exit(3)\n", "exit 3"),
    ],
)
def test_a_hook_that_fails_fails_no_run(watched: Mill, body: str, error: str) -> None:
    configure(watched, hooked(watched, 'limit = "1s"', body=body))
    report, warnings = run(watched)
    assert report.exit_status == 3
    assert len(warnings) == 1
    assert watched.sql("SELECT status, last_error FROM lineage.alerts") == [("waiting", error)]
    configure(watched, hooked(watched, 'limit = "1s"'))
    run(watched)
    assert len(told_to_hook(watched)) == 1


def test_a_hook_that_cannot_be_started_fails_no_run(watched: Mill) -> None:
    configure(watched, '[[tool.millgate.on_event]]\ncommand = ["./nothing-here"]\n')
    assert run(watched)[0].exit_status == 3
    assert watched.sql("SELECT last_error FROM lineage.alerts") == [
        ("it cannot be started: No such file or directory",)
    ]


def test_what_a_hook_leaves_running_is_not_waited_for(watched: Mill) -> None:
    body = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'input()'])\n"
    configure(watched, hooked(watched, body=body))
    run(watched)
    assert watched.sql("SELECT status FROM lineage.alerts") == [("sent",)]


@pytest.mark.parametrize(
    ("routing", "events"),
    [
        ("", ["held", "held", "late"]),
        ('select = "orders"', ["held", "late"]),
        ('select = "tag:core"', ["held"]),
        ('select = "owner:ops and not tag:core"', []),
        ('events = ["late"]', ["late"]),
        ('severity = "error"', ["held", "held"]),
        ('events = ["late", "released"]\nseverity = "error"', []),
    ],
)
def test_routing(watched: Mill, routing: str, events: list[str]) -> None:
    watched.write(
        "assets/more.py",
        """
        import pandera.polars as pa
        import polars as pl
        from millgate import Gate, asset

        class Positive(pa.DataFrameModel):
            amount: int = pa.Field(gt=0)

        @asset(gate=Gate(Positive), tags=["core"], owner="ops")
        def debts(raw_orders: pl.LazyFrame) -> pl.LazyFrame:
            return raw_orders.select("amount")

        @asset(owner="ops")
        def counted(raw_orders: pl.LazyFrame) -> pl.LazyFrame:
            return raw_orders.select(pl.len())
        """,
    )
    deadline = '[[tool.millgate.deadlines]]\nselect = "orders"\nby = "1h"\n'
    configure(watched, hooked(watched, routing) + deadline)
    run(watched, "debts or counted or orders@2024-01-02")
    run(watched, "debts or counted or orders@2024-01-02")
    assert sorted(one["event"] for one in told_to_hook(watched)) == events


def test_channels_stand_side_by_side(watched: Mill, receiver: Receiver) -> None:
    """One that is down keeps no other from being told; each is told once."""
    chat = '[[tool.millgate.alerts]]\nto = ["env:CHAT_URL", "env:NOT_SET", "json://127.0.0.1:1"]\n'
    configure(watched, chat + hooked(watched))
    run(watched)
    run(watched)
    assert len(receiver.got) == len(told_to_hook(watched)) == 1
    found = watched.sql("SELECT channel, status, tries, alert FROM lineage.alerts ORDER BY ALL")
    assert [(c.partition(" ")[0], s, t, a) for c, s, t, a in found] == [
        ("env:CHAT_URL", "sent", 1, 1),
        ("env:NOT_SET", "waiting", 2, 1),
        ("json://***", "waiting", 2, 1),
        (Path(sys.executable).name, "sent", 1, 1),
    ]


def test_no_secret_is_written_down(watched: Mill) -> None:
    url = f"json://someone:pa55word@127.0.0.1:1/{TOKEN}?+X-Key=keykeykey"
    configure(
        watched,
        f'[[tool.millgate.alerts]]\nto = ["{url}", "nosuch://{TOKEN}", "slack://{TOKEN}"]\n'
        f'[[tool.millgate.on_event]]\ncommand = ["false", "--token", "{TOKEN}"]\n',
    )
    _, warnings = run(watched)
    said = str(warnings) + str(watched.sql("FROM lineage.alerts"))
    assert len(warnings) == 4
    for secret in ("pa55word", TOKEN, "keykeykey", "someone"):
        assert secret not in said


def test_without_apprise_the_run_says_what_to_install(
    watched: Mill, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "without"
    (broken / "apprise").mkdir(parents=True)
    (broken / "apprise/__init__.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    report, warnings = run(watched)
    assert report.exit_status == 3
    assert "pip install 'millgate[alerts]'" in warnings[0]
    monkeypatch.delenv("PYTHONPATH")
    run(watched)
    assert len(receiver.got) == 1


def test_two_who_tell_at_once_tell_once(watched: Mill, receiver: Receiver) -> None:
    receiver.down()
    run(watched)
    receiver.up()
    tellers = [threading.Thread(target=watched.open().tell) for _ in range(2)]
    for teller in tellers:
        teller.start()
    for teller in tellers:
        teller.join()
    assert len(receiver.got) == 1
    assert watched.sql("SELECT status, tries FROM lineage.alerts") == [("sent", 2)]


KILLED = """
import os, signal, sys
from pathlib import Path
from millgate.execute import telling
from millgate.model.request import Request, Silence
from millgate.project import Project

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(telling, sys.argv[2], die)
project = Project.open(Path(sys.argv[1]))
request = Request("materialize", "orders@2024-01-02")
project.run(request, project.propose(request), workers=1, watcher=Silence())
"""


@pytest.mark.parametrize(("moment", "messages"), [("deliver", 1), ("_record", 2)])
def test_killed_between_commit_and_record_an_alert_is_repeated_rather_than_lost(
    watched: Mill, receiver: Receiver, moment: str, messages: int
) -> None:
    assert hasattr(telling, moment)
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(watched.root), moment], capture_output=True, check=False
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert watched.sql("SELECT count(*) FROM lineage.alerts") == [(0,)]
    assert watched.sql("SELECT status, exit_status FROM lineage.runs") == [("held", 3)]
    watched.now = watched.now.replace(year=2027)
    run(watched, "revenue@2024-01-02")
    run(watched, "revenue@2024-01-02")
    assert len(receiver.got) == messages
    assert watched.sql("SELECT status, tries FROM lineage.alerts") == [("sent", 1)]


def test_a_defect_in_telling_fails_no_run(watched: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("as if")

    monkeypatch.setattr(telling, "deliver", broken)
    report, warnings = run(watched)
    assert (report.exit_status, warnings) == (3, ["alerts: RuntimeError: as if"])


def test_a_selection_that_names_nothing_is_refused_before_the_run(watched: Mill) -> None:
    from millgate.errors import ProjectError

    configure(watched, '[[tool.millgate.alerts]]\nto = ["env:X"]\nselect = "odrers"\n')
    with pytest.raises(ProjectError, match='no asset "odrers"') as raised:
        run(watched)
    assert "number 1, select = 'odrers'" in raised.value.where
    configure(watched, '[[tool.millgate.deadlines]]\nselect = "total"\nby = "1h"\n')
    with pytest.raises(ProjectError, match="windows of time"):
        run(watched)


def test_nothing_configured_nothing_done(shop: Mill) -> None:
    shop.run()
    assert shop.sql("SELECT count(*) FROM lineage.alerts") == [(0,)]
    assert not (shop.root / "warehouse/alerts.lock").exists()


def test_the_commit_of_alerts_names_its_run_and_who_told(watched: Mill) -> None:
    before = run(watched)[0]
    found = watched.sql(
        "SELECT snapshot, run, command FROM lineage.snapshots ORDER BY snapshot DESC LIMIT 1"
    )
    assert found == [((before.snapshot or 0) + 1, before.run, "alerts")]
    assert Project.open(watched.root).examine() == []
