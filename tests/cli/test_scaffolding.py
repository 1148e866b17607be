from __future__ import annotations

import tomllib

import pytest

from millgate.cli.scaffolding import lay_out, scaffold
from millgate.errors import StoreError, UsageError


def test_a_project_is_laid_out_under_its_folder_s_name(tmp_path):
    folder = tmp_path / "My Shop"
    written = lay_out(folder)
    assert written == sorted(scaffold())
    assert all((folder / path).is_file() for path in written)
    settings = tomllib.loads((folder / "pyproject.toml").read_text())
    assert settings["tool"]["millgate"]["name"] == "my-shop"
    assert (folder / ".gitignore").is_file()
    assert not [path for path in written if path.endswith(".txt")]
    assert "{name}" not in (folder / "README.md").read_text()


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(UsageError, match=r"README\.md would be written over"):
        lay_out(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_other_files_are_not_in_the_way(tmp_path):
    (tmp_path / "notes.md").write_text("mine")
    lay_out(tmp_path)
    assert (tmp_path / "notes.md").read_text() == "mine"


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "shop").write_text("a file")
    with pytest.raises((StoreError, UsageError)):
        lay_out(tmp_path / "shop")


def test_python_files_compile():
    for path, text in scaffold().items():
        if path.endswith(".py"):
            compile(text, path, "exec")
