from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from millgate.declare.importing import leave, opened
from millgate.errors import ProjectError


def project(root: Path, **files: str) -> tuple[Path, Path]:
    for name, text in {"assets/__none__.txt": "", **files}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root, root / "assets"


def test_two_projects_in_one_process(tmp_path: Path) -> None:
    files = {"assets/x.py": "from helping import value\n"}
    roots = {}
    for name in ("one", "two", "one"):
        roots[name] = project(
            tmp_path / name, **files, **{"helping.py": f"value = {name!r}\n", "assets/y/z.py": ""}
        )
        with opened(*roots[name]) as modules:
            assert modules.load(roots[name][1] / "x.py").value == name
            modules.load(roots[name][1] / "y" / "z.py")
        assert [r for r in ("one", "two") if str(tmp_path / r) in sys.path] == [name]


def test_nothing_is_left(tmp_path: Path) -> None:
    root, folder = project(
        tmp_path, **{"assets/x.py": "import helping\nimport statistics\n", "helping.py": ""}
    )
    path = list(sys.path)
    with opened(root, folder) as modules:
        modules.load(folder / "x.py")
    assert {"assets", "assets.x", "helping"} <= set(sys.modules)
    leave()
    assert not {"assets", "assets.x", "helping"} & set(sys.modules)
    assert "statistics" in sys.modules
    assert sys.path == path


def test_installed_packages_stay(tmp_path: Path) -> None:
    package = ".venv/lib/python3/site-packages/installed_here.py"
    root, folder = project(tmp_path, **{"assets/x.py": "import installed_here\n", package: ""})
    sys.path.append(str((root / package).parent))
    try:
        with opened(root, folder) as modules:
            kept = modules.load(folder / "x.py").installed_here
        leave()
        assert sys.modules.pop("installed_here") is kept
    finally:
        sys.path.remove(str((root / package).parent))


def test_a_package_of_the_same_name_elsewhere_does_not_win(tmp_path: Path) -> None:
    (tmp_path / "site" / "assets").mkdir(parents=True)
    (tmp_path / "site" / "assets" / "__init__.py").write_text("raise RuntimeError\n")
    root, folder = project(tmp_path / "project", **{"assets/x.py": "y = 1\n"})
    sys.path.insert(0, str(tmp_path / "site"))
    try:
        with opened(root, folder) as modules:
            assert modules.load(folder / "x.py").y == 1
    finally:
        sys.path.remove(str(tmp_path / "site"))


@pytest.mark.parametrize("name", ["json", "polars_like"])
def test_a_folder_called_as_a_package(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "polars_like", sys.modules["pytest"])
    (tmp_path / name).mkdir()
    with (
        pytest.raises(ProjectError, match=f"{name} is the name of another Python package"),
        opened(tmp_path, tmp_path / name),
    ):
        pass


def test_an_edit_within_the_same_second_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    root, folder = project(tmp_path)
    file = folder / "x.py"
    for value in "123":
        file.write_text(f"y = {value}\n")
        moment = file.stat().st_mtime // 1
        os.utime(file, (moment, moment))
        with opened(root, folder) as modules:
            assert modules.load(file).y == int(value)
    assert not sys.dont_write_bytecode


def test_bytecode_of_settled_files_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    root, folder = project(tmp_path, **{"assets/x.py": ""})
    os.utime(folder / "x.py", (1_000_000_000, 1_000_000_000))
    with opened(root, folder) as modules:
        modules.load(folder / "x.py")
    assert list(folder.glob("__pycache__/x.*.pyc"))


@pytest.mark.parametrize(
    ("dotted", "module", "rest"),
    [
        ("x.y", "assets.x", ("y",)),
        ("x.y.z", "assets.x", ("y", "z")),
        ("a.b.c", "assets.a.b", ("c",)),
        ("a.b", "assets.a.b", ()),
        ("a.c", "assets.a", ("c",)),
        ("nowhere.x", None, ("nowhere", "x")),
    ],
)
def test_dotted_names(
    tmp_path: Path, dotted: str, module: str | None, rest: tuple[str, ...]
) -> None:
    root, folder = project(tmp_path, **{"assets/x.py": "", "assets/a/b.py": ""})
    with opened(root, folder) as modules:
        found, remaining = modules.named(tuple(dotted.split(".")))
    assert (found and found.__name__, remaining) == (module, rest)
