from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from millgate.declare.discovery import discover
from millgate.errors import DeclarationError, DuplicateAsset, MillgateError, ProjectError
from millgate.model.asset import Asset, Node, Source
from millgate.model.mapping import Window

Discover = Callable[[Mapping[str, str]], dict[str, Node]]
HEAD = "from millgate import asset, source, Daily, Window, Keys, Gate\n"


def test_nothing_declared(declared: Discover) -> None:
    assert declared({}) == {}
    assert declared({"constants.py": "x = [1, {'a': (2,)}]\n"}) == {}


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="there is no folder assets/"):
        discover(tmp_path, tmp_path / "assets")


def test_order_group_and_place(declared: Discover) -> None:
    nodes = declared(
        {
            "b.py": HEAD + "\n\n@asset\ndef late(): ...\n\n\n@asset\ndef early(): ...\n",
            "a/deep/x.sql": "SELECT 1",
            "a/y.py": HEAD + "raw = source('x.csv')\n",
        }
    )
    assert [(n.name, n.group, n.defined_in) for n in nodes.values()] == [
        ("x", "a/deep", "assets/a/deep/x.sql:1"),
        ("raw", "a", "assets/a/y.py:2"),
        ("late", "", "assets/b.py:4"),
        ("early", "", "assets/b.py:8"),
    ]


@pytest.mark.parametrize(
    "binding",
    [
        "made = {}",
        "made = [{}]",
        "made = ({},)",
        "made = {{'a': {}}}",
        "made = [[({},)]]",
        "made = {{1: [{}]}}",
        "made = {{{}}}",
        "one = {}; two = one; three = [one]",
        "made = [1]; made.append(made); made.append({})",
    ],
)
def test_where_an_asset_is_bound(declared: Discover, binding: str) -> None:
    code = HEAD + "def total(): ...\n" + binding.format("asset(name='orders')(total)") + "\n"
    assert list(declared({"x.py": code})) == ["orders"]


def test_factories(declared: Discover) -> None:
    code = """
def region(name):
    @asset(name=f"orders_{name}", upstream={"raw": f"raw_{name}"})
    def orders(raw): ...
    return orders

regions = {name: region(name) for name in ("eu", "us")}
raws = [source(f"{name}.csv", name=f"raw_{name}") for name in ("eu", "us")]
by_name = {"raw_asia": source("asia.csv")}
"""
    nodes = declared({"x.py": HEAD + code})
    assert list(nodes) == ["orders_eu", "orders_us", "raw_eu", "raw_us", "raw_asia"]
    assert nodes["orders_us"].inputs[0].upstream == "raw_us"


def test_a_factory_in_a_private_module_takes_the_place_of_its_use(declared: Discover) -> None:
    nodes = declared(
        {
            "_making.py": HEAD + "def make(path): return source(path)\n",
            "sales/x.py": "from assets._making import make\nraw = make('x.csv')\n",
        }
    )
    assert nodes["raw"].group == "sales"
    assert nodes["raw"].defined_in == "assets/_making.py:2"


def test_imported_assets_are_the_same(declared: Discover) -> None:
    nodes = declared(
        {
            "a.py": "from assets.b.orders import orders, raw as r\n",
            "b/orders.py": HEAD + "raw = source('x.csv')\n\n@asset\ndef orders(raw): ...\n",
        }
    )
    assert {n.name: n.group for n in nodes.values()} == {"raw": "b", "orders": "b"}


def test_names_of_objects_that_upstreams_refer_to(declared: Discover) -> None:
    code = """
raw = source("x.csv")

@asset(upstream=[raw])
def listed(raw): ...

@asset(upstream={"week": Window(-6, 0, of=raw), "other": listed})
def mapped(week, other): ...

@asset(upstream=[raw, listed])
def taken(**tables): ...
"""
    nodes = declared(
        {"x.py": HEAD + code, "y.sql": '-- upstream: {"z": Window(-1, 0, of=x.raw)}\nFROM z'}
    )
    inputs = {
        n.name: [(i.parameter, i.upstream, i.mapping) for i in n.inputs] for n in nodes.values()
    }
    assert inputs == {
        "raw": [],
        "listed": [("raw", "raw", None)],
        "mapped": [("week", "raw", Window(-6, 0)), ("other", "listed", None)],
        "taken": [("raw", "raw", None), ("listed", "listed", None)],
        "y": [("z", "raw", Window(-1, 0))],
    }
    assert all(type(i.upstream) is str for n in nodes.values() for i in n.inputs)


def test_private_and_hidden_files_are_left_out(declared: Discover) -> None:
    made = HEAD + "{} = source('x.csv')\n"
    nodes = declared(
        {
            "_a.py": made.format("a"),
            ".b.py": made.format("b"),
            "_c/c.py": made.format("c"),
            ".d/d.sql": "SELECT 1",
            "_e.sql": "SELEC 1",
            "__init__.py": "",
            "notes.txt": "",
            "f.py": made.format("f"),
        }
    )
    assert list(nodes) == ["f"]


def test_sql_header_reaches_modules(declared: Discover) -> None:
    nodes = declared(
        {
            "calendar.py": HEAD + "days = Daily('2013-01-01')\n",
            "sales/checks.py": HEAD + "class Model: ...\n\nheld = Gate(Model)\n",
            "_private.py": "class Hidden: ...\n",
            "orders.sql": "-- partitions: calendar.days\n-- gate: sales.checks.held\nSELECT 1",
            "other.sql": "-- gate: Gate(_private.Hidden)\nSELECT 1",
        }
    )
    orders, other = nodes["orders"], nodes["other"]
    assert isinstance(orders, Asset)
    assert isinstance(other, Asset)
    assert orders.partitions.names == ("date",)
    assert orders.gate.schema.__name__ == "Model"
    assert other.gate.schema.__name__ == "Hidden"


def test_changed_files_are_read_again(declared: Discover) -> None:
    for number in range(3):
        nodes = declared({"x.py": HEAD + f"raw = source('{number}.csv')\n"})
        assert isinstance(nodes["raw"], Source)
        assert nodes["raw"].location == f"{number}.csv"


def refused(declared: Discover, files: dict[str, str]) -> MillgateError:
    with pytest.raises(MillgateError) as raised:
        declared(files)
    return raised.value


@pytest.mark.parametrize(
    ("files", "where"),
    [
        (
            {"a.py": HEAD + "@asset\ndef x(): ...\n", "b.py": HEAD + "\n@asset\ndef x(): ...\n"},
            "assets/a.py:2 and assets/b.py:3",
        ),
        (
            {"a.py": HEAD + "x = source('x.csv')\n", "b/x.sql": "SELECT 1"},
            "assets/a.py:2 and assets/b/x.sql:1",
        ),
        (
            {"a.py": HEAD + "def x(): ...\ny = [asset(x), asset(x)]\n"},
            "assets/a.py:2 and assets/a.py:2",
        ),
    ],
)
def test_two_of_one_name(declared: Discover, files: dict[str, str], where: str) -> None:
    error = refused(declared, files)
    assert type(error) is DuplicateAsset
    assert error.what == "two assets are called x"
    assert error.where == where


@pytest.mark.parametrize(
    ("files", "what", "where"),
    [
        ({"x.py": "\n1 / 0\n"}, "ZeroDivisionError: division by zero", "assets/x.py:2"),
        ({"x.py": "raise KeyError\n"}, "KeyError: without a message", "assets/x.py:1"),
        ({"x.py": "import sys\nsys.exit(3)\n"}, "SystemExit: 3", "assets/x.py:2"),
        ({"x.py": "def f(:\n"}, "SyntaxError: invalid syntax", "assets/x.py:1"),
        ({"x.py": "import json\njson.loads('{')\n"}, "JSONDecodeError", "assets/x.py:2"),
        ({"x.py": "import nowhere\n"}, "No module named 'nowhere'", "assets/x.py:1"),
        ({"x.py": "from assets import y\n"}, "cannot import name 'y'", "assets/x.py:1"),
        ({"x.py": "import assets.y\n"}, "No module named 'assets.y'", "assets/x.py:1"),
        (
            {"_y.py": "def f():\n    return {}['a']\n", "x.py": "import assets._y as y\n\ny.f()\n"},
            "KeyError: 'a'",
            "assets/_y.py:2",
        ),
        ({"__init__.py": "\n1 / 0\n", "x.py": ""}, "ZeroDivisionError", "assets/__init__.py:2"),
        ({"x.py": HEAD + "\n@asset\ndef X(): ...\n"}, "'X' cannot name", "assets/x.py:3"),
        ({"x.py": HEAD + "days = Daily('x')\n"}, "'x' is not a key", "assets/x.py:2, Daily('x')"),
        ({"x.py": HEAD + "X = source('x.csv')\n"}, "'X' cannot name", "assets/x.py:2"),
        ({"x.py": HEAD + "xs = [source('x.csv')]\n"}, "a source has no name", "assets/x.py:2"),
        (
            {"x.py": HEAD + "@asset(upstream={'a': source('x.csv')})\ndef x(a): ...\n"},
            "a source has no name",
            "assets/x.py:2",
        ),
        (
            {"x.py": HEAD + "raw = source('x.csv')\n@asset(upstream=[raw])\ndef x(): ...\n"},
            "upstream= names raw, which the function does not receive",
            "assets/x.py:3",
        ),
        ({"my-x.py": ""}, "'my-x' cannot be imported", "assets/my-x.py"),
        ({"a.b/x.py": ""}, "'a.b' cannot be imported", "assets/a.b/x.py"),
        ({"x.sql": "SELEC 1"}, 'syntax error at or near "SELEC"', "assets/x.sql:1"),
        ({"x.sql": "-- gate: y.Model\nSELECT 1"}, "there is no module y", "assets/x.sql:1"),
    ],
)
def test_refused(declared: Discover, files: dict[str, str], what: str, where: str) -> None:
    error = refused(declared, files)
    assert isinstance(error, DeclarationError)
    assert what in error.what
    assert error.where == where
    assert error.fix


def test_the_original_error_is_kept(declared: Discover) -> None:
    assert isinstance(refused(declared, {"x.py": "1 / 0\n"}).__cause__, ZeroDivisionError)


def test_a_missing_package_is_to_be_installed(declared: Discover) -> None:
    assert "install nowhere" in refused(declared, {"x.py": "import nowhere.inner\n"}).fix


def test_functions_stay_importable(declared: Discover, tmp_path: Path) -> None:
    declared(
        {
            "x.py": HEAD + "@asset\ndef orders():\n    from assets.y import z\n    return z\n",
            "y.py": "z = 3\n",
        }
    )
    assert str(tmp_path) in sys.path
    assert sys.modules["assets.x"].orders() == 3
