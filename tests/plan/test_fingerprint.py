"""Fingerprints of code: what counts as a change, tried on real modules in real folders."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

from millgate.model.asset import Asset, Env, Form, Input, Query, Source
from millgate.model.mapping import Window
from millgate.model.policy import Gate
from millgate.plan.fingerprint import code_fingerprint, input_fingerprint, reading_fingerprint

Files = dict[str, str]
Fingerprint = Callable[..., str]


@pytest.fixture
def fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fingerprint:
    """Fingerprint of the function `made` in assets/flights.py of a project made of `files`."""
    numbers = count()

    def fingerprint(text: str, files: Files | None = None, **options: Any) -> str:
        root = tmp_path / f"project{next(numbers)}"
        for path, content in {"assets/flights.py": text, **(files or {})}.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(content), encoding="utf-8")
        module = imported(root, monkeypatch)
        return code_fingerprint(Asset(name="flights", function=module.made, **options), root)

    return fingerprint


def imported(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name in [n for n in sys.modules if n.partition(".")[0] in ("assets", "helpers", "lib")]:
        monkeypatch.delitem(sys.modules, name)
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(root))
        module = __import__("assets.flights", fromlist=["made"])
    for name in [n for n in sys.modules if n.partition(".")[0] in ("assets", "helpers", "lib")]:
        monkeypatch.setitem(sys.modules, name, sys.modules[name])
    assert isinstance(module, ModuleType)
    return module


PLAIN = """
    LIMIT = 5

    def made(raw):
        total = raw * LIMIT
        return total
"""


@pytest.mark.parametrize(
    ("text", "is_same"),
    [
        (PLAIN, True),
        # layout, comments, docstrings, annotations, place, name and decoration of the function
        ("LIMIT=5\ndef made(raw):\n  total=(raw\n   *LIMIT) # five\n\n  return total\n", True),
        ("LIMIT = 5\ndef made(raw):\n  'Doc.'\n  total = raw * LIMIT\n  return total\n", True),
        ("LIMIT = 5\ndef made(raw: int) -> int:\n  total = raw * LIMIT\n  return total\n", True),
        ("import os\nLIMIT = 6 - 1\nOTHER = 2\n" + dedent(PLAIN).replace("LIMIT = 5", ""), True),
        ("LIMIT = 5\ndef other(raw):\n  total = raw * LIMIT\n  return total\nmade = other", True),
        (
            "LIMIT = 5\ndef keep(f): return f\n@keep\ndef made(raw):\n  total = raw * LIMIT\n"
            "  return total\n",
            True,
        ),
        (dedent(PLAIN).replace("LIMIT = 5", "LIMIT = 6"), False),
        (dedent(PLAIN).replace("LIMIT = 5", "LIMIT = 5.0"), False),
        (dedent(PLAIN).replace("LIMIT = 5", "LIMIT = '5'"), False),
        (dedent(PLAIN).replace("raw *", "raw +"), False),
        (dedent(PLAIN).replace("(raw)", "(raw, more=1)"), False),
        (dedent(PLAIN).replace("return total", "return total or None"), False),
    ],
)
def test_what_counts_in_a_function(fingerprint: Fingerprint, text: str, is_same: bool) -> None:
    assert (fingerprint(text) == fingerprint(PLAIN)) is is_same


HELPED = """
    from helpers.clean import tidy
    from helpers import rates

    def made(raw):
        return tidy(raw) * rates.current()
"""
CLEAN = """
    import re
    from helpers.deep import Rule
    WORD = re.compile("[a-z]+")
    UNUSED = 1

    def tidy(raw):
        return inner(raw) if WORD.match(raw) else Rule("x").apply(raw)

    def inner(raw):
        return raw.strip()

    def unrelated(raw):
        return raw
"""
RATES = """
    TABLE = {"EUR": 1.1, "GBP": 1.3}

    def current():
        return TABLE["EUR"]

    def history():
        return []
"""
DEEP = """
    class Parent:
        factor = 2

    class Rule(Parent):
        "A rule."
        def __init__(self, name):
            self.name = name

        def apply(self, raw):
            return raw + self.name + suffix()

    def suffix():
        return "!"
"""
HELPERS = {
    "helpers/__init__.py": "",
    "helpers/clean.py": CLEAN,
    "helpers/rates.py": RATES,
    "helpers/deep.py": DEEP,
}


@pytest.mark.parametrize(
    ("path", "before", "after", "is_same"),
    [
        ("helpers/clean.py", "raw.strip()", "raw.strip(' ')", False),
        ("helpers/clean.py", "[a-z]+", "[a-z]*", False),
        ("helpers/clean.py", '[a-z]+")', '[a-z]+", re.ASCII)', False),
        ("helpers/clean.py", "UNUSED = 1", "UNUSED = 2", True),
        ("helpers/clean.py", "        return raw\n", "        return None\n", True),
        ("helpers/clean.py", "def inner(raw):", "def inner(raw):  # the inner one", True),
        ("helpers/rates.py", '"EUR": 1.1', '"EUR": 1.2', False),
        ("helpers/rates.py", '"EUR": 1.1, "GBP": 1.3', '"GBP": 1.3, "EUR": 1.1', False),
        ("helpers/rates.py", "return []", "return [1]", True),
        ("helpers/deep.py", 'return "!"', 'return "?"', False),
        ("helpers/deep.py", "factor = 2", "factor = 3", False),
        ("helpers/deep.py", "raw + self.name", "self.name + raw", False),
        ("helpers/deep.py", '"A rule."', '"One rule."', True),
        ("helpers/deep.py", "class Parent:", "class Parent:\n        'Doc.'", True),
    ],
)
def test_the_projects_helpers_are_followed_across_modules(
    fingerprint: Fingerprint, path: str, before: str, after: str, is_same: bool
) -> None:
    assert before in HELPERS[path]
    changed = {**HELPERS, path: HELPERS[path].replace(before, after)}
    assert (fingerprint(HELPED, changed) == fingerprint(HELPED, HELPERS)) is is_same


WAYS = {
    "closure": """
        def make(limit):
            def made(raw): return raw[:limit]
            return made
        made = make(1)
    """,
    "default": "def made(raw, n=1): return n",
    "keyword default": "def made(raw, *, n=1): return n",
    "named default": """
        N = 1
        def made(raw, n=N): return n
    """,
    "named keyword default": """
        N = 1
        def made(raw, *, n=N): return n
    """,
    "lambda": "made = lambda raw: raw + 1",
    "one of two lambdas": "made, other = (lambda raw: raw + 1), (lambda raw: raw + 3)",
    "partial": """
        from functools import partial
        def f(n, raw): return n
        made = partial(f, 1)
    """,
    "cached helper": """
        from functools import lru_cache
        @lru_cache
        def f(x): return x + 1
        def made(raw): return f(raw)
    """,
    "decorated function": """
        from functools import wraps
        def decorated(f):
            @wraps(f)
            def wrapper(*a): return f(*a)
            return wrapper
        @decorated
        def made(raw): return raw + 1
    """,
    "decorator": """
        from functools import wraps
        def decorated(f):
            @wraps(f)
            def wrapper(*a): return f(*a) * 1
            return wrapper
        @decorated
        def made(raw): return raw
    """,
    "function in a package's wrapper": """
        from contextlib import contextmanager
        @contextmanager
        def opened(raw): yield raw + 1
        def made(raw):
            with opened(raw) as found: return found
    """,
    "state of an object": """
        class Maker:
            def __init__(self, n): self.n = n
            def __call__(self, raw): return self.n
        made = Maker(1)
    """,
    "state in slots": """
        class Maker:
            __slots__ = ("n",)
            def __init__(self, n): self.n = n
            def __call__(self, raw): return self.n
        made = Maker(1)
    """,
    "method of an object": """
        class Maker:
            def __call__(self, raw): return 1
        made = Maker()
    """,
    "bound method": """
        class Maker:
            n = 1
            def go(self, raw): return self.n
        made = Maker().go
    """,
    "class made in a function": """
        def make(n):
            class Maker:
                def __call__(self, raw): return n
            return Maker()
        made = make(1)
    """,
    "enumeration": """
        from enum import Enum
        class C(Enum):
            A = 1
            B = 3
        USED = C.A
        def made(raw): return USED
    """,
    "dataclass": """
        from dataclasses import dataclass
        @dataclass(frozen=True)
        class C:
            n: int
        USED = C(1)
        def made(raw): return USED
    """,
    "named tuple": """
        from typing import NamedTuple
        class C(NamedTuple):
            n: int
            def more(self): return 1
        USED = C(5)
        def made(raw): return USED.more()
    """,
    "expression of a package": """
        import polars as pl
        RULE = pl.col("a") > 1
        def made(raw): return raw.filter(RULE)
    """,
    "constant in an expression of a package": """
        import polars as pl
        N = 1
        RULE = pl.col("a") > N
        def made(raw): return raw.filter(RULE)
    """,
    "frame in a closure": """
        import polars as pl
        def make(table):
            def made(raw): return raw.join(table, on="a")
            return made
        made = make(pl.DataFrame({"a": list(range(100)), "b": [1] * 100}))
    """,
    "comprehension": """
        N = 1
        def made(raw): return [N for _ in raw]
    """,
    "nested function": """
        N = 1
        def made(raw):
            def inner(): return N
            return inner()
    """,
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS.keys())
def test_every_way_to_bring_in_code_counts(fingerprint: Fingerprint, text: str) -> None:
    assert fingerprint(text) == fingerprint(text)
    changed = text.replace("1", "2")
    assert fingerprint(text) != fingerprint(changed)


@pytest.mark.parametrize(
    ("text", "files"),
    [
        # a function's own import of what nothing has imported yet
        (
            """
            def made(raw):
                from lib.late import f
                return f(raw)
            """,
            {
                "lib/late.py": "from lib.later import g\ndef f(x): return g(x)",
                "lib/later.py": "def g(x): return 1",
            },
        ),
        (
            """
            def made(raw):
                from .lib import late
                return late.f(raw)
            """,
            {"assets/lib/late.py": "def f(x): return 1"},
        ),
        # a module that is used as such is told whole
        (
            """
            import helpers
            def made(raw): return getattr(helpers, raw)
            """,
            {"helpers.py": "a = 1"},
        ),
        (
            """
            import helpers.sub
            def made(raw): return helpers.sub.f(raw)
            """,
            {"helpers/__init__.py": "", "helpers/sub.py": "def f(raw): return 1"},
        ),
        # an object of a package, made in another module of the project
        (
            """
            from helpers import rule
            def made(raw): return raw.filter(rule)
            """,
            {"helpers.py": "import polars as pl\nN = 1\nrule = pl.col('a') > N"},
        ),
    ],
)
def test_other_modules_count_however_they_are_brought_in(
    fingerprint: Fingerprint, text: str, files: Files
) -> None:
    changed = {path: content.replace("1", "2") for path, content in files.items()}
    assert fingerprint(text, files) == fingerprint(text, files)
    assert fingerprint(text, files) != fingerprint(text, changed)


HARMLESS = {
    "level of a logger": (
        "pass",
        "log.setLevel(10)",
        """
        import logging
        log = logging.getLogger("millgate.tests.fingerprint")
        pass
        def made(raw):
            log.info("x")
            return raw
        """,
    ),
    "state of a lock": (
        "pass",
        "lock.acquire()",
        """
        import threading
        lock = threading.Lock()
        pass
        def made(raw):
            with lock: return raw
        """,
    ),
    "another name on an import line": (
        "import col",
        "import col, lit",
        """
        from polars import col
        def made(raw): return col("a")
        """,
    ),
    "a model of pandera, which is the gate's": (
        "a: int",
        "a: int = pa.Field(gt=1)",
        """
        import pandera.polars as pa
        class Model(pa.DataFrameModel):
            a: int
        def made(raw): return Model
        """,
    ),
    "a global that a variable hides": (
        "df = 1",
        "df = 2",
        """
        df = 1
        def made(raw):
            df = raw
            return df
        """,
    ),
    "an owner of an asset that is called": (
        "owner='me'",
        "owner='you'",
        """
        from millgate.model.asset import Asset
        def f(x): return x
        other = Asset(name='o', function=f, owner='me')
        def made(raw): return other(raw)
        """,
    ),
    "whether two equal tuples are one object": (
        "made = make(PAIR, PAIR)",
        "made = make(PAIR, tuple([1, 2]))",
        """
        PAIR = (1, 2)
        def make(a, b):
            def made(raw): return a, b
            return made
        made = make(PAIR, PAIR)
        """,
    ),
    "the version of Millgate's own names": (
        "pass",
        "import millgate.model.policy",
        """
        from millgate.model.partition import label
        pass
        def made(raw): return label("a", raw)
        """,
    ),
}


@pytest.mark.parametrize(("before", "after", "text"), HARMLESS.values(), ids=HARMLESS.keys())
def test_what_does_not_decide_the_result_does_not_count(
    fingerprint: Fingerprint, before: str, after: str, text: str
) -> None:
    assert before in text
    assert fingerprint(text) == fingerprint(text.replace(before, after, 1))


def test_code_that_calls_itself_or_each_other_ends(fingerprint: Fingerprint) -> None:
    text = """
        BOX = []
        BOX.append(BOX)
        def made(raw): return even(raw) or made(raw) or BOX
        def even(n): return n == 0 or odd(n - 1)
        def odd(n): return n != 0 and even(n - 1)
    """
    assert fingerprint(text) == fingerprint(text)
    assert fingerprint(text) != fingerprint(text.replace("n != 0", "n > 0"))


def test_a_long_chain_of_calls_is_no_recursion_error(fingerprint: Fingerprint) -> None:
    text = "def made(raw): return raw" + ".f(1)" * 400
    assert fingerprint(text) != fingerprint(text + ".g()")


def test_a_function_without_source_is_told_by_its_byte_code() -> None:
    def compiled(text: str) -> str:
        space: dict[str, Any] = {}
        exec(compile(text, "<nowhere>", "exec"), space)
        return code_fingerprint(Asset(name="a", function=space["made"]), Path("/"))

    assert compiled("def made(raw): return raw + 1") == compiled("\n\ndef made(raw): return raw+1")
    assert compiled("def made(raw): return raw + 1") != compiled("def made(raw): return raw + 2")
    assert compiled("def made(raw): return raw in {'a', 'b'}") == compiled(
        "def made(raw): return raw in {'a', 'b'}"
    )


def test_a_package_counts_by_its_version(
    fingerprint: Fingerprint, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import polars as pl\ndef made(raw): return pl.col('a')"
    before = fingerprint(text)
    assert fingerprint(text) == before
    monkeypatch.setattr("millgate.plan.ownership._version", lambda top: f"99 of {top}")
    assert fingerprint(text) != before
    untouched = "import json\ndef made(raw): return json.dumps(raw)"
    after = fingerprint(untouched)
    monkeypatch.undo()
    assert fingerprint(untouched) == after


def test_what_else_belongs_to_the_code(fingerprint: Fingerprint) -> None:
    text = "def made(raw): return raw"
    raw = Input("raw", "raw")
    base = fingerprint(text, inputs=(raw,))
    same: list[dict[str, Any]] = [
        {"inputs": (replace(raw, mapping=Window(-6, 0)),)},
        {"inputs": (replace(raw, upstream="other"),)},
        {"inputs": (raw,), "owner": "me", "tags": frozenset({"a"}), "description": "new"},
        {"inputs": (raw,), "gate": Gate(on_failure="warn"), "group": "x"},
    ]
    different: list[dict[str, Any]] = [
        {"inputs": (replace(raw, form=Form.FRAME),)},
        {"inputs": (replace(raw, optional=True),)},
        {"inputs": (raw,), "returns_sql": True},
        {"inputs": (raw,), "settings": {"dsn": Env("DSN")}},
    ]
    assert {fingerprint(text, **options) for options in same} == {base}
    others = {fingerprint(text, **options) for options in different}
    assert len(others) == len(different)
    assert base not in others


def test_the_name_of_a_setting_counts_and_its_value_does_not(
    fingerprint: Fingerprint, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "from millgate.model.asset import Env\ndef made(raw, dsn=Env('A')): return dsn"
    before = fingerprint(text)
    monkeypatch.setenv("A", "secret")
    assert fingerprint(text) == before
    assert fingerprint(text.replace("'A'", "'B'")) != before


def test_a_declared_version_stands_for_the_code(fingerprint: Fingerprint) -> None:
    one = fingerprint("def made(raw): return 1", version="1")
    assert fingerprint("def made(raw): return 2", version="1") == one
    assert fingerprint("def made(raw): return 1", version="2") != one
    assert fingerprint("def made(raw): return 1") != one


def test_it_is_the_same_in_every_process(tmp_path: Path) -> None:
    """Other seeds of the string hash, a cold and a warm byte code cache, another folder."""
    text = """
        NAMES = {"a", "b", "c", ("d", 1)}
        TABLE = {frozenset("xyz"): 1}
        def made(raw):
            return raw in {"p", "q", "r"} or raw in NAMES or TABLE or helper(raw)
        def helper(raw, known=frozenset("uvw"), pair=(1, 2)):
            return known, (1, 2)
    """
    told = set()
    script = (
        "import sys; from pathlib import Path; root = Path(sys.argv[1]);"
        "sys.path.insert(0, str(root)); from assets.flights import made;"
        "from millgate.model.asset import Asset;"
        "from millgate.plan.fingerprint import code_fingerprint;"
        "print(code_fingerprint(Asset(name='a', function=made), root))"
    )
    for folder, seed in [("one", "1"), ("one", "2"), ("two", "3")]:
        file = tmp_path / folder / "assets" / "flights.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / folder)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        told.add(run.stdout)
    assert len(told) == 1
    assert len(told.pop().strip()) == 32


def test_an_edited_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "assets" / "flights.py"
    file.parent.mkdir()
    told = []
    for text in ("def made(raw): return 10", "def made(raw): return 2222"):
        file.write_text(text, encoding="utf-8")
        module = imported(tmp_path, monkeypatch)
        told.append(code_fingerprint(Asset(name="a", function=module.made), tmp_path))
    assert told[0] != told[1]


def sql(text: str) -> str:
    return code_fingerprint(Asset(name="a", query=Query(text)), Path("/nowhere"))


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("SELECT a FROM t", "select a\n  from t -- all\n;", True),
        ("SELECT a FROM t", "-- owner: me\nSELECT /* x */ a FROM t", True),
        ("SELECT a FROM t", "SELECT b FROM t", False),
        ("SELECT 'a' FROM t", "SELECT 'A' FROM t", False),
        ("SELECT 'a  b' FROM t", "SELECT 'a b' FROM t", False),
        ("SELECT a AS total FROM t", "SELECT a AS Total FROM t", False),
        ('SELECT "a" FROM t', 'SELECT "A" FROM t', False),
    ],
)
def test_queries(one: str, other: str, is_same: bool) -> None:
    assert (sql(one) == sql(other)) is is_same


def test_the_fingerprint_of_inputs() -> None:
    a, b = ("x", "flights", "2013-01-01", "00"), ("y", "flights", "2013-01-02", "01")
    assert input_fingerprint([a, b]) == input_fingerprint([b, a])
    assert len(input_fingerprint([])) == 32
    others = [
        [a],
        [a, b, b],
        [("y", *a[1:]), b],
        [(*a[:3], "02"), b],
        [("x", "flights", "2013-01-03", "00"), b],
        [("x", "weather", "2013-01-01", "00"), b],
        [("y", *a[1:]), ("x", *b[1:])],
    ]
    assert len({input_fingerprint(i) for i in [[a, b], *others]}) == 1 + len(others)


class _Column:
    def __init__(self, dtype: str) -> None:
        self.dtype = dtype


class _Schema:
    def __init__(self, **types: str) -> None:
        self.columns = {name: _Column(dtype) for name, dtype in types.items()}


def test_how_a_source_is_read_has_a_fingerprint() -> None:
    def told(types: Any = None, **options: Any) -> str:
        source = Source(name="raw", location="x.csv", types=types, options=options)
        return reading_fingerprint(source, Path("/nowhere"))

    assert told() == told()
    assert told(a=1, b=2) == told(b=2, a=1)
    different = [
        told(),
        told(null_values="NA"),
        told(null_values=["NA"]),
        told(_Schema(a="Int64")),
        told(_Schema(a="String")),
        told(_Schema(b="String")),
    ]
    assert len(set(different)) == len(different)
