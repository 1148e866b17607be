"""alerts list and alerts test, and what status says of an asset that is late."""

from __future__ import annotations

import json
import sys

import pytest

from conftest import Mill
from millgate.cli.main import main

HOOK = "import sys\nopen('told.jsonl', 'a').write(sys.stdin.read() + '\\n')\n"


class Typed:
    """The project `shop`, and what commands answer."""

    def __init__(self, mill: Mill, capsys: pytest.CaptureFixture[str]) -> None:
        self.mill = mill
        self._capsys = capsys
        self.err = ""

    def __call__(self, *arguments: str, exits: int = 0) -> str:
        status = main(["--project", str(self.mill.root), *arguments])
        told = self._capsys.readouterr()
        self.err = told.err
        assert status == exits, told
        return told.out

    def configure(self, text: str) -> None:
        (self.mill.root / "pyproject.toml").write_text(f'[tool.millgate]\nname = "trial"\n{text}')


@pytest.fixture
def typed(shop: Mill, capsys: pytest.CaptureFixture[str]) -> Typed:
    made = Typed(shop, capsys)
    shop.write("hook.py", HOOK)
    made.configure(
        f'[[tool.millgate.on_event]]\ncommand = ["{sys.executable}", "hook.py"]\n'
        '[[tool.millgate.deadlines]]\nselect = "orders"\nby = "6h"\n'
    )
    return made


def told(typed: Typed) -> list[tuple[str, str]]:
    file = typed.mill.root / "told.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(one["event"], one.get("asset", "")) for one in map(json.loads, lines)]


def test_status_and_a_run_with_nothing_to_do_judge_deadlines(typed: Typed) -> None:
    typed("materialize", "orders@2024-01-01")
    assert told(typed) == [("late", "orders")]
    assert "late " in typed("status").splitlines()[3]
    assert "late " not in typed("status", "total")
    data = json.loads(typed("status", "--json"))["data"]["late"]
    assert [one["asset"] for one in data] == ["orders"]
    (typed.mill.root / "told.jsonl").unlink()
    typed.mill.root.joinpath("warehouse/alerts.lock").unlink()
    typed("status")
    typed("materialize", "orders@2024-01-01", "--dry-run")
    assert not typed.mill.root.joinpath("warehouse/alerts.lock").exists()
    typed.configure(
        f'[[tool.millgate.on_event]]\ncommand = ["{sys.executable}", "hook.py", "new"]\n'
        '[[tool.millgate.deadlines]]\nselect = "orders"\nby = "6h"\n'
    )
    typed("materialize", "orders@2024-01-01")
    assert told(typed) == [("late", "orders")]


def test_status_answers_where_deadlines_cannot_be_judged(typed: Typed) -> None:
    typed("materialize", "orders@2024-01-01")
    (typed.mill.root / "assets/shop.py").write_text("import nothing_like_it\n")
    assert "orders" in typed("status")
    assert "deadlines are not judged" in typed.err


def test_list(typed: Typed) -> None:
    typed("materialize", "orders@2024-01-01")
    line = typed("alerts", "list").splitlines()[1]
    assert "late" in line
    assert "sent " in line
    assert len(json.loads(typed("alerts", "list", "--json"))["data"]) == 1


def test_list_of_nothing(typed: Typed) -> None:
    typed.configure("")
    typed("materialize", "orders@2024-01-01")
    assert typed("alerts", "list") == "Nobody was told of anything.\n"


def test_test(typed: Typed) -> None:
    assert "sent" in typed("alerts", "test")
    assert told(typed) == [("test", "")]
    typed.configure('[[tool.millgate.alerts]]\nto = ["env:NOT_SET"]\n')
    assert "NOT_SET is not set" in typed("alerts", "test", exits=1)
    typed.configure("")
    typed("alerts", "test", exits=2)
    assert "no channel is configured" in typed.err


def test_what_could_not_be_sent_is_a_warning(typed: Typed) -> None:
    typed.configure(
        '[[tool.millgate.alerts]]\nto = ["env:NOT_SET"]\n[[tool.millgate.deadlines]]\nby = "6h"\n'
    )
    typed("materialize", "orders@2024-01-01")
    assert "warning: alerts: env:NOT_SET: " in typed.err
    assert "waiting: " in typed("alerts", "list", "--color", "never")
