"""From lineage on record to a drawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from millgate.cli.grid import counted
from millgate.cli.ranges import grain_of, summary
from millgate.cli.show_lineage import Drawing, Item
from millgate.lineage.ancestry import AssetLineage, LineageAsset, LineageEdge, Trace, TracedVersion
from millgate.model.partition import label
from millgate.model.record import show_id
from millgate.plan.graph import Graph


def draw_assets(lineage: AssetLineage) -> Drawing:
    """A drawing with an item for each asset."""
    items = {a.asset: Item(a.asset, is_source=a.kind == "source") for a in lineage.assets}
    # An asset may read its own earlier partitions, which a drawing of assets does not show.
    pairs = dict.fromkeys((e.upstream, e.downstream) for e in lineage.edges)
    return Drawing(items, tuple(pair for pair in pairs if pair[0] != pair[1]))


def draw_versions(up: Trace, down: Trace, root: Path) -> tuple[Drawing, list[str]]:
    """A drawing with an item for the versions of each asset, and the name of what was traced.

    Source files below `root` are named relative to it.
    """
    versions = {v.materialization: v for v in (*up.versions, *down.versions)}
    edges = (*up.edges, *down.edges)
    traced = up.versions[0]
    files: dict[int, list[str]] = defaultdict(list)
    for file in up.files:
        files[file.materialization].append(_relative(file.path, root))
    released = {e.downstream: e.upstream for e in edges if e.kind == "derived"}
    hidden = _beside(traced.materialization, released)
    by_asset: dict[str, list[TracedVersion]] = defaultdict(list)
    for version in versions.values():
        if version.materialization not in hidden:
            by_asset[version.asset].append(version)
    items = {asset: _item(alike, traced, released, files) for asset, alike in by_asset.items()}
    pairs = dict.fromkeys((versions[e.upstream].asset, versions[e.downstream].asset) for e in edges)
    drawing = Drawing(items, tuple(pair for pair in pairs if pair[0] != pair[1]))
    return drawing, [traced.asset]


def declared_lineage(graph: Graph, names: frozenset[str]) -> AssetLineage:
    """The lineage between declared assets, as the catalog would have it after a run."""
    nodes = [graph[name] for name in graph.order if name in names]
    return AssetLineage(
        tuple(LineageAsset(n.name, n.kind, n.owner, n.group, True, 0) for n in nodes),
        tuple(
            LineageEdge(e.upstream, e.downstream, e.kind, e.mapping)
            for e in graph.edges
            if e.upstream in names and e.downstream in names
        ),
    )


def _relative(path: str, root: Path) -> str:
    return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else path


def _beside(traced: int, released: Mapping[int, int]) -> set[int]:
    """The versions that another one stands for: of a release and what it came from, one is shown.

    `released` has for each released version the refused one. That is what is traced, else the
    released one.
    """
    own = {made for made, refused in released.items() if refused == traced}
    return own | set(released.values()) - {traced}


def _item(
    versions: Sequence[TracedVersion],
    traced: TracedVersion,
    released: Mapping[int, int],
    files: Mapping[int, Sequence[str]],
) -> Item:
    """Versions of one asset; of a single partition the one that is traced, else the live one."""
    keys = sorted({version.partition for version in versions})
    shown = max(versions, key=lambda v: (v == traced, v.live, v.materialization))
    observed = sorted({path for v in versions for path in files.get(v.materialization, ())})
    if len(keys) > 1:
        note = f"{len(versions):,} versions"
    else:
        note = _version_note(shown, released)
        if len(versions) > 1:
            note += f", and {counted(len(versions) - 1, 'other version')}"
    if observed:
        note += f", {observed[0]}" + (f" and {len(observed) - 1:,} more" if observed[1:] else "")
    return Item(label(shown.asset, summary(keys, grain_of(keys[0]))), note, bool(observed))


def _version_note(version: TracedVersion, released: Mapping[int, int]) -> str:
    note = show_id(version.materialization)
    if version.kind != "observed":
        note += f", {counted(version.rows, 'row')}"
    if version.materialization in released:
        note += f", {version.kind} from {show_id(released[version.materialization])}"
    return note
