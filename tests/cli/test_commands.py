"""The commands end to end, on the project that `millgate init` lays out."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import textwrap

import pytest

from millgate.cli.main import main
from millgate.cli.scaffolding import lay_out

STRICT = '''
import pandera.polars as pa
import polars as pl
from millgate import Daily, Gate, Partition, asset


class Positive(pa.DataFrameModel):
    amount: float = pa.Field(gt=0)


@asset(partitions=Daily("2025-03-03", end="2025-03-09"), gate=Gate(Positive))
def strict_orders(raw_orders: pl.LazyFrame, partition: Partition) -> pl.LazyFrame:
    """Holds a whole day for one bad order."""
    of_the_day = pl.col("ordered_on").cast(pl.String) == partition.key
    return raw_orders.filter(of_the_day).select("order_id", "amount")


@asset(partitions=Daily("2025-03-03", end="2025-03-09"))
def broken(strict_orders: pl.DataFrame, partition: Partition) -> pl.DataFrame:
    """Fails on one day."""
    if partition.key == "2025-03-05":
        print("about to divide")
        print(1 / 0)
    return strict_orders
'''


class Shop:
    """The scaffold's project, and what the commands answer."""

    def __init__(self, root, capsys):
        self.root = root
        self._capsys = capsys
        self.err = ""

    def __call__(self, *arguments, exits=0):
        """What a command writes to stdout; its exit status must be `exits`."""
        status = main(["--project", str(self.root), *arguments])
        told = self._capsys.readouterr()
        self.err = told.err
        assert status == exits, told
        return told.out

    def data(self, *arguments, exits=0):
        """The data of a command's JSON document."""
        shown = json.loads(self(*arguments, "--json", exits=exits))
        assert list(shown) == ["format", "command", "exit", "data", "warnings", "error"]
        assert shown["exit"] == exits
        return shown["data"] if shown["error"] is None else shown["error"]

    def write(self, path, text):
        (self.root / path).write_text(textwrap.dedent(text), encoding="utf-8")


@pytest.fixture
def shop(tmp_path, capsys):
    lay_out(tmp_path / "shop")
    return Shop(tmp_path / "shop", capsys)


@pytest.fixture
def made(shop):
    """A shop in which everything was materialized."""
    shop("materialize")
    return shop


@pytest.fixture
def troubled(shop):
    """A shop with a held, a failed and a blocked partition."""
    shop.write("assets/strict.py", STRICT)
    shop("materialize", exits=1)
    return shop


def test_init_names_the_next_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "shop"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Next: cd shop && millgate materialize"
    assert main(["init", "shop"]) == 2
    assert "would be written over" in capsys.readouterr().err


def test_list_prints_names_only(shop):
    assert shop("list").splitlines() == ["raw_orders", "orders", "daily_revenue", "total_revenue"]
    assert shop("list", "orders+1").splitlines() == ["orders", "daily_revenue"]


def test_plan_changes_nothing_and_names_the_next_command(shop):
    assert shop("plan", "orders@2025-03-04..2025-03-05") == (
        "orders  2025-03-04 to 2025-03-05, both included (UTC)\n"
        "\n"
        " action  asset   partitions              n  why\n"
        " make    orders  2025-03-04..2025-03-05  2  missing\n"
        "\n"
        "2 to make, 0 to judge, 0 blocked, 0 fresh. Nothing was changed.\n"
        "Next: millgate materialize orders@2025-03-04..2025-03-05\n"
    )
    assert not (shop.root / "warehouse").exists()


@pytest.mark.parametrize(
    "ways",
    [
        ["orders@2025-03-04..2025-03-05"],
        ["orders", "--from", "2025-03-04", "--to", "2025-03-05"],
    ],
)
def test_ways_to_give_a_range(shop, ways):
    steps = shop.data("plan", *ways)["steps"]
    assert [step["partition"] for step in steps] == ["2025-03-04", "2025-03-05"]


def test_a_literal_key(shop):
    steps = shop.data("plan", "orders", "--partition", "2025-03-04")["steps"]
    assert [step["partition"] for step in steps] == ["2025-03-04"]


def test_materialize_prints_the_plan_and_what_came_of_it(shop):
    lines = shop("materialize").splitlines()
    assert " make    orders         2025-03-03..2025-03-09  7  missing" in lines
    assert lines[-1] == "Next: millgate quarantine list orders"
    assert " rejected  orders  2 rows of 2 partitions" in lines
    assert "15 of 15  snapshot" in shop.err


def test_everything_is_fresh_afterwards(made):
    expected = "Nothing to do: 15 partitions are fresh.\n"
    assert made("plan").endswith(expected)
    assert made("materialize").endswith(expected)


def test_the_json_of_a_run(shop):
    data = shop.data("materialize", "daily_revenue@2025-03-04", exits=3)
    assert [step["outcome"] for step in data["steps"]] == ["blocked"]
    data = shop.data("backfill", "daily_revenue@2025-03-04")
    assert [(s["asset"], s["outcome"]) for s in data["steps"]] == [
        ("orders", "made"),
        ("daily_revenue", "made"),
    ]
    assert shop.err == ""


def test_dry_run_of_a_backfill(shop):
    lines = shop("backfill", "daily_revenue@2025-03-04", "--dry-run").splitlines()
    assert lines[-2:] == [
        "2 to make, 0 to judge, 0 blocked, 0 fresh. Nothing was changed.",
        "Next: millgate backfill daily_revenue@2025-03-04",
    ]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["backfill", "orders"], "a backfill needs keys"),
        (["plan", "orders@2025-03", "--partition", "2025-03-04"], "keys are given in 2 ways"),
        (["plan", "ordrs"], 'no asset "ordrs"'),
        (["plan", "orders@2013"], "2013 selects no partition of orders"),
        (["show", "ordrs"], 'no asset "ordrs"'),
        (["nope"], "no command 'nope'"),
        (["plan", "--nope"], "no such option"),
        (["sql", "SELECT 1", "--csv", "--json"], "two formats"),
        (["runs", "x"], "invalid value for 'RUN': 'x' is not a whole number"),
        (["quarantine", "lst"], "no command 'lst'"),
    ],
)
def test_wrong_usage_is_three_lines(shop, arguments, what):
    shop(*arguments, exits=2)
    if "--json" not in arguments:
        lines = shop.err.splitlines()
        assert what in lines[0]
        assert [line[:7] for line in lines] == ["error: ", "  at   ", "  fix  "]


@pytest.mark.parametrize("command", ["status", "why orders@2025-03-04", "runs", "quarantine list"])
def test_before_anything_is_made(shop, command):
    shop(*command.split(), exits=1)
    assert "nothing has been materialized yet" in shop.err


def test_no_project(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["status", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "project"


def test_the_guard_refuses_where_nobody_can_be_asked(shop):
    shop("materialize", "--max-partitions", "14", exits=2)
    assert "15 partitions are more than 14" in shop.err
    assert not (shop.root / "warehouse" / "snapshots").exists()
    shop("materialize", "--max-partitions", "15")


def test_yes_runs_and_still_prints_the_plan(shop):
    assert "15 to make" in shop("materialize", "--max-partitions", "1", "--yes")


def test_looking_does_not_import_assets(made):
    made.write("assets/orders.py", "raise RuntimeError('imported')")
    for command in (
        "status",
        "status orders",
        "why orders@2025-03-04",
        "runs",
        "runs 1",
        "logs 1",
        "logs orders@2025-03-04",
        "quarantine list",
        "quarantine list orders",
        "quarantine show orders@2025-03-04",
        "lineage",
        "lineage orders",
        "lineage orders@2025-03-04",
    ):
        made(*command.split())
    made("sql", "SELECT count(*) FROM production.orders")
    made("plan", exits=2)
    assert "imported" in made.err


def test_status_of_troubles(troubled):
    lines = troubled("status").splitlines()
    assert lines[0].startswith("shop  snapshot ")
    assert lines[0].endswith("exit 1")
    assert any(line.split()[:3] == ["held", "strict_orders@2025-03-04", "amount"] for line in lines)
    assert any("broken@2025-03-05" in line and "ZeroDivisionError" in line for line in lines)
    assert lines[-1] == "Next: millgate why broken@2025-03-05"
    assert troubled.data("status", "orders")["status"]["held"] == []


def test_an_error_of_the_user_s_asset_begins_at_their_line(troubled):
    shown = troubled("materialize", "broken", exits=1)
    assert "broken@2025-03-05 failed:\n" in shown
    assert "assets/strict.py" in shown
    assert "ZeroDivisionError: division by zero" in shown
    assert "millgate/execute" not in shown
    assert "Traceback" not in shown + troubled.err


def test_logs(troubled):
    shown = troubled("logs", "broken@2025-03-05")
    assert "  about to divide\n" in shown
    assert "ZeroDivisionError" in shown
    [logged] = troubled.data("logs", "broken@2025-03-05")
    assert logged["log"] == "about to divide\n"
    assert "about to divide" in troubled("logs", "1")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("strict_orders@2025-03-04", ["held", "hold: 1 of 3 rows fail", "amount > 0"]),
        ("broken@2025-03-05", ["failed", "ZeroDivisionError"]),
        ("broken@2025-03-04", ["blocked", "strict_orders@2025-03-04"]),
        ("orders@2025-03-04", ["live", "split: 1 of 3 rows fail", "raw_orders"]),
        ("total_revenue", ["live", "daily_revenue"]),
    ],
)
def test_why(troubled, target, expected):
    shown = troubled("why", target)
    assert shown.startswith(target)
    assert all(text in shown for text in expected)
    assert troubled.data("why", target)["asset"] == target.partition("@")[0]


def test_why_needs_a_key_that_exists(made):
    made("why", "orders", exits=2)
    assert "orders@2025-03-09" in made.err
    made("why", "orders@2025-03-10", exits=2)
    assert "2025-03-03 to 2025-03-09" in made.err


KEYED = """
import polars as pl
from millgate import Keys, asset


@asset
def shops() -> pl.DataFrame:
    return pl.DataFrame({"shop": ["BER", "MUC"]})


@asset(partitions=Keys(of="shops.shop"))
def by_shop() -> pl.DataFrame:
    return pl.DataFrame({"n": [1]})
"""


def test_keys_that_are_read_from_production_are_known(made):
    made.write("assets/keyed.py", KEYED)
    made("materialize", "shops")
    made("materialize", "by_shop")
    made("logs", "by_shop@BRE", exits=2)
    assert made.err.splitlines() == [
        "error: by_shop has no partition 'BRE'",
        "  at   by_shop@BRE",
        "  fix  did you mean BER?  keys are: BER, MUC",
    ]
    made("logs", "by_shop", exits=2)
    assert "such as by_shop@MUC" in made.err
    made.write("assets/keyed.py", "")
    made("why", "by_shop@BRE", exits=2)
    assert "did you mean BER?  keys on record: BER, MUC" in made.err


@pytest.mark.parametrize(
    ("selection", "fix"),
    [
        ("orders", "millgate backfill orders@2025-03-03..2025-03-09"),
        ("by_shop", "  fix  millgate backfill by_shop --all"),
        ("total_revenue", "  fix  millgate backfill total_revenue --all"),
        ("", "@2025-03-03..2025-03-09"),
        ("ordrs", "did you mean orders"),
    ],
)
def test_a_backfill_without_keys_is_told_some(shop, selection, fix):
    shop.write("assets/keyed.py", KEYED)
    shop("backfill", selection, exits=2)
    assert fix in shop.err.splitlines()[-1]


def test_an_unpartitioned_asset_takes_no_key(made):
    made("why", "total_revenue@2025", exits=2)
    assert made.err.splitlines()[::2] == [
        "error: total_revenue has no partition '2025'",
        "  fix  leave it out: total_revenue",
    ]


def test_a_run_that_is_not_on_record(made):
    for command in ("runs", "logs"):
        made(command, "99", exits=2)
        assert made.err.splitlines()[0] == "error: no run 99 is on record"


def test_lineage_of_a_mistyped_name_says_what_was_typed(made):
    made("lineage", "ordrs", exits=2)
    assert made.err.splitlines()[1] == "  at   selection ordrs, character 1"


def test_runs(troubled):
    assert troubled("runs").splitlines()[1].split()[:3] == ["1", "exit", "1"]
    shown = troubled("runs", "1")
    assert " held     strict_orders  2025-03-04" in shown
    assert troubled.data("runs", "1")["run"]["held"] == 1
    troubled("runs", "99", exits=2)


def test_a_release_lets_the_data_in(troubled):
    target = "strict_orders@2025-03-04"
    assert "would be released" in troubled(
        "quarantine", "release", target, "--reason", "ok", "--dry-run"
    )
    assert "held" in troubled("why", target).splitlines()[0]
    troubled("quarantine", "release", target, "--reason", "the customer was paid back")
    shown = troubled("why", target)
    assert "the customer was paid back" in shown
    assert "live" in shown.splitlines()[0]
    troubled("quarantine", "release", target, "--reason", "again", exits=2)
    assert (
        "nothing of strict_orders@2025-03-04 waits in quarantine: what did was released by"
        in troubled.err
    )


def test_a_rollback_shows_asks_and_sticks(shop, monkeypatch):
    shop("materialize")
    orders = shop.root / "assets" / "orders.py"
    orders.write_text(orders.read_text().replace('"amount")', 'pl.col("amount") + 1)'))
    shop("materialize")
    looked = ("rollback", "orders@2025-03-04..2025-03-05", "--to", "previous")
    shown = shop(*looked, "--dry-run")
    assert "go back  orders  2025-03-04..2025-03-05" in shown
    assert "2 partitions downstream will be stale: daily_revenue" in shown
    assert "needs a reason" in shop(*looked, exits=2) + shop.err
    asked = (*looked, "--reason", "wrong amounts", "--downstream")
    shop(*asked, exits=2)
    assert "nobody is there to ask" in shop.err
    monkeypatch.setattr("millgate.cli.terminal.Terminal.can_ask", True)
    monkeypatch.setattr("millgate.cli.terminal.Terminal.ask", lambda *_: False)
    assert "Declined" in shop(*asked, exits=4)
    data = shop.data(*asked, "--yes")
    assert [p["asset"] for p in data["partitions"]] == ["orders"] * 2 + ["daily_revenue"] * 2
    assert "2 rolled back" in shop("plan", "orders")
    assert "rolled back" in shop("status")
    assert "orders@2025-03-04  rolled back" in shop("why", "orders@2025-03-04")
    assert "2 to make" in shop("plan", "orders", "--retry-rolled-back")
    [snapshot] = shop.data("sql", "SELECT max(snapshot) AS now FROM lineage.snapshots")["rows"]
    now = snapshot["now"]
    assert "Nothing to roll back" in shop(
        "rollback", "--to", f"snapshot:{now}", "--reason", "again"
    )
    shop("rollback", "--to", "yesterday", "--dry-run", exits=2)
    assert "no time and no version" in shop.err


def test_an_asset_that_was_renamed_in_code_keeps_its_history_when_somebody_agrees(shop):
    shop("materialize")
    old = shop.root / "assets" / "total_revenue.sql"
    old.rename(old.with_name("income.sql"))
    shop("plan")
    assert "millgate rename total_revenue income" in " ".join(shop.err.split())
    asked = ("rename", "total_revenue", "income")
    told = " ".join(shop(*asked, "--dry-run").split())
    assert "total_revenue -> income 1 version to move, 1 of them live." in told
    shop(*asked, exits=2)
    assert "nobody is there to ask" in shop.err
    data = shop.data(*asked, "--yes")
    assert (data["old_name"], data["new_name"]) == ("total_revenue", "income")
    assert "Nothing to do" in shop("plan")
    shop(*asked, exits=2)


def test_a_removed_asset_is_retired_when_somebody_agrees(shop):
    shop("materialize")
    (shop.root / "assets" / "total_revenue.sql").unlink()
    asked = ("retire", "total_revenue", "--reason", "nobody reads it")
    assert "1 partition to leave production. Nothing" in shop(*asked, "--dry-run")
    shop(*asked, exits=2)
    assert "nobody is there to ask" in shop.err
    assert "has left production, in snapshot 2" in shop(*asked, "--yes")
    assert "total_revenue" not in shop("status")
    shop("retire", "orders", "--dry-run", exits=2)
    assert "orders is declared" in shop.err


def test_production_can_be_asked_as_it_was(shop):
    shop("materialize")
    [file] = (shop.root / "warehouse" / "versions" / "total_revenue").glob("*.parquet")
    orders = shop.root / "assets" / "orders.py"
    orders.write_text(orders.read_text().replace('"amount")', 'pl.col("amount") + 1)'))
    query = "SELECT max(amount) - max(amount) % 1 AS n FROM production.orders"
    before = shop("sql", query)
    shop("materialize")
    assert shop("sql", query) != before
    assert shop("sql", query, "--as-of", "snapshot:1") == before
    file.unlink()
    assert shop("sql", query, "--as-of", "snapshot:1") == before
    shop("sql", "FROM production.total_revenue", "--as-of", "snapshot:1", exits=1)
    assert "production.total_revenue cannot be shown as of snapshot:1" in shop.err
    shop("sql", "DROP VIEW production.orders", "--as-of", "snapshot:1", exits=2)


def test_a_discard_asks_first(troubled, monkeypatch):
    target = "strict_orders@2025-03-04"
    discard = ("quarantine", "discard", target, "--reason", "no")
    troubled(*discard, exits=2)
    assert "nobody is there to ask" in troubled.err
    monkeypatch.setattr("millgate.cli.call.Call.can_ask", True)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert "Declined" in troubled(*discard, exits=4)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    troubled(*discard)
    assert "discarded" in troubled("quarantine", "list", "--all")


def test_quarantine_shows_the_rows_with_their_reasons(made):
    shown = made("quarantine", "show", "orders@2025-03-04")
    assert "amount greater_than: -19.99" in shown
    rows = made.data("quarantine", "show", "orders@2025-03-04")["rows"]
    assert rows[0]["quarantine_reasons"][0]["rule"] == "greater_than"
    (source,) = made.data("quarantine", "show", "orders@2025-03-04")["inputs"]
    assert (source["asset"], source["kind"], source["changed"]) == ("raw_orders", "data", False)
    assert " raw_orders " in shown
    assert "2025-03-04 and 1 more" in made("quarantine", "list")


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ("", ["2025-03-04", "2025-03-06"]),
        ("orders@2025-03-05..2025-03-07", ["2025-03-06"]),
        ("orders+1@2025-03", ["2025-03-04", "2025-03-06"]),
        ("--check greater_than", ["2025-03-04"]),
        ("@2025-03-06 --check greater_than", []),
        ("--check greater_then", []),
        ("--newer-than 1h", ["2025-03-04", "2025-03-06"]),
        ("--older-than 1h", []),
        ("--older-than 0s --newer-than 1w orders", ["2025-03-04", "2025-03-06"]),
    ],
)
def test_what_waits_is_found_by_keys_check_and_age(made, wanted, keys):
    found = made.data("quarantine", "list", *wanted.split())
    assert sorted(entry["partition"] for entry in found) == keys


def test_nothing_like_that_in_quarantine_names_the_checks_that_are(made):
    assert made("quarantine", "list", "--check", "greater_then").splitlines() == [
        "None of the 2 in quarantine is like that.",
        'No check "greater_then": did you mean greater_than?  what fails there is greater_than, '
        "isin",
    ]
    assert "like that" in made("quarantine", "list", "--older-than", "1h")
    made("quarantine", "list", "--older-than", "soon", exits=2)
    assert "quarantine list --older-than" in made.err
    made("quarantine", "list", "orders@2031", exits=2)


def test_sql(made, monkeypatch):
    query = "SELECT date, count(*) AS n FROM production.orders GROUP BY ALL ORDER BY ALL LIMIT 1"
    assert made("sql", query) == " date        n\n 2025-03-03  3\n"
    assert made("sql", "--csv", query) == "date,n\n2025-03-03,3\n"
    assert made.data("sql", query)["rows"] == [{"date": "2025-03-03", "n": 3}]
    monkeypatch.setattr("sys.stdin", io.StringIO(query))
    assert "2025-03-03" in made("sql", "-")
    made("sql", "DELETE FROM lineage.runs", exits=2)
    made("sql", "SELECT * FROM ordrs", exits=2)
    assert "did you mean production.orders?" in made.err
    made("sql", "FROM lineage.materialisations", exits=2)
    assert "did you mean lineage.materializations or " in made.err
    assert "hot." not in made.err


def test_sql_knows_the_live_plan(made):
    made.write("assets/total_revenue.sql", "SELECT sum(revenue) AS revenue FROM daily_revenue\n")
    assert made.data("sql", "SELECT asset, cause FROM plan")["rows"] == [
        {"asset": "total_revenue", "cause": "code changed"}
    ]


def test_lineage(made):
    assert made("lineage", "orders") == (
        "upstream of orders\n"
        "orders\n"
        "└─ raw_orders  source\n"
        "downstream of orders\n"
        "orders\n"
        "└─ daily_revenue\n"
        "   └─ total_revenue\n"
    )
    traced = made("lineage", "daily_revenue@2025-03-04")
    assert "data/orders.csv" in traced
    assert made("lineage", "--format", "mermaid").startswith("flowchart LR\n")
    assert made("lineage", "--format", "dot").startswith("digraph lineage {\n")
    assert {edge["downstream"] for edge in made.data("lineage", "+orders")["edges"]} == {"orders"}
    assert json.loads(made("lineage", "--format", "json"))["command"] == "lineage"
    made("lineage", "99-1", exits=2)


def test_lineage_before_anything_is_made(shop):
    assert shop("lineage", "orders+1") == "orders\n└─ daily_revenue\n"


def test_show(made):
    shown = made("show", "orders")
    assert "daily from 2025-03-03 to 2025-03-09 (UTC)" in shown
    assert " amount    DOUBLE   not null, > 0\n" in shown
    assert " live        7 partitions, the last 2025-03-09\n" in shown
    assert "in ['DE', 'FR', 'US']" in shown
    assert made.data("show", "orders")["upstreams"][0]["upstream"] == "raw_orders"


def test_the_scaffold_s_own_tests_pass(shop):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=shop.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_reader_that_goes_away_is_no_error(made):
    query = "SELECT * FROM range(200000)"
    script = "import sys; from millgate.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "--project", str(made.root), "sql", query]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_defect_is_told_in_three_lines(shop, monkeypatch):
    def broken(*_arguments, **_options):
        raise ZeroDivisionError("in Millgate")

    monkeypatch.setattr("millgate.project.Project.propose", broken)
    shop("plan", exits=1)
    assert "Millgate has a defect: ZeroDivisionError" in shop.err
    assert len(shop.err.splitlines()) == 3
    monkeypatch.setenv("MILLGATE_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["--project", str(shop.root), "plan"])


def test_an_unfinished_run_is_resumed_by_its_number_or_as_the_only_one(shop):
    (shop.root / "assets" / "broken.py").write_text(STRICT)
    shop("materialize", "strict_orders", exits=3)
    shop("materialize", "broken@2025-03-04..2025-03-05", exits=1)
    shop("materialize", "broken@2025-03-05", exits=1)
    shop("resume", exits=2)
    assert "2 runs were left unfinished" in shop.err
    assert "3 (materialize broken@2025-03-05), 2 (materialize broken@2025-03-04..2025-03-05)" in (
        shop.err
    )
    (shop.root / "assets" / "broken.py").write_text(STRICT.replace("1 / 0", "1 / 1"))
    assert "millgate resume 3" in shop("resume", "3", "--dry-run")
    told = shop("resume", "3")
    assert "Finishing run 3: materialize broken@2025-03-05, failed, started" in told
    assert "run 4  1 made" in told
    assert "came to its end" in shop("resume", "1")
    shop("resume", exits=3)
    assert shop("resume") == "Nothing to resume: no run was left unfinished.\n"
    assert shop.data("resume") == {"run": None}


def test_vacuum_shows_asks_and_removes(shop):
    shop("materialize")
    shop("materialize", "--force", "--yes")
    assert "nobody is there to ask" in (shop("vacuum", exits=2), shop.err)[1]
    would = shop("vacuum", "--keep", "0s", "--dry-run")
    assert "Nothing was changed." in would
    assert "superseded" in would
    done = shop.data("vacuum", "--keep", "0s", "--yes")
    assert {pile["what"] for pile in done["freed"]} == {"superseded", "quarantine"}
    assert shop("vacuum", "--keep", "0s", "--yes").endswith("There is nothing to remove.\n")
    assert "is not a duration" in (shop("vacuum", "--keep", "soon", exits=2), shop.err)[1]


def test_doctor_tells_each_problem_with_its_fix_and_mends_it(shop):
    shop("materialize")
    assert shop("doctor") == "Every promise is kept.\n"
    shop_link = next((shop.root / "warehouse" / "production").rglob("data.parquet"))
    shop_link.unlink()
    told = shop("doctor", exits=1)
    assert "is live and not served" in told
    assert told.endswith("Next: millgate doctor --repair\n")
    (problem,) = shop.data("doctor", exits=1)["problems"]
    assert problem.keys() == {"kind", "what", "where", "fix"}
    assert problem["where"] == str(shop_link)
    assert "1 problem mended. Nothing else is wrong." in shop("doctor", "--repair")
    assert shop.data("doctor", "--deep") == {"problems": [], "mended": [], "gone": ""}


def test_doctor_says_what_is_gone_when_it_rebuilds_from_files(shop):
    shop("materialize")
    shutil.rmtree(shop.root / "warehouse" / "snapshots")
    assert "doctor --repair" in shop("doctor", exits=1)
    assert "Rebuilt from files. Gone: runs and their steps" in shop("doctor", "--repair")
    assert shop("doctor", "--deep") == "Every promise is kept.\n"


def test_plan_warns_of_what_refreshes_and_reads_itself_and_counts_what_was_missed(shop):
    (shop.root / "assets" / "balance.py").write_text(
        "import polars as pl\n"
        "from millgate import Daily, Refresh, Window, asset\n"
        'days = Daily("2025-03-03", end="2025-03-05")\n'
        '@asset(partitions=days, refresh=Refresh("6h"), upstream={"before": Window(-1, -1, '
        'of="balance")})\n'
        "def balance(before: pl.LazyFrame) -> pl.DataFrame:\n"
        '    return pl.DataFrame({"n": [1]})\n'
        '@asset(partitions=days, refresh="never")\n'
        "def once() -> pl.DataFrame:\n"
        '    return pl.DataFrame({"n": [1]})\n'
    )
    shop("plan", "balance")
    assert "balance refreshes and reads itself" in " ".join(shop.err.split())
    assert "2 missed (a backfill makes them)." in shop("plan", "once")
    assert shop.err == ""
    assert shop.data("plan", "once")["missed"] == {"once": 2}
    assert "every 6h" in shop("show", "balance")
    assert "never: it is made once" in shop("show", "once")


def test_a_gate_is_tried_before_it_is_adopted(shop):
    shop("materialize")
    assert shop("check") == (
        "Today's gates let in all that is live (15 partitions). Nothing was recorded.\n"
    )
    assert "No difference in 7 partitions." in shop("gate", "diff", "orders")
    file = shop.root / "assets" / "orders.py"
    file.write_text(file.read_text().replace("gt=0", "gt=20"))
    assert (
        shop("gate", "diff", "orders")
        == """\
 what     asset   partitions             n  rows  why
 refused  orders  2025-03-03 and 2 more  3     3  amount > 20

3 rows newly refused, 0 rows newly accepted. Nothing was recorded.
Next: millgate plan orders
"""
    )
    assert "3 of 15 live partitions would be refused." in shop("check", exits=3)
    assert {t["newly_refused"] for t in shop.data("gate", "diff", "orders")} == {1}
    assert len(shop.data("check", exits=3)) == 15


def test_what_waits_is_judged_again_and_enters_when_somebody_agrees(shop):
    shop("materialize")
    assert "0 rows would enter production. Nothing was changed." in shop("quarantine", "replay")
    file = shop.root / "assets" / "orders.py"
    file.write_text(file.read_text().replace("gt=0", "gt=-100"))
    asked = ("quarantine", "replay", "orders")
    assert (
        shop(*asked, "--dry-run")
        == """\
 what      asset   partitions  n  rows  why
 accepted  orders  2025-03-04  1     1
 waits on  orders  2025-03-06  1     1  country in ['DE', 'FR', 'US']

1 row would enter production. Nothing was changed.
"""
    )
    shop(*asked, exits=2)
    assert "nobody is there to ask" in shop.err
    assert "1 row entered production, in snapshot 2." in shop(*asked, "--yes")
    assert shop.data(*asked)["entering"] == []


def test_a_mistyped_executor_is_told_though_there_is_nothing_to_do(shop):
    shop("materialize")
    shop("materialize", "--executor", "proceses", exits=2)
    assert "did you mean processes?" in shop.err
