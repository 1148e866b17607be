from __future__ import annotations

import random
import struct
from datetime import datetime
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millgate.store.digest import digest, expressions
from millgate.store.reading import scan_version
from millgate.store.types import schema_of
from millgate.store.writing import write
from store.stored_values import VALUES, column


def hash_of(
    frame: pl.DataFrame | pl.LazyFrame, engine: Literal["auto", "streaming"] = "auto"
) -> str:
    schema = schema_of(frame)
    values = frame.lazy().select(expressions(schema)).collect(engine=engine)
    return digest(values.row(0, named=True), schema)


names = st.sampled_from(sorted(VALUES))


@st.composite
def frames(draw: st.DrawFn, *columns: str) -> pl.DataFrame:
    """Frames of up to three columns of any storable types, with nulls and repeated rows."""
    kinds = columns or draw(st.lists(names, min_size=1, max_size=3))
    height = draw(st.integers(0, 8))
    data = {}
    for i, kind in enumerate(kinds):
        value = st.none() | st.sampled_from(VALUES[kind][1])
        data[f"c{i}"] = column(kind, draw(st.lists(value, min_size=height, max_size=height)))
    return pl.DataFrame(data)


@settings(deadline=None)
@given(frames(), st.randoms(use_true_random=False))
def test_row_order_does_not_matter(frame: pl.DataFrame, chance: random.Random) -> None:
    order = list(range(frame.height))
    chance.shuffle(order)
    assert hash_of(frame[order]) == hash_of(frame)


@settings(deadline=None)
@given(frames(), st.data())
def test_every_cell_and_every_row_counts(frame: pl.DataFrame, data: st.DataObject) -> None:
    before = hash_of(frame)
    assert hash_of(pl.concat([frame, frame[:1].clear(1)])) != before
    if frame.height:
        assert hash_of(pl.concat([frame, frame[:1]])) != before
        assert hash_of(frame[1:]) != before
        place = data.draw(st.integers(0, frame.height - 1))
        name = data.draw(st.sampled_from(frame.columns))
        if frame[name].null_count() < frame.height and frame[name][place] is not None:
            emptied = pl.when(pl.int_range(pl.len()) == place).then(None).otherwise(pl.col(name))
            assert hash_of(frame.with_columns(emptied.alias(name))) != before


@settings(deadline=None, max_examples=40)
@given(frames())
def test_streaming_and_files_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, frame: pl.DataFrame
) -> None:
    path = tmp_path_factory.mktemp("digest") / "x.parquet"
    write(frame, path, {})
    assert hash_of(scan_version(path)) == hash_of(frame)
    assert hash_of(scan_version(path), "streaming") == hash_of(frame)


@pytest.mark.parametrize("name", VALUES)
def test_different_values_have_different_hashes(name: str) -> None:
    values = [*VALUES[name][1], None]
    hashes = {hash_of(pl.DataFrame({"x": column(name, [value])})) for value in values}
    assert len(hashes) == len(values)


def test_chunks_and_streams_of_many_rows_sum_to_the_same() -> None:
    whole = pl.DataFrame({"n": range(200_000)}).with_columns(s=pl.col("n").cast(pl.String))
    parts = pl.concat([whole[150_000:], whole[:150_000]], rechunk=False)
    assert hash_of(whole) == hash_of(parts) == hash_of(parts, "streaming")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"x": [None]}, {"x": [""]}),
        ({"a": [1, 2], "b": [1, 2]}, {"a": [1, 2], "b": [2, 1]}),
        ({"a": [1], "b": [2]}, {"a": [2], "b": [1]}),
        ({"a": [1], "b": [2]}, {"b": [2], "a": [1]}),
        ({"a": ["x"], "b": ["yz"]}, {"a": ["xy"], "b": ["z"]}),
        ({"a": [1, 1, 2]}, {"a": [1, 2, 2]}),
        ({"a": [1]}, {"A": [1]}),
        ({"a": [1]}, {"a": [1.0]}),
        ({"x": []}, {"x": [], "b": []}),
        ({"x": []}, {"x": [None]}),
    ],
)
def test_frames_that_differ(one: dict[str, Any], other: dict[str, Any]) -> None:
    overrides = {"x": pl.String}
    assert hash_of(pl.DataFrame(one, schema_overrides=overrides)) != hash_of(
        pl.DataFrame(other, schema_overrides=overrides)
    )


def test_a_wider_type_is_another_schema() -> None:
    frame = pl.DataFrame({"a": [1]})
    assert hash_of(frame) != hash_of(frame.cast(pl.Int32))


def test_zeros_are_equal_and_so_are_nans() -> None:
    odd_nan = struct.unpack("d", struct.pack("Q", 0xFFF8_0000_0000_0001))[0]
    assert hash_of(pl.DataFrame({"x": [0.0, float("nan")]})) == hash_of(
        pl.DataFrame({"x": [-0.0, odd_nan]})
    )


@pytest.mark.parametrize("dtype", [pl.Categorical(), pl.Enum(["b", "a"]), pl.Enum(["c", "a", "b"])])
def test_categories_count_by_their_text(dtype: pl.DataType) -> None:
    plain = pl.DataFrame({"x": ["a", "b", None]})
    assert hash_of(plain.cast(dtype)) == hash_of(plain)
    nested = plain.select(pl.concat_list("x"), pl.struct(y="x"))
    cast = plain.cast(dtype).select(pl.concat_list("x"), pl.struct(y="x"))
    assert hash_of(cast) == hash_of(nested)


def test_the_local_time_of_an_instant_counts() -> None:
    utc = pl.DataFrame({"x": [datetime(2013, 7, 1)]}).select(
        pl.col("x").dt.replace_time_zone("UTC")
    )
    there = utc.select(pl.col("x").dt.convert_time_zone("America/New_York"))
    assert hash_of(utc) != hash_of(there)


@pytest.mark.parametrize("name", ["*", "^a.*$", 'say "x"', "a\nb", "ä'; DROP TABLE x; --", " "])
def test_any_column_name_will_do(name: str) -> None:
    frame = pl.DataFrame({name: [1, 2], "ab": [3, 4]})
    assert hash_of(frame) != hash_of(pl.DataFrame({name: [1, 3], "ab": [3, 4]}))
    assert hash_of(frame) == hash_of(frame[::-1])


def test_no_two_rows_of_a_grid_have_one_hash() -> None:
    side = pl.LazyFrame({"n": range(700)})
    grid = side.join(side.select(m="n"), how="cross").with_columns(
        date=pl.lit(datetime(2024, 1, 1)) + pl.duration(days="m"), x=pl.col("n") / 100
    )
    for names in (["n", "m"], ["x", "m"], ["n", "date"], ["x", "date"]):
        few = grid.select(names)
        summed = expressions(schema_of(few))[1].meta.undo_aliases().meta.pop()[0]
        assert few.select(summed.n_unique()).collect(engine="streaming").item() == 700 * 700
