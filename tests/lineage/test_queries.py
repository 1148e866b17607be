from __future__ import annotations

from datetime import timedelta

import pytest

from lineage.chronicle import NOON, PLAIN, Chronicle, declared, digest, reads
from millgate.errors import DeclarationError
from millgate.lineage import queries, run_records
from millgate.lineage.queries import Overtaken
from millgate.model.record import InputVersion, SourceFile
from millgate.model.schema import Schema

DAY, NEXT = "2013-01-01", "2013-01-02"


def test_an_empty_catalog(chronicle: Chronicle) -> None:
    connection = chronicle.connection
    assert queries.asset_names(connection) == []
    assert queries.inputs_of(connection, []) == {}
    assert queries.conflicts(connection, {}) == []
    assert queries.live_versions(connection, "flights") == []
    assert queries.quarantine_files(connection, "flights") == []
    assert queries.live_schema(connection, "flights") is None
    assert queries.last_schema(connection, "flights") is None
    assert queries.open_entry(connection, "flights", DAY) is None
    assert queries.materialization(connection, 1) is None
    assert queries.source_files(connection) == {}
    assert queries.distinct_values(connection, "regions.region") is None
    assert run_records.last_run(connection) == 0
    assert run_records.recorded_run(connection, 1) is None


def test_names_of_what_is_declared(chronicle: Chronicle) -> None:
    chronicle.declare(declared("flights"), declared("airports"), declared("old"))
    chronicle.declare(declared("flights"), declared("airports"))
    assert queries.asset_names(chronicle.connection) == ["airports", "flights"]


def test_inputs_by_materialization(chronicle: Chronicle) -> None:
    raw = chronicle.observe("raw", "first")
    b = chronicle.make("b", DAY, "b data")
    a = chronicle.make("a", DAY, "a data")
    made = chronicle.make(
        "flights", DAY, inputs=(*reads(b, a), *reads(raw, pinned=True)), derived_from=b.id
    )
    assert queries.inputs_of(chronicle.connection, [made.id, a.id]) == {
        made.id: (
            InputVersion(a.id, "a", DAY, digest("a data")),
            InputVersion(b.id, "b", DAY, digest("b data")),
            InputVersion(raw.id, "raw", "", digest("first"), pinned=True),
        ),
        a.id: (),
    }


def test_conflicts_name_the_run_that_was_there(chronicle: Chronicle) -> None:
    first = chronicle.make("flights", DAY)
    chronicle.begin(2)
    second = chronicle.make("flights", DAY, "other")
    gone = chronicle.make("flights", NEXT)
    chronicle.begin(3)
    chronicle.withdraw(gone, "wrong airport")

    def found(expected: dict[str, int | None]) -> list[Overtaken]:
        planned = {("flights", key): id_ for key, id_ in expected.items()}
        return queries.conflicts(chronicle.connection, planned)

    assert found({DAY: second.id, NEXT: None, "2013-01-03": None}) == []
    assert found({DAY: first.id}) == [Overtaken("flights", DAY, 2)]
    assert found({DAY: None}) == [Overtaken("flights", DAY, 2)]
    assert found({NEXT: gone.id, DAY: first.id}) == [
        Overtaken("flights", DAY, 2),
        Overtaken("flights", NEXT, 3),
    ]


def test_live_versions_and_quarantined_files_in_key_order(chronicle: Chronicle) -> None:
    later = chronicle.make("flights", NEXT, failing=3)
    made = chronicle.make("flights", DAY)
    chronicle.make("delays", DAY)
    held = chronicle.hold("flights", "2013-01-03")
    versions = queries.live_versions(chronicle.connection, "flights")
    assert [(v.partition, v.materialization, v.path, v.schema, v.rows) for v in versions] == [
        (DAY, made.id, made.path, PLAIN, 10),
        (NEXT, later.id, later.path, PLAIN, 10),
    ]
    files = queries.quarantine_files(chronicle.connection, "flights")
    assert [(f.partition, f.materialization, f.rows) for f in files] == [
        (NEXT, later.id, 3),
        ("2013-01-03", held.id, 10),
    ]
    assert all(f.path.endswith("/rows.parquet") for f in files)
    assert [c.name for c in files[0].schema] == ["carrier", "distance", "quarantine_reasons"]
    chronicle.discard(held, "broken file")
    assert len(queries.quarantine_files(chronicle.connection, "flights")) == 1


def test_a_source_has_no_columns(chronicle: Chronicle) -> None:
    chronicle.observe("raw", "first")
    assert queries.live_schema(chronicle.connection, "raw") == Schema(())
    assert queries.last_schema(chronicle.connection, "raw") is None


def test_the_open_entry_of_a_partition(chronicle: Chronicle) -> None:
    split = chronicle.make("flights", DAY, failing=3)
    entry = queries.open_entry(chronicle.connection, "flights", DAY)
    assert entry is not None
    assert (entry.materialization, entry.scope, entry.rows, entry.bytes) == (
        split.id,
        "rows",
        3,
        300,
    )
    assert (entry.quarantined_at, entry.judgement) == (NOON, split.id + 1)
    assert "quarantine_reasons" in entry.schema.types
    chronicle.discard(split, "cancelled flights")
    assert queries.open_entry(chronicle.connection, "flights", DAY) is None


def test_a_version_comes_back_as_it_was_recorded(chronicle: Chronicle) -> None:
    raw = chronicle.observe("raw", "first")
    made = chronicle.make(
        "flights",
        DAY,
        inputs=reads(raw),
        window_start=NOON,
        window_end=NOON + timedelta(days=1),
        step=1_000_009,
    )
    assert queries.materialization(chronicle.connection, made.id) == made
    assert queries.materialization(chronicle.connection, raw.id) == raw


def test_source_files_as_they_were_last_observed(chronicle: Chronicle) -> None:
    chronicle.observe("raw", "first")
    chronicle.observe("raw", "second")
    assert queries.source_files(chronicle.connection) == {
        "data/raw.csv": SourceFile("data/raw.csv", 123, NOON, digest("second"))
    }


def test_a_run_comes_back_as_it_was_recorded(chronicle: Chronicle) -> None:
    chronicle.begin(7, message="no such carrier", exit_status=1, resumes=3)
    chronicle.commit()
    assert run_records.last_run(chronicle.connection) == 7
    assert run_records.recorded_run(chronicle.connection, 7) == chronicle.run


def test_distinct_values_of_a_live_column(chronicle: Chronicle) -> None:
    chronicle.make("regions", "")
    chronicle.connection.execute(
        "CREATE VIEW production.regions AS "
        "FROM (VALUES ('US', 2), ('EU', 1), (NULL, 3), ('EU', 1)) "
        't(region, "odd ""name")'
    )
    values = queries.distinct_values
    assert values(chronicle.connection, "regions.region") == ["EU", "US"]
    assert values(chronicle.connection, 'regions.odd "name') == ["1", "2", "3"]
    with pytest.raises(DeclarationError) as caught:
        values(chronicle.connection, "regions.regoin")
    assert "did you mean region?" in caught.value.fix
