from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from millgate.cli.stopping import heard


@pytest.fixture
def asked():
    """Requests to stop that the run itself was given."""
    found: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: found.append(number))
    yield found
    signal.signal(signal.SIGINT, before)


def test_the_first_request_is_told_of_and_still_reaches_the_run(asked):
    told = threading.Event()
    with heard(told.set):
        signal.raise_signal(signal.SIGINT)
        assert told.wait(10)
        signal.raise_signal(signal.SIGINT)
    assert asked == [signal.SIGINT, signal.SIGINT]


def test_nothing_is_told_where_nobody_asks(asked):
    told: list[bool] = []
    with heard(lambda: told.append(True)):
        pass
    signal.raise_signal(signal.SIGINT)
    assert (told, len(asked)) == ([], 1)


def test_another_thread_than_the_main_one_hears_nothing():
    def listen() -> None:
        with heard(lambda: None):
            done.set()

    done = threading.Event()
    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert done.is_set()


INTERRUPTED_AT = """
import os, runpy, signal, sys
wanted = sys.argv.pop(1)
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
runpy.run_module("millgate", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("module", "status", "told"),
    [
        ("click", -signal.SIGINT, ""),
        ("millgate.project", 130, "interrupted"),
    ],
)
def test_ctrl_c_shows_no_traceback_whatever_is_being_imported(tmp_path, module, status, told):
    (tmp_path / "pyproject.toml").write_text('[tool.millgate]\nname = "trial"\n')
    (tmp_path / "assets").mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT, module, "list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr.strip()) == (status, told)
