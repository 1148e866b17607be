"""Whether an upstream can be read the way it is declared to be."""

from __future__ import annotations

from collections.abc import Mapping

from millgate.errors import DeclarationError, did_you_mean
from millgate.model.asset import Form, Input, Node, Source
from millgate.model.dimension import Dimension, Keys
from millgate.model.grain import TimeDimension
from millgate.model.mapping import Window
from millgate.model.partition import Partitions


def check_readable(node: Node, given: Input, upstream: Node) -> None:
    """Raise DeclarationError, with where and what to do, if `given` cannot be followed."""
    if given.form is Form.PATH and not isinstance(upstream, Source):
        raise DeclarationError(
            f"{given.parameter} of {node.name} asks for the path of {upstream.name}, "
            "which is not a source",
            where=_where(node, given),
            fix="annotate it as pl.LazyFrame: only a source's files can be had as they are",
        )
    if isinstance(given.mapping, Window):
        _check_window(node, given, upstream.partitions)
    elif isinstance(given.mapping, Mapping):
        _check_mapping(node, given, upstream)
    if upstream is node:
        _check_own(node, given)


def windowed(partitions: Partitions) -> Dimension | None:
    """The dimension that a plain Window counts along: time, otherwise the first."""
    return partitions.time or next(iter(partitions), None)


def _where(node: Node, given: Input) -> str:
    return f"{node.defined_in or node.name}, upstream {given.parameter}"


def _check_window(node: Node, given: Input, upstream: Partitions) -> None:
    window = given.mapping
    assert isinstance(window, Window)
    first, last = window.first, window.last
    holds_own = (first is None or first <= 0) and (last is None or last >= 0)
    if not upstream.dimensions and given.upstream != node.name and not holds_own:
        raise DeclarationError(
            f"{_shown(window)} counts partitions, and {given.upstream} is unpartitioned",
            where=_where(node, given),
            fix="leave the Window out: an unpartitioned upstream is read whole",
        )


def _check_mapping(node: Node, given: Input, upstream: Node) -> None:
    mapping = given.mapping
    assert isinstance(mapping, Mapping)
    axes = [isinstance(value, Window | Mapping) for value in mapping.values()]
    if any(axes):
        if not all(axes):
            raise DeclarationError(
                "a dict maps either keys to keys or dimensions to windows, not both",
                where=_where(node, given),
                fix='write {"EU": "europe"} or {"date": Window(-1, 0)}',
            )
        for name, axis in mapping.items():
            _check_axis(node, given, upstream, name, axis)
        return
    keyed = [d for d in upstream.partitions if isinstance(d, Keys)]
    if not keyed:
        raise DeclarationError(
            f"a dict of keys cannot map {upstream.name}, which has no dimension of listed keys",
            where=_where(node, given),
            fix="use a Window for time, or a class of your own with keys()",
        )
    for dimension in keyed:
        _check_targets(node, given, dimension, mapping)


def _check_axis(node: Node, given: Input, upstream: Node, name: object, axis: object) -> None:
    names = upstream.partitions.names
    dimension = next((d for d in upstream.partitions if d.name == name), None)
    if dimension is None:
        known = f"its dimensions are {', '.join(names)}" if names else "it is unpartitioned"
        raise DeclarationError(
            f"{upstream.name} has no dimension {name!r}",
            where=_where(node, given),
            fix=did_you_mean(str(name), names, known),
        )
    if isinstance(axis, Mapping):
        if isinstance(dimension, TimeDimension):
            raise DeclarationError(
                f"a dict of keys cannot map the time dimension {dimension.name}",
                where=_where(node, given),
                fix="use a Window, or a class of your own with keys()",
            )
        assert isinstance(dimension, Keys)
        _check_targets(node, given, dimension, axis)


def _check_targets(
    node: Node, given: Input, dimension: Keys, mapping: Mapping[str, object]
) -> None:
    """Every key that a static mapping leads to must be one of the listed ones."""
    for target in mapping.values():
        keys = [target] if isinstance(target, str) else target
        if not isinstance(keys, list | tuple) or not all(isinstance(k, str) for k in keys):
            raise DeclarationError(
                f"{target!r} is no key of {given.upstream} and no list of keys",
                where=_where(node, given),
                fix='write each as text, such as {"EU": ["europe", "uk"]}',
            )
        strangers = [k for k in keys if dimension.of is None and k not in dimension.listed]
        if strangers:
            listed = ", ".join(dimension.listed[:8])
            raise DeclarationError(
                f"{given.upstream} has no key {strangers[0]!r} in dimension {dimension.name}",
                where=_where(node, given),
                fix=did_you_mean(strangers[0], dimension.listed, f"its keys begin with {listed}"),
            )


def _check_own(node: Node, given: Input) -> None:
    """An asset may read itself only backwards, along the dimension that it is made along."""
    batched = node.partitions.batched
    if batched is not None and given in node.inputs:
        raise DeclarationError(
            f"{node.name} reads its own earlier partitions, and batch={batched.batch} would "
            "compute them as one with later ones",
            where=_where(node, given),
            fix="leave batch= out: each partition is made after the one before",
        )
    along = windowed(node.partitions)
    mapping = given.mapping
    if isinstance(mapping, Mapping) and along is not None:
        mapping = mapping.get(along.name)  # type: ignore[assignment]
    if along is not None and isinstance(mapping, Window) and (mapping.last or 0) < 0:
        return
    raise DeclarationError(
        f"{node.name} reads itself",
        where=_where(node, given),
        fix=f"read earlier partitions only: Window(-1, -1) along {along.name}"
        if along
        else "give it partitions; an unpartitioned asset has no earlier ones",
    )


def _shown(window: Window) -> str:
    return f"Window({window.first}, {window.last})"
