"""What is declared now, as the rows that a commit writes."""

from __future__ import annotations

from collections.abc import Mapping

from millgate.execute.mill import Mill
from millgate.model.asset import Asset, Node
from millgate.model.dimension import Horizon
from millgate.model.record import Declarations, DeclaredAsset


def declarations(mill: Mill, outside: Mapping[str, tuple[str, ...]] | None = None) -> Declarations:
    """Every declared asset and source, and the edges between them; `outside` as a plan found it."""
    horizon = Horizon(mill.clock())
    return Declarations(
        tuple(_declared(node, mill, horizon) for node in mill.graph.nodes),
        mill.graph.edges,
        outside or {},
    )


def _declared(node: Node, mill: Mill, horizon: Horizon) -> DeclaredAsset:
    time = node.partitions.time
    keys = time.keys(horizon) if time else ()
    made = isinstance(node, Asset)
    return DeclaredAsset(
        asset=node.name,
        kind=node.kind,
        description=node.description,
        owner=node.owner,
        asset_group=node.group,
        tags=tuple(sorted(node.tags)),
        dimensions=node.partitions.names,
        grain=time.grain if time else None,
        time_zone=time.tz if time else None,
        first_key=time.start if time else None,
        last_key=keys[-1] if keys else None,
        code_fingerprint=mill.code[node.name] if made else None,
        gate_fingerprint=mill.gates[node.name].fingerprint if made else None,
        on_failure=node.gate.on_failure if isinstance(node, Asset) else None,
        defined_in=node.defined_in,
    )
