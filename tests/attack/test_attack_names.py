"""Folders and keys that no one should have chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Mill
from millgate.errors import DeclarationError, ProjectError


@pytest.mark.parametrize(
    "name",
    ["sp ace", "quo'te", 'dq"', "[b]r", "st*r", "☃", "a%20b", "new\nline", "{c}", "--x", "#"],
)
def test_a_project_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    mill = Mill(tmp_path / name)
    mill.write("pyproject.toml", "[tool.millgate]\n")
    mill.write("data/s.csv", "n\n1\n")
    mill.write(
        "assets/a.py",
        """
        import polars as pl
        from millgate import Keys, asset, source

        keys = Keys("a b", "q'u", 'd"q', "st*r", "[b]", "%20", "☃", "s;l", "x=y", "b\\\\s", "$d")
        s = source("data/s.csv")

        @asset(partitions=keys)
        def x(s: pl.LazyFrame) -> pl.LazyFrame:
            return s
        """,
    )
    mill.write("assets/y.sql", 'SELECT "key", n FROM x')
    assert mill.run().exit_status == 0
    rows = mill.sql("FROM production.x ORDER BY ALL"), mill.sql("FROM production.y ORDER BY ALL")
    assert [(n, key) for key, n in rows[1]] == rows[0]
    assert len(rows[0]) == 11
    assert mill.plan().steps == ()


@pytest.mark.parametrize("name", ["what?", "back\\slash"])
def test_a_folder_that_duckdb_cannot_write_to_is_refused_at_once(tmp_path: Path, name: str) -> None:
    mill = Mill(tmp_path / name)
    mill.write("pyproject.toml", "[tool.millgate]\n")
    mill.write("assets/a.sql", "SELECT 1 AS n")
    with pytest.raises(ProjectError, match="DuckDB cannot write"):
        mill.run()
    assert not (mill.root / "warehouse").exists()


def test_live_values_that_cannot_be_keys_say_how_to_get_rid_of_them(mill: Mill) -> None:
    mill.write("data/regions.csv", "region\nEU\na/b\n")
    mill.write(
        "assets/a.py",
        """
        import polars as pl
        from millgate import Keys, asset, source

        raw = source("data/regions.csv")

        @asset
        def regions(raw: pl.LazyFrame) -> pl.LazyFrame:
            return raw

        @asset(partitions=Keys(of="regions.region"))
        def sales() -> pl.DataFrame:
            return pl.DataFrame({"n": [1]})
        """,
    )
    with pytest.raises(DeclarationError) as refused:
        mill.run()
    assert refused.value.fix.endswith("then: millgate materialize regions")
    assert mill.sql("SELECT status FROM lineage.runs") == [("failed",)]
    mill.write("data/regions.csv", "region\nEU\nUS\n")
    with pytest.raises(DeclarationError):
        mill.run()
    assert mill.run("regions").exit_status == 0
    assert [s.key for s in mill.plan().steps] == ["EU", "US"]


def test_a_source_changed_by_a_step_is_named(mill: Mill) -> None:
    mill.write("data/s.csv", "n\n1\n")
    mill.write(
        "assets/a.py",
        """
        from pathlib import Path
        import polars as pl
        from millgate import asset, source

        s = source("data/s.csv")

        @asset
        def a(s: Path) -> pl.DataFrame:
            s.write_text("n\\n1\\n2\\n")
            return pl.read_csv(s)
        """,
    )
    (done,) = mill.run().done
    assert done.outcome == "failed"
    assert "source s\n" in done.detail
    assert mill.run().exit_status == 1, "it writes to its input again"
    assert mill.sql("SELECT count(*) FROM lineage.production WHERE asset = 'a'") == [(0,)]
