"""What the gate costs beside the hardware's share: reading the file, and writing it again.

    python benchmarks/gate.py [--runs 5] [--rows 10000000] [--large 100000000] [--folder DIR]

A file of six columns is judged by eight checks as a run judges what an asset has written: counts,
data hash and strays in one reading. Where nothing fails, that is set against a reading that takes
the largest value of each column. Where 0.2 % of the rows fail, judging and writing the good and
the rejected rows is set against writing the file again with the same compression. Each side is a
process of its own, in turn, and times itself without its imports. All of it is then done on a file
of `large` rows too (0 leaves that out), to see whether the peak memory of a side grows.

The exit status is 1 if a side fails, if good and rejected rows are not the rows of the file, or if
a count is not that of a plain query, never because something was slow.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from measuring import COMPILED, Wrong, exit_status

CARRIERS = ["AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "UA", "US", "VX", "WN", "YV"]
BLOCK = 250_000
LARGE_RUNS = 3
"""Of the large file: the peak of one run alone is a matter of chance."""
FIRST = datetime(2013, 1, 1)

CHILD = """
import sys
sys.path.insert(0, {here!r})
import gate
gate.child(sys.argv[1], gate.Path(sys.argv[2]), gate.Path(sys.argv[3]))
"""


def write_file(path: Path, rows: int, bad: bool) -> None:
    """A file of `rows` trips, the same for the same numbers; one in 500 fails a check if `bad`."""
    import pyarrow.parquet as pq

    writer = None
    for start in range(0, rows, BLOCK):
        table = trips(start, min(BLOCK, rows - start), bad).to_arrow()
        writer = writer or pq.ParquetWriter(
            path, table.schema, compression="zstd", compression_level=1
        )
        writer.write_table(table)
    assert writer is not None
    writer.close()


def trips(start: int, rows: int, bad: bool) -> Any:
    import polars as pl

    def random(seed: int, below: int) -> pl.Expr:
        return pl.col("trip").hash(seed) % below

    frame = pl.select(trip=pl.int_range(start, start + rows)).with_columns(
        carrier=pl.lit(pl.Series(CARRIERS)).gather(random(1, len(CARRIERS))),
        tail=pl.concat_str(pl.lit("N"), random(2, 90_000) + 10_000),
        departed=pl.lit(FIRST) + pl.duration(microseconds=random(3, 86_400_000_000)),
        distance=(random(4, 4_900) + 60).cast(pl.Int32),
        fare=pl.when(random(5, 50) > 0).then(random(6, 200_000) / 100),
    )
    if not bad:
        return frame
    fault = random(7, 1000)
    return frame.with_columns(
        tail=pl.when(fault == 0).then(pl.lit("?")).otherwise("tail"),
        distance=pl.when(fault == 1).then(-1).otherwise("distance").cast(pl.Int32),
    )


def trip_schema() -> Any:
    import pandera.polars as pa
    import polars as pl

    check = pa.Check
    return pa.DataFrameSchema(
        {
            "trip": pa.Column(pl.Int64, check.ge(0)),
            "carrier": pa.Column(pl.String, check.isin(CARRIERS)),
            "tail": pa.Column(pl.String, [check.str_matches(r"N\d{5}$"), check.str_length(1, 8)]),
            "departed": pa.Column(
                pl.Datetime("us"), check.in_range(FIRST, FIRST.replace(year=2014))
            ),
            "distance": pa.Column(pl.Int32, check.gt(0)),
            "fare": pa.Column(pl.Float64, [check.ge(0), check.lt(10_000)], nullable=True),
        }
    )


def child(side: str, file: Path, scratch: Path) -> None:
    """Do one side's work on `file` and print what it took and found."""
    from time import perf_counter, process_time

    work: Callable[[], Mapping[str, Any]] = SIDES[side](file, scratch)
    before, cpu = perf_counter(), process_time()
    found = work()
    took = {"wall": perf_counter() - before, "cpu": process_time() - cpu}
    print(json.dumps({**took, "peak": peak_memory(), **found}))


def peak_memory() -> float:
    """The most memory that this process had, in MiB.

    Linux starts the count of getrusage at what the parent had when it started the process.
    """
    import resource

    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    told = Path("/proc/self/status").read_text()
    return int(told.split("VmHWM:")[1].split()[0]) / 2**10


def scanning(file: Path, scratch: Path) -> Callable[[], Mapping[str, Any]]:  # noqa: ARG001
    import polars as pl

    def scan() -> Mapping[str, Any]:
        plan = pl.scan_parquet(file).select(pl.len().alias("rows"), pl.all().max())
        return {"rows": plan.collect(engine="streaming").item(0, "rows")}

    return scan


def rewriting(file: Path, scratch: Path) -> Callable[[], Mapping[str, Any]]:
    import polars as pl

    def rewrite() -> Mapping[str, Any]:
        pl.scan_parquet(file).sink_parquet(
            scratch / "again.parquet", compression="zstd", compression_level=1
        )
        return {}

    return rewrite


def judging(file: Path, scratch: Path) -> Callable[[], Mapping[str, Any]]:
    """The part of a step that comes after computing, of an asset whose result streamed to disk."""
    from millgate import Gate, asset
    from millgate.execute.order import Order
    from millgate.execute.produce import judge_settled
    from millgate.execute.settle import Settled
    from millgate.gate.compiled import compile_gate
    from millgate.model.step import Cause, Step
    from millgate.store.storage import storage_at

    @asset(gate=Gate(trip_schema(), on_failure="split"))
    def checked() -> None: ...

    gate = compile_gate(checked.gate, checked.name)
    order = Order(
        step=Step("checked", "", "make", Cause("missing")),
        step_id=1,
        asset=checked,
        partition=checked.partition(""),
        run=1,
        materialization=1_000_001,
        inputs=(),
        sources={},
        code_fingerprint="",
        input_fingerprint="",
        live_schema=None,
        live=None,
        staged=scratch / "checked.parquet",
    )
    order.staged.hardlink_to(file)
    storage = storage_at(order.staged)

    def judge() -> Mapping[str, Any]:
        frame, schema = storage.scan(order.staged), storage.shape(order.staged)[1]
        settled = Settled(frame, frame.collect_schema(), schema, order.staged)
        (product,) = judge_settled([settled], [order], gate, datetime.now(UTC), [{}], 0.0)
        return {
            "verdict": product.judgement.verdict,
            "rows": product.judgement.rows,
            "rejected": product.judgement.rejected_rows,
            "hash": product.materialization.data_hash,
            "failing": {
                f"{r.rule} {r.column_name}": r.failing_rows
                for r in product.judgement.results
                if not r.passed
            },
            "checks": sum(r.rule != "not_nullable" for r in product.judgement.results),
            "accepted": str(product.accepted),
            "refused": str(product.refused and product.refused.path),
        }

    return judge


SIDES = {"scan": scanning, "rewrite": rewriting, "judge": judging}


def ran(side: str, file: Path, folder: Path) -> dict[str, Any]:
    """What one side took and found, in a process of its own; what it wrote is gone afterwards."""
    with TemporaryDirectory(dir=folder) as scratch:
        code = CHILD.format(here=str(Path(__file__).parent))
        command = [sys.executable, "-c", code, side, str(file), scratch]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=COMPILED)
        if done.returncode:
            raise Wrong(f"{side} failed:\n{done.stderr}")
        found: dict[str, Any] = json.loads(done.stdout)
        if found.get("verdict") == "split":
            compare(file, found)
    return found


def compare(file: Path, found: Mapping[str, Any]) -> None:
    """Raise Wrong unless what was split is the file, and the counts are those of a plain query."""
    import polars as pl

    from millgate.store import digest, types

    trips = pl.scan_parquet(file)
    unfit = ~pl.col("tail").str.contains("^N[0-9]{5}$"), pl.col("distance") <= 0
    wanted = trips.select(
        pl.len().alias("rows"),
        unfit[0].sum().alias("str_matches tail"),
        unfit[1].sum().alias("greater_than distance"),
        pl.any_horizontal(unfit).sum().alias("rejected"),
    )
    told = wanted.collect(engine="streaming").row(0, named=True)
    if found["rows"] != told.pop("rows") or found["rejected"] != told.pop("rejected"):
        raise Wrong(f"{found} was judged, not {told}")
    if found["failing"] != told:
        raise Wrong(f"{found['failing']} fail, not {told}")
    sums = digest.expressions(types.schema_of(trips))
    kept, refused = pl.scan_parquet(found["accepted"]), pl.scan_parquet(found["refused"])
    whole, good, bad = pl.collect_all(
        [trips.select(sums), kept.select(sums), refused.select(sums)], engine="streaming"
    )
    schema = types.schema_of(trips)
    both = (good.cast(pl.Int128) + bad.cast(pl.Int128)).row(0, named=True)
    if digest.digest(both, schema) != digest.digest(whole.row(0, named=True), schema):
        raise Wrong("good and rejected rows are not the rows of the file")
    if digest.digest(good.row(0, named=True), schema) != found["hash"]:
        raise Wrong("the data hash is not that of the good rows")
    if kept.filter(pl.any_horizontal(unfit)).collect(engine="streaming").height:
        raise Wrong("a bad row is among the good ones")
    if refused.filter(pl.col("quarantine_reasons").list.len() == 0).collect().height:
        raise Wrong("a row was rejected without a reason")


def report(name: str, floors: list[dict[str, Any]], gates: list[dict[str, Any]]) -> None:
    shown = [name]
    for kind in ("wall", "cpu"):
        ratios = [g[kind] / f[kind] for f, g in zip(floors, gates, strict=True)]
        shown.append(
            f"{median(f[kind] for f in floors):6.2f} s {median(g[kind] for g in gates):6.2f} s"
            f"{median(ratios):6.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    print(f"{shown[0]:8}{shown[1]:42}{shown[2]}")


def measure(rows: int, runs: int, folder: Path) -> dict[str, float]:
    """Print both comparisons on files of `rows` rows; the median peak of each side in MiB."""
    peaks = {}
    for bad, floor, name in ((False, "scan", "clean"), (True, "rewrite", "split")):
        file = folder / f"{name}.parquet"
        write_file(file, rows, bad)
        pairs = [(ran(floor, file, folder), ran("judge", file, folder)) for _ in range(runs)]
        file.unlink()
        for _, found in pairs:
            if found["verdict"] != ("split" if bad else "promote") or found["rows"] != rows:
                raise Wrong(f"{found} was judged")
            if found["checks"] != 8:
                raise Wrong(f"{found['checks']} checks were made, not 8")
        floors, gates = map(list, zip(*pairs, strict=True))
        report(name, floors, gates)
        for side, each in ((floor, floors), (name, gates)):
            peaks[side] = median(found["peak"] for found in each)
    return peaks


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--large", type=int, default=100_000_000)
    parser.add_argument("--folder", type=Path, help="where the temporary folders go")
    given = parser.parse_args()
    with TemporaryDirectory(dir=given.folder, prefix="gate-") as scratch:
        print(f"{given.rows:,} rows, {given.runs} runs in turn; medians\n")
        print(f"{'':8}{'wall: floor, gate, ratio':42}CPU: floor, gate, ratio")
        small = measure(given.rows, given.runs, Path(scratch))
        if given.large:
            runs = min(LARGE_RUNS, given.runs)
            print(f"\n{given.large:,} rows, {runs} runs in turn; medians\n")
            large = measure(given.large, runs, Path(scratch))
    for name, peak in small.items():
        print(f"\npeak memory, {name}: {peak:.0f} MiB", end="")
        if given.large:
            print(f", with {given.large:,} rows {large[name]:.0f} MiB", end="")
            print(f" (x {large[name] / peak:.2f})", end="")
    print("\nevery count is that of a plain query, and good and rejected rows are the file's")


if __name__ == "__main__":
    sys.exit(exit_status(main))
