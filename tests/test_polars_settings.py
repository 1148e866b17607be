"""Millgate asks polars for less memory, and leaves what a user has asked for."""

from __future__ import annotations

import os
import subprocess
import sys

OURS = {
    "POLARS_ROW_GROUP_PREFETCH_SIZE": str(os.cpu_count()),
    "POLARS_IDEAL_MORSEL_SIZE": "65536",
    "_RJEM_MALLOC_CONF": f"narenas:{max(1, (os.cpu_count() or 1) // 2)},muzzy_decay_ms:0",
}


def settings_after(imports, **environment):
    given = {name: value for name, value in os.environ.items() if name not in OURS}
    told = f"import os\n{imports}\nprint([os.environ.get(name) for name in {list(OURS)}])"
    done = subprocess.run(
        [sys.executable, "-c", told],
        env=given | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_they_are_there_when_polars_is_loaded():
    assert settings_after("import millgate") == str(list(OURS.values()))
    allocator = settings_after("import millgate, polars")
    assert OURS["_RJEM_MALLOC_CONF"] in allocator


def test_a_child_adds_nothing():
    inherited = f"dirty_decay_ms:500,{OURS['_RJEM_MALLOC_CONF']}"
    told = settings_after("import millgate", _RJEM_MALLOC_CONF=inherited)
    assert told.count("narenas") == 1


def test_what_a_user_has_set_stays():
    own = {
        "POLARS_ROW_GROUP_PREFETCH_SIZE": "9",
        "POLARS_IDEAL_MORSEL_SIZE": "1000",
        "_RJEM_MALLOC_CONF": "muzzy_decay_ms:9000",
    }
    allocator = f"{OURS['_RJEM_MALLOC_CONF']},muzzy_decay_ms:9000"  # which takes the later value
    told = [*list(own.values())[:-1], allocator]
    assert settings_after("import millgate", **own) == str(told)
